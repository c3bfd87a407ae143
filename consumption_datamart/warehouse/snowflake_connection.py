"""Connections to Snowflake: how they are made, kept, and what is told of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from snowflake.connector import SnowflakeConnection, connect, errors

from consumption_datamart.errors import WarehouseError
from consumption_datamart.warehouse.server import parameters_in

TAKEN = {
    "warehouse": "the virtual warehouse that computes",
    "role": "the role",
    "authenticator": "how a token is given: oauth, or programmatic_access_token",
    "private_key_file": "path of a private key; its passphrase is the password",
    "connection_name": "an entry of connections.toml",
    "host": "instead of the account's own, for private links and tests",
    "port": "of that host",
    "protocol": "of that host",
    "login_timeout": "seconds to try to log in",
    "network_timeout": "seconds to try a request that is not answered",
    "prefix": "what the names of all schemas begin with",
}
"""Parameters of a URL. Others are refused: of some of the client's the value is a secret."""
NUMBERS = ("port", "login_timeout", "network_timeout")
BY_TOKEN = ("oauth", "programmatic_access_token")
LOGIN_SECONDS = 30
"""How long to try to log in, where the URL does not say."""
REFUSED = {
    606: "name a virtual warehouse in the URL, as ?warehouse=NAME",
    2003: "build the mart first, or let the role use it",
    2043: "build the mart first, or let the role use it",
    3001: "let the role do that",
    90105: "name a database in the URL, as snowflake://USER@ACCOUNT/DATABASE",
}
"""Errors that whoever sets it up is to mend, by Snowflake's number."""
ABSENT = (errors.OperationalError, errors.InternalServerError, errors.ServiceUnavailableError)
"""What says that Snowflake does not answer."""
LOCKED = (625, 603, 604)
"""Statements that were ended because another did not give way."""
IDLE = 2
"""Connections that are kept for the next who asks: to log in takes longer than to publish."""


class Away(WarehouseError):
    """Snowflake cannot be reached, or lets nobody in."""


def parameters_of(url: str, password: str | None) -> tuple[dict[str, Any], str]:
    """What the client is to be given, and the prefix of schemas.

    Args:
        url: `snowflake://<user>@<account>/<database>?<parameters>`, without a secret.
        password: a programmatic access token or password; a private key in PEM; or the passphrase
            of the key whose file the URL names.

    Raises:
        WarehouseError: the URL names no database, or has a parameter that is not taken; the key
            cannot be read.
    """
    parts = urlsplit(url)
    shown = f"snowflake://…/{parts.path.strip('/')}"
    given = parameters_in(parts.query, TAKEN, shown)
    prefix = given.pop("prefix", "")
    found: dict[str, Any] = {
        name: int(value) if name in NUMBERS and value.isdecimal() else value
        for name, value in given.items()
    }
    database = unquote(parts.path.strip("/"))
    if (not parts.netloc or not database or "/" in database) and "connection_name" not in found:
        raise WarehouseError(
            f"warehouse URL '{url}': write it as snowflake://<user>@<account>/<database>"
        )
    named = {"user": parts.username, "account": parts.hostname, "database": database}
    found |= {name: unquote(value) for name, value in named.items() if value}
    return found | _secret(url, found, password), prefix


def _secret(url: str, found: Mapping[str, Any], password: str | None) -> dict[str, Any]:
    if password is None:
        return {}
    if "private_key_file" in found:
        return {"private_key_file_pwd": password}
    if password.lstrip().startswith("-----BEGIN"):
        try:
            key = load_pem_private_key(password.strip().encode(), None)
        except (TypeError, ValueError) as error:
            # what the library says of a key is not told
            raise WarehouseError(
                f"warehouse {url}: the private key in CONSUMPTION_DATAMART_WAREHOUSE_PASSWORD"
                " cannot be read; give it unencrypted in PEM, or name its file in the URL by"
                " private_key_file, and give its passphrase"
            ) from error
        form = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return {"private_key": key.private_bytes(*form)}
    if str(found.get("authenticator", "")).lower() in BY_TOKEN:
        return {"token": password}
    return {"password": password}


class Account:
    """A database of a Snowflake account.

    Attributes:
        name: to call it by in messages.
        database: its name; empty where an entry of connections.toml says it.
    """

    def __init__(self, name: str, parameters: Mapping[str, Any]) -> None:
        """Nothing is connected yet.

        Args:
            name: has no secret in it.
            parameters: of the client, which also reads connections.toml.
        """
        self.name, self.database = name, str(parameters.get("database", ""))
        ours = {"login_timeout": LOGIN_SECONDS, "application": "consumption_datamart"}
        self._parameters = {**ours, **parameters, "autocommit": True}
        self._idle: list[tuple[float, SnowflakeConnection]] = []

    @contextmanager
    def session(self, lock_seconds: float) -> Iterator[SnowflakeConnection]:
        """A connection in which each statement is committed, unless a transaction is begun.

        What is not committed at the end is rolled back.

        Args:
            lock_seconds: how long to wait for others.

        Raises:
            Away: Snowflake cannot be reached, or lets nobody in.
            WarehouseError: it refuses, or others do not give way in time.
        """
        connection = self._kept(lock_seconds) or self._connected(lock_seconds)
        try:
            with self._told(lock_seconds):
                yield connection
        except BaseException:
            with suppress(errors.Error):
                connection.cursor().execute("ROLLBACK")
            with suppress(errors.Error):
                connection.close()
            raise
        if len(self._idle) < IDLE:
            self._idle.append((lock_seconds, connection))
        else:
            connection.close()

    def _kept(self, lock_seconds: float) -> SnowflakeConnection | None:
        """One that nobody uses, and that waits as long."""
        for each in list(self._idle):
            with suppress(ValueError):  # another thread was quicker
                if each[0] == lock_seconds:
                    self._idle.remove(each)
                    return each[1]
        return None

    def _connected(self, lock_seconds: float) -> SnowflakeConnection:
        of_session = {
            "LOCK_TIMEOUT": max(1, round(lock_seconds)),
            "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
        }
        try:
            return connect(**self._parameters, session_parameters=of_session)
        except (errors.Error, OSError, ValueError) as error:
            raise Away(f"warehouse {self.name}: {_line(error)}") from error

    @contextmanager
    def _told(self, lock_seconds: float) -> Iterator[None]:
        """Says in a line what is wrong with the account, or with what one may do there."""
        try:
            yield
        except errors.Error as error:
            if error.errno in LOCKED:
                raise WarehouseError(
                    f"warehouse {self.name}: a transaction of another holds a table since"
                    f" {lock_seconds:.0f} s; wait until it is done, or, if its process was killed,"
                    " end it: SHOW TRANSACTIONS; SELECT SYSTEM$ABORT_TRANSACTION(<id>)"
                ) from error
            if error.errno in REFUSED:
                told = f"warehouse {self.name}: {_line(error)}; {REFUSED[error.errno]}"
                raise WarehouseError(told) from error
            if isinstance(error, ABSENT):
                told = f"warehouse {self.name}: {_line(error)}; nothing was published, run again"
                raise Away(told) from error
            raise


def _line(error: BaseException) -> str:
    """All that Snowflake says, which is often in the lines after the first."""
    return " ".join(str(error).split())
