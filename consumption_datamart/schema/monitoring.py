"""What the mart knows of itself (schema `monitoring`)."""

from consumption_datamart.schema.table import FINITE, Field, Table
from consumption_datamart.schema.types import Day, Flag, Integer, Real, Text

OBJECTIVE_KINDS = ("correctness", "warnings", "freshness")
"""What objectives are set for."""


class MonitoringTable(Table):
    """Base of the tables in schema `monitoring`."""

    _schema = "monitoring"


class Built(MonitoringTable):
    """Tables, and days of daily tables, that were built; and whether they await their refresh."""

    built_table: Text
    built_day: Day = Field(nullable=True)
    is_stale: Flag


class Objective(MonitoringTable):
    """What readers may expect of a table on 28 days, and how much of that was kept."""

    objective_name: Text
    objective_table: Text
    kind: Text = Field(isin=list(OBJECTIVE_KINDS))
    target: Real = Field(gt=0, lt=1)
    days_good: Integer = Field(ge=0)
    days_measured: Integer = Field(ge=0)
    budget_left: Real = Field(le=1)
    burn_rate: Real = Field(ge=0, **FINITE)

    class Config:
        """One row an objective."""

        unique = ["objective_name"]
