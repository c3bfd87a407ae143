"""Each signal is made to go wrong and to come right again, in real instances and warehouses."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd
import pytest

from consumption_datamart import runs
from consumption_datamart.alerts.config import AlertSettings, LogRoute
from consumption_datamart.alerts.evaluation import Watched, evaluate, ticking
from consumption_datamart.alerts.instance import FORGOTTEN
from consumption_datamart.alerts.machine import Alert, State, Transition
from consumption_datamart.alerts.routes import is_for
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.definitions import build_definitions
from consumption_datamart.factories import Catalog, TableSpec
from consumption_datamart.lateness import declared
from consumption_datamart.lineage import Defined, Downstream
from consumption_datamart.partitions import range_tags
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.monitoring import Objective
from consumption_datamart.schema.raw import LATE_AFTER_DAYS, Declarations, Dumps
from consumption_datamart.schema.reports import ReportCommitments, ReportConsumptionDaily
from consumption_datamart.schema.table import Field, MartTable, Table
from consumption_datamart.schema.types import Real, Text
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart.warehouse.versions import note_versions
from consumption_datamart_tests.instigators import instigator, tick

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SETTINGS = AlertSettings()
LOG = logging.getLogger("test")
Steps = list[tuple[str, str, str]]


LIMITS = Settings()
AUTOMATION = {"watcher": True, "other": True, "nightly": False}


class Bench:
    """An instance and a warehouse to do things to, and to evaluate."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        """Empty."""
        self.instance, self.watched = instance, Watched([], AUTOMATION, "build", LIMITS)
        self.warehouse = open_warehouse(f"sqlite://{folder}/warehouse.sqlite")
        self.now = NOON

    def put(self, model: type[Table], frame: pd.DataFrame) -> None:
        """Fill a table."""
        with self.warehouse.transaction() as transaction:
            transaction.clear(model)
            transaction.load(model, transaction.stage(frame))

    def evaluate(self, later: timedelta = timedelta(minutes=1)) -> Steps:
        """What is crossed since: signal and subject, before, after."""
        self.now += later
        found = evaluate(self.warehouse, self.instance, self.watched, SETTINGS, LOG, self.now)
        return sorted(
            (f"{each.alert.signal} {each.alert.subject}", each.before.value, each.alert.state.value)
            for each in found
        )


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], Bench]]:
    """Makes benches, as new processes would have them."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield lambda: Bench(tmp_path, instance)


@pytest.fixture
def bench(make: Callable[[], Bench]) -> Bench:
    """One for each test."""
    return make()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Bench]:
    """One whose instance knows of schedules and sensors."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield Bench(tmp_path, instance)


WELL = {"passes": True, "severity": dg.AssetCheckSeverity.ERROR, "runs": True}


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-03-01"))
def reading() -> None:
    """It may fail."""
    assert WELL["runs"]


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-03-01"), deps=[reading])
def stored() -> None:
    """Made of the reading."""


@dg.asset
def table() -> None:
    """It has a check."""


@dg.asset_check(asset=table)
def sound() -> dg.AssetCheckResult:
    """It may fail."""
    return dg.AssetCheckResult(
        passed=WELL["passes"], severity=WELL["severity"], description="3 rows are odd"
    )


@dg.op
def work() -> None:
    """It may fail."""
    assert WELL["runs"]


@dg.job
def chore() -> None:
    """Not about assets."""
    work()


@dg.multi_asset(
    specs=[dg.AssetSpec("dumps", partitions_def=dg.DailyPartitionsDefinition("2026-03-01"))],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def load(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Its days may fail one by one."""
    if WELL["bad"] in context.partition_keys:
        for day in context.partition_keys:
            if day != WELL["bad"]:
                yield dg.AssetMaterialization("dumps", partition=day)
        raise dg.Failure(f"{WELL['bad']} cannot be read")
    yield dg.MaterializeResult("dumps")
    if not WELL["runs"]:
        raise dg.Failure("it is made, and yet")


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["emea", "apac"]))
def region() -> None:
    """Its partitions are no days."""
    assert WELL["runs"]


CODE = dg.Definitions(
    assets=[reading, stored, table, load, region],
    asset_checks=[sound],
    jobs=[chore, dg.define_asset_job("build", selection=[reading, stored])],
)


