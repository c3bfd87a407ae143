"""The connection to Spark: how it is made, and what is told of its errors."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from urllib.parse import quote

import grpc
from pyspark.errors import PySparkException
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

from consumption_datamart.errors import WarehouseError
from consumption_datamart.warehouse.spark.place import Place

CONNECT_SECONDS = 10.0
"""How long to wait for the server to answer at all."""
FIRST_TRIES, TRIES = 3, 6
"""How often the server is asked again, at the beginning and later: for some 4, some 70 seconds."""
OF_SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}
"""Moments have no time zone: they are UTC, as in every other engine."""
ERRORS = (PySparkException, grpc.RpcError)
"""What the client raises."""


class Away(WarehouseError):
    """Spark cannot be reached, or what was asked of it failed there."""


class Sessions:
    """The session of a process with a server, which is begun where it is first asked for."""

    def __init__(self, place: Place, name: str, token: str | None) -> None:
        """Nothing is connected yet.

        Args:
            place: of the server.
            name: of the warehouse, in messages.
            token: that lets one in, if one is needed.
        """
        self.place, self.name = place, name
        self._token, self._lock = token, Lock()
        self._session: SparkSession | None = None

    @contextmanager
    def open(self) -> Iterator[SparkSession]:
        """The session; several threads may use it at once.

        Raises:
            Away: the server cannot be reached, or fails.
        """
        with self.told():
            with self._lock:
                session = self._session = self._session or self._connected()
            yield session

    @contextmanager
    def told(self) -> Iterator[None]:
        """Says in a line what Spark says is wrong; after that the session is begun anew."""
        try:
            yield
        except ERRORS as error:
            self._forget()
            raise Away(f"warehouse {self.name}: {self._line(error)}") from error

    def _connected(self) -> SparkSession:
        place = self.place
        try:
            socket.create_connection((place.host, place.port), CONNECT_SECONDS).close()
        except OSError as error:
            raise Away(
                f"warehouse {self.name}: no Spark Connect server answers at {place.host}:"
                f"{place.port} ({error}); start it, or name another"
            ) from error
        address = place.address
        if place.is_secure:
            address += ";use_ssl=true"
        if self._token is not None:
            address += f";token={quote(self._token, safe='')}"
        session = SparkSession.builder.remote(address).create()
        session.client.set_retry_policies([DefaultPolicy(max_retries=FIRST_TRIES)])
        for name, value in OF_SESSION.items():
            session.conf.set(name, value)
        session.client.set_retry_policies([DefaultPolicy(max_retries=TRIES)])
        return session

    def _forget(self) -> None:
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            with suppress(Exception):  # the server may be gone
                session.stop()

    def _line(self, error: Exception) -> str:
        """Its first line, without what is secret."""
        text = error.getMessage() if isinstance(error, PySparkException) else None
        if text is None and isinstance(error, grpc.Call):
            text = error.details()
        line = next(iter(str(text or error).strip().splitlines()), type(error).__name__)
        return line.replace(self._token, "***") if self._token else line
