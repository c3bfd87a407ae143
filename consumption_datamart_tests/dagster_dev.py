"""`dagster dev` as a user starts it: webserver, daemon, code server, each in its own process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

STEP = 2
PATIENCE = 900
"""Seconds after which what is awaited will not come: machines differ much, and runs queue up."""
PROJECT = Path(__file__).parent.parent
MODULE = "consumption_datamart.definitions"
REPOSITORY = f'''repositoryName: "__repository__", repositoryLocationName: "{MODULE}"'''


class Dagster:
    """A running `dagster dev`, asked through its GraphQL API."""

    def __init__(self, port: int, log: Path, pid: int) -> None:
        """At a port of this machine."""
        self.url, self.log, self.pid = f"http://127.0.0.1:{port}", log, pid

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The answer to a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            data: dict[str, Any] = json.load(response)["data"]
            return data

    def runs(self) -> list[dict[str, Any]]:
        """All runs, the latest first."""
        query = """{runsOrError {... on Runs {results
            {runId jobName status startTime assetSelection {path} tags {key value}}}}}"""
        runs: list[dict[str, Any]] = self.ask(query)["runsOrError"]["results"]
        return runs

    def launch(self, asset: str, tags: dict[str, str]) -> str:
        """Launches a run that materializes an asset, as the UI does; tells its id."""
        answer = self.ask(
            f"""mutation ($path: [String!]!, $tags: [ExecutionTag!]) {{
                launchRun(executionParams: {{
                    selector: {{jobName: "__ASSET_JOB", assetSelection: [{{path: $path}}],
                        {REPOSITORY}}},
                    executionMetadata: {{tags: $tags}}, runConfigData: {{}}
                }}) {{... on LaunchRunSuccess {{run {{runId}}}} ... on PythonError {{message}}}}
            }}""",
            path=asset.split("/"),
            tags=[{"key": key, "value": value} for key, value in tags.items()],
        )
        return str(answer["launchRun"]["run"]["runId"])

    def kill_runs(self) -> int:
        """Kills the processes of all runs, as a machine without memory does; tells how many."""
        children = psutil.Process(self.pid).children(recursive=True)
        runs = [each for each in children if _is_run(each)]
        for each in runs:
            each.kill()
        return len(runs)

    def switched_on(self) -> set[str]:
        """Names of the schedules and sensors that run."""
        answer = self.ask(
            f"""{{
                schedulesOrError(repositorySelector: {{{REPOSITORY}}})
                    {{... on Schedules {{results {{name scheduleState {{status}}}}}}}}
                sensorsOrError(repositorySelector: {{{REPOSITORY}}})
                    {{... on Sensors {{results {{name sensorState {{status}}}}}}}}
            }}"""
        )
        states = [
            (each["name"], each[state]["status"])
            for group, state in (
                ("schedulesOrError", "scheduleState"),
                ("sensorsOrError", "sensorState"),
            )
            for each in answer[group]["results"]
        ]
        return {name for name, status in states if status == "RUNNING"}

    def wait(self, until: Callable[[], object], what: str, step: float = STEP) -> float:
        """Waits until something is so; tells how many seconds that took.

        Raises:
            AssertionError: it is not so in time.
        """
        begun = time.monotonic()
        while not until():
            waited = time.monotonic() - begun
            told = "\n".join(self.log.read_text().splitlines()[-40:])
            assert waited < PATIENCE, f"{what}: not within {PATIENCE} s\n{told}"
            time.sleep(step)
        return time.monotonic() - begun


@contextmanager
def dagster_dev(folder: Path, port: int | None = None, **settings: object) -> Iterator[Dagster]:
    """Starts `dagster dev` in a folder, with no configuration but the mart's own settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", port or 0))
        port = free.getsockname()[1]
    log = folder / "dagster.log"
    own = {f"CONSUMPTION_DATAMART_{name.upper()}": str(value) for name, value in settings.items()}
    bin_folder = Path(sys.executable).parent
    command = [str(bin_folder / "dagster"), "dev", "-m", MODULE]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "-p", str(port)],
            cwd=folder,
            env=os.environ
            | own
            | {"PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONPATH": str(PROJECT)},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        dagster = Dagster(port, log, process.pid)
        try:
            dagster.wait(lambda: _is_loaded(dagster), "the code location is loaded")
            yield dagster
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _is_run(process: psutil.Process) -> bool:
    """Whether it is a child of a code server that is not there to help Python."""
    parent = process.parent()
    is_served = parent is not None and "grpc" in parent.cmdline()
    return is_served and any("spawn_main" in each for each in process.cmdline())


def _is_loaded(dagster: Dagster) -> bool:
    try:
        answer = dagster.ask("{repositoriesOrError {... on RepositoryConnection {nodes {name}}}}")
    except OSError:
        return False
    return bool(answer["repositoriesOrError"]["nodes"])
