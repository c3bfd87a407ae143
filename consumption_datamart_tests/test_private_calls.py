"""Dagster's private API is as the one module that uses it takes it to be."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from consumption_datamart import private
from consumption_datamart.partitions import range_tags
from consumption_datamart.private import conditions, graph
from consumption_datamart.schema.days import Days
from consumption_datamart_tests.instigators import instigator, tick

DAY = dg.DailyPartitionsDefinition("2026-03-01")
ONE_DAY = dg.DailyPartitionsDefinition("2026-03-01", end_date="2026-03-02")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One that knows of schedules and sensors."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


@dg.multi_asset(
    specs=[dg.AssetSpec("one"), dg.AssetSpec("two")],
    check_specs=[dg.AssetCheckSpec("sound", asset="one")],
)
def both():
    """Two in a step."""
    yield dg.MaterializeResult("one", metadata={"rows": 3})
    yield dg.MaterializeResult("two")
    yield dg.AssetCheckResult(asset_key="one", check_name="sound", passed=False, description="odd")


@dg.asset
def failing() -> None:
    """For a reason that it says."""
    raise dg.Failure("out of order")


@dg.asset
def broken() -> None:
    """For a reason that lies deeper."""
    try:
        {}["nothing"]
    except KeyError as error:
        raise RuntimeError("it is broken") from error


@dg.asset_check(asset="one")
def apart() -> dg.AssetCheckResult:
    """A check that is none of the job's."""
    return dg.AssetCheckResult(passed=True)


SOUND, APART = (dg.AssetCheckKey(dg.AssetKey("one"), name) for name in ("sound", "apart"))
CODE = dg.Definitions(
    assets=[both, failing, broken],
    asset_checks=[apart],
    jobs=[
        dg.define_asset_job(
            "build", selection=dg.AssetSelection.all() - dg.AssetSelection.checks(APART)
        )
    ],
)
ONE, TWO = dg.AssetKey("one"), dg.AssetKey("two")


def ran(instance: dg.DagsterInstance) -> dict[str | None, list[dg.DagsterEvent]]:
    """The events of a build, by step."""
    job = private.resolved_job(CODE, "build")
    events = job.execute_in_process(instance=instance, raise_on_error=False).all_events
    return {key: [each for each in events if each.step_key == key] for key in job.graph.node_dict}


def test_the_latest_evaluations_of_checks(instance: dg.DagsterInstance) -> None:
    assert private.latest_checks(instance, [SOUND]) == {}
    ran(instance)
    found = private.latest_checks(instance, [SOUND, APART])
    assert found.keys() == {SOUND}
    evaluation = found[SOUND].evaluation
    assert not found[SOUND].is_under_way
    assert evaluation is not None
    told = evaluation.passed, evaluation.severity, evaluation.description
    assert told == (False, dg.AssetCheckSeverity.ERROR, "odd")


def test_a_check_that_is_being_evaluated(instance: dg.DagsterInstance) -> None:
    instance.create_run_for_job(private.resolved_job(CODE, "build"))
    assert private.latest_checks(instance, [SOUND]) == {SOUND: private.LatestCheck(True, None)}


def test_what_is_kept(instance: dg.DagsterInstance) -> None:
    assert private.kept(instance, "name") is None
    for text in ("first", "second"):
        private.keep(instance, "name", text)
        assert private.kept(instance, "name") == text
    assert private.kept(instance, "another") is None


def test_the_schedules_and_sensors(instance: dg.DagsterInstance) -> None:
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    watcher = instigator(instance, "watcher")
    instigator(instance, "off", is_running=False)
    instigator(instance, "not asked for")
    tick(instance, watcher, noon, noon + timedelta(minutes=3))
    since = noon + timedelta(minutes=1, seconds=30)
    found = {each.name: each for each in private.instigators(instance, ["watcher", "off"], since)}
    minutes = [noon + timedelta(minutes=3), noon + timedelta(minutes=2)]
    assert found == {
        "watcher": private.Instigator("watcher", "sensor", True, minutes),
        "off": private.Instigator("off", "sensor", False, []),
    }
    (late,) = private.instigators(instance, ["watcher"], noon + timedelta(hours=1))
    assert late.ticks == [noon + timedelta(minutes=3)]


