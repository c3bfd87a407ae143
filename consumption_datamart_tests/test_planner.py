"""The planner alone: whatever happens, all is refreshed in the end, in order, and once.

The ledger is kept in memory here, by the rules that the warehouse keeps it by.
"""

from collections.abc import Collection
from copy import deepcopy
from datetime import date
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumption_datamart.definitions import nodes
from consumption_datamart.planning import ALL, LakeNews, Node, in_order, is_settled, pending, ready
from consumption_datamart.planning.pending import Pending
from consumption_datamart.planning.ready import offered
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.grain import Grain
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse.ledger import Change, Day, Failure, Ledger, Published
from consumption_datamart_tests.lakes import day

LAST = 6
DAYS = Days(day(1), day(LAST))
NODES = in_order(nodes(Settings()))
BY_NAME = {node.name: node for node in NODES}
DAILY, WHOLE = ([each for each in NODES if each.is_partitioned is flag] for flag in (True, False))


class Mart:
    """A ledger, what is new in the lake, and what was refreshed."""

    def __init__(self) -> None:
        """Nothing is built."""
        self.published: dict[str, dict[Day, Published]] = {}
        self.awaited: dict[str, dict[date, Change]] = {}
        self.failed: dict[str, dict[Day, Failure]] = {}
        self.dumps: dict[str, dict[date, str]] = {}
        self.version = 0
        self.refreshed: list[tuple[str, Day]] = []

    @property
    def ledger(self) -> Ledger:
        """As the planner reads it."""
        return Ledger(self.published, self.awaited, self.failed, DAYS)

    @property
    def news(self) -> LakeNews:
        """As the planner is told it."""
        return LakeNews(self.dumps, frozenset(DAYS.each()), DAYS)

    def waiting(self) -> Pending:
        """What is to be refreshed."""
        return pending(NODES, self.ledger, self.news)

    def ready(self) -> Pending:
        """What waits for nothing else."""
        return ready(NODES, self.ledger, self.waiting())

    def publish(self, node: Node, days: Collection[Day], shows_on: Collection[date] = ()) -> None:
        """Publishes days of a table, or all of it, whose change shows on some days."""
        self.version += 1
        for each in days:
            self.published.setdefault(node.name, {})[each] = Published(
                self.version, self.version, is_current=True
            )
            self.failed.get(node.name, {}).pop(each, None)
            if each is not None:
                self.awaited.get(node.name, {}).pop(each, None)
                self.dumps.get(node.name, {}).pop(each, None)
            else:
                self.dumps.pop(node.name, None)
            self.refreshed.append((node.name, each))
        for other in DAILY if not node.is_partitioned else ():
            if node.model in other.reads:
                awaited = self.awaited.setdefault(other.name, {})
                shown = map(other.grain.first, shows_on)
                awaited |= dict.fromkeys(shown, Change(node.name, self.version))

    def settle(self, broken: Collection[tuple[str, Day]] = ()) -> None:
        """Refreshes what is ready until nothing is; what is broken fails."""
        for _ in range(200):
            found = next(
                ((BY_NAME[name], days) for name, days in self.ready().items() if days), None
            )
            if found is None:
                return
            node, days = found
            bad = [each for each in days if (node.name, each) in broken]
            for each in bad:
                failure = Failure(self.version, days[each].dump)
                self.failed.setdefault(node.name, {})[each] = failure
            if good := [each for each in days if each not in bad]:
                self.publish(node, good)
        raise AssertionError("it never ends")


@cache
def _built() -> Mart:
    mart = Mart()
    mart.settle()
    mart.refreshed.clear()
    return mart


def built() -> Mart:
    """All of it is up to date."""
    return deepcopy(_built())


some_days = st.sets(st.integers(1, LAST).map(day), min_size=1)


@st.composite
def events(draw: st.DrawFn) -> list[tuple[Node, Any, Any]]:
    """Publications that nobody planned: of some days, or of a table whose change shows on some."""
    return draw(
        st.lists(
            st.tuples(st.sampled_from(DAILY), some_days, st.just(()))
            | st.tuples(st.sampled_from(WHOLE), st.just([None]), some_days),
            min_size=1,
            max_size=4,
        )
    )


