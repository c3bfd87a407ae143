"""Sail, a server of Spark Connect, on this machine for tests, and what its marts hold."""

import atexit
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from tenacity import Retrying, stop_after_delay, wait_fixed

from consumption_datamart_tests.compare import Tables

WITH_US = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
"""What lets a server end where this process is killed; not every system has it."""
_numbers = count(1)


@contextmanager
def server(port: int = 0) -> Iterator[int]:
    """The port of a server that has this process's environment; 0: any that is free."""
    with closing(socket.socket()) as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        found: int = free.getsockname()[1]
    program = Path(sys.executable).with_name("sail")
    command = [*WITH_US, program, "spark", "server", "--ip", "127.0.0.1", "--port", str(found)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        answers = Retrying(wait=wait_fixed(0.1), stop=stop_after_delay(60))
        answers(socket.create_connection, ("127.0.0.1", found)).close()
        yield found
    finally:
        process.kill()
        process.wait()


@cache
def port() -> int:
    """Of the server that all tests share, which is started for whoever asks first."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(server())


@cache
def folder() -> Path:
    """Of all marts."""
    found = Path(tempfile.mkdtemp(prefix="sail"))
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    return found


def new_mart() -> str:
    """URL of a mart that is not there yet."""
    return url_of(folder() / f"mart_{next(_numbers)}")


def url_of(location: Path) -> str:
    """URL of the mart in a folder."""
    return f"spark://127.0.0.1:{port()}?location={location}"


def location_of(url: str) -> Path:
    """Folder of a mart."""
    return Path(parse_qs(urlsplit(url).query)["location"][0])


def tables_in(url: str) -> Tables:
    """Every table that the last commit names, by its full name, as rows of plain Python values."""
    commits = sorted((location_of(url) / "_commits").glob("*.json"))
    named = json.loads(commits[-1].read_text())["tables"] if commits else {}
    return {
        name: DeltaTable(location_of(url) / uri, version=number).to_pyarrow_table().to_pylist()
        for name, (uri, number) in named.items()
    }


def change_columns(url: str, table: str, sql: str) -> None:
    """Add a column to a table, or drop one, as a mart of another version has it."""
    commits = sorted((location_of(url) / "_commits").glob("*.json"))
    said = json.loads(commits[-1].read_text())
    uri, number = said["tables"][table]
    place = location_of(url) / uri
    rows = DeltaTable(place, version=number).to_pyarrow_table()
    action, _, name, *_ = sql.split()
    if action == "ADD":
        rows = rows.append_column(name, pa.nulls(len(rows), pa.int32()))
    else:
        rows = rows.drop_columns([name])
    write_deltalake(place, rows, mode="overwrite", schema_mode="overwrite")
    said["tables"][table] = [uri, DeltaTable(place).version()]
    commits[-1].with_stem(f"{int(commits[-1].stem) + 1:020d}").write_text(json.dumps(said))
