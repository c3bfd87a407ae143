"""How the commands `assets show` and `assets lineage` show one asset."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.tree import Tree

from consumption_datamart.cli.assets import STYLES, numbers_of, spark
from consumption_datamart.cli.options import Format
from consumption_datamart.cli.rows import NOTHING, moment, plain_table, write_json
from consumption_datamart.cli.screen import Screen
from consumption_datamart.cli.versions import as_json, last_change
from consumption_datamart.governance import Asset, ToldVersion, View

DEEP = 50
"""Levels of a tree that has no limit of its own."""


def write_asset(view: View, asset: Asset, versions: Sequence[ToldVersion], how: Format) -> None:
    """Writes all that is known of an asset."""
    evidence, health = view.evidence[asset.key], view.health[asset.key]
    if how is Format.json:
        write_json(
            asdict(asset)
            | {"fresh_within": asset.fresh_within and asset.fresh_within.total_seconds()}
            | {"health": asdict(health), "evidence": asdict(evidence)}
            | {"versions": as_json(versions)}
        )
        return
    screen = Screen()
    screen.print(asset.key, style="bold")
    screen.print(asset.description or "(no description)")
    screen.print(health.state, style=STYLES.get(health.state, "green"))
    for why in health.why:
        screen.print(f"  {why}", style=STYLES.get(health.state), highlight=False)
    grid = Table.grid(padding=(0, 2, 0, 0))
    changed = {"columns": last_change(versions)} if versions else {}
    for name, text in {**_properties(asset, view), **changed}.items():
        grid.add_row(name, text)
    screen.print(grid)
    if asset.columns:
        table = _table(f"{len(asset.columns)} columns", ["column", "type"], ["meaning"])
        for column in asset.columns:
            table.add_row(column.name, column.type, column.meaning or NOTHING)
        screen.print(table)
    _write_checks(view, asset, screen)
    made = evidence.made
    if made:
        screen.print(f"\nLast {len(made)} materializations, until {moment(made[-1].at)} UTC")
        for name in ("rows", "seconds"):
            numbers = numbers_of(made, name)
            last = f"{numbers[-1]:,.2f}".removesuffix(".00") if numbers else NOTHING
            screen.print(f"  {name:<8}{spark(made, name)}  last {last}", highlight=False)
    for alert in evidence.alerts:
        screen.print(f"Alert  {alert}", style="yellow", highlight=False)


def _properties(asset: Asset, view: View) -> Mapping[str, str]:
    last, evidence = view.evidence[asset.key].last, view.evidence[asset.key]
    fresh = asset.fresh_within
    found = {
        "group": asset.group,
        "owners": ", ".join(asset.owners) or "nobody",
        "kinds": ", ".join(asset.kinds),
        "tags": ", ".join(f"{name}={text}" for name, text in asset.tags.items()),
        "grain": asset.grain,
        "made of": ", ".join(asset.upstream),
        "used by": ", ".join(asset.downstream),
        "policy": asset.policy or ("observed" if asset.is_source else "manual"),
        "fresh": f"within {fresh.total_seconds() / 3600:g} hours" if fresh else "",
        "made at": f"{moment(last.at)} UTC" if last else "",
        "last dump": str(evidence.last_day) if evidence.last_day else "",
        "awaits": f"{evidence.awaiting:,} partitions" if evidence.awaiting else "",
    }
    return {name: text for name, text in found.items() if text}


def _write_checks(view: View, asset: Asset, screen: Screen) -> None:
    if not asset.checks:
        return
    checks = view.evidence[asset.key].checks
    table = _table(f"{len(asset.checks)} checks", ["check", "last", "at (UTC)"], ["what is wrong"])
    for name in asset.checks:
        state = checks.get(name)
        if state is None:
            table.add_row(name, "never", NOTHING, "")
            continue
        word = "passed" if state.passed else "failed" if state.is_blocking else "warned"
        style = {"failed": "bold red", "warned": "yellow"}.get(word)
        table.add_row(name, word, moment(state.at), state.told, style=style)
    screen.print(table)


def write_lineage(
    view: View,
    asset: Asset,
    how: Format,
    depth: int | None,
    columns: Mapping[str, Sequence[tuple[str, str]]],
) -> None:
    """Writes what an asset is made of and what is made of it, and what each column is made of.

    Args:
        view: of all assets.
        asset: the one.
        how: the format.
        depth: levels of the trees; None: all.
        columns: of the asset: keys and columns of other assets that each is made of.
    """
    levels = depth or DEEP
    if how is Format.json:
        write_json(
            {
                "key": asset.key,
                "upstream": _nested(view, asset.key, "upstream", levels),
                "downstream": _nested(view, asset.key, "downstream", levels),
                "columns": {
                    name: [{"key": key, "column": column} for key, column in made_of]
                    for name, made_of in columns.items()
                },
            }
        )
        return
    screen = Screen()
    for direction, title in (("upstream", "is made of"), ("downstream", "is used by")):
        tree = Tree(f"{asset.key} {title}", highlight=False)
        seen: set[str] = set()
        _grow(tree, view, asset.key, direction, levels, seen)
        screen.print(tree)
        if not tree.children:
            screen.print("  nothing that is known here")
    if columns:
        table = _table("Columns", ["column"], ["is made of"])
        for name, made_of in columns.items():
            table.add_row(name, ", ".join(f"{key}.{column}" for key, column in made_of) or NOTHING)
        screen.print(table)


def _grow(tree: Tree, view: View, key: str, direction: str, levels: int, seen: set[str]) -> None:
    """Adds what is next to an asset; what is there already is not told again."""
    for each in getattr(view.all[key], direction) if levels else ():
        health = view.health.get(each)
        is_known = each in seen
        more = " …" if is_known and each in view.all and getattr(view.all[each], direction) else ""
        state = f" ({health.state})" if health and health.state in ("failing", "degraded") else ""
        branch = tree.add(f"{each}{state}{more}", style=STYLES.get(health.state) if health else "")
        if not is_known and each in view.all:
            seen.add(each)
            _grow(branch, view, each, direction, levels - 1, seen)


def _nested(view: View, key: str, direction: str, levels: int) -> dict[str, Any]:
    if not levels or key not in view.all:
        return {}
    return {
        each: _nested(view, each, direction, levels - 1)
        for each in getattr(view.all[key], direction)
    }


def _table(title: str, short: Sequence[str], long: Sequence[str]) -> Any:
    table = plain_table(title)
    for name in [*short, *long]:
        table.add_column(name, no_wrap=name in short and name != "column", overflow="fold")
    return table
