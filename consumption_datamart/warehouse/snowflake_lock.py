"""Who writes to a mart on Snowflake: one at a time, by a row that says who, and until when.

Snowflake has no locks that a program can ask for, and a transaction of a process that was killed
may hold its own for hours. So the lock is a lease, which its holder renews; that of a process which
is no more runs out.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import uniform
from threading import Event, Thread
from uuid import uuid4

from snowflake.connector import SnowflakeConnection, errors

from consumption_datamart.errors import WarehouseError

LEASE_SECONDS = 60
"""By Snowflake's clock; it is renewed three times as often."""
NOW = "DATE_PART(EPOCH_SECOND, SYSDATE())"


class Lease:
    """A lock that is held until the end, if it is renewed."""

    def __init__(self, connection: SnowflakeConnection, table: str, name: str) -> None:
        """It is not held yet.

        Args:
            connection: that commits each statement; another thread uses it, too.
            table: of the lock, quoted; it is made if it is not there.
            name: of the warehouse, in messages.
        """
        self.connection, self.table, self.name = connection, table, name
        self.holder = uuid4().hex

    def prepare(self) -> None:
        """Makes the table with its row."""
        cursor = self.connection.cursor()
        cursor.execute(
            f'CREATE TABLE IF NOT EXISTS {self.table} ("holder" VARCHAR, "until" BIGINT)'
        )
        cursor.execute(
            f"INSERT INTO {self.table} SELECT '', 0 WHERE NOT EXISTS (SELECT 1 FROM {self.table})"
        )

    def take(self, seconds: float) -> None:
        """Waits until nobody holds it.

        Args:
            seconds: how long to wait.

        Raises:
            WarehouseError: another still holds it.
        """
        began = time.monotonic()
        while not self._update(f'"holder" = \'\' OR "until" < {NOW}'):
            if time.monotonic() - began > seconds:
                raise WarehouseError(
                    f"warehouse {self.name}: another process writes to it since {seconds:.0f} s;"
                    " wait until it is done"
                )
            time.sleep(uniform(0.2, 0.6))

    def renew(self) -> None:
        """Holds it for longer.

        Raises:
            WarehouseError: it has run out, and another has taken it.
        """
        if not self._update(f"\"holder\" = '{self.holder}'"):
            raise WarehouseError(
                f"warehouse {self.name}: this process did not answer for {LEASE_SECONDS} s, and"
                " another writes to it now; nothing was published, run again"
            )

    def give_up(self) -> None:
        """Lets others take it at once; it would run out."""
        with suppress(errors.Error):
            self.connection.cursor().execute(
                f"UPDATE {self.table} SET \"holder\" = '' WHERE \"holder\" = '{self.holder}'"
            )

    def _update(self, condition: str) -> bool:
        """Takes it, or holds it for longer, if a condition holds."""
        cursor = self.connection.cursor()
        cursor.execute(
            f"UPDATE {self.table} SET \"holder\" = '{self.holder}',"
            f' "until" = {NOW} + {LEASE_SECONDS} WHERE {condition}'
        )
        found = cursor.fetchone()
        return bool(found and found[0])


@contextmanager
def held(lease: Lease, seconds: float) -> Iterator[Lease]:
    """Takes a lease, and renews it until the end.

    Args:
        lease: that this process does not hold.
        seconds: how long to wait for another.

    Raises:
        WarehouseError: another still holds it.
    """
    lease.take(seconds)
    ends = Event()

    def renew() -> None:
        while not ends.wait(LEASE_SECONDS / 3):
            with suppress(WarehouseError, errors.Error):  # who commits asks again
                lease.renew()

    thread = Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        ends.set()
        thread.join()
        lease.give_up()
