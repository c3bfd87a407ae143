"""A PostgreSQL server of this process for tests, and what its databases hold."""

import atexit
import shutil
import signal
import tempfile
import time
import warnings
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from consumption_datamart_tests.compare import Tables

QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
"""What a server may do that need not outlast its machine."""
TABLES = """SELECT relnamespace::regnamespace::text, relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition
    AND relnamespace::regnamespace::text NOT SIMILAR TO '(pg_|information_schema)%'"""
_numbers = count(1)


@cache
def host() -> str:
    """Folder of the server's socket; the server is started for whoever asks first."""
    with warnings.catch_warnings(action="ignore"):  # it asks for a folder that a session has
        import pgserver  # noqa: PLC0415  # starts nothing by itself, but takes its time

    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    folder.chmod(0o755)  # root's server is another user's
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    atexit.register(lambda: (server.cleanup(), shutil.rmtree(folder, ignore_errors=True)))
    found = psycopg.conninfo.conninfo_to_dict(server.get_uri())["host"]
    with _connected(_url("postgres", str(found))) as connection:
        for setting in QUICK:
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    return str(found)


def restart(seconds: float) -> None:
    """Breaks the server off as a crash does, and starts it again after a while."""
    import pgserver  # noqa: PLC0415  # as above

    server = pgserver.get_server(host())
    server.ensure_postgres_running()  # it may be another by now: a fork has restarted it
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(30)
    time.sleep(seconds)
    server.ensure_postgres_running()


def url(database: str, **parameters: str) -> str:
    """URL of a database."""
    return _url(database, host(), **parameters)


def new_database(template: str = "template0") -> str:
    """URL of a database that is empty, or a copy of another that nobody uses now."""
    made = url(f"test_{next(_numbers)}")
    make_database(made, template)
    return made


def make_database(of: str, template: str = "template0") -> None:
    """Makes the database of a URL: an empty one, or a copy of another that nobody uses now."""
    run("postgres", f"CREATE DATABASE {database_of(of)} TEMPLATE {template}")


def drop_database(of: str) -> None:
    """Drop the database of a URL, whoever uses it."""
    run("postgres", f"DROP DATABASE IF EXISTS {database_of(of)} WITH (FORCE)")


def database_of(of: str) -> str:
    """Name of a URL's database."""
    return of.split("///")[1].split("?", maxsplit=1)[0]


def run(database: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a statement as the server's owner, and commit it."""
    with _connected(url(database)) as connection:
        cursor = connection.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


def tables_in(of: str) -> Tables:
    """Every table of a database, by its full name, as rows of plain Python values."""
    tables = {}
    with _connected(of) as connection:
        for schema, table in connection.execute(TABLES).fetchall():
            cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
            tables[f"{schema}.{table}"] = cursor.execute(f'TABLE "{schema}"."{table}"').fetchall()
    return tables


def _url(database: str, host: str, **parameters: str) -> str:
    more = "".join(f"&{name}={quote(value)}" for name, value in parameters.items())
    user = "" if "user" in parameters else "user=postgres&"
    return f"postgres:///{database}?{user}host={quote(host)}{more}"


def _connected(of: str) -> psycopg.Connection:
    return psycopg.connect(of, autocommit=True)
