"""A company's own lake: `lake.toml`, its patterns, formats, expressions and zones (spec 6)."""

import gzip
import json
import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumption_datamart.errors import LakeError
from consumption_datamart.lake import loading
from consumption_datamart.lake.attempts import Attempts
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.listing import listing, sources_of
from consumption_datamart.lake.loading import load
from consumption_datamart.lake.patterns import Pattern, PatternError
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import cli
from consumption_datamart_tests.mart import DUCKDB, ONLY_LOADED, as_written, tables_of
from consumption_datamart_tests.mutations import damaged

HEADER = "event_id,event_ts,customer_id,deployment_id,product_id,infrastructure,quantity,unit"
MAPPED = """
[[telemetry]]
name = "{name}"
files = "{files}"
{more}
[telemetry.columns]
event_id = "id"
event_ts = "ts"
customer_id = "'CUST-' || who"
deployment_id = "'d'"
product_id = "'{name}'"
quantity = "used"
unit = "'call'"
"""


def write(path: Path, content: str | bytes) -> None:
    """A file, with the folders that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def source(lake: Path, name: str, files: str, more: str = "") -> None:
    """Adds a source of telemetry with the columns id, ts, who and used."""
    known = (lake / "lake.toml").read_text() if (lake / "lake.toml").exists() else ""
    write(lake / "lake.toml", known + MAPPED.format(name=name, files=files, more=more))


def edit(lake: Path, before: str, after: str) -> None:
    """Changes what `lake.toml` says."""
    text = (lake / "lake.toml").read_text()
    write(lake / "lake.toml", text.replace(before, after))


def built(lake: Path, url: str, *more: str) -> dict[str, list[dict[str, object]]]:
    """The tables of a lake that can be built without a failure."""
    ended = cli.run("build", "--lake", str(lake), "--warehouse", url, *more)
    assert ended.code == 0, ended.err
    return tables_of(as_written(url))


@pytest.mark.parametrize(
    ("pattern", "name", "day"),
    [
        ("a/{day}.csv", "a/2026-10-01.csv", date(2026, 10, 1)),
        ("a/{day:%Y%m%d}/{hour}.csv.gz", "a/20261001/23.csv.gz", date(2026, 10, 1)),
        ("a/{day:%Y%m%d}/{hour}.csv.gz", "a/20261001/24.csv.gz", None),
        ("a/{day:%Y/%m/%d}/*", "a/2026/10/01/x.csv", date(2026, 10, 1)),
        ("a/dt={day}/**/*.csv", "a/dt=2026-10-01/b/c/x.csv", date(2026, 10, 1)),
        ("a/dt={day}/**/*.csv", "a/dt=2026-10-01/x.csv", date(2026, 10, 1)),
        ("a/*/{day}.csv", "a/b/c/2026-10-01.csv", None),
        ("a/{day}/{day:%Y%m%d}.csv", "a/2026-10-01/20261002.csv", None),
        ("a/{day}.csv", "a/2026-02-30.csv", None),
        ("a/{day}.csv", "a/0026-02-03.csv", None),
        ("a.b/{day}.csv", "aXb/2026-10-01.csv", None),
    ],
)
def test_the_day_of_a_file(pattern: str, name: str, day: date | None) -> None:
    assert Pattern(pattern).day(name) == day


@given(day=st.dates(date(1970, 1, 1), date(2068, 12, 31)), data=st.data())
def test_a_day_is_read_as_it_is_written(day: date, data: st.DataObject) -> None:
    parts = data.draw(st.permutations(["%d", data.draw(st.sampled_from(["%m", "%b"])), "%Y"]))
    written = data.draw(st.sampled_from(["", "-", "_", "/", "."])).join(parts)
    name = f"x/{day.strftime(written)}/part-0.csv"
    assert Pattern(f"x/{{day:{written}}}/*.csv").day(name) == day


@pytest.mark.parametrize("pattern", ["", "/a", "a/../b", "{dy}", "{day", "{day:%Y}", "{day:%Y%q}"])
def test_a_pattern_with_a_mistake_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        Pattern(pattern)


LINE = json.dumps({"id": "e1", "ts": "2026-10-01T10:00:00Z", "who": 7, "used": 2.5})
CSV = "id,ts,who,used\ne1,2026-10-01T10:00:00Z,7,2.5\n"


def zst(content: str) -> bytes:
    """Compressed as `.zst` files are."""
    return pa.compress(content.encode(), "zstd", asbytes=True)


@ONLY_LOADED
@pytest.mark.parametrize(
    ("ending", "content"),
    [
        ("csv", CSV),
        ("CSV.GZ", gzip.compress(CSV.encode())),
        ("csv.zst", zst(CSV)),
        ("jsonl", LINE),
        ("ndjson.gz", gzip.compress(LINE.encode())),
        ("JSONL.zst", zst(LINE)),
    ],
    ids=lambda each: each if isinstance(each, str) and "{" not in each and "," not in each else "",
)
def test_every_format_gives_the_same_row(
    ending: str, content: str | bytes, lake: Path, tmp_path: Path
) -> None:
    source(lake, "api", "api/{day}.*")
    write(lake / f"api/2026-10-01.{ending}", content)
    (row,) = built(lake, f"duckdb://{tmp_path}/m.duckdb")["lake.raw_telemetry"]
    assert (row["event_id"], row["customer_id"], row["quantity"], row["source"]) == (
        "e1",
        "CUST-7",
        2.5,
        "api",
    )
    assert row["event_ts"] == datetime(2026, 10, 1, 10)


@ONLY_LOADED
@pytest.mark.parametrize("ending", ["parquet", "parquet.gz", "PARQUET"])
def test_parquet_gives_that_row_too(ending: str, lake: Path, tmp_path: Path) -> None:
    source(lake, "api", "api/{day}.*")
    file = tmp_path / "x.parquet"
    rows = "SELECT 'e1' AS id, TIMESTAMPTZ '2026-10-01 12:00:00+02' AS ts, 7 AS who, 2.5 AS used"
    duckdb.sql(f"COPY ({rows}) TO '{file}'")
    content = file.read_bytes()
    compressed = gzip.compress(content) if ending.endswith("gz") else content
    write(lake / f"api/2026-10-01.{ending}", compressed)
    (row,) = built(lake, f"duckdb://{tmp_path}/m.duckdb")["lake.raw_telemetry"]
    assert (row["event_ts"], row["customer_id"]) == (datetime(2026, 10, 1, 10), "CUST-7")


@ONLY_LOADED
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_line_that_cannot_be_read_is_set_aside_with_its_text(
    ending: str, lake: Path, tmp_path: Path
) -> None:
    good = {"csv": CSV, "jsonl": LINE + "\n"}[ending]
    source(lake, "api", "api/{day}.*")
    broken = b'garbage "\xff{\n\n[1, 2]\n'
    write(lake / f"api/2026-10-01.{ending}", good.encode() + broken)
    tables = built(lake, f"duckdb://{tmp_path}/m.duckdb")
    assert len(tables["lake.raw_telemetry"]) == 1
    aside = tables["lake.quarantine_telemetry"]
    assert {row["line"] for row in aside} == {'garbage "?{', "[1, 2]"}
    (read,) = tables["lake.files_telemetry"]
    assert (read["rows_read"], read["rows_kept"], read["rows_quarantined"]) == (3, 1, 2)


@ONLY_LOADED
def test_a_mapped_row_that_is_set_aside_keeps_its_own_text(lake: Path, tmp_path: Path) -> None:
    source(lake, "api", "api/{day}.csv")
    write(lake / "api/2026-10-01.csv", CSV.replace("2.5", "lots"))
    (row,) = built(lake, f"duckdb://{tmp_path}/m.duckdb")["lake.quarantine_telemetry"]
    assert (row["reason"], row["file"]) == ("unreadable_value", "api/2026-10-01.csv")
    own = {"id": "e1", "ts": "2026-10-01T10:00:00Z", "who": "7", "used": "lots"}
    assert json.loads(str(row["line"])) == own


@ONLY_LOADED
def test_rows_that_are_not_the_marts_are_counted_and_not_kept(lake: Path, tmp_path: Path) -> None:
    source(lake, "api", "api/{day}.csv", "where = \"id <> 'test'\"")
    write(lake / "api/2026-10-01.csv", CSV + "test,x,y,z\ne2,2026-10-01T11:00:00Z,7,x\n")
    tables = built(lake, f"duckdb://{tmp_path}/m.duckdb")
    (read,) = tables["lake.files_telemetry"]
    counts = ("rows_read", "rows_kept", "rows_quarantined", "rows_excluded")
    assert [read[name] for name in counts] == [2, 1, 1, 1]


def test_sources_of_one_table_are_loaded_and_fail_by_themselves(lake: Path, tmp_path: Path) -> None:
    url = f"duckdb://{tmp_path}/m.duckdb"
    source(lake, "api", "api/{day}.csv")
    source(lake, "web", "web/{day}.csv")
    write(lake / "api/2026-10-01.csv", CSV)
    write(lake / "web/2026-10-01.csv", "id;ts;who\n1;2;3\n")
    ended = cli.run("build", "--lake", str(lake), "--warehouse", url)
    assert ended.code == 1
    assert "web/2026-10-01.csv" in ended.err
    assert "is it delimited by ';'?" in ended.err
    tables = tables_of(as_written(url))
    assert [row["source"] for row in tables["lake.raw_telemetry"]] == ["api"]
    assert len(tables["mart.fact_usage_daily"]) == 1
    write(lake / "web/2026-10-01.csv", CSV)
    tables = built(lake, url)
    assert sorted(str(row["source"]) for row in tables["lake.raw_telemetry"]) == ["api", "web"]
    checks = {row["check_name"] for row in tables["monitoring.check_result"]}
    assert {"rows_accounted_api", "volume_web", "late_telemetry_api"} <= checks


@ONLY_LOADED
def test_a_source_that_is_renamed_is_loaded_anew(lake: Path, tmp_path: Path) -> None:
    url = f"duckdb://{tmp_path}/m.duckdb"
    source(lake, "api", "api/{day}.csv")
    write(lake / "api/2026-10-01.csv", CSV)
    built(lake, url)
    edit(lake, 'name = "api"', 'name = "web"')
    (row,) = built(lake, url)["lake.raw_telemetry"]
    assert row["source"] == "web"


@ONLY_LOADED
def test_another_expression_loads_the_same_files_anew(lake: Path, tmp_path: Path) -> None:
    url = f"duckdb://{tmp_path}/m.duckdb"
    source(lake, "api", "api/{day}.csv")
    write(lake / "api/2026-10-01.csv", CSV)
    built(lake, url)
    edit(lake, '"used"', '"used::DOUBLE * 2"')
    (row,) = built(lake, url)["lake.raw_telemetry"]
    assert row["quantity"] == 5


EVENTS = st.lists(
    st.datetimes(datetime(2026, 10, 2), datetime(2026, 10, 5)), min_size=1, max_size=12
)


@ONLY_LOADED
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moments=EVENTS, steps=st.booleans())
def test_days_of_another_zone_are_put_where_they_belong(
    moments: list[datetime], steps: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Dumps cut by local days two hours ahead: each reading is on its own day, and none is lost."""
    folder = tmp_path_factory.mktemp("zone")
    lake, url = folder / "lake", f"duckdb://{folder}/m.duckdb"
    source(lake, "api", "api/{day}.csv", 'day_zone = "Europe/Berlin"')
    by_dump: dict[date, list[str]] = {}
    for number, moment in enumerate(moments):
        dump = (moment + timedelta(hours=2)).date()
        row = f"e{number},{moment.isoformat(sep=' ')},7,1\n"
        by_dump.setdefault(dump, []).append(row)
    tables = {}
    for dump in sorted(by_dump):
        write(lake / f"api/{dump}.csv", "id,ts,who,used\n" + "".join(by_dump[dump]))
        if steps:
            tables = built(lake, url)
    tables = tables if steps else built(lake, url)
    kept = {row["event_id"]: row["dump_day"] for row in tables["lake.raw_telemetry"]}
    assert kept == {f"e{number}": moment.date() for number, moment in enumerate(moments)}
    assert tables["lake.quarantine_telemetry"] == []
    assert sum(int(str(row["rows_read"])) for row in tables["lake.files_telemetry"]) == len(moments)