def run(bench: Bench, job: str, day: str | None = None, *assets: str | None, **well: object):
    """Run a job, or make assets; well or not."""
    WELL.update(passes=True, severity=dg.AssetCheckSeverity.ERROR, runs=True, bad=None)
    WELL.update(well)
    first, _, last = (day or "").partition(" … ")
    days = Days(date.fromisoformat(first), date.fromisoformat(last)) if last else None
    found = CODE.resolve_implicit_global_asset_job_def() if assets else CODE.resolve_job_def(job)
    found.execute_in_process(
        instance=bench.instance,
        raise_on_error=False,
        partition_key=None if days else day,
        tags=range_tags(days) if days else None,
        **({"asset_selection": [dg.AssetKey(name) for name in assets]} if assets else {}),
    )


def test_checks(bench: Bench) -> None:
    bench.watched = Watched([dg.AssetCheckKey(dg.AssetKey("table"), "sound")], {}, "build", LIMITS)
    warn = {"passes": False, "severity": dg.AssetCheckSeverity.WARN}
    steps = []
    for well in ({}, warn, warn, {"passes": False}, {"passes": False}, {}, {}):
        run(bench, "", None, "table", **well)
        steps.append(bench.evaluate())
    name = "check table: sound"
    assert steps == [
        [],
        [(name, "ok", "warning")],
        [],
        [(name, "warning", "alarm")],
        [],
        [(name, "alarm", "recovered")],
        [],
    ]
    assert "3 rows are odd" in set(AlertStore(bench.warehouse).history().summary)


def test_a_check_that_is_no_more(bench: Bench) -> None:
    bench.watched = Watched([dg.AssetCheckKey(dg.AssetKey("table"), "sound")], {}, "build", LIMITS)
    run(bench, "", None, "table", passes=False)
    assert bench.evaluate() == [("check table: sound", "ok", "alarm")]
    bench.watched = Watched([], {}, "build", LIMITS)
    assert bench.evaluate() == [("check table: sound", "alarm", "recovered")]


def test_runs_of_a_job(bench: Bench) -> None:
    steps = []
    for well in (True, False, False, True, True):
        run(bench, "chore", runs=well)
        steps.append(bench.evaluate())
    name = "run chore"
    assert steps == [[], [(name, "ok", "alarm")], [], [(name, "alarm", "recovered")], []]


def test_runs_of_an_asset_are_made_up_for_on_their_day(bench: Bench) -> None:
    name = "run reading 2026-03-02"
    run(bench, "", "2026-03-02", "reading", runs=False)
    assert bench.evaluate() == [(name, "ok", "alarm")]
    run(bench, "", "2026-03-03", "reading")
    run(bench, "", None, "table")
    run(bench, "chore")
    assert bench.evaluate() == []
    run(bench, "", "2026-03-02", "reading")
    assert bench.evaluate() == [(name, "alarm", "recovered")]


def test_runs_of_assets_are_made_up_for_by_several(bench: Bench) -> None:
    run(bench, "", "2026-03-02", "reading", "stored", runs=False)
    [(name, *_)] = bench.evaluate()
    assert name == "run reading and 1 more 2026-03-02"
    run(bench, "", "2026-03-02", "stored")
    assert bench.evaluate() == []
    run(bench, "", "2026-03-02", "reading")
    assert bench.evaluate() == [(name, "alarm", "recovered")]


def test_a_run_over_days_is_made_up_for_day_by_day(bench: Bench) -> None:
    days = "2026-03-02 … 2026-03-04"
    name = f"run dumps {days}"
    run(bench, "", days, "dumps", bad="2026-03-03")
    assert bench.evaluate() == [(name, "ok", "alarm")]
    run(bench, "", "2026-03-05", "dumps")
    assert bench.evaluate() == []
    run(bench, "", "2026-03-03", "dumps")
    assert bench.evaluate() == [(name, "alarm", "recovered")]
    run(bench, "", days, "dumps", bad="2026-03-02")
    run(bench, "", "2026-03-01 … 2026-03-02", "dumps")
    assert bench.evaluate() == []
    run(bench, "", days, "dumps", runs=False)
    assert bench.evaluate() == [(name, "ok", "alarm")]
    run(bench, "", days, "dumps")
    assert bench.evaluate() == [(name, "alarm", "recovered")]


def test_a_run_of_a_partition_that_is_no_day(bench: Bench) -> None:
    run(bench, "", "emea", "region", runs=False)
    assert bench.evaluate() == [("run region emea", "ok", "alarm")]
    run(bench, "", "apac", "region")
    assert bench.evaluate() == []
    run(bench, "", "emea", "region")
    assert bench.evaluate() == [("run region emea", "alarm", "recovered")]


