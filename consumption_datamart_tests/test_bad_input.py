"""Bad input ends a command with one line that says what is wrong where, and changes no table."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from consumption_datamart.lake import reading
from consumption_datamart.lake.batch import Batch
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.warehouse import open_warehouse, read_ledger
from consumption_datamart_tests import cli
from consumption_datamart_tests.contract import column_names
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import (
    ENGINES,
    Built,
    Mart,
    Tables,
    as_written,
    load_table,
    tables_of,
    without_monitoring,
)

DUMP = "telemetry/2026-01-06"


def write_lake(lake: Path) -> None:
    """Two good days."""
    write_dump(lake, "invoices", day(5), [invoice()])
    write_dump(lake, "entitlements", day(5), [entitlement()])
    write_dump(lake, "telemetry", day(5), [usage()])
    write_dump(lake, "telemetry", day(6), [usage(event_ts=noon(6))])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The mart of a good lake."""
    return Built(tmp_path_factory.mktemp("built"), write_lake)


@pytest.fixture
def mart(built: Built, engine: str, tmp_path: Path) -> Mart:
    """A copy of it."""
    return built.copy(tmp_path, engine)


def without_column(lake: Path, format: str) -> None:
    """A dump that lacks a required column."""
    columns = [name for name in column_names("telemetry") if name != "customer_id"]
    (lake / f"{DUMP}.csv").unlink()
    write_dump(lake, "telemetry", day(6), [usage()], columns=columns, format=format)


def written(suffix: str, content: bytes) -> Callable[[Path], None]:
    """A file with that content in place of a good dump."""

    def write(lake: Path) -> None:
        (lake / f"{DUMP}.csv").unlink()
        (lake / f"{DUMP}.{suffix}").write_bytes(content)

    return write


def among_others(content: bytes) -> Callable[[Path], None]:
    """The second of three parts of a dump."""

    def write(lake: Path) -> None:
        (lake / f"{DUMP}.csv").unlink()
        parts = [
            write_dump(lake, "telemetry", day(6), [usage()], part=part, format="parquet")
            for part in ("a", "b", "c")
        ]
        parts[1].write_bytes(content)

    return write


def damaged(lake: Path) -> None:
    """A Parquet dump whose footer is sound, but in which a text is longer than its page."""
    (lake / f"{DUMP}.csv").unlink()
    row = usage(event_id="event", event_ts=noon(6))
    path = write_dump(lake, "telemetry", day(6), [row], format="parquet")
    content, text = path.read_bytes(), (5).to_bytes(4, "little") + b"event"
    assert text in content
    path.write_bytes(content.replace(text, (1 << 30).to_bytes(4, "little") + b"event"))


def gone(suffix: str) -> Callable[[Path], None]:
    """A dump that is listed, but cannot be opened."""

    def link(lake: Path) -> None:
        (lake / f"{DUMP}.csv").unlink()
        (lake / f"{DUMP}.{suffix}").symlink_to("nowhere")

    return link


HEADER = ",".join(column_names("telemetry")).encode()
BAD_DUMPS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "CSV without a required column": (
        lambda lake: without_column(lake, "csv"),
        [f"{DUMP}.csv", "required column 'customer_id' is missing", "deliver the dump again"],
    ),
    "Parquet without a required column": (
        lambda lake: without_column(lake, "parquet"),
        [f"{DUMP}.parquet", "required column 'customer_id' is missing", "deliver the dump again"],
    ),
    "a column twice": (
        written("csv", HEADER + b",unit\n"),
        [f"{DUMP}.csv", "column 'unit' is there more than once"],
    ),
    "no header": (written("csv", b""), [f"{DUMP}.csv", "required column 'event_id' is missing"]),
    "a header that is not UTF-8": (
        written("csv", HEADER + b",gr\xf6sse\n"),
        [f"{DUMP}.csv", "the header line cannot be read"],
    ),
    "Parquet that is none": (
        written("parquet", HEADER + b"\n"),
        [
            f"{DUMP}.parquet",
            "cannot be read as Parquet",
            "No magic bytes",
            "deliver the dump again",
        ],
    ),
    "Parquet that is none, among others": (
        among_others(HEADER + b"\n"),
        [f"{DUMP}/b.parquet", "cannot be read as Parquet", "No magic bytes"],
    ),
    "Parquet that is empty": (
        written("parquet", b""),
        [f"{DUMP}.parquet", "cannot be read as Parquet", "too small"],
    ),
    "Parquet with a damaged page": (
        damaged,
        [f"{DUMP}.parquet", "cannot be read", "Out of buffer", "deliver the dump again"],
    ),
    "CSV that is gone": (gone("csv"), [f"{DUMP}.csv", "cannot be read"]),
    "Parquet that is gone": (gone("parquet"), [f"{DUMP}.parquet", "cannot be read"]),
}


