"""What the URL of a mart on Spark says."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from consumption_datamart.errors import WarehouseError
from consumption_datamart.warehouse.server import parameters_in, require_no_secret

FORM = "spark://<host>:<port>?location=<folder or bucket of the tables>"
AT_ONCE = 4
PORT = 15002
"""Of Spark Connect, where the URL has none."""
TAKEN = {
    "location": "absolute path, or URI (s3://…, gs://…, abfss://…), of the tables",
    "readers": f"how many executors read dumps of a large load at once, {AT_ONCE} by default",
    "ssl": "true: talks to the server by TLS; so it does where there is a token",
}


class Place(NamedTuple):
    """A server of Spark Connect, and the place of the tables.

    Attributes:
        user: to be named to the server; '': the one of this process.
        host: of the server.
        port: of the server.
        is_secure: whether TLS is asked for.
        location: path or URI of the tables' folder, without a slash at its end.
        at_once: how many portions of a large load are read at the same time.
    """

    user: str
    host: str
    port: int
    is_secure: bool
    location: str
    at_once: int = AT_ONCE

    @property
    def address(self) -> str:
        """Of the server, as its client takes it."""
        user = f";user_id={self.user}" if self.user else ""
        return f"sc://{self.host}:{self.port}/{user}"


def place_of(url: str) -> Place:
    """What a URL says.

    Args:
        url: `spark://[<user>@]<host>[:<port>]?location=<folder or bucket>`, without a secret.

    Raises:
        WarehouseError: it names no server or no place, has a secret, or a parameter that is not
            taken.
    """
    require_no_secret(url, "give Spark no password at all: it is the token")
    parts = urlsplit(url)
    given = parameters_in(parts.query, TAKEN, f"spark://{parts.hostname}…")
    location = given.get("location", "").rstrip("/")
    try:
        port = parts.port or PORT
    except ValueError:
        port = 0
    if not parts.hostname or not port or parts.path.strip("/"):
        raise WarehouseError(f"warehouse URL '{url}': write it as {FORM}")
    if "://" not in location and not Path(location).is_absolute():
        raise WarehouseError(
            f"warehouse URL '{url}': location={location or '?'} is no absolute path or URI,"
            f" by which the cluster finds the tables, too; write it as {FORM}"
        )
    if not re.fullmatch(r"[\w./:@+=,-]+", location, re.ASCII):
        raise WarehouseError(
            f"warehouse URL '{url}': location={location} has characters that Sail does not find"
            " again; write letters, digits and ./:@+=,-_"
        )
    readers = given.get("readers", str(AT_ONCE))
    if not readers.isdecimal() or not int(readers):
        raise WarehouseError(f"warehouse URL '{url}': readers={readers} is no number of executors")
    is_secure = given.get("ssl", "").lower() == "true"
    user = unquote(parts.username or "")
    return Place(user, parts.hostname, port, is_secure, location, int(readers))