def test_an_instance_in_memory_knows_no_sensors() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert list(private.instigators(instance, ["watcher"], datetime.now(UTC))) == []


def test_freshness(instance: dg.DagsterInstance) -> None:
    change = FreshnessStateChange(
        key=ONE,
        new_state=FreshnessState.FAIL,
        previous_state=FreshnessState.PASS,
        state_change_timestamp=datetime.now(UTC).timestamp(),
    )
    instance.report_runless_asset_event(change)
    assert private.freshness(instance, [ONE, TWO]) == {ONE: "FAIL"}


class Asked(dg.AutomationCondition[dg.AssetKey]):
    """True of some days, or of an asset without days; writes down what was requested before."""

    def __init__(self, partitions: set[str]) -> None:
        """Nothing is written down yet."""
        self.partitions, self.before = partitions, []

    @property
    def name(self) -> str:
        """As in the UI."""
        return "asked"

    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        """As it was made."""
        self.before.append(conditions.requested_before(context))
        return dg.AutomationResult(context, conditions.subset(context, self.partitions))


def asset_of(
    condition: Asked, partitioned: dg.PartitionsDefinition | None = None
) -> dg.AssetsDefinition:
    """An asset whose policy is a condition."""

    @dg.asset(name="x", automation_condition=condition, partitions_def=partitioned)
    def x() -> None:
        pass

    return x


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
@pytest.mark.parametrize(
    ("partitioned", "wanted", "requested"),
    [
        (DAY, {"2026-03-02", "1999-01-01"}, {"2026-03-02"}),
        (DAY, set(), set()),
        (None, {""}, {None}),
        (None, set(), set()),
    ],
)
def test_subsets_of_an_automation_context(
    partitioned: dg.PartitionsDefinition | None, wanted: set[str], requested: set[str | None]
) -> None:
    condition = Asked(wanted)
    asset = asset_of(condition, partitioned)
    cursor = None
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            found = dg.evaluate_automation_conditions(
                dg.Definitions([asset]), instance, cursor=cursor
            )
            cursor = found.cursor
            assert found.get_requested_partitions(dg.AssetKey("x")) == requested
    assert condition.before == [None, {each or "" for each in requested}]


class AsksBoth(dg.AutomationCondition[dg.AssetKey]):
    """True; writes down what was requested so far, of which instance, and other partitions."""

    def __init__(self) -> None:
        """Nothing is written down yet."""
        self.seen: dict[str, tuple[set[str], set[str], dg.DagsterInstance]] = {}
        self.partitions: set[dg.PartitionsDefinition | None] = set()

    @property
    def name(self) -> str:
        """As in the UI."""
        return "asks_both"

    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        """All of its asset."""
        now = [conditions.requested_now(context, dg.AssetKey(each)) for each in ("first", "last")]
        self.seen[context.key.path[-1]] = *now, conditions.instance_of(context)
        self.partitions.add(conditions.partitions_of(context, dg.AssetKey("first")))
        assert conditions.partitions_of(context, dg.AssetKey("nowhere")) is None
        return dg.AutomationResult(context, context.candidate_subset)


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
@pytest.mark.parametrize(("partitioned", "requested"), [(None, {""}), (ONE_DAY, {"2026-03-01"})])
def test_what_a_tick_has_requested_so_far(
    partitioned: dg.PartitionsDefinition | None, requested: set[str]
) -> None:
    condition = AsksBoth()

    @dg.asset(automation_condition=condition, partitions_def=partitioned)
    def first() -> None:
        pass

    @dg.asset(automation_condition=condition, deps=[first])
    def last() -> None:
        pass

    with dg.DagsterInstance.ephemeral() as instance:
        dg.evaluate_automation_conditions(dg.Definitions([first, last]), instance)
    assert condition.seen == {
        "first": (set(), set(), instance),
        "last": (requested, set(), instance),
    }


