"""An emulator of Snowflake for tests, in an environment of its own, and what its databases hold.

Its version of sqlglot is not that of Ibis. `python -m consumption_datamart_tests.fakesnow_server`,
which `make engines` does, makes the environment once; tests are skipped where it is not there.
"""

import atexit
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from platformdirs import user_cache_path

from consumption_datamart_tests.compare import Tables

VERSION = "0.12.1"
CLIENT = "snowflake-connector-python<5"
"""The emulator's own client; it is the server that is used."""
FOLDER = user_cache_path("consumption-datamart") / f"fakesnow-{VERSION}"
PROGRAM = FOLDER / "bin" / "fakesnow"
TABLES = "SELECT table_schema, table_name FROM information_schema.tables"
_numbers = count(1)


def make() -> None:
    """Makes the environment, if it is not there."""
    if not PROGRAM.exists():
        subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
        pip = [FOLDER / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"fakesnow[server]=={VERSION}", CLIENT], check=True)
    print(f"fakesnow {VERSION} is in {FOLDER}")


@cache
def port() -> int:
    """Of the server, which is started for whoever asks first."""
    if not PROGRAM.exists():
        pytest.skip("there is no emulator of Snowflake: make engines")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    command = [PROGRAM, "-s", "-p", str(found)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(lambda: (server.kill(), server.wait()))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with closing(socket.socket()) as asked:
            if asked.connect_ex(("127.0.0.1", found)) == 0:
                return found
        time.sleep(0.1)
    raise TimeoutError("the emulator of Snowflake does not start")


@cache
def key_file() -> Path:
    """A private key, by which the client signs what it logs in with; the emulator lets all in."""
    folder = Path(tempfile.mkdtemp(prefix="snowflake"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.p8").write_bytes(key.private_bytes(*form))
    return folder / "key.p8"


def new_database(**parameters: object) -> str:
    """URL of an empty database; a request that the emulator fails at is tried for a second."""
    where = {"host": "127.0.0.1", "port": port(), "protocol": "http", "network_timeout": 1}
    query = urlencode(where | {"private_key_file": key_file()} | parameters)
    return f"snowflake://me@fakesnow/TEST_{next(_numbers)}?{query}"


def tables_in(url: str) -> Tables:
    """Every table of a database, by its full name, as rows of plain Python values."""
    import snowflake.connector  # noqa: PLC0415  # an extra
    from snowflake.connector import DictCursor  # noqa: PLC0415

    database = url.split("/")[3].split("?", maxsplit=1)[0]
    tables = {}
    with snowflake.connector.connect(
        user="me", password="any", account="fakesnow", host="127.0.0.1", port=port(),
        protocol="http", database=database,
    ) as connection:  # fmt: skip
        listed = connection.cursor().execute(f"{TABLES} WHERE table_type = 'BASE TABLE'").fetchall()
        for schema, table in listed:
            if not table.startswith("lock_"):
                cursor = connection.cursor(DictCursor)
                rows = cursor.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall()
                tables[f"{schema}.{table}"] = rows
    return tables


if __name__ == "__main__":
    make()