# what reads dumps is the same on every engine: each is read on one of them
@pytest.mark.parametrize(
    ("engine", "spoil", "told"),
    [(engine, *each) for engine, each in zip(cycle(ENGINES), BAD_DUMPS.values(), strict=False)],
    ids=BAD_DUMPS,
    indirect=["engine"],
)
def test_a_dump_that_cannot_be_loaded(
    spoil: Callable[[Path], None], told: list[str], mart: Mart
) -> None:
    before = tables_of(mart.url)
    spoil(mart.lake)
    ended = cli.run("build", "--lake", mart.lake, "--warehouse", mart.url)
    assert_told(ended, told)
    assert unchanged(mart.url, before)


def test_it_holds_up_no_other_days_and_can_be_delivered_again(mart: Mart) -> None:
    without_column(mart.lake, "csv")
    write_dump(mart.lake, "telemetry", day(7), [usage(event_ts=noon(7), quantity=7.0)])
    arguments = ["build", "--lake", mart.lake, "--warehouse", mart.url]
    assert cli.run(*arguments).code == 1
    usages = tables_of(mart.url)["mart.report_consumption_daily"]
    assert {row["day"]: row["used_30d"] for row in usages}[day(7)] == 4.0 + 4.0 + 7.0
    write_dump(mart.lake, "telemetry", day(6), [usage(event_ts=noon(6), quantity=9.0)])
    assert cli.run(*arguments).code == 0
    usages = tables_of(mart.url)["mart.fact_usage_daily"]
    assert [row["peak_quantity"] for row in usages if row["day"] == day(6)] == [9.0]


@pytest.mark.parametrize("engine", ["duckdb"], indirect=True)
@pytest.mark.parametrize(
    "dump",
    [DUMP, f"invoices/{day(5)}", f"telemetry/{day(7)}"],
    ids=["a day", "a table", "a new day"],
)
def test_a_dump_that_is_put_back_as_it_was_fails_no_more(dump: str, mart: Mart) -> None:
    file = mart.lake / f"{dump}.csv"
    before, rows = tables_of(mart.url), file.read_bytes() if file.exists() else None
    file.write_text("event_id")
    arguments = ["build", "--lake", mart.lake, "--warehouse", mart.url]
    assert cli.run(*arguments).code == 1
    warehouse = open_warehouse(mart.url)
    assert sum(map(len, read_ledger(warehouse).failed.values())) == 1
    if rows is None:
        file.unlink()
    else:
        file.write_bytes(rows)
    assert cli.run(*arguments).code == 0
    assert not read_ledger(warehouse).failed
    assert unchanged(mart.url, before)
    assert "Nothing to build" in cli.run(*arguments).out


def test_what_is_not_built_because_of_it_is_told(mart: Mart) -> None:
    (mart.lake / "invoices" / f"{day(5)}.csv").write_text("invoice_id")
    ended = cli.run("build", "--lake", mart.lake, "--warehouse", mart.url)
    (told,) = [line for line in ended.err.splitlines() if line.startswith("Not built")]
    assert "quarantine_invoices" in told
    assert "raw_telemetry" not in told


NO_LAKES: dict[str, tuple[str, list[str]]] = {
    "is not there": ("{folder}/nowhere", ["there is no such folder", "--lake"]),
    "is a file": ("{folder}/lake/telemetry/2026-01-05.csv", ["there is no such folder"]),
    "is of an unknown kind": ("nfs3://lake", ["lake nfs3://lake", "Protocol not known"]),
}


@pytest.mark.parametrize(("uri", "told"), NO_LAKES.values(), ids=NO_LAKES)
def test_a_lake_that(uri: str, told: list[str], mart: Mart, tmp_path: Path) -> None:
    before = tables_of(mart.url)
    uri = uri.format(folder=tmp_path)
    ended = cli.run("build", "--lake", uri, "--warehouse", mart.url)
    assert_told(ended, [uri, *told])
    assert unchanged(mart.url, before)


