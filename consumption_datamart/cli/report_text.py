"""The words of a report on the screen: the answer, and what to act on."""

import re
import textwrap
from collections.abc import Iterator

from consumption_datamart.report import ExecutiveReport
from consumption_datamart.report.amounts import counted
from consumption_datamart.report.verdict import worth
from consumption_datamart.schema.reports import RENEWAL_DAYS

ACTIONS = 10
"""How many of what is to be acted on are shown."""
STUCK = "\N{NO-BREAK SPACE}"
"""Keeps a number and its unit on one line; it is written as a space."""
MOVES = {"up": "moved up", "down": "moved down", "new": "new", "gone": "gone", "other": "other"}
INDENT = 4
Line = tuple[str, str]
"""What a line is about, and what it says."""


def verdict_of(report: ExecutiveReport) -> Iterator[Line]:
    """The answer: how many pairs are in each band, values, what has changed; a line each."""
    found = report.verdict
    if report.only:
        yield "Only", ", ".join(report.only)
    if report.day != report.last_day:
        yield "But", f"values, renewals and what to act on are as of {report.last_day}"
    if found.pairs:
        bands = ", ".join(f"{count:,}{STUCK}{band}" for band, count in found.bands.items() if count)
        pairs = counted(found.pairs, "customer × product pair")
        yield "Bands", f"{pairs} of {counted(found.customers, 'customer')}: {bands}"
    else:
        yield "Bands", "no customer is entitled to anything or uses anything in these 30 days"
    if found.covered is not None:
        rows = counted(found.covered.rows, "commitment")
        yield "Covered", worth(found.covered, found.currency, rows) or "no commitment is in force"
    risks = f"{counted(found.at_risk.rows, 'renewal')} within {RENEWAL_DAYS} days"
    yield "At risk", worth(found.at_risk, found.currency, risks) or "no renewal is"
    if (moved := found.changes) is not None:
        each = [
            f"{getattr(moved, name):,}{STUCK}{words}"
            for name, words in MOVES.items()
            if name != "other" or moved.other
        ]
        yield "Changed", f"in 30 days {', '.join(each)}"


def heading(report: ExecutiveReport) -> str:
    """Of which days the report is, and as of when."""
    as_of = f", as of {report.as_of:%Y-%m-%d %H:%M} UTC" if report.as_of else ""
    return f"Consumption, 30 days to {report.day}{as_of}"


def actions_of(report: ExecutiveReport, width: int) -> Iterator[str]:
    """The first ten to act on, each on one line if all fit, else the reason on a line below."""
    shown = report.actions[:ACTIONS]
    if not shown:
        yield "Nothing is to be acted on."
        return
    more = len(report.actions) - len(shown)
    beyond = f" ({more:,} more)" if more else ""
    yield f"To act on first, by value and urgency on {report.last_day}{beyond}"
    who = [f"{action.customer_name}, {action.product_name}" for action in shown]
    longest = max(map(len, who))
    rows = [f"{name:<{longest}}  {row.reason}" for name, row in zip(who, shown, strict=True)]
    is_wide = max(map(len, rows)) + INDENT <= width
    for number, (name, action, row) in enumerate(zip(who, shown, rows, strict=True), 1):
        yield from wrapped(row if is_wide else name, width, f"{number:>2}  ")
        if not is_wide:
            yield from wrapped(action.reason, width, " " * INDENT)


def wrapped(text: str, width: int, before: str) -> Iterator[str]:
    """A text in lines of a width, the first of which begins with `before`; money is not parted."""
    text = re.sub(r"(?<=\d) (?=[A-Z]{3}\b)", STUCK, text)
    lines = textwrap.wrap(text, width, initial_indent=before, subsequent_indent=" " * len(before))
    yield from (line.replace(STUCK, " ") for line in lines)
