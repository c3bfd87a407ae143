"""What commands show of names that are no mere words, and of options that cannot be read."""

import io

import pytest
from rich.table import Table

from consumption_datamart.cli.report_table import one_line
from consumption_datamart.cli.screen import UNSHOWN, Screen
from consumption_datamart_tests import cli


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[/] is no [red]markup[/red]", "[/] is no [red]markup[/red]"),
        (":smile: [link=x]", ":smile: [link=x]"),
        (
            "\x1b[31mred \x07 \x9b2J \u202eback",
            f"{UNSHOWN}[31mred {UNSHOWN} {UNSHOWN}2J {UNSHOWN}back",
        ),
    ],
)
def test_a_name_is_neither_markup_nor_an_order(name: str, shown: str) -> None:
    out = io.StringIO()
    screen = Screen(file=out, width=80)
    table = Table(name, title=name)
    table.add_row(name)
    screen.print(name)
    screen.print(table)
    assert out.getvalue().count(shown) == 4
    assert name == shown or name not in out.getvalue()


def test_a_name_of_several_lines_is_one() -> None:
    assert one_line("Acme\r\n  Ltd\t") == "Acme Ltd"


@pytest.mark.parametrize("option", ["--day", "--compare"])
def test_how_a_day_is_written_is_told(option: str) -> None:
    ended = cli.run("report", option, "30.9.2026")
    assert (ended.code, ended.out) == (2, "")
    assert f"Error: Invalid value for '{option}': '30.9.2026' is no day" in ended.err
