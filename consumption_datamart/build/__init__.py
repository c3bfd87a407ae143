"""Building the mart in this process."""

from consumption_datamart.build.alerting import build_and_alert
from consumption_datamart.build.result import BuildResult, BuiltTable
from consumption_datamart.build.run import build, dry_run

__all__ = ["BuildResult", "BuiltTable", "build", "build_and_alert", "dry_run"]
