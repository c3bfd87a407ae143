"""What `check-lake` shows: sources, their days and rows, and the files that nobody takes."""

from rich import box
from rich.table import Table

from consumption_datamart.cli.screen import Screen
from consumption_datamart.lake.checking import LakeCheck, SourceCheck
from consumption_datamart.report.amounts import counted

WIDEST = 500
NAMED = 10
"""So many ignored files, gaps and so on are named where there are many."""


def write(found: LakeCheck, quarantined_share: float) -> int:
    """Writes it to stdout, and to stderr what is wrong.

    Args:
        found: of the lake.
        quarantined_share: share of rows set aside that is still normal.

    Returns:
        The exit code: 1 where something is wrong.
    """
    out = Screen(highlight=False, soft_wrap=True)
    for each in found.sources:
        _write_source(out, each)
    if found.ignored:
        out.print("\nTaken by no source", style="bold", end="")
        out.print(f": {counted(len(found.ignored), 'file')}")
        for name, reason in list(found.ignored.items())[:NAMED]:
            out.print(f"  {name}: {reason}")
        if more := len(found.ignored) - NAMED:
            out.print(f"  and {more:,} more" if more > 0 else "")
    for name in found.future[:NAMED]:
        out.print(f"Not taken: {name} is of a day after tomorrow")
    problems = found.problems(quarantined_share)
    for problem in problems:
        Screen(stderr=True, highlight=False, soft_wrap=True).print(f"Wrong: {problem}", style="red")
    if not problems:
        out.print("\nAll files are taken, and can be read.")
    return 1 if problems else 0


def _write_source(out: Screen, each: SourceCheck) -> None:
    pattern = f": {each.source.entry.files}" if each.source.entry else ""
    out.print(f"\n{each.source.label}", style="bold", end="")
    out.print(pattern)
    if not each.days:
        out.print("  no files")
        return
    gaps = [str(days) for days in each.gaps]
    more = f" and {len(gaps) - NAMED} more" if len(gaps) > NAMED else ""
    without = f"; none of {', '.join(gaps[:NAMED])}{more}" if gaps else ", without gaps"
    files = counted(each.files, "file")
    out.print(f"  {files} of {each.days[0]} … {each.days[-1]}{without}")
    fates = ", ".join(f"{number:,} {fate}" for fate, number in each.fates.items())
    out.print(f"  rows of the last dumps: {fates or 'none'}")
    for reason, (number, example) in each.reasons.items():
        out.print(f"  {reason}: {number:,}, e.g. {example}")
    if len(each.rows):
        # a row stays a line, however wide it is
        Screen(highlight=False, width=WIDEST).print(_table(each))


def _table(each: SourceCheck) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    types = each.source.contract.ibis_schema()
    for name in types:
        table.add_column(name, no_wrap=True)
    for row in each.rows[list(types)].to_dict("records"):
        values = (
            str(value)[:10] if types[name].is_date() else value for name, value in row.items()
        )
        table.add_row(*("" if value is None else str(value) for value in values))
    return table
