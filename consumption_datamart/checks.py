"""Asset checks that are generated from a table's model."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from consumption_datamart.errors import AuditError, DatamartError
from consumption_datamart.schema.table import Table

MODEL = "model"


def asset_key(model: type[Table]) -> dg.AssetKey:
    """Key of the asset that is the model's table."""
    return dg.AssetKey([model.schema_name(), model.table_name()])


def model_check(model: type[Table]) -> dg.AssetCheckSpec:
    """The blocking check that a table satisfies its model: types, required values, rules, key.

    It is evaluated by the audit before each publication; rows that fail it are not published.
    """
    key = model.key()
    return dg.AssetCheckSpec(
        name=MODEL,
        asset=asset_key(model),
        blocking=True,
        description="Rows satisfy the table's model: types, required values, rules"
        + (f"; {', '.join(key)} is unique." if key else "."),
    )


def passed(model: type[Table]) -> dg.AssetCheckResult:
    """What to report of a table that was published."""
    return dg.AssetCheckResult(check_name=MODEL, asset_key=asset_key(model), passed=True)


def failed(model: type[Table], error: AuditError) -> dg.AssetCheckResult:
    """What to report of a table whose publication the audit stopped."""
    return dg.AssetCheckResult(
        check_name=MODEL,
        asset_key=asset_key(model),
        passed=False,
        description=str(error),
        metadata={"error": str(error)},
    )


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """Turns an error that a user can act on into a Dagster failure that says just that."""
    try:
        yield
    except DatamartError as error:
        raise dg.Failure(description=str(error)) from error
