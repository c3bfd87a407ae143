"""What `ingest` shows."""

from datetime import date

from consumption_datamart.cli.screen import Screen
from consumption_datamart.errors import DatamartError, LakeError
from consumption_datamart.ingest import ingests
from consumption_datamart.ingest.running import due, ingest, today
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.sources_file import FILE
from consumption_datamart.schema.days import Days


def write(
    lake: Lake, name: str | None, first: date | None, last: date | None, *, accept_changes: bool
) -> int:
    """Reads days of queries, and says what became of each.

    Args:
        lake: where their dumps are.
        name: of one query; None: all.
        first: day; None: those that are due.
        last: day; None: only the first.
        accept_changes: whether changed columns are taken.

    Returns:
        The exit code: 1 where a day could not be read.

    Raises:
        LakeError: there is no such query, or the lake cannot be listed.
    """
    where, known = lake.sources_file or FILE, ingests(lake)
    chosen = [one for one in known if name in (None, one.name)]
    if not chosen:
        named = f"; there are {', '.join(one.name for one in known)}" if known else ""
        told = f"there is no [[ingest]] {name or ''}".rstrip()
        raise LakeError(f"lake {lake.uri}: {where}: {told}{named}; see docs/ingest.md")
    asked = last or first
    for one in chosen:
        if asked and asked > today(one):
            raise LakeError(
                f"ingest {one.name}: {asked} is not there yet; ask for days until today"
            )
    screen, wrong = Screen(highlight=False), Screen(stderr=True, highlight=False, soft_wrap=True)
    code = 0
    for one in chosen:
        days = list(Days(first, asked or first).each()) if first else due(lake, one)
        for day in days:
            try:
                done = ingest(lake, one, day, accept_changes=accept_changes)
            except DatamartError as error:
                wrong.print(f"Wrong: {error}", style="red", markup=False)
                code = 1
                if getattr(error, "may_pass", False):
                    break
                continue
            state = "" if done.is_new else ", as it was"
            told = f"{one.name} {day}: {done.rows:,} rows, {done.file}{state}"
            screen.print(told, markup=False, soft_wrap=True)
            for change in done.changes:
                wrong.print(f"Changed: {one.name}: {change}", style="yellow", markup=False)
        if not days:
            screen.print(f"{one.name}: nothing is due", markup=False)
    return code
