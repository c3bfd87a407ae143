"""The connector of the examples, against a server of this machine: a REST API becomes dumps."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pyarrow.parquet as pq
import pytest

from consumption_datamart.ingest import ingests
from consumption_datamart.ingest.reading import IngestError
from consumption_datamart.ingest.running import ingest
from consumption_datamart.lake.dumps import Lake
from consumption_datamart_tests.lakes import day

EXAMPLES = Path(__file__).parent.parent / "examples" / "connectors"
TOML = """[[ingest]]
name = "api"
function = "rest_api.readings"
table = "telemetry"
since = 2026-01-01
"""


class Api(BaseHTTPRequestHandler):
    """Two readings a page; it refuses as often as it is told to."""

    items: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[dict[str, str]]] = []
    refused: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        """Answers."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.asked.append(query | {"token": self.headers["Authorization"]})
        if self.refused:
            self._answer(self.refused.pop(0), {}, **{"Retry-After": "0"})
            return
        begin = int(query.get("cursor", 0))
        there = [each for each in self.items if query["from"] <= each["event_ts"] < query["until"]]
        more = str(begin + 2) if begin + 2 < len(there) else None
        self._answer(200, {"items": there[begin : begin + 2], "next": more})

    def _answer(self, code: int, body: object, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Api]]:
    """The server, with five readings of the first day."""
    for told in (Api.items, Api.asked, Api.refused):
        told.clear()
    for number in range(5):
        Api.items.append({"event_id": f"E{number}", "event_ts": f"{day(1)}T12:00:0{number}+00:00"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setenv("USAGE_API_URL", f"http://127.0.0.1:{server.server_port}/readings")
    monkeypatch.setenv("USAGE_API_TOKEN", "geheim")
    yield Api
    server.shutdown()
    server.server_close()


@pytest.fixture
def filled(lake: Path, api: type[Api]) -> Lake:
    """The lake that it fills."""
    (lake / "lake.toml").write_text(TOML)
    return Lake(str(lake))


def rows(lake: Lake, number: int) -> list[dict[str, Any]]:
    """The dump of a day."""
    return pq.read_table(lake.place(f"telemetry/{day(number)}.parquet")).to_pylist()


def test_all_pages_of_a_day_are_its_dump_and_a_refusal_is_waited_for(
    filled: Lake, api: type[Api]
) -> None:
    api.refused.extend([429, 500])
    (one,) = ingests(filled)
    assert ingest(filled, one, day(1)).rows == 5
    assert [row["event_id"] for row in rows(filled, 1)] == [f"E{number}" for number in range(5)]
    assert [each.get("cursor") for each in api.asked] == [None, None, None, "2", "4"]
    assert {each["token"] for each in api.asked} == {"Bearer geheim"}
    assert not ingest(filled, one, day(1)).is_new


def test_a_day_of_which_nothing_is_told_is_an_empty_dump(filled: Lake) -> None:
    (one,) = ingests(filled)
    assert ingest(filled, one, day(2)).rows == 0
    assert rows(filled, 2) == []
    assert ingest(filled, one, day(1)).rows == 5


def test_what_breaks_off_leaves_no_dump(filled: Lake, api: type[Api]) -> None:
    api.refused.extend([503] * 5)
    (one,) = ingests(filled)
    with pytest.raises(IngestError, match="ingest api: HTTPError: 503 Server Error") as error:
        ingest(filled, one, day(1))
    assert error.value.may_pass
    assert [file.name for file in filled.list()] == ["lake.toml"]


def test_a_function_that_is_not_there_is_told(filled: Lake) -> None:
    file = Path(filled.place("lake.toml"))
    file.write_text(TOML.replace("rest_api.readings", "rest_api.reading"))
    (one,) = ingests(filled)
    with pytest.raises(IngestError, match=r"ingest api: function rest_api\.reading: module"):
        ingest(filled, one, day(1))
