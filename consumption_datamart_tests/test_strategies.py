"""The drawn lakes are fit for the oracle, and the oracle accounts for all their rows."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from consumption_datamart_tests.compare import differing
from consumption_datamart_tests.contract import CONTRACT
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.strategies import Dump, SmallLake, lakes, restatements

FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(lakes())
def test_no_row_is_lost(drawn: SmallLake) -> None:
    with tempfile.TemporaryDirectory() as folder:
        drawn.write(Path(folder))
        tables = expected_tables(Path(folder))
    for table in CONTRACT:
        dumps = [dump for dump in drawn.dumps if dump.table == table]
        read = sum(len(dump.rows) + len(dump.malformed) for dump in dumps)
        kept, quarantined = tables[f"lake.raw_{table}"], tables[f"lake.quarantine_{table}"]
        superseded = read - len(kept) - len(quarantined)
        assert superseded == 0 if table == "telemetry" else superseded >= 0


@FEW
@given(lakes(), restatements())
def test_a_restated_dump_is_as_if_it_had_always_been_so(drawn: SmallLake, restated: Dump) -> None:
    same = {(restated.table, restated.day)}
    others = [dump for dump in drawn.dumps if (dump.table, dump.day) not in same]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        drawn.write(Path(one))
        restated.write(Path(one))
        SmallLake((restated, *others), drawn.settings).write(Path(other))
        before, after = expected_tables(Path(one)), expected_tables(Path(other))
    assert differing(after, before) == {}