def test_a_build_makes_up_for_runs_of_assets(bench: Bench) -> None:
    run(bench, "", "2026-03-02", "reading", runs=False)
    assert len(bench.evaluate()) == 1
    run(bench, "build", "2026-03-02")
    assert bench.evaluate() == [("run reading 2026-03-02", "alarm", "recovered")]


def test_however_many_runs_are_between_a_failure_and_what_makes_up_for_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PAGE", 2)
    run(bench, "", "2026-03-02", "reading", runs=False)
    run(bench, "", "2026-03-02", "reading")
    for _ in range(5):
        run(bench, "chore")
    assert bench.evaluate() == []
    for day in ("2026-03-03", "2026-03-04", "2026-03-05"):
        run(bench, "", day, "reading", runs=False)
    alarmed = [f"run reading 2026-03-0{number}" for number in (3, 4, 5)]
    assert bench.evaluate() == [(name, "ok", "alarm") for name in alarmed]
    run(bench, "", "2026-03-03", "reading")
    for _ in range(5):
        run(bench, "chore")
    assert bench.evaluate() == [(alarmed[0], "alarm", "recovered")]


def test_of_two_failures_only_what_is_made_after_both_counts(bench: Bench) -> None:
    run(bench, "chore", runs=False)
    run(bench, "chore")
    run(bench, "chore", runs=False)
    assert bench.evaluate() == [("run chore", "ok", "alarm")]
    run(bench, "chore")
    assert bench.evaluate() == [("run chore", "alarm", "recovered")]


def test_a_run_that_failed_long_ago_alarms_no_longer(bench: Bench) -> None:
    bench.now = datetime.now(UTC)
    run(bench, "chore", runs=False)
    assert bench.evaluate() == [("run chore", "ok", "alarm")]
    assert bench.evaluate(FORGOTTEN - timedelta(minutes=5)) == []
    assert bench.evaluate(timedelta(minutes=10)) == [("run chore", "alarm", "recovered")]


def test_a_sensor_that_is_switched_off(daemon: Bench) -> None:
    state = instigator(daemon.instance, "watcher")
    tick(daemon.instance, state, NOON, NOON)
    assert daemon.evaluate() == []
    instigator(daemon.instance, "watcher", is_running=False)
    instigator(daemon.instance, "somebody's own", is_running=False)
    assert daemon.evaluate() == [("automation watcher", "ok", "warning")]
    instigator(daemon.instance, "watcher")
    assert daemon.evaluate() == [("automation watcher", "warning", "recovered")]


def test_a_sensor_that_does_not_tick(daemon: Bench) -> None:
    watcher = instigator(daemon.instance, "watcher")
    other = instigator(daemon.instance, "other")
    tick(daemon.instance, watcher, NOON, NOON + timedelta(minutes=40))
    tick(daemon.instance, other, NOON, NOON)
    assert daemon.evaluate(timedelta(minutes=14)) == []
    assert daemon.evaluate(timedelta(minutes=3)) == [("automation other", "ok", "alarm")]
    tick(daemon.instance, other, NOON + timedelta(minutes=18), NOON + timedelta(minutes=18))
    assert daemon.evaluate(timedelta(minutes=1)) == [("automation other", "alarm", "recovered")]


def test_what_ticks_seldom_is_not_dead_between_its_ticks(daemon: Bench) -> None:
    watcher = instigator(daemon.instance, "watcher")
    instigator(daemon.instance, "nightly")
    tick(daemon.instance, watcher, NOON, NOON + timedelta(minutes=40))
    assert daemon.evaluate(timedelta(minutes=39)) == []
    instigator(daemon.instance, "nightly", is_running=False)
    assert daemon.evaluate() == [("automation nightly", "ok", "warning")]


def test_the_mart_waits_for_ticks_of_what_ticks_every_few_minutes() -> None:
    defs = build_definitions(Settings(keep_raw_days=90))
    schedules, sensors = defs.schedules or [], defs.sensors or []
    assert ticking(schedules, sensors) == {  # type: ignore[arg-type]
        "alerts": True,
        "automation": True,
        "monitor_every_morning": False,
        "observe_lake_at_first": False,
        "observe_lake_every_minute": True,
        "prune_every_night": False,
    }


