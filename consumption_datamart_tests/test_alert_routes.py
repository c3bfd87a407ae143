"""Routes tell what they are to tell, against real servers; one that is down holds up no other."""

import json
import logging
import socket
import ssl
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult, LoginPassword

from consumption_datamart.alerts.config import AlertSettings, load_alert_settings
from consumption_datamart.alerts.evaluation import tell
from consumption_datamart.alerts.machine import Alert, State, Transition
from consumption_datamart.alerts.routes import is_for
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.errors import DatamartError
from consumption_datamart.warehouse import open_warehouse

AT = datetime(2026, 1, 5, 12, 30)
LOGIN = LoginPassword(b"mart", b"secret")
MAIL = {
    "kind": "email",
    "name": "mail",
    "host": "127.0.0.1",
    "sender": "mart@example.com",
    "recipients": ["one@example.com"],
}
SECURE = {"encryption": "starttls", "user": "mart", "password": "${SMTP_PASSWORD}"}
QUICK = {"attempts": 2, "wait_seconds": 0.01, "timeout_seconds": 2}


def transition(state: State = State.alarm, subject: str = "telemetry") -> Transition:
    """An alert that has become this."""
    before = State.alarm if state is State.recovered else State.ok
    alert = Alert("dump", subject, state, int(state is not State.recovered), AT, "no dump came")
    return Transition(before, alert, 3.0)


class Server(ThreadingHTTPServer):
    """Keeps what it is sent, and answers as it is told to."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.answers: list[int] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    """Of one request."""

    server: Server

    def do_POST(self) -> None:
        """Keeps the document, if it is to be taken."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            self.server.received.append((self.headers, json.loads(body)))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A web server on this machine; `HOOK` is its URL."""
    with Server() as running:
        monkeypatch.setenv("HOOK", running.url)
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


class Mailbox(Message):
    """Keeps the mails that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []

    def handle_message(self, message: Any) -> None:
        """Keeps it."""
        self.mails.append(message)


@contextmanager
def mail_server(port: int | None = None, **options: object) -> Iterator[tuple[Mailbox, int]]:
    """A mail server on this machine, and its port."""
    handler, port = Mailbox(), port or free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def book(tmp_path: Path) -> AlertStore:
    """Without alerts yet."""
    return AlertStore(open_warehouse(f"sqlite://{tmp_path}/warehouse.sqlite"))


def configured(*routes: dict[str, object]) -> AlertSettings:
    """Routes with little patience."""
    return AlertSettings.model_validate({"route": routes, "delivery": QUICK})


def told(book: AlertStore, settings: AlertSettings, *transitions: Transition) -> list[str]:
    """Write transitions down and tell them; who is still to be told."""
    routes = [[r.name for r in settings.route if is_for(r, each)] for each in transitions]
    book.write([each.alert for each in transitions], list(zip(transitions, routes, strict=True)))
    tell(book, settings, logging.getLogger("test"))
    return list(book.history().undelivered)


def test_a_webhook_gets_json(server: Server, book: AlertStore) -> None:
    route = {"kind": "webhook", "name": "hook", "url": server.url, "headers": {"X-By": "mart"}}
    assert told(book, configured(route), transition()) == [""]
    [(headers, document)] = server.received
    assert headers["Content-Type"] == "application/json"
    assert headers["X-By"] == "mart"
    assert document == {
        "alerts": [
            {
                "crossed_at": "2026-01-05T12:30:00Z",
                "signal": "dump",
                "subject": "telemetry",
                "state_before": "ok",
                "state": "alarm",
                "level": 1,
                "reading": 3.0,
                "summary": "no dump came",
            }
        ]
    }


def test_slack_gets_a_text_with_a_line_for_each(server: Server, book: AlertStore) -> None:
    settings = configured({"kind": "slack", "name": "slack", "url": "${HOOK}"})
    told(book, settings, transition(), transition(State.recovered, "invoices"))
    [(_, document)] = server.received
    assert sorted(document["text"].splitlines()) == [
        "ALARM dump telemetry: no dump came",
        "RECOVERED dump invoices: no dump came",
    ]


def test_mail(book: AlertStore) -> None:
    people = {"recipients": ["one@example.com", "two@example.com"]}
    with mail_server() as (handler, port):
        assert told(book, configured(MAIL | people | {"port": port}), transition()) == [""]
    [mail] = handler.mails
    assert mail["Subject"] == "[alarm] dump telemetry"
    assert mail["X-RcptTo"] == "one@example.com, two@example.com"
    assert mail.get_payload().strip() == "ALARM dump telemetry: no dump came"


@pytest.fixture
def ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that this machine trusts."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    return ca


def mailed_over_tls(
    book: AlertStore, ca: trustme.CA, *, is_from_the_start: bool = False, **route: object
) -> tuple[list[str], int]:
    """Who is still to be told, and how many mails a server has got that wants TLS and a login."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    with mail_server(
        **{"ssl_context" if is_from_the_start else "tls_context": context},
        require_starttls=not is_from_the_start,
        auth_required=True,
        auth_require_tls=not is_from_the_start,
        authenticator=lambda *found: AuthResult(success=found[-1] == LOGIN),
    ) as (handler, port):
        settings = configured(MAIL | {"port": port} | route)
        return told(book, settings, transition()), len(handler.mails)


