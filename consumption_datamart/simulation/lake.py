"""A lake from nothing but a few numbers."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from .accounts import accounts
from .bundles import bundles
from .currencies import exchange_rates
from .deployments import deployments
from .dirt import Dump, dirty, turns, with_rows
from .entitlements import entitlements
from .files import Format, write
from .invoices import billed, invoice_of_entitlement, invoices
from .lake_file import lake_file
from .market import Market, market
from .posted import Posted
from .snapshots import snapshot_days, unchanging
from .telemetry import telemetry
from .terms import cancellations, terms, upgrades

# streams of random numbers
_MARKET, _SALES, _DEPLOYMENTS, _TELEMETRY, _DIRT, _EXTRAS, _SNAPSHOTS, _SNAPSHOT_DIRT = range(8)


def simulate(
    out: Path,
    *,
    days: int,
    customers: int,
    products: int,
    rows_per_day: int,
    end: date,
    seed: int = 0,
    format: Format = "parquet",
    dirt: float = 0.0,
    extras: bool = True,
    on_day: Callable[[date], None] | None = None,
) -> None:
    """Write the dumps of so many days, the last of them being end, into the folder out.

    Invoices and entitlements come as increments, the first with all that was sold before.
    Telemetry has rows_per_day rows a day. dirt is the share of rows, in addition, that are wrong
    or suspicious; in Parquet none has a value that cannot be read, otherwise the rows are the same
    in both formats. The same arguments make the same files. on_day is called after each day.

    extras are what a lake can do without: bundles, accounts, exchange rates and a lake.toml, and
    entitlements without limit or by periods. Those tables are dumped whole, once a month.
    """
    if min(days, customers, products) < 1 or rows_per_day < 0 or dirt < 0:
        raise ValueError("a lake has at least a day, a customer and a product, and nothing less")
    more = np.random.default_rng([seed, _EXTRAS]) if extras else None
    place = market(np.random.default_rng([seed, _MARKET]), customers, products, days, end, more)
    sold = _sales(np.random.default_rng([seed, _SALES]), place)
    running = deployments(np.random.default_rng([seed, _DEPLOYMENTS]), place)
    in_all = {table: len(posted.day) for table, posted in sold.items()}
    in_all["telemetry"] = rows_per_day * days
    if extras:
        _write_extras(out, place, seed, format, dirt)
    for number in range(days):
        day = place.start + timedelta(number)
        random = np.random.default_rng([seed, _TELEMETRY, day.toordinal()])
        readings = telemetry(random, place, running, rows_per_day, day)
        dumps = [Dump(table, day, sales.on(day), sales.until(day)) for table, sales in sold.items()]
        random = np.random.default_rng([seed, _DIRT, day.toordinal()])
        for dump in [*dumps, Dump("telemetry", day, readings, readings)]:
            numbers = turns(dump.table, dirt, in_all[dump.table], days, number)
            _write(out, random, dump, numbers, format)
        if on_day:
            on_day(day)


def _write(
    out: Path, random: np.random.Generator, dump: Dump, numbers: range, format: Format
) -> None:
    """Write a dump with its dirty rows of these numbers."""
    made = dirty(random, dump, numbers)
    path = out / dump.table / f"{dump.day}.{format}"
    write(path, with_rows(dump, made.rows), made.lines)


def _write_extras(out: Path, place: Market, seed: int, format: Format, dirt: float) -> None:
    random = np.random.default_rng([seed, _SNAPSHOTS])
    tables = {
        "bundles": unchanging(bundles(place.what)),
        "accounts": accounts(random, place),
        "exchange_rates": exchange_rates(random, place.start, place.end),
    }
    days = snapshot_days(place.start, place.end)
    random = np.random.default_rng([seed, _SNAPSHOT_DIRT])
    for number, day in enumerate(days):
        for table, snapshots in tables.items():
            rows = snapshots.on(day)
            numbers = turns(table, dirt, len(rows) * len(days), len(days), number)
            _write(out, random, Dump(table, day, rows, rows), numbers, format)
    (out / "lake.toml").write_text(lake_file(place), encoding="utf-8")


def _sales(random: np.random.Generator, place: Market) -> dict[str, Posted]:
    every = terms(place.subscriptions, place.end)
    better = upgrades(every, place.subscriptions, place.what, place.end)
    ended = cancellations(every, place.subscriptions, place.end)
    lines = billed(place, every, better)
    invoice_of = invoice_of_entitlement(place, lines, len(every))
    rows = np.concatenate([every, better, ended])
    return {
        "invoices": invoices(random, place, lines),
        "entitlements": entitlements(place, rows, invoice_of),
    }