def test_after_a_night_without_the_daemon_nothing_is_dead(daemon: Bench) -> None:
    watcher = instigator(daemon.instance, "watcher")
    other = instigator(daemon.instance, "other")
    yesterday = NOON - timedelta(days=1)
    tick(daemon.instance, other, yesterday, yesterday + timedelta(minutes=5))
    tick(daemon.instance, watcher, NOON, NOON + timedelta(minutes=17))
    assert daemon.evaluate() == []
    assert daemon.evaluate(timedelta(minutes=10)) == []
    assert daemon.evaluate(timedelta(minutes=6)) == [("automation other", "ok", "alarm")]


def deliver(bench: Bench, **last: date) -> None:
    """The lake has dumps until these days."""
    rows = [{"lake_table": name, "source": name, "dump_day": day} for name, day in last.items()]
    frame = pd.DataFrame(rows).assign(files=1, size=1)
    bench.put(Dumps, frame)


def ago(days: int) -> date:
    """So many days ago."""
    return TODAY - timedelta(days=days)


def test_a_source_is_late_by_its_own_days(bench: Bench) -> None:
    deliver(bench, telemetry=ago(3), invoices=ago(35), entitlements=ago(0))
    assert bench.evaluate() == []
    deliver(bench, telemetry=ago(4), invoices=ago(36), entitlements=ago(0))
    assert bench.evaluate() == [("dump invoices", "ok", "alarm"), ("dump telemetry", "ok", "alarm")]
    deliver(bench, telemetry=ago(0), invoices=ago(36), entitlements=ago(0))
    assert bench.evaluate() == [("dump telemetry", "alarm", "recovered")]


def test_a_source_that_never_delivered_is_late_as_the_sources_file_says(bench: Bench) -> None:
    said = [declared("telemetry", "api", 10), declared("telemetry", "app", None)]
    bench.put(Declarations, pd.DataFrame({"declaration": LATE_AFTER_DAYS, "value": said}))
    deliver(bench, invoices=ago(8), entitlements=ago(8))
    assert bench.evaluate() == [("dump telemetry 'app'", "ok", "alarm")]
    assert bench.evaluate(timedelta(days=3)) == [("dump telemetry 'api'", "ok", "alarm")]


def test_a_lake_that_is_no_longer_delivered_stays_an_alarm(bench: Bench) -> None:
    deliver(bench, telemetry=ago(1), invoices=ago(1), entitlements=ago(1))
    assert bench.evaluate() == []
    assert bench.evaluate(timedelta(days=2)) == []
    assert bench.evaluate(timedelta(days=1)) == [("dump telemetry", "ok", "alarm")]
    late = [("dump entitlements", "ok", "alarm"), ("dump invoices", "ok", "alarm")]
    assert bench.evaluate(timedelta(days=40)) in ([], late)
    back = TODAY + timedelta(days=43)
    deliver(bench, telemetry=back, invoices=back, entitlements=back)
    assert ("dump telemetry", "alarm", "recovered") in bench.evaluate()


def test_a_lake_that_lies_in_the_past_alarms_nobody(bench: Bench) -> None:
    deliver(bench, telemetry=ago(100), invoices=ago(100), entitlements=ago(150))
    consume(bench, 1.5, ago(100))
    for _ in range(3):
        assert bench.evaluate(timedelta(days=1)) == []


def burn(bench: Bench, left: float, kind: str = "correctness") -> None:
    """An objective has so much of its budget left."""
    row = {"objective_name": f"usage {kind}", "objective_table": "mart.fact_usage_daily"}
    row |= {"kind": kind, "target": 0.99, "days_good": 27, "days_measured": 28}
    frame = pd.DataFrame([row | {"budget_left": left, "burn_rate": 1.0}])
    bench.put(Objective, frame)


def test_error_budgets(bench: Bench) -> None:
    steps = []
    for left in (1.0, 0.26, 0.25, 0.29, 0.0, 0.04, -3.0, 0.31):
        burn(bench, left)
        steps += bench.evaluate()
    assert steps == [
        ("budget usage correctness", "ok", "warning"),
        ("budget usage correctness", "warning", "alarm"),
        ("budget usage correctness", "alarm", "recovered"),
    ]


def test_a_lake_that_was_late_when_it_was_first_seen_has_burnt_no_budget(bench: Bench) -> None:
    steps = []
    for left in (-99.0, 0.0, 1.0, -1.0):
        burn(bench, left, "freshness")
        steps.append(bench.evaluate())
    assert steps == [[], [], [], [("budget usage freshness", "ok", "alarm")]]


