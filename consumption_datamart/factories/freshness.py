"""Checks that tell when a table that stakeholders look at is late."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from consumption_datamart.checks import asset_key
from consumption_datamart.factories.table_spec import TableSpec
from consumption_datamart.private import freshness

FRESH = "fresh"
MEANING = "The table was refreshed within the time that its policy allows."
AC: Any = dg.AutomationCondition


def freshness_checks(specs: Sequence[TableSpec]) -> dg.AssetChecksDefinition:
    """For each watched table a check that passes while its freshness policy does.

    Dagster itself keeps the state of each policy; the checks run whenever that changes. Of a table
    that was never built it says nothing: nor does the check.
    """
    keys = [asset_key(spec.model) for spec in specs if spec.is_watched]

    @dg.multi_asset_check(
        name=FRESH,
        specs=[
            dg.AssetCheckSpec(
                FRESH,
                asset=key,
                description=MEANING,
                automation_condition=AC.asset_matches(
                    key,
                    AC.freshness_failed().newly_true() | AC.freshness_passed().newly_true(),
                ),
            )
            for key in keys
        ],
        can_subset=True,
    )
    def _fresh(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        states = freshness(context.instance, keys)
        for check in sorted(context.selected_asset_check_keys):
            name = states.get(check.asset_key, "UNKNOWN")
            yield dg.AssetCheckResult(
                check_name=FRESH,
                asset_key=check.asset_key,
                passed=name != "FAIL",
                description=f"{check.asset_key.to_user_string()} is late: nothing that it is made"
                " of has come in; see that the lake is delivered and the automation runs"
                if name == "FAIL"
                else None,
                metadata={"freshness": name},
            )

    return _fresh
