"""How `assets discover` and `assets validate` show a team's files and what breaks the rules."""

from collections.abc import Sequence

from consumption_datamart.cli.options import RowsFormat
from consumption_datamart.cli.rows import write_rows
from consumption_datamart.cli.screen import Screen
from consumption_datamart.discovery import Discovered
from consumption_datamart.discovery.memory import news, remember
from consumption_datamart.governance.rules import Finding, Off

STYLES = {"gone": "dim", "new": "green", "changed": "cyan"}


def write_files(found: Discovered, how: RowsFormat) -> bool:
    """Writes what each file defines and what it is since the last time, and what does not load.

    Returns:
        Whether all load.
    """
    states = news(found)
    by_name = {each.name: each for each in found.files}
    rows = []
    for name in sorted(states):
        file = by_name.get(name)
        problem = file.problem if file else None
        rows.append(
            {
                "file": name,
                "since": states[name],
                "loads": None if file is None else problem is None,
                "assets": file.keys if file else (),
                "line": problem.line if problem else None,
                "problem": problem.told if problem else None,
                "what_to_do": problem.hint if problem else None,
            }
        )
    title = f"{len(found.files)} files in {found.folder}, {len(found.broken)} do not load"
    write_rows(rows, how, title, columns=["file", "since", "assets"], long=["file", "assets"],
               styles=STYLES)  # fmt: skip
    if how is RowsFormat.table:
        screen = Screen()
        for name, why in found.broken.items():
            screen.print(
                f"{name}, {why}" if why.startswith("line") else f"{name}: {why}",
                style="bold red",
                highlight=False,
                soft_wrap=True,
            )
    remember(found)
    return not found.broken


def write_findings(
    found: Sequence[Finding], off: Sequence[Off], count: int, how: RowsFormat
) -> bool:
    """Writes what breaks the rules, and what is turned off.

    Returns:
        Whether nothing does.
    """
    wrong = [each for each in found if not any(one.is_about(each) for one in off)]
    rows = [each._asdict() for each in wrong]
    if how is not RowsFormat.table or rows:
        columns = ["rule", "subject", "told"]
        title = f"{len(rows)} findings in {count} assets"
        write_rows(rows, how, title, columns=columns, long=["subject", "told"])
    if how is RowsFormat.table:
        screen = Screen()
        if not rows:
            screen.print(f"{count} assets keep all rules.")
        for one in off:
            hidden = sum(one.is_about(each) for each in found)
            screen.print(f"Off: {one.rule}, {hidden} findings: {one.reason}", style="dim")
    return not wrong
