"""Small lakes with what the spec says of them, written by hand."""

from consumption_datamart_tests.cases import (
    consumption,
    csv_files,
    dimensions,
    dumps,
    duplicates,
    entitlements,
    malformed,
    quarantine,
    raw_warnings,
    renewals,
    reports,
    values,
)
from consumption_datamart_tests.cases.base import Case

CASES: list[Case] = [
    *values.CASES,
    *quarantine.CASES,
    *csv_files.CASES,
    *malformed.CASES,
    *duplicates.CASES,
    *raw_warnings.CASES,
    *dumps.CASES,
    *dimensions.CASES,
    *entitlements.CASES,
    *consumption.CASES,
    *reports.CASES,
    *renewals.CASES,
]

__all__ = ["CASES", "Case"]
