"""Alerts, as the mart remembers them (schema `monitoring`)."""

from consumption_datamart.schema.monitoring import MonitoringTable
from consumption_datamart.schema.table import Field
from consumption_datamart.schema.types import Instant, Integer, Real, Text

SIGNALS = {
    "check": "a check of a table fails",
    "run": "a run has failed, and none since has made up for it",
    "build": "the last `consumption-datamart build` has failed",
    "budget": "an objective's error budget is used up, or nearly",
    "anomaly": "a table has other rows than usual, or took longer than it usually does",
    "schema": "the columns of a table have changed in a way that may break what reads it",
    "file": "a file of a team's assets does not load",
    "dump": "a table's dumps stay away, or the whole lake's",
    "automation": "a schedule or a sensor is switched off, or does not tick",
    "consumption": "a customer uses nearly all of what it is entitled to, or more",
    "commitment": "a commitment is used up, or soon will be",
}
"""What alerts are about."""

STATES = {
    "ok": "nothing is wrong, and has not been lately",
    "warning": "somebody should look at it",
    "alarm": "somebody must look at it now",
    "recovered": "it was wrong until the last evaluation, and no longer is",
}
"""What alerts can be."""


class Alert(MonitoringTable):
    """What is wrong or was, with its state as of the last evaluation that changed any."""

    signal: Text = Field(isin=list(SIGNALS))
    subject: Text
    state: Text = Field(isin=list(STATES))
    level: Integer = Field(ge=0)
    since: Instant
    summary: Text

    class Config:
        """One row a signal and subject."""

        unique = ["signal", "subject"]


class AlertTransition(MonitoringTable):
    """Every crossing of a line: what an alert was, what it became, and who is still to be told."""

    crossed_at: Instant
    signal: Text = Field(isin=list(SIGNALS))
    subject: Text
    state_before: Text = Field(isin=list(STATES))
    state: Text = Field(isin=list(STATES))
    level: Integer = Field(ge=0)
    reading: Real
    summary: Text
    undelivered: Text

    class Config:
        """One row a signal, subject and crossing."""

        unique = ["crossed_at", "signal", "subject"]


class AlertEvaluation(MonitoringTable):
    """When alerts were last evaluated, whether anything has changed or not: one row."""

    evaluated_at: Instant


ALERTS = (Alert, AlertTransition, AlertEvaluation)
"""All of them."""
