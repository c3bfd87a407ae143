"""Small lakes with what the spec says of them, written by hand."""

from consumption_datamart_tests.cases import (
    accounts,
    bundles,
    commitment_days,
    commitments,
    consumption,
    csv_files,
    dimensions,
    dumps,
    duplicates,
    entitlements,
    malformed,
    money,
    movement,
    periods,
    quarantine,
    rates,
    raw_warnings,
    renewals,
    renewed,
    reports,
    statuses,
    units,
    unlimited,
    values,
)
from consumption_datamart_tests.cases.base import Case

LOADED: list[Case] = [
    *values.CASES,
    *quarantine.CASES,
    *csv_files.CASES,
    *malformed.CASES,
    *duplicates.CASES,
    *raw_warnings.CASES,
    *dumps.CASES,
]
"""Of what becomes of files: DuckDB reads them for every engine."""
COMPUTED: list[Case] = [
    *dimensions.CASES,
    *entitlements.CASES,
    *consumption.CASES,
    *reports.CASES,
    *renewals.CASES,
    *bundles.CASES,
    *periods.CASES,
    *unlimited.CASES,
    *units.CASES,
    *accounts.CASES,
    *money.CASES,
    *rates.CASES,
    *renewed.CASES,
    *movement.CASES,
    *commitments.CASES,
    *commitment_days.CASES,
    *statuses.CASES,
]
"""Of the star and the reports."""
CASES = LOADED + COMPUTED

__all__ = ["CASES", "COMPUTED", "LOADED", "Case"]
