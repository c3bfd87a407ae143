"""Census as far as it is asked here: dagster-census's client, but for how it asks.

That of the library waits for an answer without end, and asks again for a sync whose answer was
lost: it might be started twice.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagster_census import CensusResource

from consumption_datamart.errors import masked
from consumption_datamart.reverse_etl import CensusEntry
from consumption_datamart.secrets import hidden, revealed
from consumption_datamart.services import ServiceError, ask

UNDER_WAY = ("queued", "working")
ENDED = ("completed", "failed", "skipped")
COUNTS = (
    "source_record_count",
    "records_processed",
    "records_updated",
    "records_failed",
    "records_invalid",
)


class CensusError(ServiceError):
    """Census cannot be asked, or has not done it.

    Attributes:
        counts: of rows, where a sync has told them.
    """

    def __init__(
        self, told: str, *, may_pass: bool = False, counts: Mapping[str, int] | None = None
    ) -> None:
        """In a line."""
        super().__init__(told, may_pass=may_pass)
        self.counts = counts or {}


@dataclass(frozen=True)
class SyncRun:
    """A run of a sync.

    Attributes:
        id: counts up.
        status: queued, working, completed, failed or skipped.
        counts: of its rows.
        told: what Census says is wrong.
    """

    id: int
    status: str
    counts: Mapping[str, int]
    told: str

    @property
    def rejected(self) -> int:
        """Rows that the destination or Census has not taken."""
        return self.counts.get("records_failed", 0) + self.counts.get("records_invalid", 0)


class Client(CensusResource):
    """dagster-census's client, at any address."""

    api: str = ""
    timeout: float = 15

    @property
    def api_base_url(self) -> str:
        """Where it asks."""
        return self.api

    def make_request(
        self,
        method: str,
        endpoint: str,
        data: str | None = None,
        page_number: int | None = None,
    ) -> Mapping[str, Any]:
        """One answer, in time; a question is put again where that may help, a request is not."""
        answer = ask(
            method,
            f"{self.api}/{endpoint}",
            name="Census",
            is_answer=lambda found: found["data"] is not None,
            wait_seconds=self.request_retry_delay,
            auth=("bearer", self.api_key),
            headers={"Content-Type": "application/json"},
            data=data,
            params=None if page_number is None else {"page": page_number},
            timeout=self.timeout,
        )
        found: Mapping[str, Any] = answer.json()
        return found


class Census:
    """What is asked of Census, without secrets in any message."""

    def __init__(self, entry: CensusEntry) -> None:
        """Nothing is asked yet.

        Raises:
            DatamartError: the token cannot be read.
        """
        self.entry = entry
        token = revealed(entry.token)
        self.client = Client(api_key=token, api=entry.api, timeout=entry.timeout_seconds)

    def runs(self, sync: int) -> list[SyncRun]:
        """The last runs of a sync, in order, whoever has asked for them.

        Raises:
            CensusError: Census does not tell.
        """
        found = self._ask("GET", f"syncs/{sync}/sync_runs?order=desc&per_page=25")
        try:
            return sorted((_run(each) for each in found), key=lambda run: run.id)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._nonsense(f"runs of sync {sync}", found) from error

    def trigger(self, sync: int) -> int:
        """Starts a sync; gives the id of its run.

        Raises:
            CensusError: Census does not do it, or its answer was lost.
        """
        try:
            found = self.client.trigger_sync(sync)["data"]
        except ServiceError as error:
            raise self._told(error) from error
        try:
            return int(found["sync_run_id"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._nonsense(f"trigger of sync {sync}", found) from error

    def awaited(self, run: int) -> SyncRun:
        """A run when it is over.

        Raises:
            CensusError: Census does not tell, or it is not over in time.
        """
        until = time.monotonic() + self.entry.patience_minutes * 60
        while True:
            found = self._ask("GET", f"sync_runs/{run}")
            try:
                seen = _run(found)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise self._nonsense(f"sync run {run}", found) from error
            if seen.status in ENDED:
                return seen
            if seen.status not in UNDER_WAY:
                raise self._nonsense(f"sync run {run}", found)
            if time.monotonic() > until:
                minutes = self.entry.patience_minutes
                raise CensusError(
                    f"census: sync run {run} is not over after {minutes:g} minutes; it is awaited"
                    " by the next run",
                    may_pass=False,
                )
            time.sleep(self.entry.poll_seconds)

    def _ask(self, method: str, endpoint: str) -> Any:
        try:
            return self.client.make_request(method, endpoint)["data"]
        except ServiceError as error:
            raise self._told(error) from error

    def _told(self, error: ServiceError) -> CensusError:
        told = masked(hidden(" ".join(str(error).split()), self.entry.token))
        return CensusError(told, may_pass=error.may_pass)

    def _nonsense(self, of: str, found: object) -> CensusError:
        told = hidden(repr(found)[:120], self.entry.token)
        return CensusError(f"census: {of}: the answer is none of Census's: {told}", may_pass=True)


def _run(said: Mapping[str, Any]) -> SyncRun:
    counts = {name: int(said[name]) for name in COUNTS if said.get(name) is not None}
    return SyncRun(int(said["id"]), str(said["status"]), counts, said.get("error_message") or "")
