"""Fivetran as far as it is asked here: dagster-fivetran's client, but for how it asks.

That of the library has one address, stops the connector's schedule when it starts a sync, and where
Fivetran is away it fails with an error of its own code.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import dagster as dg
import requests
from dagster_fivetran.resources import FivetranClient
from dagster_fivetran.translator import FivetranConnector

from consumption_datamart.errors import masked
from consumption_datamart.fivetran import AccountEntry, ConnectorEntry
from consumption_datamart.secrets import hidden, revealed
from consumption_datamart.services import ServiceError, ask

WAIT_SECONDS = 0.25
SYNCING = "syncing"
T = TypeVar("T")


class FivetranError(ServiceError):
    """Fivetran cannot be asked, or has not done it."""


class Client(FivetranClient):
    """dagster-fivetran's client, at any address, that gives up in time."""

    def __init__(self, entry: AccountEntry) -> None:
        """Nothing is asked yet.

        Raises:
            DatamartError: a secret cannot be read.
        """
        super().__init__(
            api_key=revealed(entry.key),
            api_secret=revealed(entry.secret),
            request_max_retries=0,
            request_retry_delay=0,
            request_backoff_factor=1,
            disable_schedule_on_trigger=False,
        )
        self.entry = entry

    @property
    def api_base_url(self) -> str:
        """Where it asks."""
        return self.entry.api

    def _make_request(
        self,
        method: str,
        endpoint: str,
        data: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        """One answer that is JSON; a question is put again where that may help."""
        return ask(
            method,
            f"{self.entry.api}/{endpoint}",
            name="Fivetran",
            is_answer=lambda found: bool(found["code"]),
            wait_seconds=WAIT_SECONDS,
            auth=(self.api_key, self.api_secret),
            headers={"Accept": "application/json;version=2"},
            data=data,
            params=params,
            timeout=self.entry.timeout_seconds,
        )


class Fivetran:
    """What is asked of Fivetran, without secrets in any message."""

    def __init__(self, entry: AccountEntry) -> None:
        """Nothing is asked yet.

        Raises:
            DatamartError: a secret cannot be read.
        """
        self.entry, self.client = entry, Client(entry)

    def state(self, connector: ConnectorEntry) -> FivetranConnector:
        """How a connector is now.

        Raises:
            FivetranError: Fivetran does not tell.
        """
        found = self._told(lambda: self.client.get_connector_details(connector.id))
        try:
            state = FivetranConnector.from_connector_details(found)
            _ = state.last_sync_completed_at
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            told = f"fivetran: connector {connector.id}: the answer is none of Fivetran's"
            raise FivetranError(f"{told}: {str(found)[:80]!r}", may_pass=True) from error
        return state

    def tables(self, connector: ConnectorEntry) -> set[str]:
        """The tables that it writes, as `schema.table`.

        Raises:
            FivetranError: Fivetran does not tell.
        """
        found = self._told(lambda: self.client.get_schema_config_for_connector(connector.id))
        try:
            return {
                f"{schema['name_in_destination']}.{table['name_in_destination']}"
                for schema in found["schemas"].values()
                for table in schema["tables"].values()
                if schema["enabled"] and table["enabled"]
            }
        except (KeyError, TypeError, AttributeError) as error:
            told = (
                f"fivetran: schemas of connector {connector.id}: the answer is none of Fivetran's"
            )
            raise FivetranError(f"{told}: {str(found)[:80]!r}", may_pass=True) from error

    def synced(self, connector: ConnectorEntry, tell: Callable[[str], None]) -> FivetranConnector:
        """Starts a sync, and waits for its end; one that is under way is awaited instead.

        Args:
            connector: to sync.
            tell: what was found to be under way.

        Raises:
            FivetranError: it was not started, has failed, or is not over in time.
        """
        before = self.state(connector)
        if before.sync_state == SYNCING:
            tell(f"connector {connector.id} is syncing already; that sync is awaited")
        else:
            try:
                self._told(lambda: self.client.start_sync(connector.id))
            except FivetranError as error:
                if not error.may_pass or not self._is_begun(connector, before):
                    raise
        ended = self._awaited(connector, before.last_sync_completed_at)
        if not ended.is_last_sync_successful:
            told = f"[[connector]] {connector.name}: its sync has failed at {ended.failed_at}"
            raise FivetranError(f"{told}; see {ended.url}")
        return ended

    def _is_begun(self, connector: ConnectorEntry, before: FivetranConnector) -> bool:
        """Whether a sync was started although the answer was lost."""
        now = self.state(connector)
        is_over = now.last_sync_completed_at > before.last_sync_completed_at
        return is_over or now.sync_state == SYNCING

    def _awaited(self, connector: ConnectorEntry, before: datetime) -> FivetranConnector:
        until = time.monotonic() + self.entry.patience_minutes * 60
        while (state := self.state(connector)).last_sync_completed_at <= before:
            told = f"[[connector]] {connector.name}: its sync"
            if state.is_rescheduled:
                raise FivetranError(f"{told} was put off by Fivetran to {state.rescheduled_for}")
            if time.monotonic() > until:
                minutes = f"{self.entry.patience_minutes:g} minutes"
                raise FivetranError(f"{told} is not over after {minutes}; it is awaited next time")
            time.sleep(self.entry.poll_seconds)
        return state

    def _told(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except ServiceError as error:
            raise FivetranError(self._plain(str(error)), may_pass=error.may_pass) from error
        except dg.Failure as error:  # the library's: it is paused, or not set up
            raise FivetranError(self._plain(f"fivetran: {error.description}")) from error
        except (KeyError, TypeError, ValueError) as error:
            told = self._plain(f"fivetran: the answer is none of Fivetran's: {error!r}")
            raise FivetranError(told, may_pass=True) from error

    def _plain(self, told: str) -> str:
        for text in (self.entry.key, self.entry.secret):
            told = hidden(told, text)
        return masked(" ".join(told.split()))
