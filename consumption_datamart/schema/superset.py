"""The reports for Apache Superset: datasets with meanings and metrics, as it imports them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from consumption_datamart.schema import reports
from consumption_datamart.schema.table import Table

DATABASE = "consumption"
FORMAT = "1.0.0"
SHARE, AMOUNT, COUNT = ".1%", ",.0f", ",d"
TYPES = {"date": "DATE", "string": "VARCHAR", "boolean": "BOOLEAN", "int64": "BIGINT"}
"""Any other is a number."""

METRICS: Mapping[type[Table], Mapping[str, tuple[str, str, str]]] = {
    reports.ReportConsumptionDaily: {
        "pairs": ("COUNT(*)", COUNT, "Pairs of a customer and a product, of a day"),
        "customers": ("COUNT(DISTINCT customer_id)", COUNT, "Customers that have or use anything"),
        "share_consumed": (
            "AVG(CASE WHEN band = 'no_telemetry' THEN NULL WHEN consumption_30d > 1 THEN 1"
            " ELSE consumption_30d END)",
            SHARE,
            "The mean of what was used of what was entitled, each pair at most 100 %",
        ),
    },
    reports.ReportAccountConsumptionDaily: {
        "accounts": ("COUNT(DISTINCT top_customer_id)", COUNT, "Account trees"),
    },
    reports.ReportPortfolioDaily: {
        "consumption": (
            "SUM(used_limited_30d) / NULLIF(SUM(entitled_30d), 0)",
            SHARE,
            "What was used of what was entitled, of a day and a product: units differ",
        ),
    },
    reports.ReportBandChanges: {
        "moved": ("COUNT(*)", COUNT, "Pairs whose band has changed in 30 days, of a day"),
    },
    reports.ReportActiveCustomersByProductDaily: {
        "active": ("COUNT(DISTINCT customer_id)", COUNT, "Customers that used it in 30 days"),
    },
    reports.ReportRenewals: {
        "renewals": ("COUNT(*)", COUNT, "Renewals within 90 days"),
        "at_risk_value": (
            "SUM(CASE WHEN at_risk THEN annual_value_reporting END)",
            AMOUNT,
            "What renewals at risk are worth a year, in the reporting currency",
        ),
    },
    reports.ReportCommitments: {
        "covered": (
            "SUM(annual_value_reporting)",
            AMOUNT,
            "What commitments are worth a year, in the reporting currency",
        ),
        "idle": (
            "SUM(CASE WHEN status IN ('underused', 'at_risk', 'unused') THEN unused_value END)",
            AMOUNT,
            "What will not have been used of them, a year, in the reporting currency",
        ),
        "over_use": (
            "SUM(CASE WHEN status IN ('overrunning', 'exhausted') THEN overage_value END)",
            AMOUNT,
            "By what they will have been exceeded, a year, in the reporting currency",
        ),
    },
}
"""Expression, format and meaning of each metric: those of the page's figures."""


def superset() -> dict[str, str]:
    """The files that Superset imports as a ZIP, by their names."""
    files: dict[str, Any] = {
        "metadata.yaml": {
            "version": FORMAT,
            "type": "SqlaTable",
            "timestamp": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        },
        f"databases/{DATABASE}.yaml": {
            "database_name": DATABASE,
            # where Superset finds the readers' file
            "sqlalchemy_uri": "duckdb:////srv/consumption/consumption.duckdb",
            "expose_in_sqllab": True,
            "allow_dml": False,
            # a release replaces the file: each look opens it anew
            "extra": {"engine_params": {"connect_args": {"read_only": True}}},
            "uuid": _uuid(DATABASE),
            "version": FORMAT,
        },
    }
    for model in METRICS:
        files[f"datasets/{DATABASE}/{model.table_name()}.yaml"] = _dataset(model)
    return {
        name: yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
        for name, content in files.items()
    }


def _dataset(model: type[Table]) -> dict[str, Any]:
    types, day = model.ibis_schema(), model.day_column()
    return {
        "table_name": model.table_name(),
        "schema": model.full_name().split(".")[0],
        "description": model.title(),
        "main_dttm_col": day,
        "uuid": _uuid(model.full_name()),
        "database_uuid": _uuid(DATABASE),
        "version": FORMAT,
        "columns": [
            {
                "column_name": name,
                "type": TYPES.get(str(types[name]).lstrip("!").lower(), "DOUBLE"),
                "is_dttm": types[name].is_temporal(),
                "groupby": not types[name].is_numeric(),
                "filterable": True,
                "description": f"{meaning.description} ({meaning.unit})"
                if meaning.unit
                else meaning.description,
            }
            for name, meaning in model.meanings().items()
        ],
        "metrics": [
            {"metric_name": name, "expression": sql, "d3format": format_, "description": told}
            for name, (sql, format_, told) in METRICS[model].items()
        ],
    }


def _uuid(name: str) -> str:
    """The same at each import, which replaces what was imported before."""
    return str(uuid5(NAMESPACE_URL, f"consumption_datamart/{name}"))
