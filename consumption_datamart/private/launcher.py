"""Runs that are looked after: of a run whose process is gone Dagster is told so."""

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._grpc.types import GetCurrentRunsResult
from dagster._serdes import deserialize_value


class WatchedRunLauncher(dg.DefaultRunLauncher):
    """Dagster's own, but that its daemon asks the code server which runs it still has.

    Runs are children of the code server. Where that has ended under them, nobody would tell their
    end, and Dagster would take them to be running.

    Private: `check_run_worker_health` and what it returns, `_get_grpc_client_for_termination`, and
    the code server's `GetCurrentRuns`. Publicly a run launcher only launches and terminates.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Dagster's run monitoring asks."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a run is there.

        A code server that cannot be reached says nothing of its runs. One that was started again
        does not know those that it had. A run of a command, such as `build`, is in no code server.
        """
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "no code server was given it")
        try:
            known = deserialize_value(client.get_current_runs(), GetCurrentRunsResult).current_runs
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "the code server cannot be reached")
        if run.run_id in known:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND, "its code server was started again, and has it no more"
        )
