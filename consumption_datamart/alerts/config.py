"""What alerts are about and whom they are told to: one file, `alerts.toml`."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from consumption_datamart.errors import DatamartError, masked
from consumption_datamart.secrets import require_reference


def _is_public(url: str) -> str:
    """A URL without a login in it, unless all of it is a secret."""
    return require_reference(url) if masked(url) != url else url


Secret = Annotated[str, AfterValidator(require_reference)]
Url = Annotated[str, Field(pattern=r"^(https?://|\$\{)"), AfterValidator(_is_public)]
CONFIDENTIAL = re.compile(r"auth|cookie|key|secret|token", re.IGNORECASE)
"""In the name of a header: its value is a secret."""
PORTS = {"none": 25, "starttls": 587, "tls": 465}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Route(_Section):
    """Whom to tell what.

    Attributes:
        name: unique among the routes.
        at_least: alarm: warnings are not told.
        signals: those that are told; by default all.
        owners: only what is meant for one of these owners of assets: alerts of the signal schema.
    """

    name: str = Field(pattern=r"^[^,\s]+$")
    at_least: Literal["warning", "alarm"] = "warning"
    signals: tuple[str, ...] | None = None
    owners: tuple[str, ...] | None = None

    def secrets(self) -> list[str]:
        """What may refer to secrets."""
        return []


class LogRoute(Route):
    """Into the log of Dagster's run."""

    kind: Literal["log"] = "log"


class WebhookRoute(Route):
    """As JSON, by POST."""

    kind: Literal["webhook"]
    url: Url
    headers: dict[str, str] = {}

    def secrets(self) -> list[str]:
        """The URL, and values of headers."""
        return [self.url, *self.headers.values()]

    @field_validator("headers")
    @classmethod
    def _secrets_are_referred_to(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if CONFIDENTIAL.search(name):
                require_reference(value)
        return headers


class SlackRoute(Route):
    """To a webhook that takes what Slack's takes: Slack, Mattermost and others.

    Whoever knows its URL may post there.
    """

    kind: Literal["slack"]
    url: Secret

    def secrets(self) -> list[str]:
        """The URL."""
        return [self.url]


class EmailRoute(Route):
    """By SMTP.

    Attributes:
        encryption: tls: from the start; starttls: from the first word on.
    """

    kind: Literal["email"]
    host: str
    encryption: Literal["none", "starttls", "tls"] = "none"
    port: int = Field(default_factory=lambda given: PORTS[given.get("encryption", "none")])
    sender: str
    recipients: tuple[str, ...] = Field(min_length=1)
    user: str | None = None
    password: Secret | None = None

    def secrets(self) -> list[str]:
        """The password."""
        return [] if self.password is None else [self.password]

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> "EmailRoute":
        if self.password is not None and self.encryption == "none":
            raise ValueError(
                'a password is not sent in clear: set encryption = "starttls" or "tls"'
            )
        return self


AnyRoute = Annotated[LogRoute | WebhookRoute | SlackRoute | EmailRoute, Field(discriminator="kind")]


class Delivery(_Section):
    """How hard to try: attempts in one evaluation, seconds between them, and for each.

    Attributes:
        by_build: whether the command `build` tells what it finds, or leaves that to the daemon.
    """

    by_build: bool = True
    attempts: int = Field(default=3, ge=1)
    wait_seconds: float = Field(default=1.0, ge=0)
    timeout_seconds: float = Field(default=10.0, gt=0)


class Consumption(_Section):
    """Shares of what a customer is entitled to: lines below `alarm` are warnings.

    Attributes:
        current_days: a mart whose last day is older lies in the past, and alarms nobody.
    """

    lines: tuple[float, ...] = (0.8, 1.0, 1.2)
    alarm: float = 1.0
    margin: float = Field(default=0.02, ge=0)
    current_days: int = 7


class Commitment(_Section):
    """Days before a commitment is used up from which on it is a warning."""

    within_days: int = Field(default=30, ge=0)


class Budget(_Section):
    """Shares of an error budget that are used up."""

    warning: float = 0.75
    alarm: float = 1.0
    margin: float = Field(default=0.05, ge=0)


class Changes(_Section):
    """Days for which a breaking change of a table's columns is told as open."""

    days: float = Field(default=7, gt=0)


class Automation(_Section):
    """Minutes without a tick after which a schedule or sensor is dead."""

    silent_minutes: float = Field(default=15, ge=2)


class AlertSettings(_Section):
    """All of the file; each section may be left out."""

    route: tuple[AnyRoute, ...] = (LogRoute(name="log"),)
    delivery: Delivery = Delivery()
    consumption: Consumption = Consumption()
    commitment: Commitment = Commitment()
    budget: Budget = Budget()
    automation: Automation = Automation()
    changes: Changes = Changes()

    @model_validator(mode="after")
    def _names_are_unique(self) -> "AlertSettings":
        names = [route.name for route in self.route]
        if len(names) > len(set(names)):
            raise ValueError(f"routes have the same name: {', '.join(names)}")
        return self


def load_alert_settings(file: Path) -> AlertSettings:
    """What the file says; without a file alerts go to the log.

    Raises:
        DatamartError: the file is not TOML, or says what is not understood.
    """
    try:
        with file.open("rb") as stream:
            return AlertSettings.model_validate(tomllib.load(stream))
    except FileNotFoundError:
        return AlertSettings()
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise DatamartError(f"{file}: {where}: {problem['msg']}") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DatamartError(f"{file}: {error}") from error
