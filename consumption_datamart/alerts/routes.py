"""Telling: by log, webhook, Slack-compatible webhook, e-mail."""

import logging
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from consumption_datamart.alerts.changes import is_about_owner
from consumption_datamart.alerts.config import (
    AnyRoute,
    Delivery,
    EmailRoute,
    LogRoute,
    Route,
    SlackRoute,
)
from consumption_datamart.alerts.machine import State, Transition
from consumption_datamart.errors import DatamartError
from consumption_datamart.secrets import hidden, revealed

PASSING = OSError
"""What may be right at the next attempt: errors of HTTP and of mail are OSErrors, too."""


@dataclass(frozen=True)
class Told:
    """A transition, as it is told.

    Attributes:
        crossed_at: in UTC.
        state_before: what the alert was.
        state: what it has become.
        level: how many lines are crossed.
        reading: the value that did it.
    """

    crossed_at: datetime
    signal: str
    subject: str
    state_before: str
    state: str
    level: int
    reading: float
    summary: str

    def __str__(self) -> str:
        """`ALARM check mart/dim_day: model: …`."""
        return f"{self.state.upper()} {self.signal} {self.subject}: {self.summary}"

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return self.__dict__ | {"crossed_at": self.crossed_at.isoformat() + "Z"}


def is_for(route: Route, transition: Transition) -> bool:
    """Whether a route is to be told of a transition; of the end of an alarm as of the alarm."""
    alert, states = transition.alert, {transition.before, transition.alert.state}
    is_severe = route.at_least == "warning" or State.alarm in states
    if route.owners is not None and not any(
        is_about_owner(alert.subject, owner) for owner in route.owners
    ):
        return False
    return is_severe and (route.signals is None or alert.signal in route.signals)


def deliver(route: AnyRoute, told: Sequence[Told], delivery: Delivery, log: logging.Logger) -> bool:
    """Tells all transitions in one message; tries several times.

    Returns:
        Whether that succeeded; why not is in the log.
    """
    patiently = Retrying(
        retry=retry_if_exception_type(PASSING),
        stop=stop_after_attempt(delivery.attempts),
        wait=wait_exponential(multiplier=delivery.wait_seconds),
        reraise=True,
    )
    try:
        patiently(_send, route, told, delivery.timeout_seconds, log)
    except (PASSING, DatamartError) as error:
        told_of = str(error)
        for text in route.secrets():
            told_of = hidden(told_of, text)
        log.warning("route %s: %s; it is tried again at the next evaluation", route.name, told_of)
        return False
    return True


def _send(route: AnyRoute, told: Sequence[Told], timeout: float, log: logging.Logger) -> None:
    lines = "\n".join(map(str, told))
    if isinstance(route, LogRoute):
        for each in told:
            log.log(logging.INFO if each.state == "recovered" else logging.WARNING, str(each))
    elif isinstance(route, EmailRoute):
        _mail(route, _subject(told), lines, timeout)
    elif isinstance(route, SlackRoute):
        _post(revealed(route.url), {"text": lines}, {}, timeout)
    else:
        document = {"alerts": [each.document() for each in told]}
        headers = {name: revealed(value) for name, value in route.headers.items()}
        _post(revealed(route.url), document, headers, timeout)


def _post(url: str, document: dict[str, Any], headers: dict[str, str], timeout: float) -> None:
    import requests  # noqa: PLC0415  # no command but this one has to wait for it

    requests.post(url, json=document, headers=headers, timeout=timeout).raise_for_status()


def _mail(route: EmailRoute, subject: str, text: str, timeout: float) -> None:
    message = EmailMessage()
    message["From"], message["To"] = route.sender, ", ".join(route.recipients)
    message["Subject"] = subject
    message.set_content(text)
    context = ssl.create_default_context()  # by default it trusts everyone
    server: smtplib.SMTP
    if route.encryption == "tls":
        server = smtplib.SMTP_SSL(route.host, route.port, timeout=timeout, context=context)
    else:
        server = smtplib.SMTP(route.host, route.port, timeout=timeout)
    with server:
        if route.encryption == "starttls":
            server.starttls(context=context)
        if route.user is not None:
            server.login(route.user, revealed(route.password or ""))
        server.send_message(message)


def _subject(told: Sequence[Told]) -> str:
    first = f"[{told[0].state}] {told[0].signal} {told[0].subject}"
    return first + (f", and {len(told) - 1} more" if told[1:] else "")
