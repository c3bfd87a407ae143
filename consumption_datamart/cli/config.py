"""What `config` shows."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import SecretStr
from rich import box
from rich.table import Table

from consumption_datamart.cli.screen import Screen
from consumption_datamart.errors import masked
from consumption_datamart.settings import Settings, origins

if TYPE_CHECKING:
    from consumption_datamart.preflight import Finding

Row = dict[str, object]


def rows(settings: Settings, given: Collection[str]) -> list[Row]:
    """Setting, value, where it comes from and what it is, a row each.

    Args:
        settings: as they are.
        given: names of those that the command was given.
    """
    found = {**origins(), **dict.fromkeys(given, "the command")}
    return [
        {
            "setting": name,
            "value": _masked(getattr(settings, name)),
            "from": found[name],
            "description": " ".join((field.description or "").split()),
        }
        for name, field in Settings.model_fields.items()
    ]


def write(found: Sequence[Row]) -> None:
    """Writes them to stdout; what is not the default stands out."""
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    for name in ("setting", "value", "from"):
        table.add_column(name, no_wrap=name == "setting", overflow="fold")
    for row in found:
        value = "" if row["value"] is None else str(row["value"])
        is_default = row["from"] == "default"
        table.add_row(
            str(row["setting"]), value, str(row["from"]), style=None if is_default else "bold"
        )
    Screen().print(table)


def write_findings(found: Iterable["Finding"]) -> int:
    """Writes to stdout what is well, and to stderr what is wrong.

    Returns:
        The exit code: 1 where something is wrong.
    """
    code = 0
    for each in found:
        screen = Screen(stderr=not each.is_well, highlight=False, soft_wrap=True)
        if each.is_well:
            screen.print(f"{each.subject}: {each.told}")
        else:
            code = 1
            screen.print(f"Wrong: {each.subject}: {each.told}", style="red")
    return code


def _masked(value: object) -> object:
    """As it may be shown, and as JSON has it."""
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, str):
        return masked(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)
