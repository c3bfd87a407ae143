"""Answers as Census does, and really sends: from a table of PostgreSQL to a CRM in SQLite.

Source: https://fivetran.com/docs/activations/rest-api (sync runs, trigger). As Census does, it
sends what is new or has changed since the last run, and what was rejected; a run that is triggered
while another is under way is skipped.
"""

import json
import re
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from examples.platform.fakes.server import Fake

ACCOUNTS = """CREATE TABLE IF NOT EXISTS account (id TEXT PRIMARY KEY, fields TEXT);
CREATE TABLE IF NOT EXISTS operation (run INTEGER, id TEXT, fields TEXT)"""


class Crm:
    """A CRM: accounts by id, and each write to it."""

    def __init__(self, file: Path) -> None:
        """In a file."""
        self.file = file
        self._run(ACCOUNTS)

    def accounts(self) -> dict[str, dict[str, Any]]:
        """All accounts, by id."""
        with closing(sqlite3.connect(self.file)) as connection:
            rows = connection.execute("SELECT id, fields FROM account").fetchall()
        return {each: json.loads(fields) for each, fields in rows}

    def operations(self) -> list[tuple[int, str]]:
        """Run and account of each write, in order."""
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute("SELECT run, id FROM operation ORDER BY rowid").fetchall()

    def states(self) -> list[tuple[str, str]]:
        """Account and content of each write, in order."""
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute("SELECT id, fields FROM operation ORDER BY rowid").fetchall()

    def write(self, run: int, rows: dict[str, dict[str, Any]]) -> None:
        """Inserts or updates accounts."""
        told = [(each, json.dumps(fields)) for each, fields in rows.items()]
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO account VALUES (?, ?)", told)
            connection.executemany(
                "INSERT INTO operation VALUES (?, ?, ?)", [(run, *each) for each in told]
            )

    def _run(self, script: str) -> None:
        with closing(sqlite3.connect(self.file)) as connection:
            connection.executescript(script)


class FakeCensus(Fake):
    """A workspace with one sync, of number 7.

    Attributes:
        seconds: that a run takes.
        rejects: accounts that the CRM does not take.
        ends: how the next runs end, if not by themselves: failed.
    """

    user, password = "bearer", "census-token"
    sync = 7

    def __init__(
        self, source: str, table: str, key: tuple[str, ...], crm: Crm, port: int = 0
    ) -> None:
        """With the source's URL, the table that the sync reads and the columns of its key."""
        super().__init__(port)
        self.source, self.table, self.key, self.crm = source, table, key, crm
        self.seconds, self.rejects, self.ends = 0.0, set[str](), list[str]()
        self.runs: dict[int, dict[str, Any]] = {}

    def answer(self, method: str, path: str, _: Any) -> tuple[int, Any]:
        """As the API does."""
        path = path.removeprefix("/api/v1")
        if (method, path) == ("POST", f"/syncs/{self.sync}/trigger"):
            return 200, {"status": "success", "data": {"sync_run_id": self.started()}}
        if (method, path) == ("GET", f"/syncs/{self.sync}/sync_runs"):
            newest = [self.runs[each] for each in sorted(self.runs, reverse=True)][:25]
            return 200, {"status": "success", "data": newest, "pagination": {"page": 1}}
        found = re.fullmatch(r"/sync_runs/(\d+)", path)
        if method == "GET" and found and int(found[1]) in self.runs:
            return 200, {"status": "success", "data": self.runs[int(found[1])]}
        return 404, {"status": "error", "message": "Not found"}

    def started(self) -> int:
        """Starts a run, as its schedule or a click would, too; gives its id."""
        number = len(self.runs) + 1
        is_busy = any(run["status"] == "working" for run in self.runs.values())
        self.runs[number] = {
            "id": number,
            "sync_id": self.sync,
            "status": "skipped" if is_busy else "working",
            "error_message": None,
        }
        if not is_busy:
            threading.Thread(target=self._run, args=(number,), daemon=True).start()
        return number

    def _run(self, number: int) -> None:
        # it reads as a whole, and takes its time to send
        ends = self.ends.pop(0) if self.ends else None
        told: dict[str, Any]
        try:
            with psycopg.connect(self.source) as connection:
                cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
                rows = cursor.execute(f"SELECT * FROM {self.table}").fetchall()
            time.sleep(self.seconds)
            told = self._sent(number, rows) if ends is None else {"error_message": "as told"}
        except psycopg.Error as error:
            ends, told = "failed", {"error_message": str(error)}
        with self.lock:
            self.runs[number] |= told | {"status": ends or "completed"}

    def _sent(self, number: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
        there = self.crm.accounts()
        wanted = {
            "/".join(str(row[name]) for name in self.key): json.loads(json.dumps(row, default=str))
            for row in rows
        }
        news = {each: fields for each, fields in wanted.items() if there.get(each) != fields}
        refused = {each for each in news if each in self.rejects}
        self.crm.write(number, {e: fields for e, fields in news.items() if e not in refused})
        return {
            "source_record_count": len(rows),
            "records_processed": len(news),
            "records_updated": len(news) - len(refused),
            "records_failed": len(refused),
            "records_invalid": 0,
        }


if __name__ == "__main__":
    port, source, table, key, crm = sys.argv[1:]
    FakeCensus(
        source, table, tuple(key.split(",")), Crm(Path(crm)), int(port)
    ).server.serve_forever()
