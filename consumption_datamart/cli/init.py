"""What `init` writes and says."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from consumption_datamart.cli.screen import Screen
from consumption_datamart.errors import LakeError
from consumption_datamart.guessing import Proposal, propose
from consumption_datamart.lake.sources_file import FILE


def init(folder: Path, *, force: bool, stdout: bool) -> None:
    """Proposes a `lake.toml` for a folder, writes it there, and says what is open.

    Args:
        folder: of the company.
        force: whether to overwrite a file that is there.
        stdout: whether to print the text instead; all else is then said on stderr.

    Raises:
        LakeError: the folder cannot be read or written to, or has a `lake.toml`.
    """
    target = folder / FILE
    if target.exists() and not (force or stdout):
        raise LakeError(f"{target} is there already; --force overwrites it, --stdout only prints")
    proposal = propose(folder)
    console = Screen(stderr=stdout)
    _show(proposal, console)
    if proposal.text is None:
        console.print(f"The folder is as the mart wants it: it needs no {FILE}.", highlight=False)
        return
    if stdout:
        sys.stdout.write(proposal.text)
        return
    try:
        target.write_text(proposal.text, encoding="utf-8")
    except OSError as error:
        raise LakeError(f"{target}: cannot be written: {error}") from error
    console.print(f"Wrote {target}. Look at it before you build.", highlight=False, soft_wrap=True)


def _show(proposal: Proposal, console: Screen) -> None:
    if proposal.found:
        console.print(_table("Found", ("source", "lake table", "files", ""), proposal.found))
    if proposal.open:
        console.print(_table("To be decided or looked at", ("source", "what"), proposal.open))


def _table(title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
