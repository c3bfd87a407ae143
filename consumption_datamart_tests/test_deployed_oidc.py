"""A company's own login before the deployment: what nginx asks oauth2-proxy, and what follows.

The answers are those that oauth2-proxy documents for `/oauth2/auth`; it is no package of PyPI or
Debian, so that it is not itself here. Behind nginx is nothing: 502 is who was let in.
"""

import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from consumption_datamart_tests.deployed import VIEWER, Deployed, deployed

pytestmark = pytest.mark.deploy
GROUPS = {"session=ann": {"mart-operators"}, "session=bob": {"sales"}}


class OAuth2Proxy(BaseHTTPRequestHandler):
    """Sessions are cookies."""

    def do_GET(self) -> None:
        """As it documents."""
        asked = urlsplit(self.path)
        groups = GROUPS.get(self.headers.get("Cookie", ""))
        allowed = set(parse_qs(asked.query).get("allowed_groups", []))
        if asked.path != "/oauth2/auth":
            self.send_response(200)
        elif groups is None:
            self.send_response(401)
        else:
            self.send_response(403 if allowed and not allowed & groups else 202)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The proxy alone, with the login of a company."""
    lake: Path = tmp_path_factory.mktemp("lake")
    settings = {"COMPOSE_PROFILES": "oidc", "MART_LOGIN": "oidc"}
    with deployed(lake, settings, {}) as found:
        server = ThreadingHTTPServer((found.engine.address("oauth2-proxy"), 4180), OAuth2Proxy)
        Thread(target=server.serve_forever, daemon=True).start()
        docker = [str(found.bin / "docker"), "compose", "up", "--no-deps", "proxy"]
        subprocess.run(docker, cwd=found.deploy, env=found.environment(), check=True)
        yield found
        server.shutdown()
        server.server_close()


def test_who_is_not_known_is_sent_to_the_login(site: Deployed) -> None:
    for path in ("/", "/view/", "/operate/runs?x=1"):
        answer = site.get(path)
        assert answer.status_code == 302, path
        assert answer.headers["Location"] == f"/oauth2/start?rd={path}"
        assert answer.headers["X-Frame-Options"] == "DENY"
    assert site.get("/oauth2/start").status_code == 200
    assert site.get("/oauth2/viewers").status_code == 404  # nginx's own
    assert site.get("/view/", VIEWER).status_code == 302  # a password is no session


def test_a_group_decides_who_may_change(site: Deployed) -> None:
    expected = {("bob", "/view/"): 502, ("bob", "/operate/"): 403, ("ann", "/operate/"): 502}
    found = {
        (who, path): site.get(path, headers={"Cookie": f"session={who}"}).status_code
        for who, path in expected
    }
    assert found == expected
    for path, status in (("/view/graphql", 502), ("/operate/graphql", 403)):
        cookie = {"Cookie": "session=bob"}
        assert site.request("POST", path, json={}, headers=cookie).status_code == status
        assert site.request("POST", path, json={}).status_code == 302
        foreign = cookie | {"Origin": "https://elsewhere.example"}
        assert site.request("POST", path, json={}, headers=foreign).status_code == 403


def test_prometheus_logs_in_by_name(site: Deployed) -> None:
    assert site.get("/metrics").status_code == 401
    assert site.get("/metrics", VIEWER).status_code == 502