def test_a_table_of_the_lake_that_is_a_file(mart: Mart) -> None:
    before = tables_of(mart.url)
    shutil.rmtree(mart.lake / "telemetry")
    (mart.lake / "telemetry").write_text("moved to another place")
    ended = cli.run("build", "--lake", mart.lake, "--warehouse", mart.url)
    assert_told(ended, ["telemetry"])
    assert unchanged(mart.url, before)


def test_a_dump_that_is_written_to_while_it_is_read(
    mart: Mart, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tables_of(mart.url)
    monkeypatch.setattr(reading, "SMALL_BYTES", 0)  # small files are read once
    shutil.rmtree(mart.lake / "telemetry")
    for number in (5, 6):
        write_dump(mart.lake, "telemetry", day(number), [usage()], format="parquet")
    find_exceptions = Batch._find_exceptions

    def find_exceptions_and_write(self: Batch) -> None:
        find_exceptions(self)
        write_dump(mart.lake, "telemetry", day(5), [usage()] * 2, format="parquet")

    monkeypatch.setattr(Batch, "_find_exceptions", find_exceptions_and_write)
    ended = cli.run("build", "--lake", mart.lake, "--warehouse", mart.url)
    assert_told(ended, ["telemetry/2026-01-05.parquet", "changed while it was read"])
    after = tables_of(mart.url)
    for name in ("lake.raw_telemetry", "lake.files_telemetry"):
        was, is_now = (
            [row for row in tables[name] if row["dump_day"] == day(5)] for tables in (before, after)
        )
        assert is_now == was


NOT_READABLE = """
import json, pathlib, sys
from consumption_datamart_tests import cli, mart
from consumption_datamart_tests.test_bad_input import unchanged
folder, *paths = map(pathlib.Path, sys.argv[1:])
arguments = ["build", "--lake", folder / "lake", "--warehouse", f"duckdb://{folder}/mine.duckdb"]
cli.run(*arguments)
for path in paths:
    before = mart.tables_of(arguments[-1])
    path.chmod(0)
    ended = cli.run(*arguments)
    path.chmod(0o700)
    print(json.dumps([*ended, bool(before) and unchanged(arguments[-1], before)]))
"""


# root reads everything, unless it gives that power up
MORTAL = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []


def test_what_must_not_be_read() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder, "lake")
        write_lake(lake)
        paths = [lake, lake / "telemetry", lake / f"{DUMP}.csv"]
        command = [*MORTAL, sys.executable, "-c", NOT_READABLE, folder, *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for path, line in zip(paths, done.stdout.splitlines(), strict=True):
        code, out, err, same = json.loads(line)
        assert_told(cli.Ended(code, out, err), [path.name, "denied"])
        assert same


def test_a_password_is_never_told() -> None:
    ended = cli.run("report", "--warehouse", "mysql://me:secret@host/mart")
    assert "'mysql://me:***@host/mart': unknown engine" in ended.err
    assert "secret" not in ended.err + ended.out


NO_WAREHOUSES: dict[str, tuple[str, list[str]]] = {
    "of no known engine": (
        "oracle://{folder}/x",
        ["duckdb://<path>, sqlite://<path>, postgres://"],
    ),
    "that is no URL": (
        "{folder}/warehouse.duckdb",
        ["duckdb://<path>, sqlite://<path>, postgres://"],
    ),
    "without a name": ("{engine}://", ["name a file, as {engine}://<path>"]),
    "in memory": ("{engine}://:memory:", ["name a file, as {engine}://<path>"]),
    "in memory, spelled otherwise": ("{engine}:///:memory:", ["name a file"]),
    "in a folder that is not there": (
        "{engine}://{folder}/nowhere/x.db",
        ["there is no folder {folder}/nowhere; create it"],
    ),
    "that is a folder": ("{engine}://{folder}/lake", []),
    "that is text": ("{engine}://{folder}/lake/telemetry/2026-01-05.csv", []),
    "of another engine": ("{engine}://{folder}/warehouse.{other}", []),
}


@pytest.mark.parametrize(("url", "told"), NO_WAREHOUSES.values(), ids=NO_WAREHOUSES)
@pytest.mark.parametrize("command", ["build", "report"])
def test_a_warehouse(
    command: str,
    url: str,
    told: list[str],
    engine: str,
    mart: Mart,
    built: Built,
    tmp_path: Path,
) -> None:
    other = {"duckdb": "sqlite", "sqlite": "duckdb"}[engine]
    if "{other}" in url:
        built.copy(tmp_path, other)
    names = {"engine": engine, "other": other, "folder": tmp_path}
    files = set(tmp_path.rglob("*"))
    url = url.format(**names)
    lake = ["--lake", mart.lake] if command == "build" else []
    ended = cli.run(command, *lake, "--warehouse", url)
    if command == "build":
        assert_told(ended, [url, *(text.format(**names) for text in told)])
    else:
        assert_told(ended, [url])
    assert "in-memory database" not in ended.err
    assert set(tmp_path.rglob("*")) == files


def test_bad_input_as_the_shell_sees_it(built: Built, tmp_path: Path) -> None:
    lake, url = built.copy(tmp_path)
    without_column(lake, "csv")
    ended = cli.run_apart("build", "--lake", lake, "--warehouse", url)
    assert_told(ended, [f"{DUMP}.csv", "customer_id"])


@pytest.mark.parametrize(("name", "value"), [("START_DAY", "soon"), ("LAKE", "/nowhere")])
def test_bad_environment(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"CONSUMPTION_DATAMART_{name}", value)
    ended = cli.run("build", "--warehouse", f"duckdb://{tmp_path}/x.db")
    assert_told(ended, [f"CONSUMPTION_DATAMART_{name}", value])


DAYS = {
    "before the lake's": ["--to", "2025-12-31"],
    "after the lake's": ["--from", "2026-01-07"],
    "in the wrong order": ["--from", "2026-01-06", "--to", "2026-01-05"],
}


@pytest.mark.parametrize("days", DAYS.values(), ids=DAYS)
def test_days(days: list[str], mart: Mart) -> None:
    before = tables_of(mart.url)
    ended = cli.run("build", "--lake", mart.lake, "--warehouse", mart.url, *days)
    assert_told(ended, ["2026-01-05 … 2026-01-06", "none of the days asked for"])
    assert unchanged(mart.url, before)


@pytest.mark.parametrize("text", ["tomorrow", "2026-02-30", "06.01.2026", ""])
@pytest.mark.parametrize("option", ["--from", "--to", "--day"])
def test_what_is_no_day(option: str, text: str, mart: Mart) -> None:
    command = "report" if option == "--day" else "build"
    ended = cli.run(command, "--warehouse", mart.url, option, text)
    assert ended.code == 2
    assert f"Invalid value for '{option}'" in ended.err
    assert "Traceback" not in ended.err


def unchanged(url: str, before: Tables) -> bool:
    """Whether a warehouse has what it had, but for the list of what the lake has."""
    after, before = without_monitoring(tables_of(url)), without_monitoring(before)
    return before.keys() == after.keys() and all(
        sorted(after[name], key=str) == sorted(before[name], key=str)
        for name in before
        if name != "lake.dumps"
    )


def assert_told(ended: cli.Ended, told: list[str]) -> None:
    """The command failed with one line that says all that."""
    assert ended.code == 1
    assert "Traceback" not in ended.err
    errors = [line for line in ended.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, ended.err
    for text in told:
        assert text in errors[0]


def test_a_parquet_file_that_denies_its_nulls(tmp_path: Path) -> None:
    lake, url = tmp_path / "lake", f"duckdb://{tmp_path}/mart.duckdb"
    rows = [usage(event_id=f"EV-{n}", event_ts=noon(1), quantity=float(n)) for n in range(8)]
    path = write_dump(lake, "telemetry", day(1), rows, format="parquet")
    pq.write_table(pq.read_table(path), path, compression="none", use_dictionary=False)
    (group,) = pq.read_metadata(path).to_dict()["row_groups"]
    (column,) = (each for each in group["columns"] if each["path_in_schema"] == "quantity")
    assert column["statistics"]["null_count"] == 0
    content = bytearray(path.read_bytes())
    present = content.index(b"\x02\x00\x00\x00\x10\x01", column["data_page_offset"])
    content[present + 4 : present + 6] = b"\x03\x3f"  # the last two of eight are not there
    path.write_bytes(content)
    write_dump(lake, "telemetry", day(2), [usage(event_ts=noon(2))])

    load_table(open_warehouse(url), Telemetry, lake)
    tables = tables_of(as_written(url))
    kept = [row["quantity"] for row in tables["lake.raw_telemetry"] if row["dump_day"] == day(1)]
    assert sorted(kept) == list(range(6))
    reasons = [row["reason"] for row in tables["lake.quarantine_telemetry"]]
    assert reasons == ["missing_value"] * 2
    assert len(tables["lake.raw_telemetry"]) == 7, "the other day is loaded"
