"""Who writes to Snowflake: one at a time, by a row that says who, and until when.

Snowflake has no locks that a program can ask for, and a transaction of a process that was killed
may hold its own for hours. So the lock is a lease, which its holder renews; that of a process which
is no more runs out, by Snowflake's clock.
"""

from contextlib import suppress

from snowflake.connector import SnowflakeConnection, errors

from consumption_datamart.warehouse import lease

NOW = "DATE_PART(EPOCH_SECOND, SYSDATE())"


class RowLease(lease.Lease):
    """A lease that is the row of a table."""

    def __init__(self, connection: SnowflakeConnection, table: str, name: str) -> None:
        """It is not held yet.

        Args:
            connection: that commits each statement; another thread uses it, too.
            table: of the lock, quoted; it is made if it is not there.
            name: of the warehouse, in messages.
        """
        super().__init__(name)
        self.connection, self.table = connection, table

    def prepare(self) -> None:
        """Makes the table with its row."""
        cursor = self.connection.cursor()
        cursor.execute(
            f'CREATE TABLE IF NOT EXISTS {self.table} ("holder" VARCHAR, "until" BIGINT)'
        )
        cursor.execute(
            f"INSERT INTO {self.table} SELECT '', 0 WHERE NOT EXISTS (SELECT 1 FROM {self.table})"
        )

    def try_once(self) -> bool:
        """If nobody is in the row, or one whose time is over."""
        return self._update(f'"holder" = \'\' OR "until" < {NOW}')

    def extend(self) -> bool:
        """Writes a later time."""
        return self._update(f"\"holder\" = '{self.holder}'")

    def give_up(self) -> None:
        """Empties the row."""
        with suppress(errors.Error):
            self.connection.cursor().execute(
                f"UPDATE {self.table} SET \"holder\" = '' WHERE \"holder\" = '{self.holder}'"
            )

    def _update(self, condition: str) -> bool:
        """Takes it, or holds it for longer, if a condition holds."""
        cursor = self.connection.cursor()
        cursor.execute(
            f"UPDATE {self.table} SET \"holder\" = '{self.holder}',"
            f' "until" = {NOW} + {lease.LEASE_SECONDS} WHERE {condition}'
        )
        found = cursor.fetchone()
        return bool(found and found[0])
