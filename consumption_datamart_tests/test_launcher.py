"""What is said of a run whose code server may be gone; whole runs are in `test_deployed.py`."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test
from dagster._grpc.client import DagsterGrpcClient

from consumption_datamart.private.launcher import WatchedRunLauncher


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[WatchedRunLauncher]:
    """That of an instance, as its dagster.yaml says."""
    (tmp_path / "dagster.yaml").write_text(
        "run_launcher: {module: consumption_datamart.private.launcher, class: WatchedRunLauncher}"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.run_launcher, WatchedRunLauncher)
        assert instance.run_launcher.supports_check_run_worker_health
        yield instance.run_launcher


@pytest.fixture
def port() -> int:
    """At which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def status(launcher: WatchedRunLauncher, port: int | None) -> WorkerStatus:
    """Of a run that was handed to a code server at a port; None: to none."""
    told = {GRPC_INFO_TAG: json.dumps({"host": "127.0.0.1", "port": port})} if port else {}
    run = create_run_for_test(launcher._instance, tags=told, status=dg.DagsterRunStatus.STARTED)
    return launcher.check_run_worker_health(run).status


def test_of_a_run_that_no_code_server_was_given_nothing_is_known(
    launcher: WatchedRunLauncher,
) -> None:
    """A command runs it, such as `build`."""
    assert status(launcher, None) is WorkerStatus.RUNNING


def test_a_code_server_that_cannot_be_reached_says_nothing(
    launcher: WatchedRunLauncher, port: int
) -> None:
    assert status(launcher, port) is WorkerStatus.RUNNING


def test_a_run_that_a_code_server_does_not_know_is_gone(
    launcher: WatchedRunLauncher, port: int, tmp_path: Path
) -> None:
    (tmp_path / "defs.py").write_text("import dagster as dg\ndefs = dg.Definitions()\n")
    grpc = [sys.executable, "-m", "dagster", "api", "grpc", "-p", str(port), "-f", "defs.py"]
    with subprocess.Popen(grpc, cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        try:
            while status(launcher, port) is WorkerStatus.RUNNING:
                assert server.poll() is None
            assert DagsterGrpcClient(port=port, host="127.0.0.1").ping("") is not None
            assert status(launcher, port) is WorkerStatus.NOT_FOUND
        finally:
            server.kill()
