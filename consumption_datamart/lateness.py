"""How late dumps are: one rule for checks, alerts and the report (spec, section 6)."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple, Protocol

import ibis
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.schema.lake import CONTRACTS, REQUIRED_TABLES
from consumption_datamart.schema.raw import LATE_AFTER_DAYS, Declarations, Dumps
from consumption_datamart.warehouse import Warehouse
from consumption_datamart.warehouse.rows import day_of

DAILY = [contract.table_name() for contract in CONTRACTS if contract.day_column()]
Key = tuple[str, str]
"""Lake table and source."""


class Limits(Protocol):
    """What settings say of days without a dump."""

    @property
    def late_after_days(self) -> int:
        """Of telemetry: there is some each day."""

    @property
    def posted_late_after_days(self) -> int:
        """Of invoices and entitlements: there are none where nothing is posted."""

    @property
    def archived_after_days(self) -> int:
        """Of all tables: then nobody waits for the next dump."""


class Lateness(NamedTuple):
    """How late a source is.

    Attributes:
        table: of the lake.
        source: of the table.
        last: day of its last dump; None: it never had one.
        days: since then, or since the lake's first day; until today, of an archive until its last.
        idle: the same until today, also of an archive.
        is_archive: whether nobody waits for the lake's next dump.
        allowed: days after which it is late.
    """

    table: str
    source: str
    last: date | None
    days: int
    idle: int
    is_archive: bool
    allowed: int

    @property
    def name(self) -> str:
        """How messages call it."""
        return name_of(self.table, self.source)


def name_of(table: str, source: str) -> str:
    """How messages call a source of a lake table."""
    return table if source == table else f"{table} '{source}'"


def lateness(
    dumps: ir.Table, today: date, table: str, source: str, archived_after: int
) -> ir.Table:
    """Days since the last dump of a source; since the lake's first day where it never had one.

    They are counted until today; of a lake that ends long before, until its last day: it is an
    archive, whose sources may only be late against each other.

    Args:
        dumps: that the lake has; those of no files are gone.
        today: the date, UTC.
        table: of the lake.
        source: of the table.
        archived_after: days after which a lake that gets no dumps counts as an archive.

    Returns:
        One row: last_day, days, idle and is_archive, as `Lateness` has them.
    """
    is_own = (dumps.lake_table == table) & (dumps.source == source) & (dumps.files > 0)
    own = is_own.ifelse(dumps.dump_day, ibis.null("date"))
    is_day = dumps.lake_table.isin(REQUIRED_TABLES)
    days = is_day.ifelse(dumps.dump_day, ibis.null("date"))
    found = dumps.aggregate(first=days.min(), last=days.max(), own=own.max())
    now = ibis.literal(today)
    since_last = now.delta(found["last"], unit="day")
    is_archive = (since_last < 0) | (since_last > archived_after)
    until = is_archive.ifelse(found["last"], now)
    never = ibis.greatest(now.delta(found["first"], unit="day"), ibis.literal(0))
    return found.select(
        last_day=found.own,
        days=found.own.isnull().ifelse(never, until.delta(found.own, unit="day")),
        idle=found.own.isnull().ifelse(never, now.delta(found.own, unit="day")),
        is_archive=is_archive,
    )


def all_lateness(warehouse: Warehouse, limits: Limits, today: date) -> list[Lateness]:
    """How late each source is that dumps are expected of, by table and name.

    Args:
        warehouse: which knows the lake's dumps, and what its sources file says.
        limits: of sources that say nothing themselves.
        today: the date, UTC.
    """
    dumps = warehouse.table(Dumps)
    delivered = _delivered(warehouse, dumps)
    if not delivered:
        return []
    own = _declared(warehouse)
    keys = sorted(delivered | own.keys() | _silent(delivered, own))
    allowed = {key: allowed_days(key[0], own.get(key), limits) for key in keys}
    asked = {key: days for key, days in allowed.items() if days is not None}
    if not asked:
        return []
    each = [
        lateness(dumps, today, *key, limits.archived_after_days).mutate(number=number)
        for number, key in enumerate(asked)
    ]
    found = warehouse.fetch(ibis.union(*each)).sort_values("number")
    return [
        Lateness(
            *key,
            None if pd.isna(row.last_day) else day_of(row.last_day),
            int(row.days),
            int(row.idle),
            bool(row.is_archive),
            days,
        )
        for (key, days), row in zip(asked.items(), found.itertuples(), strict=True)
        if not pd.isna(row.days)
    ]


def _delivered(warehouse: Warehouse, dumps: ir.Table) -> set[Key]:
    """The sources that have a dump, or had one; none, where an earlier version has built that."""
    if not warehouse.exists(Dumps):
        return set()
    with warehouse.reader() as backend:
        if "source" not in warehouse.columns_there(backend, Dumps):
            return set()
    found = warehouse.fetch(dumps.select("lake_table", "source").distinct())
    return set(found.itertuples(index=False, name=None))


def _declared(warehouse: Warehouse) -> Mapping[Key, int | None]:
    """What the sources file says of each source; None: nothing."""
    rows = warehouse.table(Declarations)
    own = rows.filter(rows.declaration == ibis.literal(LATE_AFTER_DAYS))
    found = warehouse.find(Declarations, own)
    return {} if found is None else dict(_parsed(found["value"]))


def _parsed(values: "pd.Series[str]") -> Iterator[tuple[Key, int | None]]:
    for value in values:
        table, source, days = value.split(" ")
        yield (table, source), int(days) if days.isdigit() else None


def declared(table: str, source: str, days: int | None) -> str:
    """The value of the declaration that a source is late after so many days; None: as usual."""
    return f"{table} {source} {'default' if days is None else days}"


def _silent(delivered: set[Key], own: Mapping[Key, object]) -> set[Key]:
    """Required tables of which nothing is known."""
    there = {table for table, _ in [*delivered, *own]}
    return {(table, table) for table in REQUIRED_TABLES if table not in there}


def allowed_days(table: str, own: int | None, limits: Limits) -> int | None:
    """Days without a dump after which a source is late; None: it never is.

    Telemetry is, soon. Of invoices and entitlements there may be no dump where nothing is posted.
    Of optional tables only those are whose source says so.

    Args:
        table: of the lake.
        own: what the sources file says of the source; None: nothing.
        limits: of sources that say nothing.
    """
    if own is not None:
        return own
    if table not in REQUIRED_TABLES:
        return None
    return limits.late_after_days if table in DAILY else limits.posted_late_after_days