def test_mail_over_tls_with_a_login(book: AlertStore, ca: trustme.CA) -> None:
    assert mailed_over_tls(book, ca, **SECURE) == ([""], 1)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it knows STARTTLS
def test_mail_over_tls_from_the_start(book: AlertStore, ca: trustme.CA) -> None:
    route = SECURE | {"encryption": "tls"}
    assert mailed_over_tls(book, ca, is_from_the_start=True, **route) == ([""], 1)


@pytest.mark.parametrize("route", [{"encryption": "tls"}, {"user": None}, {"password": "${HOME}"}])
def test_a_mail_server_that_refuses_is_tried_again_later(
    route: dict[str, object], book: AlertStore, ca: trustme.CA
) -> None:
    assert mailed_over_tls(book, ca, **SECURE | route) == (["mail"], 0)


def test_who_cannot_show_a_certificate_gets_no_password(book: AlertStore, ca: trustme.CA) -> None:
    assert mailed_over_tls(book, trustme.CA(), **SECURE) == (["mail"], 0)


def test_the_log(book: AlertStore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "test"):
        assert told(book, AlertSettings(), transition(), transition(State.recovered, "a")) == [
            "",
            "",
        ]
    assert {(each.levelname, each.message) for each in caplog.records} == {
        ("WARNING", "ALARM dump telemetry: no dump came"),
        ("INFO", "RECOVERED dump a: no dump came"),
    }


@pytest.mark.parametrize("answers", [[500], [429]])
def test_a_route_that_stumbles_is_tried_again_at_once(
    answers: list[int], server: Server, book: AlertStore
) -> None:
    server.answers = answers
    settings = configured({"kind": "slack", "name": "slack", "url": "${HOOK}"})
    assert told(book, settings, transition()) == [""]
    assert len(server.received) == 1