def is_in(node: Node, period: Day, other: Day, window: int) -> bool:
    """Whether a partition of a table that the node reads is one that its period is made of."""
    if other is None or (period is None and window == ALL):
        return True
    if period is None:
        return (DAYS.last - other).days < window
    if node.grain is Grain.MONTH:
        return (other.year, other.month) == (period.year, period.month)
    return 0 <= (period - other).days < window


def test_what_was_never_built_is_built_once_each_after_what_it_is_made_of() -> None:
    mart = Mart()
    mart.settle()
    daily = {(node.name, each) for node in DAILY for each in node.model.periods(DAYS)}
    whole = {(node.name, None) for node in WHOLE}
    assert set(mart.refreshed) == daily | whole
    assert len(mart.refreshed) == len(daily | whole)
    assert not any(mart.waiting().values())


@settings(deadline=None, max_examples=25)
@given(events())
def test_whatever_happens_all_is_refreshed_in_the_end(
    happened: list[tuple[Node, Any, Any]],
) -> None:
    mart = built()
    for node, days, shows_on in happened:
        mart.publish(node, {each and node.grain.first(each) for each in days}, shows_on)
    mart.settle()
    assert not any(mart.waiting().values())
    for node in NODES:
        for model, window in node.reads.items():
            inputs = mart.published[model.full_name()]
            for each, own in mart.published[node.name].items():
                if each is None or None not in inputs:
                    needed = [inputs[other] for other in inputs if is_in(node, each, other, window)]
                    assert own.version > max(other.version for other in needed)


@settings(deadline=None, max_examples=25)
@given(events())
def test_what_is_ready_waits_for_nothing(happened: list[tuple[Node, Any, Any]]) -> None:
    mart = built()
    for node, days, shows_on in happened:
        mart.publish(node, {each and node.grain.first(each) for each in days}, shows_on)
    waiting = mart.waiting()
    for name, days in mart.ready().items():
        for model, window in BY_NAME[name].reads.items():
            for each in days:
                inputs = waiting[model.full_name()]
                assert None not in inputs
                assert not [other for other in inputs if is_in(BY_NAME[name], each, other, window)]


def test_a_mart_is_first_built_in_one_run() -> None:
    mart = Mart()
    found = offered(NODES, mart.ledger, mart.waiting(), {})
    assert {name: days.keys() for name, days in found.items()} == {
        name: days.keys() for name, days in mart.waiting().items()
    }


@settings(deadline=None, max_examples=25)
@given(some_days, events())
def test_what_goes_in_one_run_is_stale_when_its_turn_comes_and_waits_for_nothing(
    dumped: set[date], happened: list[tuple[Node, Any, Any]]
) -> None:
    mart = built()
    mart.dumps["lake.raw_telemetry"] = dict.fromkeys(dumped, "new")
    for node, days, shows_on in happened:
        mart.publish(node, {each and node.grain.first(each) for each in days}, shows_on)
    for _ in range(20):
        found = offered(NODES, mart.ledger, mart.waiting(), {})
        for node in NODES:
            days = found[node.name].keys()
            assert days <= mart.ready()[node.name].keys()
            if days:
                mart.publish(node, days)
        if not any(found.values()):
            break
    assert not any(mart.waiting().values())


def test_a_restated_day_goes_from_the_lake_to_its_reports_in_three_runs() -> None:
    mart = built()
    mart.dumps["lake.raw_telemetry"] = {day(LAST): "restated"}
    runs: list[list[str]] = []
    while found := {k: v for k, v in offered(NODES, mart.ledger, mart.waiting(), {}).items() if v}:
        runs.append(list(found))
        for node in NODES:
            mart.publish(node, found.get(node.name, {}))
    assert len(runs) == 3
    assert "mart.fact_consumption_daily" in runs[0]
    assert "mart.report_consumption_daily" in runs[1]


def test_what_a_run_is_about_is_waited_for() -> None:
    mart = built()
    mart.dumps["lake.raw_telemetry"] = {day(1): "new", day(3): "new"}
    waiting = mart.waiting()
    found = offered(NODES, mart.ledger, waiting, {"lake.raw_telemetry": {day(1), day(2)}})
    assert found["lake.raw_telemetry"].keys() == {day(3)}
    assert found["mart.usage_by_unit_daily"].keys() == {day(3)}
    assert not found["mart.deployment_monthly"]
    found = offered(NODES, mart.ledger, waiting, {"lake.raw_telemetry": set()})
    assert not any(found.values())


