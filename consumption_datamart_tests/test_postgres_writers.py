"""Writers of different tables at once, and what is lost where a connection is."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.dimensions import DimDay, ReportingDay
from consumption_datamart.schema.facts import FactUsageDaily
from consumption_datamart.warehouse import Transaction, Warehouse, open_warehouse, publish
from consumption_datamart.warehouse import read_ledger as ledger_of
from consumption_datamart.warehouse.postgres_connection import Undone
from consumption_datamart_tests.mart import tables_of
from consumption_datamart_tests.postgres_server import database_of, run
from consumption_datamart_tests.test_publication import MODEL, NAME, OLD, as_frame, row

DAYS = Days(OLD[1]["day"], OLD[1]["day"])
WAIT = 0.2
"""Seconds that a test waits for a lock that it does not get."""


@pytest.fixture
def target(database: str) -> Warehouse:
    """A warehouse in which the table has its old rows."""
    opened = open_warehouse(database)
    publish(opened, MODEL, as_frame(OLD))
    return opened


def found(target: Warehouse) -> list[dict[str, Any]]:
    """What the table holds, by day."""
    return sorted(tables_of(target.url)[NAME], key=lambda each: str(each["day"]))


def versions(target: Warehouse) -> dict[str, int]:
    """The last publication of each table."""
    published = ledger_of(target).published
    return {name: max(each.version for each in days.values()) for name, days in published.items()}


def test_who_writes_another_table_waits_for_nobody(target: Warehouse) -> None:
    impatient = target.waiting_at_most(WAIT)
    with target.transaction([FactUsageDaily], reads=[DimDay]) as transaction:
        transaction.require(FactUsageDaily)
        publish(impatient, MODEL, as_frame([row(4)]), inputs=[DimDay])
        publish(impatient, MODEL, as_frame([row(2, used_quantity=7.0)]), DAYS)
    assert found(target) == [row(2, used_quantity=7.0), row(4)]


def test_who_writes_the_same_table_waits(target: Warehouse) -> None:
    impatient = target.waiting_at_most(WAIT)
    with (
        target.transaction([MODEL]),
        pytest.raises(WarehouseError, match="another process writes to it since 0 s"),
    ):
        publish(impatient, MODEL, as_frame([row(4)]))
    assert found(target) == OLD


def test_what_is_made_of_a_table_is_not_published_with_it(target: Warehouse) -> None:
    """Else its version would be the later one, and its rows those of before."""
    impatient = target.waiting_at_most(WAIT)
    publish(target, ReportingDay, as_frame(OLD)[["day"]])
    with target.transaction([ReportingDay]), pytest.raises(WarehouseError, match="another process"):
        publish(impatient, MODEL, as_frame([row(4)]), inputs=[ReportingDay])
    with target.transaction([MODEL], [ReportingDay]), pytest.raises(WarehouseError):
        publish(impatient, ReportingDay, as_frame(OLD)[["day"]])


def test_who_changes_all_tables_waits_for_all(target: Warehouse) -> None:
    impatient = target.waiting_at_most(WAIT)
    with target.transaction([MODEL]), pytest.raises(WarehouseError), impatient.transaction():
        pass
    with target.transaction(), pytest.raises(WarehouseError):
        publish(impatient, MODEL, as_frame([row(4)]))


def test_publications_are_numbered_as_they_are_committed(target: Warehouse) -> None:
    before = versions(target)[NAME]

    def publish_another(*_: object) -> None:
        publish(target, ReportingDay, as_frame(OLD)[["day"]])

    publish(target, MODEL, as_frame(OLD), inspect=publish_another)
    assert versions(target) == {NAME: before + 2, ReportingDay.full_name(): before + 1}


def test_all_who_read_a_snapshot_see_one_state(target: Warehouse) -> None:
    with target.snapshot() as seen:
        assert len(seen.whole_rows(MODEL)) == len(OLD)
        publish(target, MODEL, as_frame([row(4)]))
        assert len(seen.whole_rows(MODEL)) == len(OLD)
    assert len(target.whole_rows(MODEL)) == 1


def killing(target: Warehouse, *, times: int) -> Callable[..., None]:
    """An inspection whose connection the server ends, the first times; it counts its calls."""

    def inspect(transaction: Transaction, *_: object) -> None:
        inspect.calls += 1
        if inspect.calls <= times:
            kill(target, transaction.backend.con.info.backend_pid)

    inspect.calls = 0
    return inspect


def kill(target: Warehouse, pid: int) -> None:
    """End a connection, as an administrator does."""
    run(database_of(target.url), "SELECT pg_terminate_backend(%s, 5000)", pid)


def lost_in_the_middle(target: Warehouse) -> None:
    """A transaction whose connection the server ends."""
    with target.transaction([MODEL]) as transaction:
        transaction.clear(MODEL)
        kill(target, transaction.backend.con.info.backend_pid)
        transaction.rows(transaction.slice(MODEL))


def test_a_connection_that_is_lost_leaves_the_table(target: Warehouse) -> None:
    with pytest.raises(Undone, match="connection is lost; nothing was published, run again"):
        lost_in_the_middle(target)
    assert found(target) == OLD


def test_a_publication_whose_connection_is_lost_is_made_again(target: Warehouse) -> None:
    inspect = killing(target, times=1)
    publish(target, MODEL, as_frame([row(4)]), inspect=inspect)
    assert inspect.calls == 2
    assert found(target) == [row(4)]


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_connection_that_is_lost_in_the_commit(
    is_committed: bool, target: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of it is asked: it is made again only if it was not made."""
    commit, inspect = psycopg.Connection.commit, killing(target, times=0)
    lost = []

    def commit_and_lose(self: psycopg.Connection) -> None:
        if inspect.calls and not lost:
            lost.append(self)
            if is_committed:
                commit(self)
            kill(target, self.info.backend_pid)
            self.execute("SELECT 1")
        commit(self)

    monkeypatch.setattr(psycopg.Connection, "commit", commit_and_lose)
    publish(target, MODEL, as_frame([row(4)]), inspect=inspect)
    assert inspect.calls == (1 if is_committed else 2)
    assert lost
    assert found(target) == [row(4)]
