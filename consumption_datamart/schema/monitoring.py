"""What the mart knows of itself (schema `monitoring`)."""

from consumption_datamart.schema.table import FINITE, Field, Table
from consumption_datamart.schema.types import Day, Flag, Instant, Integer, Real, Text

KINDS = {
    "correctness": "the figures are those of the lake, and the tables fit together",
    "warnings": "few rows are suspicious or set aside",
    "freshness": "the table is refreshed, and its dumps are delivered, in time",
    "delivery": "dumps, and tables, look as those before them did",
}
"""What a check is about."""

OBJECTIVE_KINDS = ("correctness", "warnings", "freshness")
"""What objectives are set for."""


class MonitoringTable(Table):
    """Base of the tables in schema `monitoring`."""

    _schema = "monitoring"


class Publication(MonitoringTable):
    """Tables, and days of daily tables, as they were last published."""

    _defaults = {"changed_version": "version"}

    published_table: Text
    published_day: Day = Field(nullable=True)
    version: Integer = Field(ge=1)
    code_version: Text
    changed_version: Integer = Field(ge=1)


class AwaitedDay(MonitoringTable):
    """Days of daily tables on which a table without days has changed since they were published."""

    awaiting_table: Text
    awaiting_day: Day
    changed_table: Text
    version: Integer = Field(ge=1)


class FailedDay(MonitoringTable):
    """Tables, and days of daily tables, whose refresh has failed since they were published."""

    failed_table: Text
    failed_day: Day = Field(nullable=True)
    version: Integer = Field(ge=0)
    dump_version: Text


class LoadedFile(MonitoringTable):
    """Files that were loaded, and what they held then."""

    _defaults = {"source": "lake_table"}

    lake_table: Text
    source: Text
    dump_day: Day
    file: Text
    stamp: Text
    content: Text

    class Config:
        """One row a file of a dump; several sources, and days, may load one file."""

        unique = ["lake_table", "source", "dump_day", "file"]


class PrunedDay(MonitoringTable):
    """Days of a daily raw table whose rows were pruned: nothing is loaded for them any more."""

    pruned_table: Text
    pruned_day: Day

    class Config:
        """One row a table and day."""

        unique = ["pruned_table", "pruned_day"]


class SchemaVersion(MonitoringTable):
    """Which version of the program has last changed the columns of the warehouse."""

    number: Integer = Field(ge=1, description="Of the version, counted from 1.")
    fingerprint: Text = Field(description="A hash of the columns of all tables.")


class TableVersion(MonitoringTable):
    """The columns of each table by version: a version is new where a column, the key or grain is.

    The first version of a table is how it was when this was first looked at.
    """

    versioned_table: Text
    table_version: Integer = Field(ge=1)
    recorded_at: Instant
    partition_grain: Text
    frozen_as: Integer = Field(nullable=True)
    column_name: Text
    column_type: Text
    is_nullable: Flag
    column_unit: Text = Field(nullable=True)
    is_key: Flag

    class Config:
        """One row a table, version and column."""

        unique = ["versioned_table", "table_version", "column_name"]


class Release(MonitoringTable):
    """The state of the mart that readers see."""

    released_at: Instant = Field(description="When readers began to see it, in UTC.")
    version: Integer = Field(ge=0)


class CheckResult(MonitoringTable):
    """Every evaluation of a check: of a table, or of a day of a daily table."""

    evaluated_at: Instant
    checked_table: Text
    check_name: Text
    checked_day: Day = Field(nullable=True)
    kind: Text = Field(isin=list(KINDS))
    severity: Text = Field(isin=["error", "warn"])
    passed: Flag
    measured: Real = Field(nullable=True)
    threshold: Real = Field(nullable=True)
    rows_concerned: Integer = Field(ge=0)


class Figure(MonitoringTable):
    """Figures of every publication: of a table, or of a day of a daily table."""

    published_at: Instant
    built_table: Text
    built_day: Day = Field(nullable=True)
    figure: Text
    number: Real


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


LEDGER: tuple[type[Table], ...] = (Publication, AwaitedDay, FailedDay, LoadedFile)
"""What was published, of which files. Without it everything is built anew."""
MONITORING: tuple[type[Table], ...] = (
    *LEDGER,
    PrunedDay,
    SchemaVersion,
    TableVersion,
    Release,
    CheckResult,
    Figure,
    Objective,
)
"""All of them."""