@ONLY_LOADED
def test_the_marts_days_are_those_of_the_lakes_zone(lake: Path, tmp_path: Path) -> None:
    write(lake / "lake.toml", 'time_zone = "Asia/Tokyo"\n')
    line = "e1,2026-09-30T23:00:00Z,CUST-1,d,p,,1,u"
    write(lake / "telemetry/2026-10-01.csv", f"{HEADER}\n{line}\n")
    tables = built(lake, f"duckdb://{tmp_path}/m.duckdb")
    (row,) = tables["lake.raw_telemetry"]
    assert (row["event_ts"], row["dump_day"]) == (datetime(2026, 9, 30, 23), date(2026, 10, 1))


MISTAKES = {
    'tme_zone = "UTC"': "lake.toml: tme_zone: there is no such key",
    'time_zone = "Europe/Berln"': "Europe/Berln is no time zone",
    '[[telemetry]]\nname = "a"\nfiles = "{dy}.csv"': "{dy} is unknown",
    '[[telemetry]]\nname = "a"\nfiles = "x.csv"': "it does not say of which day a file is",
    '[[telemetry]]\nname = "a"': "[[telemetry]] a: files: it is missing",
    '[[telemetry]]\nname = "a"\nfiles = "{day}.csv"\nwhere = "1 +"': "is no SQL expression",
    '[[telemetry]]\nname = "a"\nfiles = "{day}.csv"\ncolumns = {sum = "1"}': "has no such column",
    '[[telemetry]]\nname = "a"\nfiles = "{day}.csv"\nformat = "xml"': "there is no such format",
    "[[telemetry]\n": "this is no TOML",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_in_one_line(text: str, lake: Path) -> None:
    write(lake / "lake.toml", text)
    with pytest.raises(LakeError) as told:
        sources_of(Lake(str(lake)))
    assert MISTAKES[text] in str(told.value)
    assert "\n" not in str(told.value)


@ONLY_LOADED
@pytest.mark.parametrize(
    ("key", "expression", "told"),
    [
        ("quantity", "usd * 2", 'Referenced column "usd" not found'),
        ("quantity", "used * 2.5", "columns.quantity = 'used * 2.5'"),
        ("event_ts", "ts::TIMESTAMP + 'x'", "columns.event_ts"),
        ("quantity", "who::DOUBLE", "columns.quantity = 'who::DOUBLE': Could not convert string"),
    ],
)
def test_an_expression_that_fails_is_named(
    key: str, expression: str, told: str, lake: Path, tmp_path: Path
) -> None:
    source(lake, "api", "api/{day}.csv")
    text = (lake / "lake.toml").read_text().splitlines()
    lines = [f'{key} = "{expression}"' if each.startswith(f"{key} = ") else each for each in text]
    write(lake / "lake.toml", "\n".join(lines))
    write(lake / "api/2026-10-01.csv", CSV.replace(",7,", ",x7,"))
    ended = cli.run("build", "--lake", str(lake), "--warehouse", f"duckdb://{tmp_path}/m.duckdb")
    assert ended.code == 1
    assert "api/2026-10-01.csv" in ended.err
    assert told in ended.err


def test_what_check_lake_tells(lake: Path) -> None:
    source(lake, "api", "api/{day}.csv")
    write(lake / "api/2026-10-01.csv", CSV)
    write(lake / "api/2026-10-04.csv", CSV.replace("2026-10-01", "2026-10-04"))
    ended = cli.run("check-lake", "--lake", str(lake))
    assert "2 files of 2026-10-01 … 2026-10-04; none of 2026-10-02 … 2026-10-03" in ended.out
    assert "CUST-7" in ended.out
    assert ended.code == 1, "invoices and entitlements have no files"
    write(lake / "api/2026-10-05.xlsx", "x")
    write(lake / "api/_SUCCESS", "")
    ended = cli.run("check-lake", "--lake", str(lake))
    assert "api/2026-10-05.xlsx: .xlsx is no format that is read" in ended.out
    assert "_SUCCESS" not in ended.out
    assert not list(lake.glob("*.duckdb"))


def test_a_snapshot_is_of_the_day_of_its_last_change(lake: Path) -> None:
    text = '[[entitlements]]\nname = "crm"\nfiles = "crm/contracts.csv"\n'
    write(lake / "lake.toml", text)
    write(lake / "crm/contracts.csv", "x")
    changed = datetime(2026, 10, 3, 12, tzinfo=UTC).timestamp()
    os.utime(lake / "crm/contracts.csv", (changed, changed))
    found = listing(Lake(str(lake)))
    assert [file.day for file in found.files["entitlements", "crm"]] == [date(2026, 10, 3)]


@ONLY_LOADED
@DUCKDB
def test_settings_name_another_sources_file(
    lake: Path, warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source(tmp_path, "api", "api/{day}.csv")
    monkeypatch.setenv("CONSUMPTION_DATAMART_SOURCES", str(tmp_path / "lake.toml"))
    write(lake / "api/2026-10-01.csv", CSV)
    assert len(built(lake, warehouse)["lake.raw_telemetry"]) == 1


VALUES = st.sampled_from(["1", "2.5", " 3 ", "1e3", "x", "", "NULL", "-1", "9" * 16, "true"])
IDS = st.sampled_from(["a", "b", "007", "7", " c ", "n/a", "1.0"])
ROWS = st.lists(st.tuples(IDS, VALUES), min_size=1, max_size=4)
KINDS = st.sampled_from(["csv", "csv.gz", "jsonl", "jsonl.zst", "parquet", "text.parquet"])


def dump_of(kind: str, day: date, rows: list[tuple[str, str]]) -> bytes:
    """Rows in one of the formats; where it has types, in the types that the values have."""
    if kind.startswith("csv"):
        lines = [f"{key},{day}T10:00:00Z,7,{value}\n" for key, value in rows]
        content = "id,ts,who,used\n" + "".join(lines)
        return gzip.compress(content.encode()) if kind.endswith("gz") else content.encode()
    found = [
        {"id": key, "ts": f"{day}T10:00:00Z", "who": 7, "used": _typed(value, kind)}
        for key, value in rows
    ]
    if kind.startswith("jsonl"):
        lines = "".join(json.dumps(row) + "\n" for row in found)
        return zst(lines) if kind.endswith("zst") else lines.encode()
    used = {type(row["used"]) for row in found}
    if len(used) > 1:
        found = [row | {"used": str(row["used"])} for row in found]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(found), sink)
    return sink.getvalue().to_pybytes()


def _typed(value: str, kind: str) -> object:
    try:
        return value if kind == "text.parquet" else json.loads(value)
    except ValueError:
        return value


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(dumps=st.lists(st.tuples(KINDS, ROWS), min_size=2, max_size=4), size=st.booleans())
def test_what_becomes_of_a_row_does_not_depend_on_what_is_loaded_with_it(
    dumps: list[tuple[str, list[tuple[str, str]]]],
    size: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """All dumps at once, one by one, in small batches: the same rows are kept and set aside."""
    folder = tmp_path_factory.mktemp("together")
    lake, first = folder / "lake", date(2026, 10, 1)
    source(lake, "api", "api/{day}.*")
    for number, (kind, rows) in enumerate(dumps):
        day = first + timedelta(days=number)
        ending = kind.removeprefix("text.")
        write(lake / f"api/{day}.{ending}", dump_of(kind, day, rows))
    found = listing(Lake(str(lake)))
    (api,) = found.sources.of(Telemetry)
    last = first + timedelta(days=len(dumps) - 1)
    results = []
    for name, parts in (
        ("at_once", [Days(first, last)]),
        ("one_by_one", [Days(day, day) for day in Days(first, last).each()]),
    ):
        url = f"duckdb://{folder}/{name}.duckdb"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loading, "BATCH_BYTES", 1 if size else loading.BATCH_BYTES)
            for days in parts:
                load(open_warehouse(url), api, found, days)
        tables = tables_of(as_written(url))
        names = ("lake.raw_telemetry", "lake.quarantine_telemetry", "lake.files_telemetry")
        results.append({name: sorted(map(str, tables[name])) for name in names})
    assert results[0] == results[1]


PACKED = {"gz": gzip.compress, "zst": lambda content: pa.compress(content, "zstd", asbytes=True)}
ENDINGS = ("csv", "csv.gz", "csv.zst", "jsonl", "jsonl.gz", "jsonl.zst", "parquet", "parquet.gz")


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ending=st.sampled_from(ENDINGS), seed=st.integers(0, 10**6))
def test_a_damaged_file_of_any_format_costs_its_own_day_at_most(
    ending: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is loaded, each of its rows accounted for, or named; its neighbours are there."""
    damage_one(ending, seed, tmp_path_factory.mktemp("damaged"))


def damage_one(ending: str, seed: int, folder: Path) -> None:
    """Load a damaged dump between two good ones, and look at what has become of the three."""
    lake, first = folder / "lake", date(2026, 10, 1)
    source(lake, "api", "api/{day}.*")
    rows = [(f"e{number}", str(number + 0.5)) for number in range(20)]
    for number in range(3):
        day = first + timedelta(days=number)
        content = dump_of(ending.removesuffix(".gz").removesuffix(".zst"), day, rows)
        pack = PACKED.get(ending.rsplit(".", 1)[-1], bytes)
        content = pack(content)
        # what is packed, or binary, has no lines to be damaged in
        kind = "csv" if pack is bytes and ending != "parquet" else "parquet"
        broken = damaged(content, kind, Random(seed)) if number == 1 else content
        write(lake / f"api/{day}.{ending}", broken)
    found = listing(Lake(str(lake)))
    (api,) = found.sources.of(Telemetry)
    url = f"duckdb://{folder}/m.duckdb"
    warehouse, days = open_warehouse(url), Days(first, first + timedelta(days=2))
    attempts = Attempts(lambda part: load(warehouse, api, found, part), [days]).once_more()
    assert attempts.failures.keys() <= {first + timedelta(days=1)}
    assert all(f"2026-10-02.{ending}" in problem for problem in attempts.problems)
    tables = tables_of(as_written(url))
    kept = Counter(row["dump_day"] for row in tables["lake.raw_telemetry"])
    assert kept[first] == kept[first + timedelta(days=2)] == len(rows)
    for read in tables["lake.files_telemetry"]:
        fates = [read[f"rows_{fate}"] for fate in ("kept", "quarantined", "excluded")]
        assert read["rows_read"] == sum(fates)
