"""Answers as Fivetran does, and really syncs: tables of one PostgreSQL to a schema of another.

Source: https://fivetran.com/docs/rest-api (connection details, schema config, sync). A sync that is
forced while another is under way stops that and begins anew.
"""

import re
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from examples.platform.fakes.server import Fake

NEVER = None


class FakeFivetran(Fake):
    """An account with one connector, `erp_conn`, which copies tables as they are.

    Attributes:
        seconds: that a sync takes.
        fails: whether the next syncs fail.
    """

    user, password = "fivetran-key", "fivetran-secret"
    connector = "erp_conn"

    def __init__(
        self, source: str, destination: str, schema: str, tables: tuple[str, ...], port: int = 0
    ) -> None:
        """With URLs of both databases, and the schema that is written."""
        super().__init__(port)
        self.source, self.destination, self.schema = source, destination, schema
        self.tables, self.seconds, self.fails = tables, 0.0, False
        self.syncs = 0
        self.said: dict[str, Any] = {
            "id": self.connector,
            "group_id": "warehouse",
            "service": "postgres",
            "schema": schema,
            "paused": False,
            "sync_frequency": 5,
            "schedule_type": "auto",
            "succeeded_at": NEVER,
            "failed_at": NEVER,
        }
        self.status: dict[str, Any] = {
            "setup_state": "connected",
            "sync_state": "scheduled",
            "update_state": "on_schedule",
            "rescheduled_for": None,
        }

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """As the API does."""
        path = path.removeprefix("/v1/connectors/")
        if not path.startswith(self.connector):
            return 404, {"code": "NotFound_Connector", "message": "Cannot find connector"}
        path = path.removeprefix(self.connector)
        if (method, path) == ("GET", ""):
            return 200, {"code": "Success", "data": self.said | {"status": self.status}}
        if (method, path) == ("PATCH", ""):
            self.said |= body
            return 200, {"code": "Success", "data": self.said | {"status": self.status}}
        if (method, path) == ("POST", "/force"):
            self.started()
            return 200, {"code": "Success", "message": "Sync has been successfully triggered"}
        if (method, path) == ("GET", "/schemas"):
            columns = {t: {"name_in_destination": t, "enabled": True} for t in self.tables}
            found = {"name_in_destination": self.schema, "enabled": True, "tables": columns}
            return 200, {"code": "Success", "data": {"schemas": {self.schema: found}}}
        return 404, {"code": "NotFound", "message": path}

    def started(self) -> None:
        """Starts a sync, as its schedule would, too."""
        with self.lock:
            self.syncs += 1
            self.status["sync_state"] = "syncing"
        threading.Thread(target=self._sync, args=(self.syncs,), daemon=True).start()

    def every(self, seconds: float) -> None:
        """Syncs by its own schedule, for ever."""
        while True:
            if self.status["sync_state"] != "syncing" and not self.said["paused"]:
                self.started()
            time.sleep(seconds)

    def _sync(self, number: int) -> None:
        time.sleep(self.seconds)
        done = "failed_at"
        try:
            if not self.fails:
                self._copy()
                done = "succeeded_at"
        except psycopg.Error as error:
            print(f"fivetran: {error}", file=sys.stderr)
        with self.lock:
            if number == self.syncs:  # else it was stopped
                now = datetime.now(UTC)
                self.said[done] = re.sub(r"\+00:00$", "Z", now.isoformat())
                self.status["sync_state"] = "scheduled"

    def _copy(self) -> None:
        """All tables, in one transaction, with `_fivetran_synced`, as Fivetran writes them."""
        with psycopg.connect(self.source) as source, psycopg.connect(self.destination) as to:
            to.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(self.schema)))
            for table in self.tables:
                found = source.execute(SQL("SELECT * FROM {}").format(Identifier(table)))
                names = [column.name for column in found.description or ()]
                target = Identifier(self.schema, table)
                kinds = source.execute(
                    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE"
                    " attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                    (table,),
                ).fetchall()
                columns = SQL(", ").join(
                    SQL("{} {}").format(Identifier(name), SQL(kind)) for name, kind in kinds
                )
                to.execute(
                    SQL(
                        "CREATE TABLE IF NOT EXISTS {} ({}, _fivetran_synced timestamptz"
                        " DEFAULT now())"
                    ).format(target, columns)
                )
                to.execute(SQL("DELETE FROM {}").format(target))
                listed = SQL(", ").join(map(Identifier, names))
                with to.cursor().copy(
                    SQL("COPY {} ({}) FROM STDIN").format(target, listed)
                ) as copy:
                    for row in found:
                        copy.write_row(row)


if __name__ == "__main__":
    port, source, destination, schema, tables, seconds = sys.argv[1:]
    fake = FakeFivetran(source, destination, schema, tuple(tables.split(",")), int(port))
    fake.start()
    fake.every(float(seconds))
