"""Whatever a lake holds, the mart is what the oracle makes of it, on every engine."""

import tempfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.assets.star import STAR
from consumption_datamart.checks import evaluate_stored
from consumption_datamart.factories.monitoring import all_checks
from consumption_datamart.lake import reading
from consumption_datamart.schema.lake import Telemetry
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests.cases.base import line
from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.contract import column_names
from consumption_datamart_tests.fuzz_load import Damage, Load
from consumption_datamart_tests.lakes import day, noon, usage, write_dump
from consumption_datamart_tests.mart import ENGINES, build, build_tables, catalog, tables_of
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.oracle_lake import lake_tables
from consumption_datamart_tests.strategies import Dump, SmallLake, lakes, restatements

SLOW = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # to shrink a lake takes longer than to read it
    suppress_health_check=list(HealthCheck),
)


def assert_built(lake: Path, url: str) -> None:
    """The warehouse has what the oracle makes of the lake."""
    build_tables(lake, url)
    assert differing(tables_of(url), expected_tables(lake)) == {}


def assert_correct(url: str) -> None:
    """No check of correctness fails, whatever the lake holds: what blocks is a defect of this code.

    But a lake may have days that are beyond the calendar.
    """
    known = catalog(Settings(), *STAR, *REPORTS)
    checks = [
        check
        for check in all_checks(LAKE, known)
        if check.kind == "correctness" and check.name != "day_in_dim_day"
    ]
    results = evaluate_stored(open_warehouse(url), checks, last_days=400, nodes=known.nodes())
    assert results
    assert [str(result) for result in results if not result.passed] == []


def is_filled(lake: SmallLake) -> bool:
    """Whether there is a dump: Hypothesis starts with none, which is one of the written cases."""
    return len(lake.dumps) > 0


@settings(SLOW, max_examples=3)
@given(lakes(max_days=40).filter(is_filled), restatements(max_days=40))
def test_any_lake(drawn: SmallLake, restated: Dump) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder, "lake")
        lake.mkdir()
        drawn.write(lake)
        for engine in ENGINES:
            assert_built(lake, f"{engine}://{folder}/warehouse.{engine}")
            assert_correct(f"{engine}://{folder}/warehouse.{engine}")
        restated.write(lake)
        assert_built(lake, f"duckdb://{folder}/warehouse.duckdb")


@settings(SLOW, max_examples=2)
@given(lakes(max_days=40).filter(is_filled), st.sampled_from(["parquet", "parquet_text"]))
def test_any_lake_of_parquet_files(drawn: SmallLake, layout: str) -> None:
    """Large ones are read again, where CSV files and crowds of small ones are staged."""
    dumps = (replace(dump, layout=layout, malformed=()) for dump in drawn.dumps)
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder, "lake")
        lake.mkdir()
        SmallLake(tuple(dumps)).write(lake)
        assert_built(lake, f"duckdb://{folder}/small.duckdb")
        with patch.object(reading, "SMALL_BYTES", 0):
            assert_built(lake, f"duckdb://{folder}/large.duckdb")


RESTATED = st.tuples(restatements(max_days=9), st.booleans())


@settings(SLOW, max_examples=2)
@given(lakes(max_days=9).filter(is_filled), st.lists(RESTATED, min_size=1, max_size=2))
def test_any_sequence_of_restatements(drawn: SmallLake, changes: list[tuple[Dump, bool]]) -> None:
    """Each is followed by a build of its day alone; it may be that the dump is taken away."""
    with tempfile.TemporaryDirectory() as folder:
        lake, url = Path(folder, "lake"), f"sqlite://{folder}/warehouse.sqlite"
        write_dump(lake, "telemetry", day(5), [usage(event_ts=noon(5))])
        drawn.write(lake)
        build(lake, url)
        for dump, is_gone in changes:
            was_there = any((lake / dump.table).glob(f"{dump.day}*"))
            if not is_gone:
                dump.write(lake)
            elif was_there:
                dump.remove(lake)
            else:
                continue
            build(lake, url, dump.day, dump.day)
        assert differing(tables_of(url), expected_tables(lake)) == {}


@settings(SLOW, max_examples=10)
@given(st.binary(max_size=400), st.sampled_from(["csv", "csv", "parquet"]), st.booleans())
def test_any_bytes(content: bytes, format: str, has_frame: bool) -> None:
    """Below a good header, or between Parquet's marks, or alone."""
    frame = HEADER if format == "csv" else PARQUET
    content = content.join(frame) if has_frame else content
    damage = Damage(0, Telemetry, 2, format, HEADER[0], content, is_part=False)
    with tempfile.TemporaryDirectory() as folder:
        _, findings = Load(Path(folder), "duckdb").try_out([damage])
    assert findings == []


HEADER = (",".join(column_names("telemetry")).encode() + b"\n", b"")
PARQUET = (b"PAR1", b"\x40\x00\x00\x00PAR1")
FIELDS = ["DEP-1", "", " ", '"DEP,1"', '"DEP""1"', '"DEP\n1"', '"DEP\r\n1"', 'DEP"1', 'DEP"1"', "é"]
BROKEN = ['"DEP-1', '"DEP"1', '"', '"""', "DEP-1,more", "\udcff", '"DEP\n\udcff"']
ENDS = ["\n", "\r\n"]


@st.composite
def csv_files(draw: st.DrawFn) -> list[bytes]:
    """CSV files of telemetry, some lines of them broken, their line ends not always the same."""
    return [draw(csv_file(f"EV-{number}")) for number in range(draw(st.sampled_from([1, 2, 8])))]


@st.composite
def csv_file(draw: st.DrawFn, event_id: str) -> bytes:
    """One of these, whose events are named after a common one."""
    fields = st.sampled_from([*FIELDS, *FIELDS, *BROKEN])
    usual = draw(st.sampled_from(ENDS))
    ends = st.sampled_from([usual, usual, usual, *(ENDS if draw(st.booleans()) else [])])
    lines = [",".join(column_names("telemetry")) + usual]
    for number, field in enumerate(draw(st.lists(fields, max_size=4))):
        tail = draw(st.sampled_from(["", "", "", ",", ",x"]))
        lines.append(line(f"{event_id}-{number}", deployment_id=field) + tail + draw(ends))
    text = "".join(lines)
    whole = text if draw(st.booleans()) else text.removesuffix("\n").removesuffix("\r")
    return whole.encode("utf-8", "surrogateescape")


@settings(SLOW, max_examples=15)
@given(csv_files())
def test_any_csv_files(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder, "lake", "telemetry", str(day(5)))
        dump.mkdir(parents=True)
        for number, content in enumerate(contents):
            (dump / f"part-{number}.csv").write_bytes(content)
        url = f"duckdb://{folder}/warehouse.duckdb"
        build_tables(Path(folder, "lake"), url, only=["lake.raw_telemetry"])
        tables, expected = tables_of(url), lake_tables(Path(folder, "lake"))
    rows = {
        "lake.raw_telemetry": expected.raw["telemetry"],
        "lake.quarantine_telemetry": expected.quarantine["telemetry"],
    }
    assert differing(tables, rows) == {}
    assert sum(file["rows_read"] for file in tables["lake.files_telemetry"]) == sum(
        len(each["telemetry"]) for each in (expected.raw, expected.quarantine)
    )
