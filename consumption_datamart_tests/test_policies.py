"""Each named policy, on two assets of which one is made of the other."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import dagster as dg
import pytest

from consumption_datamart.automation import (
    Policy,
    after_others,
    at_most_every,
    bound,
    eager,
    manual,
    on_cron,
    on_missing,
)
from consumption_datamart.automation.policies import MINUTES, every
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.planning import LakeNews, Node, pending, ready
from consumption_datamart.planning.current import CurrentPlan, Look
from consumption_datamart.planning.ready import Running
from consumption_datamart.schema.table import MartTable
from consumption_datamart.schema.types import Day
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart.warehouse.ledger import Ledger, Published
from consumption_datamart_tests.ticks import Automation

ASKED = {"made": {None}}


class Source(MartTable):
    """What the other is made of."""

    day: Day


class Made(MartTable):
    """What refreshes itself."""

    day: Day


NODES = (Node(Source), Node(Made, reads={Source: 1}))


class Pair:
    """An asset `source`, and `made`, which is made of it and refreshes itself by a policy.

    Both are known to the real planner; the ledger is kept in memory.
    """

    def __init__(self, policy: Policy, instance: dg.DagsterInstance) -> None:
        """Neither is built yet; `made` fails while `is_broken`."""
        self.is_broken, self.version = False, 0
        self.published: dict[str, dict[None, Published]] = {}

        @dg.asset(key=["mart", "source"])
        def source() -> None:
            """What the other is made of."""
            self.publish(Source)

        @dg.asset(key=["mart", "made"], deps=[source], automation_condition=bound(policy(5), self))
        def made() -> None:
            """What refreshes itself."""
            if self.is_broken:
                raise dg.Failure("broken")
            self.publish(Made)

        self.assets = {"source": source, "made": made}
        self.automation = Automation(dg.Definitions(list(self.assets.values())), instance)

    def publish(self, model: type[MartTable]) -> None:
        """Writes a publication into the ledger."""
        self.version += 1
        self.published[model.full_name()] = {
            None: Published(self.version, self.version, is_current=True)
        }

    def look(self, _: object, running: Callable[[], Running]) -> Look:
        """What the planner says."""
        ledger = Ledger(self.published)
        waiting = pending(NODES, ledger, LakeNews())
        found = ready(NODES, ledger, waiting, running=running())
        return Look(waiting, found, {}, ledger)

    def build(self, name: str) -> None:
        """Build one of the two, now."""
        with self.automation.later():
            dg.materialize(
                list(self.assets.values()),
                selection=[f"mart/{name}"],
                instance=self.automation.instance,
                raise_on_error=False,
            )

    def tick(self, minutes: float = 0.5) -> dict[str, set[None]]:
        """Tick, and build what is asked for."""
        requested = self.automation.tick(minutes)
        for name in requested:
            self.build(name)
        return requested


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A history that is thrown away."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_eager_follows_each_update_once(instance: dg.DagsterInstance) -> None:
    pair = Pair(eager, instance)
    assert pair.tick() == {}
    for _ in range(2):
        pair.build("source")
        assert pair.tick() == ASKED
        assert pair.tick() == {}


def test_an_update_that_comes_after_the_build_of_the_same_tick_is_not_forgotten(
    instance: dg.DagsterInstance,
) -> None:
    pair = Pair(eager, instance)
    pair.build("source")
    assert pair.automation.tick() == ASKED
    pair.build("made")
    pair.build("source")
    assert pair.tick() == ASKED
    assert pair.tick() == {}


def test_an_update_that_comes_before_the_build_of_the_same_tick_is_done(
    instance: dg.DagsterInstance,
) -> None:
    pair = Pair(eager, instance)
    pair.build("source")
    pair.build("made")
    assert pair.tick() == {}


def test_what_fails_is_not_asked_for_until_something_is_newer(
    instance: dg.DagsterInstance,
) -> None:
    pair = Pair(eager, instance)
    pair.is_broken = True
    pair.build("source")
    assert pair.tick() == ASKED
    assert pair.tick() == pair.tick(60) == {}
    pair.is_broken = False
    pair.build("source")
    assert pair.tick() == ASKED


def test_at_most_every_waits_for_the_clock_but_for_what_is_missing(
    instance: dg.DagsterInstance,
) -> None:
    pair = Pair(at_most_every(60), instance)
    pair.build("source")
    assert pair.tick() == ASKED
    pair.automation.ahead += pair.automation.until_next(60)
    assert pair.tick(1) == {}, "nothing is newer"
    pair.build("source")
    assert pair.tick(1) == ASKED, "the clock has struck since"
    for _ in range(3):
        pair.build("source")
        assert pair.tick(1) == {}
    assert pair.tick(60) == ASKED
    assert pair.tick(60) == {}


def test_at_most_every_takes_the_minutes_of_the_settings(instance: dg.DagsterInstance) -> None:
    condition = at_most_every()(5)
    assert condition is not None
    assert condition.get_label() == "at_most_every(5)"


@pytest.mark.parametrize(
    ("minutes", "cron"),
    [(1, "*/1 * * * *"), (30, "*/30 * * * *"), (60, "0 */1 * * *"), (1440, "0 0 * * *")],
)
def test_ticks_are_evenly_spaced(minutes: int, cron: str) -> None:
    assert every(minutes) == cron


@pytest.mark.parametrize("minutes", [-5, 0, 7, 45, 90, 300, 2880])
def test_ticks_that_would_not_be_evenly_spaced(minutes: int) -> None:
    with pytest.raises(ValueError, match=f"{minutes} minutes: no even ticks"):
        at_most_every(minutes)


def test_on_cron_waits_for_its_time_and_for_something_newer(instance: dg.DagsterInstance) -> None:
    pair = Pair(on_cron("0 * * * *"), instance)
    pair.automation.ahead += pair.automation.until_next(60)
    pair.tick(1)
    pair.build("source")
    pair.tick(1)
    pair.build("source")
    assert pair.tick(1) == {}
    assert pair.tick(60) == ASKED
    assert pair.tick(60) == {}


def test_on_missing_builds_once(instance: dg.DagsterInstance) -> None:
    pair = Pair(on_missing, instance)
    assert pair.tick() == {}
    pair.build("source")
    assert pair.tick() == ASKED
    pair.build("source")
    assert pair.tick() == {}


def test_on_missing_does_not_try_again_what_fails(instance: dg.DagsterInstance) -> None:
    pair = Pair(on_missing, instance)
    pair.is_broken = True
    pair.build("source")
    assert pair.tick() == ASKED
    assert pair.tick() == {}


def test_manual_does_nothing_by_itself(instance: dg.DagsterInstance) -> None:
    pair = Pair(manual, instance)
    pair.build("source")
    assert pair.tick() == pair.tick(60) == {}


def test_a_team_writes_its_own(instance: dg.DagsterInstance) -> None:
    def when_both_are_missing(_: int) -> dg.AutomationCondition:
        return dg.AutomationCondition.missing() & dg.AutomationCondition.any_deps_missing()

    pair = Pair(when_both_are_missing, instance)
    assert pair.tick() == ASKED
    assert pair.tick() == {}


def test_the_interval_is_that_of_the_settings() -> None:
    assert Settings.model_fields["refresh_minutes"].default == MINUTES


def test_after_others_follows_what_the_planner_does_not_know(
    instance: dg.DagsterInstance,
) -> None:
    pair = Pair(partial(after_others, Source), instance)
    assert pair.tick() == {}, "what it is made of is missing"
    pair.build("source")
    assert pair.tick() == ASKED, "it is missing"
    assert pair.tick(5) == {}
    pair.build("source")
    assert pair.tick(5) == ASKED
    assert pair.tick(5) == {}
    pair.is_broken = True
    pair.build("source")
    assert pair.tick(5) == ASKED
    assert pair.tick(5) == {}, "what fails is not asked for until something is newer"


@pytest.mark.parametrize(
    ("policy", "asked"),
    [(eager, {"source": {None}, **ASKED}), (manual, {}), (on_cron("@daily"), {})],
)
def test_what_follows_is_asked_for_only_with_what_it_follows(
    policy: Policy, asked: dict[str, set[None]], tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    lake, warehouse = Lake(str(tmp_path)), open_warehouse(f"duckdb://{tmp_path}/none.duckdb")
    plan = CurrentPlan(NODES, [], warehouse, lake)

    @dg.asset(key=["mart", "source"], automation_condition=bound(policy(MINUTES), plan))
    def source() -> None:
        pass

    @dg.asset(key=["mart", "made"], deps=[source], automation_condition=bound(eager(), plan))
    def made() -> None:
        pass

    automation = Automation(dg.Definitions([source, made]), instance)
    assert automation.tick() == asked
    assert automation.tick() == {}
