"""Building the mart in this process, through Dagster."""

from consumption_datamart.build.result import BuildResult, BuiltTable
from consumption_datamart.build.run import build, dry_run

__all__ = ["BuildResult", "BuiltTable", "build", "dry_run"]
