"""Which checks there are: those that follow from a table's model, and those written for it."""

import inspect
from collections.abc import Callable, Mapping, Sequence

import ibis.expr.types as ir

from consumption_datamart.checks import reports, star
from consumption_datamart.checks.check import DAYS, Check, grouped
from consumption_datamart.checks.loads import late_after, late_check, load_checks
from consumption_datamart.checks.model import model_check
from consumption_datamart.checks.references import member_check, reference_checks
from consumption_datamart.lake.sources import Source
from consumption_datamart.schema.codes import NO_FAULT
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import Dumps, models_of
from consumption_datamart.schema.reports import WINDOW_DAYS
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings

WRITTEN: Mapping[str, tuple[Callable[..., ir.Table], float]] = {
    "usage_by_unit_daily": (star.readings_reconcile, star.SAME),
    "fact_usage_daily": (star.usage_reconciles, star.SAME),
    "fact_invoice_line": (star.amounts_reconcile, star.SAME),
    "report_active_customers_by_product_daily": (reports.active_customers, 0.0),
    "report_consumption_daily": (reports.consumption_complete, 0.0),
    "report_account_consumption_daily": (reports.accounts_add_up, star.SAME),
    "report_portfolio_daily": (reports.portfolio_adds_up, star.SAME),
    "report_band_changes": (reports.band_changes_add_up, 0.0),
    "report_renewals": (reports.renewals_complete, 0.0),
    "report_commitments": (reports.commitments_complete, 0.0),
}
"""Table → the check that is written for it, and its limit. Its arguments are named after tables."""


WINDOWS = {"fact_usage_daily": WINDOW_DAYS, "report_consumption_daily": WINDOW_DAYS + 1}
"""Over how many days a check that asks for its days reads a table."""


def checks_of_load(
    contract: type[Contract], sources: Sequence[Source], settings: Settings
) -> list[Check]:
    """All checks of the raw, quarantine and files tables of a lake table, and of its sources."""
    general = [check for model in models_of(contract) for check in _general(model, settings)]
    own = [source for source in sources if source.contract is contract]
    return general + [check for source in own for check in load_checks(source, settings)]


def checks_of_listed(model: type[Table], settings: Settings) -> list[Check]:
    """All checks of a table of what the lake tells without being opened."""
    return _general(model, settings)


def checks_of_dumps(sources: Sequence[Source], settings: Settings) -> list[Check]:
    """All checks of the list of dumps; what a lake need not have is late only if it says when."""
    awaited = [source for source in sources if late_after(source, settings) is not None]
    return _general(Dumps, settings) + [late_check(source, settings) for source in awaited]


def checks_of_table(
    model: type[Table],
    reads: Sequence[str],
    models: Mapping[str, type[Table]],
    settings: Settings,
    after: Sequence[str] = (),
) -> list[Check]:
    """All checks of a table of the star, or of a report.

    Args:
        model: the table.
        reads: names of the tables that it is made of.
        after: names of the tables that are up to date when it is published.
        models: of all tables, by name.
        settings: thresholds.
    """
    name, checks = model.table_name(), _general(model, settings)
    if name.startswith("fact_"):
        checks += reference_checks(model, [*reads, *after], models)
    if name.startswith("dim_"):
        checks += member_check(model, reads, models)
    if name in WRITTEN:
        measure, limit = WRITTEN[name]
        arguments = list(inspect.signature(measure).parameters)
        tables = {
            each: model if each == name else models[each] for each in arguments if each != DAYS
        }
        description = " ".join((measure.__doc__ or "").split())
        windows = {
            each: WINDOWS[each] for each in arguments if DAYS in arguments and each in WINDOWS
        }
        checks.append(
            Check(
                "complete" if name.startswith("report_") else "reconciles",
                model,
                description,
                measure,
                tables,
                limit=limit,
                is_blocking=True,
                windows=windows,
            )
        )
    return checks


def warnings_check(model: type[Table], limit: float) -> Check:
    """Few rows have warnings, but for those that say nothing of the data."""

    def share(rows: ir.Table) -> ir.Table:
        flagged = rows.meta__warnings.notin(["", *NO_FAULT]).sum()
        found = grouped(rows, model.day_column()).aggregate(rows=flagged, all=rows.count())
        return found.mutate(measured=found["rows"].cast("float64") / found["all"].nullif(0))

    return Check(
        "warnings_share",
        model,
        "Few rows have warnings: their share.",
        share,
        {"rows": model},
        limit=limit,
        kind="warnings",
    )


def _general(model: type[Table], settings: Settings) -> list[Check]:
    flagged = [warnings_check(model, settings.warnings_share)] if model.warning_codes() else []
    return [model_check(model), *flagged]
