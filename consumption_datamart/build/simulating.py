"""Simulating a build: on a copy, with what it would alert, and nothing is touched."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from consumption_datamart.alerts.after_build import BuildEnd, would_tell
from consumption_datamart.alerts.config import load_alert_settings
from consumption_datamart.alerts.machine import Transition
from consumption_datamart.build.alerting import all_check_keys, downstream_of
from consumption_datamart.build.result import BuildResult, OnStep
from consumption_datamart.build.run import build_in
from consumption_datamart.checks.reporting import told_checks
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of


class Simulation(NamedTuple):
    """What a build would do now.

    Attributes:
        result: what was built in the copy.
        alerts: what would be told, of alerts as they are now.
    """

    result: BuildResult
    alerts: Sequence[Transition]


def simulate(
    settings: Settings, only: Collection[str] | None = None, on_step: OnStep | None = None
) -> Simulation:
    """Builds what is to be refreshed in a copy of the warehouse, which is thrown away.

    Args:
        settings: where the lake and the warehouse are.
        only: full names of the tables that may be built; None: all.
        on_step: is told of each step.

    Raises:
        LakeError: the lake is not there.
        WarehouseError: the warehouse is not built yet, or cannot be copied.
        DatamartError: the settings of alerts have a mistake.
    """
    alerts, warehouse = load_alert_settings(Path(settings.alerts_file)), warehouse_of(settings)
    with warehouse.copied() as copied:
        scratch = settings.model_copy(update={"warehouse": copied.url, "dagster_home": None})
        result, catalog = build_in(None, scratch, on_step=on_step, only=only)
        end = BuildEnd(
            result.problem,
            settings,
            told_checks(all_check_keys(catalog)),
            result.evaluations,
            who_reads=downstream_of(settings, catalog),
        )
        return Simulation(result, would_tell(warehouse.released(), copied, end, alerts))
