"""Building the mart in this process, through Dagster."""

from consumption_datamart.build.result import BuildResult, BuiltTable
from consumption_datamart.build.run import build

__all__ = ["BuildResult", "BuiltTable", "build"]