def consume(bench: Bench, share: float | None, day: date = TODAY, customer: str = "CUST-1") -> None:
    """On the last day a customer uses that share of what it is entitled to."""
    row = {"day": day, "customer_id": customer, "customer_name": "Acme", "product_id": "db"}
    row |= {"product_name": "Database", "entitled_30d": 10.0, "used_30d": 10 * (share or 0)}
    row |= {"used_limited_30d": row["used_30d"], "is_unlimited": False, "days_reported": 1}
    frame = pd.DataFrame([row | {"consumption_30d": share, "band": "over"}])
    bench.put(ReportConsumptionDaily, frame)


CUSTOMER = "consumption CUST-1 db"


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.5, 0.79], []),
        ([0.8, 0.81, 0.785], [(CUSTOMER, "ok", "warning")]),
        ([0.8, 0.77], [(CUSTOMER, "ok", "warning"), (CUSTOMER, "warning", "recovered")]),
        ([0.9, 1.0], [(CUSTOMER, "ok", "warning"), (CUSTOMER, "warning", "alarm")]),
        ([1.1, 1.3, 1.19], [(CUSTOMER, "ok", "alarm"), (CUSTOMER, "alarm", "alarm")]),
        ([1.3, 1.1], [(CUSTOMER, "ok", "alarm"), (CUSTOMER, "alarm", "alarm")]),
        ([0.9, None], [(CUSTOMER, "ok", "warning"), (CUSTOMER, "warning", "recovered")]),
    ],
    ids=str,
)
def test_customers(shares: list[float | None], expected: Steps, bench: Bench) -> None:
    steps = []
    for share in shares:
        consume(bench, share)
        steps += bench.evaluate()
    assert steps == expected


def test_a_customer_that_is_no_more(bench: Bench) -> None:
    consume(bench, 1.1)
    assert bench.evaluate() == [(CUSTOMER, "ok", "alarm")]
    consume(bench, 0.1, customer="CUST-2")
    assert bench.evaluate() == [(CUSTOMER, "alarm", "recovered")]


COMMITMENT = "commitment CUST-1 calls ENT-1"


def commit(bench: Bench, days: int | None, status: str = "on_track") -> None:
    """A commitment is used up in so many days; None: not in its term."""
    exhausts_on = None if days is None else TODAY + timedelta(days=days)
    columns = {
        name: "x" if dtype.is_string() else TODAY if dtype.is_date() else 1
        for name, dtype in ReportCommitments.ibis_schema().items()
    }
    columns |= {"customer_id": "CUST-1", "product_id": "calls", "entitlement_id": "ENT-1"}
    columns |= {"customer_name": "Acme", "product_name": "Calls", "unit": "call", "quantity": 5000}
    frame = pd.DataFrame([columns | {"exhausts_on": exhausts_on, "status": status}])
    bench.put(ReportCommitments, frame.astype({"exhausts_on": "datetime64[ns]"}))


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([None, 40, 31], []),
        ([31, 30, 29], [(COMMITMENT, "ok", "warning")]),
        ([12, 0], [(COMMITMENT, "ok", "warning"), (COMMITMENT, "warning", "alarm")]),
        ([-3, None], [(COMMITMENT, "ok", "alarm"), (COMMITMENT, "alarm", "recovered")]),
    ],
    ids=str,
)
def test_commitments(days: list[int | None], expected: Steps, bench: Bench) -> None:
    consume(bench, 0.5)
    steps = []
    for each in days:
        is_up = each is not None and each <= 0
        commit(bench, each, "exhausted" if is_up else "on_track")
        steps += bench.evaluate()
    assert steps == expected


def test_what_is_said_of_a_commitment(bench: Bench) -> None:
    consume(bench, 0.5)
    commit(bench, 12)
    bench.evaluate()
    commit(bench, -1, "exhausted")
    bench.evaluate()
    told = [row.summary for row in AlertStore(bench.warehouse).history().itertuples()]
    assert sorted(told) == [
        "Acme has used up 5,000 call of Calls on 2026-03-09; it ends on 2026-03-10",
        "Acme will have used up 5,000 call of Calls on 2026-03-22; it ends on 2026-03-10",
    ]
    commit(bench, -1, "covered")
    assert bench.evaluate() == [(COMMITMENT, "alarm", "recovered")]