@settings(deadline=None, max_examples=25)
@given(some_days)
def test_a_dump_that_cannot_be_loaded_is_tried_once_and_holds_up_nobody(days: set[date]) -> None:
    mart = built()
    raw = "lake.raw_telemetry"
    mart.dumps[raw] = dict.fromkeys(days, "bad")
    mart.settle(broken={(raw, each) for each in days})
    assert not mart.refreshed
    mart.publish(BY_NAME["mart.fact_usage_daily"], [day(1)])
    mart.settle()
    assert ("mart.report_consumption_daily", day(1)) in mart.refreshed, "others go on"
    mart.dumps[raw] = dict.fromkeys(days, "mended")
    mart.settle()
    assert {(raw, each) for each in days} <= set(mart.refreshed)
    assert not any(mart.waiting().values())


def test_readers_see_a_state_in_which_nothing_loaded_awaits_its_reports() -> None:
    mart = built()
    assert is_settled(NODES, mart.ledger)
    mart.publish(BY_NAME["lake.raw_telemetry"], [day(3)])
    assert not is_settled(NODES, mart.ledger)
    mart.settle()
    assert is_settled(NODES, mart.ledger)
    mart.dumps["lake.raw_telemetry"] = {day(2): "bad"}
    mart.settle(broken={("lake.raw_telemetry", day(2))})
    assert is_settled(NODES, mart.ledger), "what could not be loaded does not count"
    mart.publish(BY_NAME["lake.raw_telemetry"], [day(4)])
    mart.settle(broken={("mart.fact_usage_daily", day(4))})
    assert not is_settled(NODES, mart.ledger), "the fact is older than what was loaded"


def test_a_mart_that_lacks_a_day_that_cannot_be_loaded_is_settled() -> None:
    mart = Mart()
    mart.settle(broken={("lake.raw_telemetry", day(4))})
    assert is_settled(NODES, mart.ledger)


def test_only_days_that_cannot_do_without_wait_for_a_day_that_was_never_loaded() -> None:
    mart, bad = Mart(), ("lake.raw_telemetry", day(4))
    mart.settle(broken={bad})
    done = set(mart.refreshed)
    assert ("mart.dim_customer", None) in done
    assert ("mart.report_consumption_daily", day(3)) in done
    assert ("mart.report_consumption_daily", day(5)) not in done, "its window has the day"
    assert ("mart.fact_usage_daily", day(5)) in done
    mart.failed.clear()
    mart.settle()
    assert not any(mart.waiting().values())


@settings(deadline=None, max_examples=25)
@given(some_days)
def test_a_change_costs_the_days_that_it_shows_on_and_no_others(days: set[date]) -> None:
    mart = built()
    mart.publish(BY_NAME["mart.dim_entitlement"], [None], days)
    mart.refreshed.clear()
    mart.settle()
    fact = {each for name, each in mart.refreshed if name == "mart.fact_entitlement_daily"}
    assert fact == days
    assert not [name for name, _ in mart.refreshed if name == "mart.fact_usage_daily"]
    assert len(mart.refreshed) == len(set(mart.refreshed))


def test_what_may_follow_a_dimension_is_waited_for() -> None:
    mart = built()
    mart.publish(BY_NAME["lake.raw_entitlements"], [None])
    mart.publish(BY_NAME["mart.dim_product"], [None], [day(3)])
    assert mart.ready()["mart.dim_entitlement"]
    assert day(3) in mart.waiting()["mart.fact_consumption_daily"]
    assert not mart.ready()["mart.fact_consumption_daily"], "it reads what entitlements show on"
    mart.settle()
    assert mart.refreshed.count(("mart.fact_consumption_daily", day(3))) == 1


def test_nothing_follows_a_table_that_turned_out_to_be_as_it_was() -> None:
    mart, dimension = built(), BY_NAME["mart.dim_entitlement"]
    before = mart.published[dimension.name][None]
    mart.publish(BY_NAME["mart.reporting_day"], [None])
    assert mart.waiting()[dimension.name]
    mart.publish(dimension, [None])
    (why,) = mart.waiting()["mart.report_renewals"].values()
    assert "dim_entitlement is newer" in why.reason
    mart.published[dimension.name][None] = Published(mart.version, before.changed, is_current=True)
    (why,) = mart.waiting()["mart.report_renewals"].values()
    assert why.reason == "reporting_day is newer"
