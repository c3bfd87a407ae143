"""Building, and telling what has gone wrong: what the command does."""

import logging
from datetime import date
from pathlib import Path

import dagster as dg

from consumption_datamart.alerts import (
    BuildEnd,
    Watched,
    evaluate_after_build,
    load_alert_settings,
)
from consumption_datamart.build.result import BuildResult
from consumption_datamart.build.run import OnEvent, build_in, open_instance
from consumption_datamart.definitions import BUILD_JOB, check_keys
from consumption_datamart.errors import DatamartError
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse


def build_and_alert(
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
    *,
    full: bool = False,
    on_event: OnEvent | None = None,
    log: logging.Logger,
) -> BuildResult:
    """Builds as `build` does, then evaluates the alerts, however that has ended.

    Args:
        settings: where the lake, the warehouse and the settings of alerts are.
        first: see `build`.
        last: see `build`.
        full: see `build`.
        on_event: see `build`.
        log: what alerts are told to without a route, and why they could not be.

    Returns:
        What was built.

    Raises:
        LakeError: the lake is not there, or has none of the days.
        WarehouseError: the warehouse cannot be opened.
    """
    open_warehouse(settings.warehouse, settings.memory_limit)  # a URL that names none has no alerts
    with open_instance(settings) as instance:
        try:
            result, made_by = build_in(
                instance, settings, first, last, full=full, on_event=on_event
            )
        except Exception as error:
            told = str(error) if isinstance(error, DatamartError) else repr(error)
            _alert(settings, instance, BuildEnd(told, None), log)
            raise
        checks = check_keys([*(made_by.assets or ()), *(made_by.asset_checks or ())])
        is_recorded = settings.dagster_home is not None
        end = BuildEnd(result.problem, Watched(checks, (), BUILD_JOB), is_recorded)
        _alert(settings, instance, end, log)
    return result


def _alert(
    settings: Settings, instance: dg.DagsterInstance, end: BuildEnd, log: logging.Logger
) -> None:
    try:
        # what was released, as the daemon does
        released = open_warehouse(settings.warehouse, settings.memory_limit).released()
        evaluate_after_build(
            released, instance, end, load_alert_settings(Path(settings.alerts_file)), log
        )
    except Exception as error:
        # whatever it is, the tables are built
        told = str(error) if isinstance(error, DatamartError) else repr(error)
        log.warning("Alerts could not be evaluated: %s", told)
