"""Whether two DuckDB files hold the same mart: a benchmark of wrong work is worthless."""

from pathlib import Path

import duckdb

from consumption_datamart.assets.star.accounts import ATTRIBUTES
from consumption_datamart.schema import dimensions, facts, reports
from consumption_datamart.schema.lake import REQUIRED
from consumption_datamart.schema.raw import quarantine_of, raw_of
from consumption_datamart.schema.table import Table

LOADED: tuple[type[Table], ...] = tuple(
    model(contract) for contract in REQUIRED for model in (raw_of, quarantine_of)
)
"""Compared by count and checksum of each day: they hold the lake's own values."""
COMPUTED: tuple[type[Table], ...] = (
    dimensions.DimDay,
    dimensions.DimCustomer,
    dimensions.DimProduct,
    dimensions.DimDeployment,
    facts.FactInvoiceLine,
    facts.FactUsageDaily,
    facts.FactEntitlementDaily,
    facts.FactConsumptionDaily,
    reports.ReportConsumptionDaily,
    reports.ReportActiveCustomersByProductDaily,
)
"""Compared row by row, by key, numbers to 1e-9 relative."""
UNKNOWN = frozenset(
    (
        "source",
        "period",
        "unit_count",
        "is_unlimited",
        "deployment_count",
        "used_limited_30d",
        "days_reported",
        "is_bundle",
        "silence_unknown",
        "top_customer_id",
        *ATTRIBUTES,
    )
)
"""Columns that peers lack: they read one lake, without bundles, accounts and exchange rates."""
RELATIVE_TOLERANCE = 1e-9
INEXACT = ("DOUBLE", "DECIMAL")


def disagreements(mart: Path, peer: Path) -> list[str]:
    """What a peer's file says otherwise than the mart's.

    Args:
        mart: DuckDB file of the mart.
        peer: DuckDB file with tables of the same names.

    Returns:
        A line for each table that differs, with an example; none if all agree.
    """
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        for name, path in (("mart_file", mart), ("peer_file", peer)):
            connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        found = [_by_checksum(connection, model) for model in LOADED]
        found += [_by_key(connection, model) for model in COMPUTED]
    return [line for line in found if line]


def _columns(connection: duckdb.DuckDBPyConnection, model: type[Table]) -> dict[str, str]:
    """Names and types of a table's columns, as the mart has them."""
    described = connection.execute(f"DESCRIBE mart_file.{model.full_name()}").fetchall()
    lacking = UNKNOWN | ({"unit"} if model is facts.FactUsageDaily else set())
    return {name: dtype for name, dtype, *_ in described if name not in lacking}


def _by_checksum(connection: duckdb.DuckDBPyConnection, model: type[Table]) -> str:
    columns = _columns(connection, model)
    values = ", ".join(columns)
    # pandas has no types where it has no rows
    typed = ", ".join(f"CAST({name} AS {dtype}) AS {name}" for name, dtype in columns.items())
    group = ["dump_day", *(["reason"] if "reason" in columns else [])]
    names = ", ".join(group)

    def digest(file: str) -> str:
        return (
            f"SELECT {names}, count(*) AS rows, sum(hash({values})::HUGEINT) AS checksum"
            f" FROM (SELECT {typed} FROM {file}.{model.full_name()}) GROUP BY {names}"
        )

    differing = connection.execute(
        f"SELECT {names}, mart.rows, peer.rows FROM ({digest('mart_file')}) AS mart"
        f" FULL JOIN ({digest('peer_file')}) AS peer USING ({names})"
        f" WHERE (mart.rows, mart.checksum) IS DISTINCT FROM (peer.rows, peer.checksum)"
        f" ORDER BY {names}"
    ).fetchall()
    if not differing:
        return ""
    *where, in_mart, in_peer = differing[0]
    place = " ".join(str(part) for part in where)
    return (
        f"{model.full_name()}: differs in {len(differing)} groups of {names}; on {place} the mart"
        f" has {in_mart or 0} rows, the peer {in_peer or 0}, or their values differ"
    )


def _by_key(connection: duckdb.DuckDBPyConnection, model: type[Table]) -> str:
    name = model.full_name()
    columns = _columns(connection, model)
    key = [name for name in model.key() if name in columns]
    same = " AND ".join(f"mart.{column} = peer.{column}" for column in key)
    missing = f"mart.{key[0]} IS NULL OR peer.{key[0]} IS NULL"
    other = " OR ".join(
        f"NOT {_equal(column, dtype)}" for column, dtype in columns.items() if column not in key
    )
    differing = connection.execute(
        f"SELECT mart, peer FROM mart_file.{name} AS mart FULL JOIN peer_file.{name} AS peer"
        f" ON {same} WHERE {missing}{f' OR {other}' if other else ''} ORDER BY ALL"
    ).fetchall()
    counts = [connection.sql(f"FROM {file}.{name}").shape[0] for file in ("mart_file", "peer_file")]
    if counts[0] == counts[1] and not differing:
        return ""
    mart, peer = differing[0] if differing else (None, None)
    return (
        f"{name}: {len(differing)} rows differ, {counts[0]} rows in the mart,"
        f" {counts[1]} in the peer; such as mart {mart}, peer {peer}"
    )


def _equal(column: str, dtype: str) -> str:
    one, other = f"CAST(mart.{column} AS {dtype})", f"CAST(peer.{column} AS {dtype})"
    exactly = f"({one} IS NOT DISTINCT FROM {other})"
    if not dtype.startswith(INEXACT):
        return exactly
    one, other = f"mart.{column}::DOUBLE", f"peer.{column}::DOUBLE"
    close = f"abs({one} - {other}) <= {RELATIVE_TOLERANCE} * greatest(abs({one}), abs({other}))"
    return f"({exactly} OR coalesce({close}, false))"
