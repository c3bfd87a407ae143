"""Two warehouses compared, and what a build would change before it is published."""

import json
import shutil
from pathlib import Path

import pytest

from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import (
    ENGINES,
    Built,
    Mart,
    as_written,
    build_tables,
    tables_of,
)

LAST = 31


def write_lake(lake: Path) -> None:
    """A month in which a customer uses 8 of 10 a day."""
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1), currency="USD")])
    terms = [entitlement(starts_on=day(1), ends_on=day(91))]
    write_dump(lake, "entitlements", day(1), terms)
    for number in range(1, LAST + 1):
        events = [usage(event_ts=noon(number), quantity=8.0)]
        write_dump(lake, "telemetry", day(number), events)


def less_use(lake: Path) -> None:
    """Of the last ten days: 6.67 of 10 a day on average."""
    for number in range(LAST - 9, LAST + 1):
        events = [usage(event_ts=noon(number), quantity=4.0)]
        write_dump(lake, "telemetry", day(number), events)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The mart of that lake."""
    return Built(tmp_path_factory.mktemp("built"), write_lake)


@pytest.fixture
def mart(built: Built, engine: str, tmp_path: Path) -> Mart:
    """A copy of it."""
    return built.copy(tmp_path, engine)


def differences(*arguments: object) -> dict[str, dict[str, object]]:
    """What the command says of each table."""
    ended = cli.run("diff", *arguments, "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    return {each["table"]: each for each in json.loads(ended.out)["tables"]}


def test_engines_are_the_same(built: Built, tmp_path: Path) -> None:
    urls = [built.copy(tmp_path / engine, engine).url for engine in ENGINES]
    ended = cli.run("diff", *urls)
    assert (ended.code, ended.out) == (0, "They are the same.\n")


def test_what_differs_is_told(mart: Mart, engine: str, tmp_path: Path) -> None:
    lake, other = tmp_path / "other", f"{engine}://{tmp_path}/other.{engine}"
    shutil.copytree(mart.lake, lake)
    less_use(lake)
    (lake / "telemetry" / f"{day(5)}.csv").unlink()
    build_tables(lake, other)
    found = differences(mart.url, other)
    usage_rows = found["mart.fact_usage_daily"]
    assert (usage_rows["added"], usage_rows["removed"], usage_rows["changed"]) == (0, 1, 10)
    assert usage_rows["cells"] == {"total_quantity": 10, "peak_quantity": 10}
    assert not {"lake.raw_invoices", "mart.dim_customer", "mart.fact_invoice_line"} & set(found)
    text = cli.run("diff", mart.url, other).out
    assert "In another band on the last day: 1 healthy → low" in text
    assert "CUST-1 Acme, Database: healthy → low" in text
    assert "Commitments: 1 on_track → underused" in text
    assert "value covered: 125 → 125 (+0)" in text
    assert "unused value: 25 →" in text
    back = differences(other, mart.url)["mart.fact_usage_daily"]
    assert (back["added"], back["removed"]) == (1, 0)


def test_a_preview_publishes_nothing(mart: Mart) -> None:
    less_use(mart.lake)
    before = tables_of(as_written(mart.url))
    files = sorted(path.name for path in mart.lake.parent.iterdir())
    ended = cli.run("build", "--preview", "--lake", mart.lake, "--warehouse", mart.url)
    assert ended.code == 0
    assert "In another band on the last day: 1 healthy → low" in ended.out
    assert tables_of(as_written(mart.url)) == before
    assert sorted(path.name for path in mart.lake.parent.iterdir()) == files
    ended = cli.run("build", "--lake", mart.lake, "--warehouse", mart.url)
    assert ended.code == 0
    ended = cli.run("build", "--preview", "--lake", mart.lake, "--warehouse", mart.url)
    assert (ended.code, ended.out) == (0, "They are the same.\n")


def test_a_preview_of_what_fails_says_so(mart: Mart) -> None:
    (mart.lake / "telemetry" / f"{day(8)}.csv").write_bytes(b"\xff\n")
    ended = cli.run("build", "--preview", "--lake", mart.lake, "--warehouse", mart.url)
    assert ended.code == 1
    assert f"telemetry/{day(8)}.csv" in ended.err


def test_a_warehouse_that_is_not_there_is_told(mart: Mart, tmp_path: Path) -> None:
    ended = cli.run("diff", mart.url, f"duckdb://{tmp_path}/none.duckdb")
    assert ended.code == 1
    assert ended.err.startswith(f"Error: warehouse duckdb://{tmp_path}/none.duckdb: there is none")
