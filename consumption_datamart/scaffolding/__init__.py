"""Writes a file with a working asset and its test, for a team to change."""

import re
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from string import Template

from consumption_datamart.errors import DatamartError

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*")
OWNER = re.compile(r"team:[^\s\"'\\]+|[^\s\"'\\@]+@[^\s\"'\\@]+\.[^\s\"'\\@]+")
"""What Dagster takes for an owner, without what would end the text that it is written into."""
PREFIXES = {
    "ingestion": "ingest",
    "loader": "load",
    "transformation": "make",
    "report": "report",
}
"""Kind → how its files begin, so that they are called like no library."""


def write_new(
    kind: str,
    name: str,
    folder: Path,
    of: str | None,
    owner: str,
    tables: Collection[str] | None = None,
) -> list[Path]:
    """Writes an asset's file and its test; what is there is never written over.

    Args:
        kind: of `PREFIXES`.
        name: of the asset, without schema.
        folder: the team's; it is made where it is not there.
        of: the ingestion that a loader loads (by default that of its own name), or the table, with
            a column `customer_id`, that a transformation or a report is made of.
        owner: who answers for it.
        tables: of the mart, of which `of` must be one if it is none of the team's; None: any.

    Raises:
        DatamartError: a name or an owner that cannot be one, a file that is there or cannot be
            written, or what it is to be made of is missing.
    """
    for each in [name, *([of] if of else [])]:
        if not NAME.fullmatch(each):
            raise DatamartError(f"{each!r}: write a name in lower case, such as open_tickets")
    if not OWNER.fullmatch(owner):
        raise DatamartError(
            f"--owner {owner!r}: write team:NAME, such as team:support, or an e-mail address"
        )
    if tables is not None and of not in tables and not any(folder.glob(f"*_{of}.py")):
        raise DatamartError(
            f"--of {of}: name a table of mart with a column customer_id, or one of {folder}; those"
            f" of mart are {', '.join(sorted(tables))}"
        )
    stem = f"{PREFIXES[kind]}_{name}"
    of = of or (name if kind == "loader" else "dim_entitlement")
    if kind == "loader" and not (folder / f"ingest_{of}.py").exists():
        raise DatamartError(
            f"{folder}: there is no ingest_{of}.py for it to load; write one by"
            f" `assets new ingestion {of}`, or name another by --of"
        )
    if kind == "report" and name.startswith("report_"):
        raise DatamartError(f"{name!r}: leave out report_, which is put before it")
    table = f"report_{name}" if kind == "report" else name
    values = {
        "stem": stem,
        "name": name,
        "table": table,
        "model": "".join(part.capitalize() for part in table.split("_")),
        "of": of,
        "owner": owner,
    }
    wanted = {folder / f"{stem}.py": f"{kind}.txt", folder / f"test_{stem}.py": f"test_{kind}.txt"}
    if there := [path for path in wanted if path.exists()]:
        raise DatamartError(f"{there[0]}: it is there already; take another name, or remove it")
    templates = files(__name__) / "templates"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, template in wanted.items():
            path.write_text(Template((templates / template).read_text()).substitute(values))
    except OSError as error:
        raise DatamartError(f"{folder}: cannot be written to: {error}; name another") from error
    return list(wanted)
