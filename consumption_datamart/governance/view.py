"""Definitions and what is known of them, put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import dagster as dg

from consumption_datamart.checks.figures import compared
from consumption_datamart.discovery.found import specs_of
from consumption_datamart.errors import DatamartError, WarehouseError
from consumption_datamart.governance.assets import Asset, assets_of, selected
from consumption_datamart.governance.evidence import Evidence
from consumption_datamart.governance.health import Health, healths
from consumption_datamart.governance.of_dagster import instance_of, made_of, read_instance
from consumption_datamart.governance.of_mart import OfMart, read_mart
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, warehouse_of

PATIENCE = 3.0
"""Seconds to wait for a process that is writing to the warehouse."""


@dataclass(frozen=True)
class View:
    """What is known of the assets that were selected.

    Attributes:
        assets: that were selected, by key.
        all: all of the code location, by key.
        evidence: of all, by key; empty where nobody asked for it.
        health: of all, by key; likewise.
        gaps: what cannot be known, and what to do about it, a sentence each.
    """

    assets: Mapping[str, Asset]
    all: Mapping[str, Asset]
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    health: Mapping[str, Health] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()

    def require(self, key: str) -> Asset:
        """The asset of a key; a table's name alone will do where it is the only one.

        Raises:
            DatamartError: there is none, or there are several.
        """
        if key in self.all:
            return self.all[key]
        named = [each for each in self.all if each.split("/")[-1] == key]
        if len(named) == 1:
            return self.all[named[0]]
        if named:
            raise DatamartError(f"asset {key!r}: several are called so: {', '.join(named)}")
        near = [each for each in self.all if key.lower() in each.lower()]
        hint = f"did you mean {near[0]}?" if near else "`assets list` names all"
        raise DatamartError(f"asset {key!r}: there is none; {hint}")


def defined(definitions: dg.Definitions, selection: str | None = None) -> View:
    """The assets that are defined, without what is known of them.

    Raises:
        DatamartError: the selection cannot be read, or names none.
    """
    everything = assets_of(definitions)
    chosen = set(everything) if selection is None else selected(definitions, selection)
    return View({k: v for k, v in everything.items() if k in chosen}, everything)


def keys_defined(definitions: dg.Definitions) -> set[str]:
    """Keys of the assets that somebody defines; others are only named as what one is made of."""
    return {spec.key.to_user_string() for spec in specs_of(definitions)}


def look(
    view: View,
    settings: Settings,
    only: str | None = None,
    last: int = 1,
    now: datetime | None = None,
) -> View:
    """The same, with what the mart and Dagster's instance know of them.

    Args:
        view: of what is defined.
        settings: of the warehouse and the instance.
        only: key of the one asset whose materializations are wanted, and which others may lack.
        last: how many of them.
        now: in UTC, without a time zone; by default the clock's.

    Raises:
        WarehouseError: the warehouse cannot be opened.
        DatamartError: Dagster's instance cannot be opened.
    """
    warehouse, gaps = warehouse_of(settings), []
    table = view.all[only].table if only else None
    try:
        # what has failed is not released
        mart, odd = _read(warehouse.waiting_at_most(PATIENCE), settings, table, last, now)
    except WarehouseError:
        mart, odd = _read(warehouse.released(), settings, table, last, now)
        gaps.append(
            "another process is writing to the warehouse: this is as of the last release, and what"
            " has failed since is not known"
        )
    known = {key: _of_mart(asset, mart, odd) for key, asset in view.all.items()}
    if not warehouse.is_there():
        gaps.append(f"the mart {warehouse.url} is not built; run consumption-datamart build")
    with instance_of(settings) as instance:
        if instance is None:
            gaps.append(
                "DAGSTER_HOME is not set, so nothing is known of Dagster's runs, of its checks and"
                " freshness, and of assets that are no tables of the mart"
            )
        else:
            told = read_instance(instance, view.all)
            if only and table is None:
                told[only] = replace(told[only], made=made_of(instance, only, last))
            known = {key: known[key].and_of(told[key]) for key in known}
    now = now or datetime.now(UTC).replace(tzinfo=None)
    return replace(view, evidence=known, health=healths(view.all, known, now), gaps=tuple(gaps))


def _read(
    warehouse: Warehouse, settings: Settings, table: str | None, last: int, now: datetime | None
) -> tuple[OfMart, Mapping[str, Sequence[str]]]:
    """What the mart tells, with the last materializations of one table, and what is unusual."""
    mart = read_mart(warehouse)
    if table is not None:
        made = read_mart(warehouse, table, last).tables.get(table, Evidence()).made
        own = mart.tables.get(table, Evidence())
        mart = replace(mart, tables={**mart.tables, table: replace(own, made=made)})
    return mart, unusual(warehouse, settings, now)


def unusual(
    warehouse: Warehouse, settings: Settings, now: datetime | None
) -> Mapping[str, Sequence[str]]:
    """What is unusual of tables now, by full name."""
    found: dict[str, list[str]] = {}
    for each in compared(warehouse, settings, now) or []:
        if each.told:
            found.setdefault(each.table, []).append(each.told)
    return found


def _of_mart(asset: Asset, mart: OfMart, odd: Mapping[str, Sequence[str]]) -> Evidence:
    path = asset.key.split("/")
    found = mart.tables.get(asset.table or "", Evidence())
    if asset.is_broken_file:
        return replace(found, failure=asset.description)
    found = replace(found, odd=odd.get(asset.table or "", ()))
    alerts = tuple(told for (_, subject), told in mart.open.items() if _is_about(subject, asset))
    if asset.is_source and len(path) > 1:
        # a source without a name of its own is called like its table
        day = mart.sources.get((path[1], path[-1]))
        return replace(found, last_day=day, alerts=alerts)
    return replace(found, alerts=alerts)


def _is_about(subject: str, asset: Asset) -> bool:
    names = {asset.key, asset.table or asset.key}
    if asset.is_source:
        names.add(" ".join(asset.key.split("/")[1:]))
    return any(subject == name or subject.startswith((f"{name}:", f"{name} ")) for name in names)
