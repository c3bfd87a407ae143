"""What the mart knows of itself (schema `monitoring`)."""

from consumption_datamart.schema.table import Field, Table
from consumption_datamart.schema.types import Day, Flag, Text


class MonitoringTable(Table):
    """Base of the tables in schema `monitoring`."""

    _schema = "monitoring"


class Built(MonitoringTable):
    """Tables, and days of daily tables, that were built; and whether they await their refresh."""

    built_table: Text
    built_day: Day = Field(nullable=True)
    is_stale: Flag
    code_version: Text


class LoadedFile(MonitoringTable):
    """Files that were loaded, and what they held then."""

    lake_table: Text
    dump_day: Day
    file: Text
    stamp: Text
    content: Text

    class Config:
        """One row a file."""

        unique = ["file"]


MONITORING = (Built, LoadedFile)
"""What the mart keeps of its own accord, in no asset."""
