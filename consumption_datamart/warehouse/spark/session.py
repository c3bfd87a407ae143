"""The connection to Spark: how it is made, and what is told of its errors."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from urllib.parse import quote

import grpc
from pyspark.errors import PySparkException
from pyspark.errors.exceptions.connect import SparkConnectGrpcException
from pyspark.sql.connect.client.core import DefaultChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

from consumption_datamart.errors import WarehouseError
from consumption_datamart.warehouse.spark.place import Place

CONNECT_SECONDS = 10.0
"""How long to wait for the server to answer at all."""
FIRST_TRIES = 3
"""How often the server is asked again at the beginning: for some four seconds."""
OF_CHANNEL = [("grpc.use_local_subchannel_pool", 1)]
"""A connection of its own: a shared one waits on for its next try when the server is back."""
OF_SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}
"""Moments have no time zone: they are UTC, as in every other engine."""
LOST = (SparkConnectGrpcException,)
"""What says that the connection is gone; other errors are derived from it."""
NO_SESSION = "INVALID_HANDLE."
"""What conditions begin with that say of a session that it is no more: Spark ends idle ones."""
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
        """The session; several threads may use it at once. One that is no more is begun anew.

        Raises:
            Away: the server cannot be reached, or fails.
        """
        session = None
        try:
            with self._lock:
                session = self._session = self._session or self._connected()
            yield session
        except ERRORS as error:
            self._forget(session, error)
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
        channel = DefaultChannelBuilder(address, OF_CHANNEL)
        session = SparkSession.builder.channelBuilder(channel).create()
        session.client.set_retry_policies([DefaultPolicy(max_retries=FIRST_TRIES)])
        for name, value in OF_SESSION.items():
            session.conf.set(name, value)
        # its client would ask again, and add rows twice or read some twice; what it has against
        # that is a pool of threads which any session that is collected as garbage shuts down
        session.client.disable_reattachable_execute().set_retry_policies([])
        return session

    def _forget(self, session: SparkSession | None, error: Exception) -> None:
        with self._lock:
            # other errors are of what was asked
            is_lost = type(error) in LOST or isinstance(error, grpc.RpcError)
            if isinstance(error, PySparkException):
                is_lost = is_lost or str(error.getCondition()).startswith(NO_SESSION)
            if session is None or not (is_lost or session.client.is_closed):
                return
            if self._session is session:  # else another thread has begun the next one already
                self._session = None
        with suppress(Exception):  # the server may be gone
            session.stop()

    def _line(self, error: Exception) -> str:
        """Its first line, without what is secret."""
        text = error.getMessage() if isinstance(error, PySparkException) else None
        if text is None and isinstance(error, grpc.Call):
            text = error.details()
        line = next(iter(str(text or error).strip().splitlines()), type(error).__name__)
        return line.replace(self._token, "***") if self._token else line