def test_a_route_that_is_down_holds_up_no_other_and_is_told_later(
    server: Server, book: AlertStore, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    settings = configured(
        {"kind": "webhook", "name": "down", "url": f"http://127.0.0.1:{port}/"},
        MAIL | {"port": port},
        {"kind": "slack", "name": "slack", "url": "${HOOK}"},
    )
    assert told(book, settings, transition()) == ["down,mail"]
    assert len(server.received) == 1
    assert "route down: " in caplog.text
    tell(book, settings, logging.getLogger("test"))
    assert len(server.received) == 1, "who was told is not told twice"
    with mail_server(port) as (handler, _):
        tell(book, settings, logging.getLogger("test"))
    assert len(handler.mails) == 1
    assert list(book.history().undelivered) == ["down"]
    without = configured({"kind": "slack", "name": "slack", "url": "${HOOK}"})
    tell(book, without, logging.getLogger("test"))
    assert list(book.history().undelivered) == [""], "the route is no more"


def test_a_secret_is_not_told_whatever_fails(
    book: AlertStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", f"http://127.0.0.1:{free_port()}/T0/s3cret")
    routes = [
        {"kind": "slack", "name": name, "url": url}
        for name, url in {"down": "${CHAT}", "unset": "${NO_SUCH}", "gone": "${file:/no/f}"}.items()
    ]
    assert told(book, configured(*routes), transition()) == ["down,gone,unset"]
    assert "route down: " in caplog.text
    assert "s3cret" not in caplog.text
    assert "route unset: the variable NO_SUCH is not set" in caplog.text
    assert "route gone: /no/f: a secret comes from it, but: " in caplog.text


def test_a_secret_comes_from_a_file(server: Server, book: AlertStore, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    header = {"Authorization": f"Bearer ${{file:{tmp_path}/token}}"}
    route = {"kind": "webhook", "name": "web", "url": server.url, "headers": header}
    assert told(book, configured(route), transition()) == [""]
    assert [found["Authorization"] for found, _ in server.received] == ["Bearer s3cret"]


def test_a_route_is_told_what_it_is_for(server: Server) -> None:
    routes = [
        {"kind": "log", "name": "all"},
        {"kind": "log", "name": "checks", "signals": ["check"]},
    ]
    severe = {"kind": "log", "name": "severe", "at_least": "alarm"}
    settings = configured(*routes, severe)

    def names(each: Transition) -> list[str]:
        return [route.name for route in settings.route if is_for(route, each)]

    assert names(transition()) == ["all", "severe"]
    assert names(transition(State.warning)) == ["all"]
    assert names(transition(State.recovered)) == ["all", "severe"]


FILE = """
[[route]]
kind = "slack"
name = "oncall"
url = "${CHAT}"
at_least = "alarm"

[consumption]
current_days = 3
"""
WEBHOOK = "[[route]]\nkind = 'webhook'\nname = 'x'\nurl = "
EMAIL = "[[route]]\nkind = 'email'\nname = 'x'\nhost = 'h'\nsender = 'a'\nrecipients = ['b']"
BAD_FILES = {
    "no TOML": ("[[route", "Expected"),
    "an unknown kind": ("[[route]]\nkind = 'pager'\nname = 'x'", "route.0"),
    "an unknown setting": ("[commitment]\nhours = 3", "commitment.hours"),
    "no URL": ("[[route]]\nkind = 'webhook'\nname = 'x'\nurl = 'hooks'", "url"),
    "a login in a URL": (f"{WEBHOOK}'https://me:s3cret@h/'", "url: Value error, a secret has no"),
    "a token in a header": (
        f"{WEBHOOK}'https://h/'\nheaders = {{Api-Key = 's3cret'}}",
        "headers",
    ),
    "the URL of a chat": ("[[route]]\nkind = 'slack'\nname = 'x'\nurl = 'https://h/s3cret'", "url"),
    "a password": (f"{EMAIL}\nencryption = 'tls'\npassword = 's3cret'", "password: Value error, a"),
    "a password in clear": (f"{EMAIL}\nuser = 'me'\npassword = '${{P}}'", "is not sent in clear"),
    "one name twice": ("[[route]]\nkind='log'\nname='x'\n[[route]]\nkind='log'\nname='x'", "same"),
}


def test_the_file(tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    assert load_alert_settings(file) == AlertSettings(), "without it: the log"
    file.write_text(FILE)
    settings = load_alert_settings(file)
    assert [route.name for route in settings.route] == ["oncall"]
    assert settings.consumption.current_days == 3
    assert settings.commitment == AlertSettings().commitment


def test_the_page_shows_all_of_the_file_with_its_defaults() -> None:
    text = (Path(__file__).parent.parent / "docs" / "alerts.md").read_text()
    shown = tomllib.loads(text.split("```toml\n")[1].split("```")[0])
    assert {route["kind"] for route in shown["route"]} == {"log", "webhook", "slack", "email"}
    settings = AlertSettings.model_validate(shown)
    assert settings.model_copy(update={"route": AlertSettings().route}) == AlertSettings()
    assert shown.keys() == AlertSettings.model_fields.keys()


@pytest.mark.parametrize(("text", "problem"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_wrong_says_where(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text(text)
    with pytest.raises(DatamartError, match=problem) as error:
        load_alert_settings(file)
    assert str(error.value).startswith(f"{file}: ")
    assert "s3cret" not in str(error.value)