@pytest.mark.parametrize("restart", [True, False])
def test_the_state_outlasts_restarts(
    restart: bool, warehouse: str, tmp_path: Path, make: Callable[[], Bench]
) -> None:
    bench = make()
    bench.warehouse = open_warehouse(warehouse)
    consume(bench, 1.1)
    assert len(bench.evaluate()) == 1
    if restart:
        bench = make()
        bench.warehouse = open_warehouse(warehouse)
    assert bench.evaluate() == []
    [alert] = AlertStore(bench.warehouse).alerts().values()
    assert (alert.state, alert.level, alert.is_open) == ("alarm", 2, True)
    assert alert.since == datetime(2026, 3, 10, 12, 1)
    [row] = AlertStore(bench.warehouse).history().itertuples()
    assert (row.state_before, row.state, row.undelivered, row.reading) == ("ok", "alarm", "", 1.1)


class Changed(MartTable):
    """A table."""

    share: Real = Field(description="A share.")
    note: Text = Field(description="A note.")


class Narrowed(Changed):
    """The same, with a share in words."""

    share: Text = Field(description="In words.")

    @classmethod
    def table_name(cls) -> str:
        """Of the same table."""
        return Changed.table_name()


class Dropped(MartTable):
    """The same, without a note."""

    share: Text = Field(description="In words.")

    @classmethod
    def table_name(cls) -> str:
        """Of the same table."""
        return Changed.table_name()


def of_share(changed: ir.Table) -> ir.Table:
    """Reads one column."""
    return changed.select("share")


class ReportOfShare(MartTable):
    """Shares."""

    share: Text = Field(description="In words.")


def test_a_breaking_change_is_told_each_owner_of_what_reads_the_column_and_ends_by_itself(
    bench: Bench,
) -> None:
    spec, up = TableSpec(ReportOfShare, of_share, owners=("team:x",)), frozenset({"mart/changed"})
    tables = {each.table_name(): each for each in (Changed, ReportOfShare)}
    catalog = Catalog(tables, [spec], {}, Settings())
    defined = [
        Defined("mart/changed", ("team:data",), frozenset()),
        Defined("mart/report_of_share", ("team:x", "team:y"), up),
        Defined("team/unknown", ("team:z",), up),
        Defined("team/further", ("team:further",), frozenset({"team/unknown"})),
    ]
    bench.watched = replace(bench.watched, who_reads=Downstream(catalog, lambda: defined))
    bench.now = datetime.now(UTC)

    def change(model: type[Table]) -> None:
        with bench.warehouse.transaction() as transaction:
            note_versions(transaction, [model])

    change(Changed)
    assert bench.evaluate() == [], "the first version is no change"
    change(Narrowed)
    version = "schema mart/changed version 2 for team"
    opened = [(f"{version}:{name}", "ok", "alarm") for name in "xyz"]
    assert bench.evaluate() == opened
    assert bench.evaluate() == [], "it is told once"
    told = {each.subject: each.summary for each in AlertStore(bench.warehouse).alerts().values()}
    assert told["mart/changed version 2 for team:x"] == (
        "column share was float64, is string; see whether this still suits mart/report_of_share"
        " (team:x, team:y)"
    )
    assert told["mart/changed version 2 for team:z"].endswith(
        "team/unknown (team:z, by which columns is not known)"
    )
    change(Dropped)
    assert bench.evaluate() == [("schema mart/changed version 3 for team:z", "ok", "alarm")]
    over = bench.evaluate(timedelta(days=7))
    assert [step[1:] for step in over] == [("alarm", "recovered")] * 4
    assert bench.evaluate() == []


def test_a_route_of_an_owner_is_told_what_is_meant_for_it_from_beginning_to_end() -> None:
    route = LogRoute(name="x", owners=("team:x",))
    for state, before in ((State.alarm, State.ok), (State.recovered, State.alarm)):
        for owner, is_told in (("team:x", True), ("team:xy", False)):
            subject = f"mart/changed version 2 for {owner}"
            alert = Alert("schema", subject, state, 0, NOON, "column a removed")
            assert is_for(route, Transition(before, alert, 0.0)) is is_told
    alert = Alert("check", "mart/changed: model", State.alarm, 2, NOON, "fails")
    assert not is_for(route, Transition(State.ok, alert, 2.0))


def test_a_breaking_change_that_nothing_reads_is_a_warning(bench: Bench) -> None:
    bench.now = datetime.now(UTC)
    downstream = Downstream(Catalog({}, [], {}, Settings()), list)
    bench.watched = replace(bench.watched, who_reads=downstream)
    for model in (Changed, Narrowed):
        with bench.warehouse.transaction() as transaction:
            note_versions(transaction, [model])
    assert bench.evaluate() == [("schema mart/changed version 2", "ok", "warning")]
