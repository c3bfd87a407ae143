"""Usage of a day from a REST API, for `[[ingest]]` of lake.toml: function = "rest_api.readings".

Put the folder of this file on Python's path. Paging, the server's rate limit, retries and the
window are here; the dump, its days, its schedule and its asset are the mart's.
"""

import os
from collections.abc import Iterator
from typing import Any

import requests
from tenacity import RetryCallState, retry, retry_if_exception_type, stop_after_attempt

from consumption_datamart.ingest.window import Window


def asked_to_wait(state: RetryCallState) -> float:
    """As many seconds as the server says, else 1, 2, 4."""
    error = state.outcome and state.outcome.exception()
    answer = getattr(error, "response", None)
    told = answer.headers.get("Retry-After", "") if answer is not None else ""
    return float(told) if told.isdigit() else 2.0 ** (state.attempt_number - 1)


@retry(
    retry=retry_if_exception_type(requests.RequestException),
    stop=stop_after_attempt(5),
    wait=asked_to_wait,
    reraise=True,
)
def page(session: requests.Session, url: str, parameters: dict[str, str]) -> dict[str, Any]:
    """One page of the answer; 429 and 5xx are asked again."""
    answer = session.get(url, params=parameters, timeout=30)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def readings(of: Window) -> Iterator[list[dict[str, Any]]]:
    """The readings of a day, page by page."""
    parameters = {"from": of.start.isoformat(), "until": of.end.isoformat()}
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {os.environ['USAGE_API_TOKEN']}"
        while True:
            found = page(session, os.environ["USAGE_API_URL"], parameters)
            yield found["items"]
            if not found.get("next"):
                return
            parameters["cursor"] = found["next"]
