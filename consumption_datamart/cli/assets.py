"""How the commands `assets …` show many assets at once."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from consumption_datamart.cli.options import RowsFormat
from consumption_datamart.cli.rows import write_json, write_rows
from consumption_datamart.cli.screen import Screen
from consumption_datamart.cli.trends import BLOCKS, SIGNS, sparkline
from consumption_datamart.governance import FAILING, STATES, Asset, Made, View
from consumption_datamart.governance.assets import NOBODY

STYLES = {"failing": "bold red", "degraded": "yellow", "unknown": "dim"}
BY: Mapping[str, Callable[[Asset], Sequence[str]]] = {
    "group": lambda asset: (asset.group,),
    "kind": lambda asset: asset.kinds or ("(none)",),
    "owner": lambda asset: asset.grouped_owners,
    "grain": lambda asset: (asset.grain,),
}
"""What assets are counted by; one of several kinds or owners counts for each."""


def write_list(view: View, how: RowsFormat) -> None:
    """Writes a line for each asset."""
    rows = [
        {
            "key": asset.key,
            "group": asset.group,
            "kinds": asset.kinds,
            "owners": asset.owners,
            "grain": asset.grain,
            "policy": asset.policy,
            "checks": len(asset.checks),
            "columns": len(asset.columns),
            "description": asset.description,
        }
        for asset in view.assets.values()
    ]
    columns = ["key", "group", "owners", "grain", "policy", "checks"]
    write_rows(rows, how, f"{len(rows)} assets", columns=columns, long=["key", "owners", "policy"])


def write_health(view: View, how: RowsFormat) -> bool:
    """Writes how each asset is, the worst first.

    Returns:
        Whether it is known of any, and none fails.
    """
    order = [FAILING, "degraded", "unknown", "healthy"]
    keys = sorted(view.assets, key=lambda key: (order.index(view.health[key].state), key))
    rows = [_health(view, key) for key in keys]
    counts = Counter(row["state"] for row in rows)
    if how is not RowsFormat.table:
        write_rows(rows, how, "", columns=["key", "state", "why"])
    else:
        unwell = [row for row in rows if row["state"] != "healthy"]
        told = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
        columns = ["key", "state", "made_at", "why"]
        title = f"{len(rows)} assets: {told}"
        if unwell:
            write_rows(unwell, how, title, columns=columns, long=["key", "why"], styles=STYLES)
        else:
            Screen().print(title)
    return not counts[FAILING] and counts["unknown"] < len(rows)


def write_owners(view: View, how: RowsFormat) -> None:
    """Writes a line for each owner: how many assets, and how they are; last what has none."""
    by_owner: dict[str, Counter[str]] = {}
    for asset in view.assets.values():
        for owner in asset.grouped_owners:
            by_owner.setdefault(owner, Counter())[view.health[asset.key].state] += 1
    rows = [
        {"owner": owner, "assets": counts.total(), **{state: counts[state] for state in STATES}}
        for owner, counts in sorted(by_owner.items(), key=lambda each: (each[0] == NOBODY, each[0]))
    ]
    columns = ["owner", "assets", *STATES]
    write_rows(rows, how, "Owners", columns=columns, long=["owner"], styles={NOBODY: "yellow"})
    nobody = [asset.key for asset in view.assets.values() if not asset.owners]
    if nobody and how is RowsFormat.table:
        Screen().print(f"Without an owner: {', '.join(nobody)}", style="yellow")


def write_inventory(view: View, how: RowsFormat, by: str | None) -> None:
    """Writes how many assets there are of each group, kind, owner and grain, or of one of these."""
    rows = list(_counted(view, [by] if by else list(BY)))
    title = f"{len(view.assets)} assets"
    write_rows(rows, how, title, columns=["by", "name", "assets", "checks"], long=["name"])


def _counted(view: View, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for by in names:
        groups: dict[str, list[Asset]] = {}
        for asset in view.assets.values():
            for name in BY[by](asset):
                groups.setdefault(name, []).append(asset)
        for name, own in sorted(groups.items(), key=lambda each: (-len(each[1]), each[0])):
            checks = sum(len(asset.checks) for asset in own)
            yield {"by": by, "name": name, "assets": len(own), "checks": checks}


def write_history(view: View, key: str, how: RowsFormat) -> None:
    """Writes the materializations of an asset, the earliest first, and where they are heading."""
    made = view.evidence[key].made
    rows = [
        {"made_at": each.at, "days": each.days, "rows": each.rows, "seconds": each.seconds}
        for each in made
    ]
    if how is RowsFormat.json:
        write_json({"key": key, "trend": dict(trends(made)), "made": rows})
        return
    columns = ["made_at", "days", "rows", "seconds"]
    write_rows(rows, how, f"{key}, materializations (UTC)", columns=columns)
    if how is RowsFormat.table:
        screen = Screen()
        for name, told in trends(made).items():
            line = spark(made, name)
            screen.print(f"{name:<8}{line}  {told}", highlight=False)


def trends(made: Sequence[Made]) -> Mapping[str, str]:
    """Where rows and seconds are heading: the median of the later half against the earlier."""
    found = {}
    for name in ("rows", "seconds"):
        numbers = numbers_of(made, name)
        if len(numbers) < 6:
            found[name] = "too few materializations for a trend"
            continue
        half = len(numbers) // 2
        before, after = median(numbers[:half]), median(numbers[half:])
        change = f"{after / before - 1:+.0%}" if before else "from nothing"
        found[name] = (
            f"median of the last {len(numbers) - half}: {after:,.2f}, {change} against the"
        )
        found[name] += f" {half} before"
    return found


def numbers_of(made: Sequence[Made], name: str) -> list[float]:
    """The rows, or the seconds, of those materializations of which they are known."""
    return [float(n) for each in made if (n := getattr(each, name)) is not None]


def spark(made: Sequence[Made], name: str, most: int = 30) -> str:
    """Rows or seconds of the last materializations as blocks."""
    signs = SIGNS if Screen().options.ascii_only else BLOCKS
    return sparkline(numbers_of(made, name)[-most:], signs)


def _health(view: View, key: str) -> dict[str, Any]:
    asset, health, evidence = view.assets[key], view.health[key], view.evidence[key]
    last = evidence.last
    return {
        "key": key,
        "state": health.state,
        "why": "; ".join(health.why) or None,
        "made_at": last.at if last else None,
        "rows": last.rows if last else None,
        "seconds": last.seconds if last else None,
        "owners": asset.owners,
        "group": asset.group,
        "table": asset.table,
    }
