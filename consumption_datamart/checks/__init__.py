"""What must be true of the tables: pure definitions, their evaluation, and their record."""

from consumption_datamart.checks.check import MODEL, Check, Result
from consumption_datamart.checks.evaluation import evaluate, prune, record
from consumption_datamart.checks.frozen import FROZEN, frozen_checks
from consumption_datamart.checks.inspection import Inspection
from consumption_datamart.checks.registry import (
    checks_of_dumps,
    checks_of_listed,
    checks_of_load,
    checks_of_table,
)
from consumption_datamart.checks.reporting import (
    as_dagster_failure,
    asset_key,
    check_spec,
    evaluations,
    events,
)
from consumption_datamart.checks.stored import evaluate_stored

__all__ = [
    "FROZEN",
    "MODEL",
    "Check",
    "Inspection",
    "Result",
    "as_dagster_failure",
    "asset_key",
    "check_spec",
    "checks_of_dumps",
    "checks_of_listed",
    "checks_of_load",
    "checks_of_table",
    "evaluate",
    "evaluate_stored",
    "evaluations",
    "events",
    "frozen_checks",
    "prune",
    "record",
]
