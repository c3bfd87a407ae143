"""What is made of the mart beside the planner follows it by the mart's own policies."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from consumption_datamart.automation.following import Mart, following
from consumption_datamart.automation.policies import MINUTES
from consumption_datamart.automation.sensor import apart_from
from consumption_datamart.automation.words import PolicyError, policy_of, words
from consumption_datamart.planning import Node
from consumption_datamart.schema.table import MartTable
from consumption_datamart.schema.types import Day
from consumption_datamart.warehouse.ledger import Ledger, Published
from consumption_datamart_tests.ticks import Automation

TABLE = "mart.source"
FIRST, SECOND = dg.AssetKey(["team", "first"]), dg.AssetKey(["team", "second"])
BOTH = {"first": {None}, "second": {None}}
ONLY_FIRST = {"first": {None}}


class Source(MartTable):
    """A table of the mart."""

    day: Day


class Chain:
    """Two assets beside the mart: the first is made of a table of it, the second of the first."""

    def __init__(self, policy: str, instance: dg.DagsterInstance) -> None:
        """Nothing is published yet."""
        self.version: int | None = None
        self.is_settled, self.is_broken = True, False
        mart: Any = Mart(self, [Node(Source)])

        def condition(tables: set[str], others: set[dg.AssetKey]) -> Any:
            return following(policy_of(policy)(MINUTES), mart, tables, others)

        @dg.asset(key=FIRST, automation_condition=condition({TABLE}, set()))
        def first() -> None:
            if self.is_broken:
                raise dg.Failure("broken")

        @dg.asset(key=SECOND, deps=[FIRST], automation_condition=condition(set(), {FIRST}))
        def second() -> None:
            pass

        self.automation = Automation(dg.Definitions([first, second]), instance)

    def settled(self, *_: object) -> Ledger | None:
        """What the ledger says, as `CurrentPlan` does."""
        if not self.is_settled:
            return None
        known = (
            {}
            if self.version is None
            else {None: Published(self.version, self.version, is_current=True)}
        )
        return Ledger({TABLE: known})

    def tick(self, minutes: float = 0.5) -> dict[str, set[Any]]:
        """Tick, and build what is asked for."""
        asked = self.automation.tick(minutes)
        self.automation.run(asked)
        return asked


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A history that is thrown away."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_it_follows_once_the_mart_is_there_settled_and_newer(
    instance: dg.DagsterInstance,
) -> None:
    chain = Chain("eager", instance)
    assert chain.tick() == {}
    chain.version, chain.is_settled = 1, False
    assert chain.tick() == {}
    chain.is_settled = True
    assert chain.tick() == BOTH
    assert chain.tick() == {}
    chain.version = 2
    assert chain.tick() == BOTH
    assert chain.tick() == {}


def test_what_becomes_newer_while_it_is_refreshed_is_not_forgotten(
    instance: dg.DagsterInstance,
) -> None:
    chain = Chain("eager", instance)
    chain.version = 1
    asked = chain.automation.tick()
    chain.version = 2
    chain.automation.run(asked)
    assert [chain.tick() for _ in range(3)] == [ONLY_FIRST, {"second": {None}}, {}]


def test_what_fails_waits_for_something_newer(instance: dg.DagsterInstance) -> None:
    chain = Chain("eager", instance)
    chain.version, chain.is_broken = 1, True
    assert chain.tick() == BOTH
    assert [chain.tick() for _ in range(3)] == [{}] * 3
    chain.version, chain.is_broken = 2, False
    assert chain.tick() == BOTH
    assert chain.tick() == {}


def test_it_is_throttled(instance: dg.DagsterInstance) -> None:
    chain = Chain("at_most_every(5)", instance)
    chain.tick(chain.automation.until_next(5).total_seconds() / 60 + 0.1)
    chain.version = 1
    assert chain.tick() == BOTH
    chain.version = 2
    assert chain.tick() == {}
    assert chain.tick(5) == BOTH


def test_it_waits_for_its_time(instance: dg.DagsterInstance) -> None:
    chain = Chain("on_cron(0 * * * *)", instance)
    chain.tick()
    chain.version = 1
    assert chain.tick(60) == BOTH
    assert chain.tick(60) == {}


def test_on_missing_builds_once_and_manual_never(instance: dg.DagsterInstance) -> None:
    chain = Chain("on_missing", instance)
    chain.version = 1
    assert chain.tick() == BOTH
    chain.version = 2
    assert chain.tick() == {}
    assert policy_of("manual")(MINUTES) is None
    assert following(None, Mart(chain, []), set(), set()) is None


def test_it_is_in_a_run_apart_from_the_mart_s_tables() -> None:
    table = dg.AssetKey(["mart", "dim_day"])
    asked = dg.RunRequest(asset_selection=[FIRST, table, SECOND], tags={"a": "b"})
    requests = [asked, dg.RunRequest(asset_selection=[table]), dg.RunRequest()]
    found = apart_from(requests, {FIRST, SECOND})
    assert [each.asset_selection for each in found] == [[table], [FIRST, SECOND], [table], None]
    assert [each.tags for each in found[:2]] == [{"a": "b"}] * 2


def test_the_words_are_those_of_the_mart() -> None:
    assert list(words().values()) == [
        "eager",
        "at_most_every(minutes)",
        "on_cron(schedule)",
        "on_missing",
        "manual",
    ]


def weekdays(hour: int) -> Any:
    """A team's own policy."""
    return dg.AutomationCondition.cron_tick_passed(f"0 {hour} * * 1-5")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("eager", "eager"),
        (" at_most_every(30) ", "at_most_every(30)"),
        ("at_most_every", "at_most_every(5)"),
        ("on_cron(0 6 * * *)", "on_cron(0 6 * * *)"),
        ('on_cron("0 6 * * *")', "on_cron(0 6 * * *)"),
        (f"{__name__}.weekdays(9)", None),
    ],
)
def test_a_policy_is_written_as_a_word(text: str, label: str | None) -> None:
    condition = policy_of(text)(MINUTES)
    assert condition is not None
    assert condition.get_label() == label


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at_mots_every(5)", "at_mots_every: there is no such policy; did you mean at_most_every("),
        ("hourly", "there are eager, at_most_every(minutes), on_cron(schedule), on_missing, man"),
        ("at_most_every(7)", "no even ticks; take a divisor of 60"),
        ("at_most_every(soon)", "write at_most_every(minutes)"),
        ("at_most_every(5", "the parenthesis is not closed; write at_most_every(…)"),
        ("eager(5, 6)", "write eager"),
        ("on_cron(every day)", "Invalid cron schedule: every day; write on_cron(schedule)"),
        ("every(5)", "every: there is no such policy"),
        ("no_such.module.weekdays", "No module named 'no_such'; write a word of the mart's"),
        (f"{__name__}.BOTH", "it is no function"),
        ("os.getpid()", "os.getpid(): 'int' object is not callable"),
    ],
)
def test_what_is_no_policy_is_told_with_what_would_be(text: str, told: str) -> None:
    with pytest.raises(PolicyError) as error:
        policy_of(text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
