"""What holds of every lake, with or without `lake.toml` (spec, section 6)."""

import shutil
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumption_datamart.errors import LakeError
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.listing import listing
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import ONLY_LOADED, as_written, load_table, tables_of

HEADER = "event_id,event_ts,customer_id,deployment_id,product_id,infrastructure,quantity,unit"
LINE = "E1,2026-01-05 08:00:00,CUST-1,D1,P1,aws,80,vCPU"
NAMES = HEADER.split(",")


def write(path: Path, content: str) -> None:
    """A file, with the folders that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def loaded(lake: Path, url: str) -> list[dict[str, object]]:
    """The raw telemetry of a lake."""
    load_table(open_warehouse(url), Telemetry, lake)
    return tables_of(as_written(url))["lake.raw_telemetry"]


def ended(lake: Path, url: str, *more: str) -> cli.Ended:
    """A build of a lake."""
    return cli.run("build", "--lake", str(lake), "--warehouse", url, *more)


def url_in(folder: Path) -> str:
    """Of a warehouse that is not there yet."""
    return f"duckdb://{folder}/m.duckdb"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_folder_above_the_lake_means_nothing(suffix: str, tmp_path: Path) -> None:
    lake = tmp_path / "customer_id=CUST-9" / "dump_day=2020-01-01" / "lake"
    write_dump(lake, "telemetry", day(5), [usage(customer_id="CUST-1")], format=suffix)
    (row,) = loaded(lake, url_in(tmp_path))
    assert (row["customer_id"], row["dump_day"]) == ("CUST-1", day(5))


@ONLY_LOADED
@pytest.mark.parametrize("of_folder", [False, True])
def test_a_link_is_followed_and_its_dump_is_loaded_again_when_it_changes(
    of_folder: bool, tmp_path: Path
) -> None:
    lake, store, url = tmp_path / "lake", tmp_path / "store", url_in(tmp_path)
    write(store / "a.csv", f"{HEADER}\n{LINE}\n")
    (lake / "telemetry").mkdir(parents=True)
    name = "2026-01-05" if of_folder else "2026-01-05.csv"
    (lake / "telemetry" / name).symlink_to(store if of_folder else store / "a.csv")
    assert ended(lake, url).code == 0
    write(store / "a.csv", f"{HEADER}\n{LINE.replace('80', '99')}\n")
    assert ended(lake, url).code == 0
    (row,) = tables_of(as_written(url))["lake.raw_telemetry"]
    assert row["quantity"] == 99


def test_a_link_that_leads_back_ends(lake: Path) -> None:
    write(lake / "telemetry/2026-01-05.csv", f"{HEADER}\n{LINE}\n")
    (lake / "telemetry" / "loop").symlink_to(lake, target_is_directory=True)
    assert len([f for f in Lake(str(lake)).list() if "loop" not in f.name]) == 1


NOT_TAKEN = ("2026-01-05.CSV", "2026-01-05.csv.gz", "dt=2026-01-05/a.csv", "2026-01-05/08/a.csv")
SILENT = ("_SUCCESS", ".hidden.csv", "~$x.xlsx", "a.tmp", "b.crc", "c.part", "d.inprogress")


@ONLY_LOADED
def test_files_that_no_source_takes_are_told(lake: Path, tmp_path: Path) -> None:
    write_dump(lake, "invoices", day(5), [invoice()])
    for name in (*NOT_TAKEN, *SILENT):
        write(lake / "telemetry" / name, f"{HEADER}\n{LINE}\n")
    found = ended(lake, url_in(tmp_path))
    assert found.code == 0
    assert "4 files (telemetry/2026-01-05.CSV" in found.err
    assert "taken by no source" in found.err
    again = ended(lake, url_in(tmp_path))
    assert "taken by no source" in again.err, "also where nothing is new"


@ONLY_LOADED
def test_a_lake_of_which_no_file_is_taken_is_an_error(lake: Path, tmp_path: Path) -> None:
    write(lake / "compute/20260105/00.csv", "x")
    found = ended(lake, url_in(tmp_path))
    assert found.code == 1
    assert "1 file (compute/20260105/00.csv) is taken by no source" in found.err
    assert "lake.toml" in found.err


def test_a_dump_of_a_day_after_tomorrow_is_not_taken(lake: Path) -> None:
    now = datetime(2026, 1, 5, 23, tzinfo=UTC)
    for number in (5, 6, 7):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    found = listing(Lake(str(lake)), now)
    assert found.days == {day(5), day(6)}
    assert found.future == [f"telemetry/{day(7)}.csv"]
    write(lake / "lake.toml", 'time_zone = "Asia/Tokyo"\n')
    assert listing(Lake(str(lake)), now).days == {day(5), day(6), day(7)}


HEADERS = st.permutations(NAMES).flatmap(
    lambda names: st.tuples(
        st.just(names),
        st.lists(st.booleans(), min_size=8, max_size=8),
        st.lists(st.sampled_from(["", "Notes", "notes", "x", "X"]), max_size=4),
    )
)


@settings(max_examples=10, deadline=None)
@given(drawn=HEADERS, trailing=st.booleans())
def test_any_header_with_these_columns_is_read(
    drawn: tuple[list[str], list[bool], list[str]],
    trailing: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """In any order and letter case, with columns that are unknown, repeated or have no name."""
    names, upper, unknown = drawn
    folder = tmp_path_factory.mktemp("header")
    values = dict(zip(NAMES, LINE.split(","), strict=True))
    written = [name.upper() if up else name for name, up in zip(names, upper, strict=True)]
    header = [*unknown, *written, *([""] if trailing else [])]
    line = [*("?" for _ in unknown), *(values[name] for name in names), *([""] if trailing else [])]
    write(folder / "lake/telemetry/2026-01-05.csv", ",".join(header) + "\n" + ",".join(line) + "\n")
    (row,) = loaded(folder / "lake", url_in(folder))
    assert {name: str(row[name]) for name in NAMES} == values | {"quantity": "80.0"}


@ONLY_LOADED
def test_a_missing_column_is_told_with_those_that_there_are(lake: Path, tmp_path: Path) -> None:
    write(lake / "telemetry/2026-01-05.csv", HEADER.replace(",", ";") + "\n")
    found = ended(lake, url_in(tmp_path))
    assert "required column 'event_id' is missing; the file has event_id;event_ts" in found.err
    assert "is it delimited by ';'?" in found.err


def test_texts_without_their_annotation_are_texts(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    (lake / "telemetry").mkdir(parents=True)
    blobs = ", ".join(f"encode('{v}') AS {n}" for n, v in zip(NAMES, LINE.split(","), strict=True))
    file = lake / "telemetry/2026-01-05.parquet"
    duckdb.sql(f"COPY (SELECT {blobs}) TO '{file}'")
    (row,) = loaded(lake, url_in(tmp_path))
    assert (row["customer_id"], row["quantity"]) == ("CUST-1", 80)


@pytest.mark.parametrize("unit", ["TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "VARCHAR"])
def test_a_moment_is_cut_off_whatever_it_is_stored_as(unit: str, tmp_path: Path) -> None:
    """The last instant of a day stays on it, whichever files are loaded together."""
    lake = tmp_path / "lake"
    write_dump(lake, "telemetry", day(6), [usage(event_ts=noon(6))], format="parquet")
    (lake / "telemetry").mkdir(exist_ok=True)
    moment = f"'2026-01-05 23:59:59.9999999'::VARCHAR::{unit}"
    if unit in ("TIMESTAMP", "TIMESTAMP_MS"):
        moment = f"'2026-01-05 23:59:59.999'::{unit}"
    values = dict(zip(NAMES, (f"'{each}'" for each in LINE.split(",")), strict=True))
    columns = ", ".join(f"{v} AS {n}" for n, v in (values | {"event_ts": moment}).items())
    duckdb.sql(f"COPY (SELECT {columns}) TO '{lake}/telemetry/2026-01-05.parquet'")
    rows = {row["dump_day"]: row for row in loaded(lake, url_in(tmp_path))}
    assert rows.keys() == {day(5), day(6)}
    assert rows[day(5)]["event_ts"] > datetime(2026, 1, 5, 23, 59, 59, 990000)


@pytest.mark.parametrize("gone", ["all", "most"])
def test_what_was_loaded_is_not_deleted_because_its_dumps_are_gone(
    gone: str, lake: Path, tmp_path: Path
) -> None:
    url, days = url_in(tmp_path), range(1, 7)
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    for number in days:
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    assert ended(lake, url).code == 0
    before = tables_of(as_written(url))
    if gone == "all":
        shutil.rmtree(lake / "telemetry")
    else:
        for number in list(days)[2:]:
            (lake / f"telemetry/{day(number)}.csv").unlink()
    found = ended(lake, url)
    assert found.code == 1
    number = 6 if gone == "all" else 4
    assert f"telemetry: the dumps of {number} days are gone" in found.err
    assert "--accept-deletions" in found.err
    after = tables_of(as_written(url))
    for name in ("lake.raw_telemetry", "mart.fact_usage_daily", "mart.report_consumption_daily"):
        assert sorted(map(str, after[name])) == sorted(map(str, before[name]))
    late = [
        row for row in after["monitoring.check_result"] if row["check_name"] == "late_telemetry"
    ]
    if gone == "all":
        assert not max(late, key=lambda row: str(row["evaluated_at"]))["passed"]
    assert ended(lake, url, "--accept-deletions").code == 0
    kept = tables_of(as_written(url))["lake.raw_telemetry"]
    assert len(kept) == len(days) - number


@ONLY_LOADED
def test_few_dumps_that_are_gone_are_deleted(lake: Path, tmp_path: Path) -> None:
    url = url_in(tmp_path)
    for number in range(1, 7):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    assert ended(lake, url).code == 0
    (lake / f"telemetry/{day(3)}.csv").unlink()
    assert ended(lake, url).code == 0
    assert len(tables_of(as_written(url))["lake.raw_telemetry"]) == 5


@ONLY_LOADED
def test_a_table_that_never_came_is_late_after_its_days(lake: Path, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()

    def lateness(first: date) -> bool:
        shutil.rmtree(lake)
        write_dump(lake, "invoices", first, [invoice(invoice_date=first)])
        assert ended(lake, url_in(tmp_path), "--accept-deletions").code == 0
        rows = tables_of(as_written(url_in(tmp_path)))["monitoring.check_result"]
        own = [row for row in rows if row["check_name"] == "late_telemetry"]
        return not max(own, key=lambda row: str(row["evaluated_at"]))["passed"]

    assert not lateness(today - timedelta(days=2))
    assert lateness(today - timedelta(days=5))


def test_a_home_folder_is_meant_by_a_tilde(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(lake / "telemetry/2026-01-05.csv", f"{HEADER}\n{LINE}\n")
    monkeypatch.setenv("HOME", str(lake.parent))
    assert listing(Lake(f"~/{lake.name}")).days == {day(5)}


def test_a_store_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(LakeError, match=r"pip install -e '\.\[s3\]'"):
        Lake("s3://bucket/lake").list()
