"""Building, and telling what has gone wrong: what the command does."""

import logging
from datetime import date
from pathlib import Path

import dagster as dg

from consumption_datamart.alerts.after_build import BuildEnd, evaluate_after_build
from consumption_datamart.alerts.config import load_alert_settings
from consumption_datamart.assets.lake import LAKE
from consumption_datamart.assets.monitoring import MONITORING
from consumption_datamart.assets.reports import REPORTS
from consumption_datamart.build.result import BuildResult, OnStep
from consumption_datamart.build.run import build_in, recording_instance
from consumption_datamart.checks import asset_key
from consumption_datamart.checks.reporting import told_checks
from consumption_datamart.definitions import BUILD_JOB, check_keys, code_location
from consumption_datamart.discovery.found import specs_of
from consumption_datamart.errors import DatamartError
from consumption_datamart.factories import Catalog, all_checks, freshness_checks
from consumption_datamart.lineage import Downstream, defined_by
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of


def build_and_alert(
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
    *,
    full: bool = False,
    on_step: OnStep | None = None,
    log: logging.Logger,
) -> BuildResult:
    """Builds as `build` does, then evaluates the alerts, however that has ended.

    Args:
        settings: where the lake, the warehouse and the settings of alerts are.
        first: see `build`.
        last: see `build`.
        full: see `build`.
        on_step: see `build`.
        log: what alerts are told to without a route, and why they could not be.

    Returns:
        What was built.

    Raises:
        LakeError: the lake is not there, or has none of the days.
        WarehouseError: the warehouse cannot be opened.
        DatamartError: `DAGSTER_HOME` is no folder.
    """
    # where these are wrong there is nowhere to read or to tell alerts
    warehouse_of(settings)
    with recording_instance(settings) as instance:
        try:
            result, catalog = build_in(instance, settings, first, last, full=full, on_step=on_step)
        except Exception as error:  # whatever it is, it is told, and raised again
            _alert(settings, BuildEnd(_told(error), settings), log)
            raise
        keys = told_checks(all_check_keys(catalog))
        end = BuildEnd(
            result.problem,
            settings,
            keys,
            result.evaluations,
            instance,
            BUILD_JOB,
            who_reads=downstream_of(settings, catalog),
        )
        _alert(settings, end, log)
    return result


def all_check_keys(catalog: Catalog) -> list[dg.AssetCheckKey]:
    """All asset checks, without the definitions of the assets being made."""
    checks = [check for spec in MONITORING for check in catalog.checks(spec)]
    checks += all_checks(LAKE, catalog)
    keys = [dg.AssetCheckKey(asset_key(check.model), check.name) for check in checks]
    return keys + check_keys([freshness_checks(REPORTS)])


def downstream_of(settings: Settings, catalog: Catalog) -> Downstream:
    """Who reads a table, of all that Dagster would load; that is not done before it is asked."""
    return Downstream(catalog, lambda: defined_by(specs_of(code_location(settings))))


def _alert(settings: Settings, end: BuildEnd, log: logging.Logger) -> None:
    try:
        # what was released, as the daemon does
        released = warehouse_of(settings).released()
        evaluate_after_build(released, end, load_alert_settings(Path(settings.alerts_file)), log)
    except Exception as error:  # whatever it is, the tables are built
        log.warning("Alerts could not be evaluated: %s", _told(error))


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, DatamartError) else repr(error)