class Doubled(private.RewritingSensor):
    """Asks for everything twice."""

    def rewritten(self, requests):
        """Twice."""
        return [*requests, *requests]


def test_what_a_sensor_asks_for_is_rewritten(instance: dg.DagsterInstance) -> None:
    with pytest.warns(dg.BetaWarning):
        sensor = Doubled("doubled", target="*", use_user_code_server=True)
    code = dg.Definitions([asset_of(Asked({""}))], sensors=[sensor])
    context = dg.build_sensor_context(instance=instance, definitions=code)
    found = sensor.evaluate_tick(context)
    assert [request.asset_selection for request in found.run_requests] == [[dg.AssetKey("x")]] * 2
    assert found.cursor


def test_jobs(instance: dg.DagsterInstance) -> None:
    job = private.resolved_job(CODE, "build")
    assert private.assets_of(job) == {ONE, TWO, failing.key, broken.key}
    part = private.part_of(job, {ONE, TWO})
    assert private.assets_of(part) == {ONE, TWO}
    result = part.execute_in_process(instance=instance)
    assert {each.check_name for each in result.get_asset_check_evaluations()} == {"sound"}


def test_events_of_steps(instance: dg.DagsterInstance) -> None:
    steps = ran(instance)
    (success,) = (each for each in steps["both"] if each.is_step_success)
    assert 0 < private.seconds_of(success) < 60
    made = [private.metadata_of(each) for each in steps["both"] if each.is_step_materialization]
    assert [each.get("rows") for each in made] == [dg.MetadataValue.int(3), None]
    failures = {
        name: private.failure_of(each)
        for name, events in steps.items()
        for each in events
        if each.is_step_failure
    }
    assert failures == {"failing": "out of order", "broken": "KeyError: 'nothing'"}


def test_logs_of_runs_are_deleted(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run_id = dg.materialize([both], instance=instance).run_id
    logs = tmp_path / "storage" / run_id
    assert logs.is_dir()
    for _ in range(2):
        private.delete_compute_logs(instance, run_id)
        assert not logs.exists()


def test_what_is_defined_of_assets() -> None:
    nodes = {node.key: node for node in graph.asset_nodes(CODE)}
    assert {key.name for key in nodes[ONE].check_keys} == {"sound", "apart"}
    assert nodes[ONE].is_materializable
    assert graph.selected_keys(CODE, 'key:"one" or key:"two"') == {"one", "two"}
    assert graph.selected_keys(CODE, "group:none") == set()
    for wrong in ("key:andd x", "owner:", "((", 'kind:"'):
        with pytest.raises(ValueError, match="no selection"):
            graph.selected_keys(CODE, wrong)
    policy = dg.FreshnessPolicy.time_window(timedelta(hours=3))
    assert graph.fresh_within(policy) == timedelta(hours=3)
    assert graph.fresh_within(None) is None


def test_the_definitions_of_a_module() -> None:
    module = ModuleType("of_a_team")
    module.given, module.made, module.other = CODE, dg.definitions(lambda: CODE), 1  # type: ignore[attr-defined]
    assert graph.definitions_in(module) == [CODE, CODE]


def test_the_partitions_that_a_run_was_to_make(instance: dg.DagsterInstance) -> None:
    @dg.asset(partitions_def=DAY)
    def daily() -> None:
        """Of one run, one day or several."""

    code = dg.Definitions(assets=[daily, both], jobs=[dg.define_asset_job("days", [daily])])
    days = Days(date(2026, 3, 2), date(2026, 3, 3))
    runs = [
        (code.resolve_job_def("days"), {"tags": range_tags(days)}),
        (code.resolve_job_def("days"), {"partition_key": "2026-03-05"}),
        (code.resolve_implicit_job_def_def_for_assets({dg.AssetKey("two")}), {}),
    ]
    made = [job.execute_in_process(instance=instance, **how) for job, how in runs]  # type: ignore[union-attr]
    assert [private.planned(instance, each.run_id) for each in made] == [
        {dg.AssetKey("daily"): {"2026-03-02", "2026-03-03"}},
        {dg.AssetKey("daily"): {"2026-03-05"}},
        {},
    ]
