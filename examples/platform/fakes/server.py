"""What both fakes have in common: an HTTP server of JSON that can be told to misbehave."""

import base64
import json
import re
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

FAULTS = ("401", "429", "500", "slow", "lost", "nonsense", "null")


class Fake:
    """A server on this machine.

    A fault is armed for the next requests whose method and path a pattern matches: a status code;
    `slow`, an answer that takes seconds; `lost`, which does what was asked and does not answer;
    `nonsense`, an answer that is no JSON; `null`, one that is of another form.
    """

    user, password = "", ""
    slow_seconds = 3.0

    def __init__(self, port: int = 0) -> None:
        """Port 0 is any that is free."""
        self.calls: list[str] = []
        self.faults: list[list[Any]] = []
        self.lock = threading.RLock()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def start(self) -> None:
        """Answers, in a thread of its own."""
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Is away from now on."""
        self.server.shutdown()
        self.server.server_close()

    def fault(self, kind: str, pattern: str = ".*", times: int = 1) -> None:
        """Arms a fault."""
        if kind not in FAULTS:
            raise ValueError(f"{kind}: there is no such fault; there are {', '.join(FAULTS)}")
        self.faults.append([kind, pattern, times])

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and JSON of an answer; of each fake its own."""
        raise NotImplementedError

    def _due(self, call: str) -> str | None:
        with self.lock:
            for fault in self.faults:
                if fault[2] > 0 and re.search(fault[1], call):
                    fault[2] -= 1
                    return str(fault[0])
        return None

    def _answered(self, method: str, path: str, body: Any, login: str) -> tuple[int, Any] | None:
        """None: no answer at all."""
        if path == "/_fault":
            self.fault(body["kind"], body.get("pattern", ".*"), body.get("times", 1))
            return 200, {}
        call = f"{method} {path}"
        self.calls.append(call)
        expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if login != f"Basic {expected}":
            return 401, {"message": "Unauthorized"}
        kind = self._due(call)
        if kind is not None and kind.isdigit():
            return int(kind), {"message": f"as told: {kind}"}
        if kind == "slow":
            time.sleep(self.slow_seconds)
        with self.lock:
            found = self.answer(method, urlsplit(path).path, body)
        if kind == "lost":
            return None
        return {"nonsense": (200, "<html>Bad gateway</html>"), "null": (200, {"data": None})}.get(
            kind or "", found
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Says nothing."""

            def any(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size) or "null") if size else None
                login = self.headers.get("Authorization", "")
                found = fake._answered(self.command, self.path, body, login)
                if found is None:
                    self.close_connection = True
                    return
                code, said = found
                text = (said if isinstance(said, str) else json.dumps(said)).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                with suppress(OSError):  # nobody waits for it any more
                    self.wfile.write(text)

            do_GET = do_POST = do_PATCH = any

        return Handler
