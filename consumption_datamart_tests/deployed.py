"""The whole deployment on this machine: `deploy/mart` itself, with processes for containers."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import randint
from typing import Any

import requests
import trustme

from consumption_datamart_tests.compose_processes import PROJECT, Engine, Service

PASSWORD = "a long enough password"
OPERATOR, VIEWER = ("ann", PASSWORD), ("bob", PASSWORD)
REPOSITORY = {
    "repositoryLocationName": "consumption_datamart",
    "repositoryName": "__repository__",
}
LAUNCH = """mutation ($params: ExecutionParams!) {launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess {run {runId}} ... on PythonError {message}}}"""
RUNS = "{runsOrError {... on Runs {results {runId jobName status parentRunId tags {key value}}}}}"
DONE = {"SUCCESS", "FAILURE", "CANCELED"}


class Deployed:
    """What `deploy/mart` has started, reached through its proxy."""

    def __init__(self, folder: Path, address: str) -> None:
        """In a folder with a copy of `deploy/`."""
        self.deploy, self.root, self.begin = folder / "deploy", folder / "root", address
        self.bin = folder / "bin"
        self.ca = folder / "ca.pem"

    def mart(self, *arguments: str, text: str = "") -> str:
        """Runs the command; it must succeed.

        Returns:
            What it wrote, to stderr last.
        """
        done = subprocess.run(
            [str(self.deploy / "mart"), *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env=self.environment(),
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
        return done.stdout + done.stderr

    def environment(self) -> dict[str, str]:
        """In which `docker` is what stands in for it."""
        kept = {name: each for name, each in os.environ.items() if "DATAMART" not in name}
        return kept | {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "COMPOSE_ROOT": str(self.root),
            "COMPOSE_ADDRESS": self.begin,
            "PYTHONPATH": str(PROJECT),
        }

    @property
    def engine(self) -> Engine:
        """What it is run by."""
        return Engine(self.deploy, self.root, self.begin)

    def service(self, name: str) -> Service:
        """One of its services."""
        return Service(name, self.engine)

    @property
    def host(self) -> str:
        """Address and port of the proxy."""
        return f"{self.engine.address('proxy')}:8443"

    def get(self, path: str, who: tuple[str, str] | None = None, **more: Any) -> requests.Response:
        """A page, through the proxy; nothing is followed."""
        return self.request("GET", path, who, **more)

    def request(
        self, method: str, path: str, who: tuple[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """Any request, through the proxy."""
        return requests.request(
            method,
            f"https://{self.host}{path}",
            auth=who,
            verify=str(self.ca),
            timeout=120,
            allow_redirects=False,
            **more,
        )

    def ask(self, query: str, who: tuple[str, str] = OPERATOR, **variables: Any) -> Any:
        """The answer to a GraphQL query."""
        path = "/operate/graphql" if who == OPERATOR else "/view/graphql"
        answer = self.request("POST", path, who, json={"query": query, "variables": variables})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def launch(
        self,
        job: str = "",
        *,
        asset: str = "",
        who: tuple[str, str] = OPERATOR,
        tags: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Launches a job, or a run that materializes an asset."""
        which = {"jobName": job} if job else {"jobName": "__ASSET_JOB"}
        if asset:
            which["assetSelection"] = [{"path": asset.split("/")}]  # type: ignore[assignment]
        params = {
            "selector": REPOSITORY | which,
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]
            },
        }
        found: dict[str, Any] = self.ask(LAUNCH, who, params=params)["data"]["launchRun"]
        return found

    def runs(self) -> list[dict[str, Any]]:
        """All runs, the last first."""
        found: list[dict[str, Any]] = self.ask(RUNS)["data"]["runsOrError"]["results"]
        return found

    def status(self, run_id: str) -> str:
        """Of a run."""
        return next(str(run["status"]) for run in self.runs() if run["runId"] == run_id)

    def handshake(self, path: str, who: tuple[str, str] | None, origin: str | None) -> int:
        """The status with which the opening of a WebSocket is answered."""
        context = ssl.create_default_context(cafile=self.ca)
        host, _, port = self.host.partition(":")
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", "Upgrade: websocket"]
        lines += ["Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines += [
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol: graphql-ws",
        ]
        if who:
            lines.append(f"Authorization: Basic {b64encode(':'.join(who).encode()).decode()}")
        if origin:
            lines.append(f"Origin: {origin}")
        with (
            socket.create_connection((host, int(port)), 60) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            return int(connection.recv(200).split()[1])

    def wait(self, until: Callable[[], object], what: str, seconds: float = 300) -> float:
        """Waits until something is so; tells how many seconds that took."""
        begun = time.monotonic()
        while not until():
            waited = time.monotonic() - begun
            assert waited < seconds, f"{what}: not within {seconds} s; {self.runs()[:6]}"
            time.sleep(2)
        return time.monotonic() - begun


@contextmanager
def deployed(
    lake: Path, settings: Mapping[str, str], of_mart: Mapping[str, str]
) -> Iterator[Deployed]:
    """A deployment with a certificate, an operator and a viewer, not yet started.

    Args:
        lake: its folder.
        settings: lines of `.env`.
        of_mart: lines of `mart.env`.
    """
    folder = Path(tempfile.mkdtemp(prefix="deployed"))  # pytest's own only root may enter
    folder.chmod(0o755)
    ignored = shutil.ignore_patterns("secrets", ".env", "mart.env", "backups", "lake")
    shutil.copytree(PROJECT / "deploy", folder / "deploy", ignore=ignored)
    shutil.copytree(lake, folder / "lake")
    found = Deployed(folder, f"127.{randint(10, 250)}.{randint(1, 250)}")
    found.bin.mkdir()
    docker = found.bin / "docker"
    script = PROJECT / "consumption_datamart_tests" / "compose_processes.py"
    docker.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
    docker.chmod(0o755)
    found.mart("setup")
    with (found.deploy / ".env").open("a") as env:
        env.writelines(f"{name}={value}\n" for name, value in settings.items())
        env.write(f"MART_LAKE_FOLDER={folder}/lake\n")
    (found.deploy / "mart.env").write_text("".join(f"{n}={v}\n" for n, v in of_mart.items()))
    ca = trustme.CA()
    ca.cert_pem.write_to_path(found.ca)
    issued = ca.issue_cert(found.engine.address("proxy"))
    secrets = found.deploy / "secrets"
    (secrets / "tls.key").write_bytes(issued.private_key_pem.bytes())
    (secrets / "tls.crt").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    for (name, password), role in ((OPERATOR, "operator"), (VIEWER, "viewer")):
        found.mart("user", name, role, text=password)
    try:
        yield found
    finally:
        for service in found.engine.in_order([]):
            if (pid := service.pid) is not None:
                service.kill(pid)
        shutil.rmtree(folder, ignore_errors=True)
