"""Services of others that answer in JSON: asked in time, and again where that may help."""

from collections.abc import Callable
from typing import Any

import requests
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_fixed

from consumption_datamart.errors import DatamartError

TRIES = 3
"""Of a question; what changes something is asked for once."""
SHOWN = 200
"""Characters of an answer that a message shows."""


class ServiceError(DatamartError):
    """A service cannot be asked, or has not done it.

    Attributes:
        may_pass: whether it may do the next time.
    """

    def __init__(self, told: str, *, may_pass: bool = False) -> None:
        """In a line."""
        super().__init__(told)
        self.may_pass = may_pass


def ask(
    method: str,
    url: str,
    *,
    name: str,
    is_answer: Callable[[Any], bool],
    wait_seconds: float,
    **request: Any,
) -> requests.Response:
    """An answer that is JSON, and what the service answers.

    Args:
        method: a GET is asked again where that may help, nothing else is.
        url: what is asked.
        name: of the service, in messages.
        is_answer: whether parsed JSON is an answer of the service; it may raise what looking for a
            name in any JSON raises.
        wait_seconds: between two tries.
        **request: what `requests.request` takes besides: `auth`, `headers`, `timeout` and so on.

    Raises:
        ServiceError: there is none in time, it is an error, or it is none of the service's.
    """
    again = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, ServiceError) and error.may_pass),
        stop=stop_after_attempt(TRIES if method == "GET" else 1),
        wait=wait_fixed(wait_seconds),
        reraise=True,
    )
    answer: requests.Response = again(_once, method, url, name, is_answer, request)
    return answer


def _once(
    method: str, url: str, name: str, is_answer: Callable[[Any], bool], request: dict[str, Any]
) -> requests.Response:
    at = f"{name.lower()} {url}"
    try:
        answer = requests.request(method, url, **request)
    except requests.RequestException as error:
        raise ServiceError(f"{at}: {error}", may_pass=True) from error
    if not answer.ok:
        may_pass = answer.status_code == requests.codes.too_many or answer.status_code >= 500
        told = f"{at}: {answer.status_code} {answer.reason}: {answer.text[:SHOWN]}"
        raise ServiceError(told, may_pass=may_pass)
    try:
        if is_answer(answer.json()):
            return answer
    except (ValueError, KeyError, TypeError):
        pass
    told = f"{at}: the answer is none of {name}'s: {answer.text[:80]!r}"
    raise ServiceError(told, may_pass=True)
