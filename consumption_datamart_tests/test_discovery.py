"""A team's folder: what it defines is loaded beside the mart, and no file takes another down."""

import csv
import io
import json
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from consumption_datamart.alerts.config import AlertSettings
from consumption_datamart.alerts.evaluation import Watched, evaluate
from consumption_datamart.definitions import build_definitions
from consumption_datamart.discovery import Discovered, code_location_of
from consumption_datamart.discovery.found import specs_of
from consumption_datamart.governance import Asset, Column
from consumption_datamart.governance.rules import LOADS, RULES, findings
from consumption_datamart.lineage import Defined, defined_by
from consumption_datamart.schema.monitoring import Figure
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests import cli

HEAD = "import dagster as dg\nimport pandas as pd\n"
MODEL = """
from consumption_datamart.automation import eager
from consumption_datamart.schema.table import Field, MartTable
from consumption_datamart.schema.types import Integer, Text

class Tickets(MartTable):
    \"\"\"Open tickets of a customer.\"\"\"
    customer_id: Text
    open_tickets: Integer = Field(ge=0, description="How many are open.")
"""
GOOD = {
    "tickets.py": HEAD
    + MODEL
    + """
@dg.asset(key=["mart", "tickets"], owners=["team:support"])
def tickets() -> pd.DataFrame:
    return pd.DataFrame({"customer_id": ["CUST-1"], "open_tickets": [3]})
""",
    "a_letter.py": HEAD
    + """
from tickets import tickets

@dg.asset(key=["team", "letter"], deps=[tickets])
def letter() -> None: ...

@dg.asset_check(asset=letter)
def fine() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)

nightly = dg.ScheduleDefinition("nightly", cron_schedule="0 3 * * *", target=[letter])
""",
    "sub/lazy.py": HEAD
    + """
@dg.asset(key=["team", "given"])
def given() -> None: ...

@dg.asset(key=["team", "beside"])
def beside() -> None: ...

@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(assets=[given], resources={"own": 1})
""",
    "comp/thing.py": """import dagster as dg

class Thing(dg.Component, dg.Model, dg.Resolvable):
    name: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(assets=[dg.AssetSpec(["team", self.name])])
""",
    "comp/defs.yaml": "type: comp.thing.Thing\nattributes:\n  name: made\n",
    "_hidden.py": "1/0\n",
    "test_it.py": "1/0\n",
}
BAD = {
    "syntax.py": ("x = 1\ndef (:\n", r"^line 2: invalid syntax: def \(:; mend it"),
    "missing.py": ("import dagster\nimport no_such_lib\n", "^line 2: .*; install no_such_lib"),
    "divides.py": ("\n\n1/0\n", "^line 3: ZeroDivisionError"),
    "ends.py": ("import sys\nsys.exit(3)\n", "^line 2: SystemExit: 3; leave out what ends"),
    "json.py": ("", "^there is a module 'json' already"),
    "odd-name.py": ("", "'odd-name' is no name that Python can import"),
    "taken.py": (
        HEAD + "@dg.asset(key=['mart', 'dim_day'])\ndef d() -> None: ...\n",
        "^asset mart/dim_day: the mart has one of that name",
    ),
    "twice.py": (
        HEAD + "@dg.asset(key=['team', 'given'])\ndef d() -> None: ...\n",
        "^asset team/given: sub/lazy.py has one of that name",
    ),
    "resources.py": (
        HEAD + "defs = dg.Definitions(resources={'warehouse': 1})\n",
        "^resource warehouse: the mart has one",
    ),
    "loop.py": (
        HEAD + "@dg.asset(deps=['two'])\ndef one() -> None: ...\n"
        "@dg.asset(deps=[one])\ndef two() -> None: ...\n",
        "^assets are made of each other: .*one",
    ),
    "needs.py": (
        HEAD + "@dg.asset(required_resource_keys={'no'})\ndef needs() -> None: ...\n",
        "^DagsterInvalidDefinitionError: resource with key 'no'",
    ),
    "meaning.py": (
        HEAD + MODEL.replace(', description="How many are open."', "").replace("Tick", "Other"),
        "Otherets.open_tickets; describe it by Field",
    ),
    "unmade.py": (HEAD + MODEL.replace("Tick", "Un"), "model Unets: no asset here has the key"),
    "waits.py": (
        HEAD + MODEL.split("class", maxsplit=1)[0] + "@dg.asset(automation_condition=eager())\n"
        "def waits() -> None: ...\n",
        "asset waits: its policy asks the mart's planner, which knows only tables with a model",
    ),
    "bad/defs.yaml": (
        "type: comp.thing.Thing\nattributes:\n  nam: x\n",
        r"line \d: ValidationError.*attributes.name",
    ),
    "worse/defs.yaml": ("type: [\n", r"line 2: ParserError"),
}


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files, and the folders that they are in."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def located(folder: Path) -> tuple[dg.Definitions, Discovered]:
    """The code location with this folder."""
    settings = Settings(lake=str(folder / "_lake"), team_assets=str(folder))
    definitions, found = code_location_of(settings, build_definitions)
    assert found is not None
    return definitions, found


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good and broken files."""
    folder = tmp_path_factory.mktemp("team")
    write(folder, GOOD | {name: text for name, (text, _) in BAD.items()})
    return folder


@pytest.fixture(scope="module")
def location(team: Path) -> tuple[dg.Definitions, Discovered]:
    """The code location with it."""
    return located(team)


def test_good_files_are_loaded_beside_broken_ones(
    location: tuple[dg.Definitions, Discovered],
) -> None:
    definitions, found = location
    assert {name: each.keys for each in found.good if (name := each.name) and each.keys} == {
        "a_letter.py": ("team/letter",),
        "comp/defs.yaml": ("team/made",),
        "sub/lazy.py": ("team/beside", "team/given"),
        "tickets.py": ("mart/tickets",),
    }
    dg.Definitions.validate_loadable(definitions)
    specs = {spec.key.to_user_string(): spec for spec in specs_of(definitions)}
    assert {"mart/tickets", "team/letter", "team/beside", "team/made", "mart/dim_day"} <= {*specs}
    assert "dagster/column_schema" in specs["mart/tickets"].metadata
    assert definitions.resolve_schedule_def("nightly")
    shown = [spec for spec in specs.values() if spec.group_name == "team_files"]
    assert len(shown) == len(BAD)
    assert all("does not load" in (spec.description or "") for spec in shown)


@pytest.mark.parametrize("name", BAD)
def test_a_broken_file_is_told_with_its_line(
    name: str, location: tuple[dg.Definitions, Discovered]
) -> None:
    assert re.search(BAD[name][1], location[1].broken[name])


def test_nothing_else_is_broken(location: tuple[dg.Definitions, Discovered]) -> None:
    assert location[1].broken.keys() == BAD.keys()


def test_a_folder_that_is_mended_loads_and_says_what_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "folder"
    write(folder, {"one.py": GOOD["sub/lazy.py"], "two.py": "1/0\n", "gone.py": "x = 1\n"})

    def states() -> tuple[int, dict[str, str]]:
        ended = cli.run("assets", "discover", "--folder", folder, "--format", "json")
        return ended.code, {row["file"]: row["since"] for row in json.loads(ended.out)}

    assert states() == (1, {"gone.py": "new", "one.py": "new", "two.py": "new"})
    write(folder, {"two.py": "y = 2\n"})
    (folder / "gone.py").unlink()
    assert states() == (0, {"gone.py": "gone", "one.py": "same", "two.py": "changed"})
    assert states() == (0, {"one.py": "same", "two.py": "same"})


def test_alerts_know_of_assets_that_are_no_tables(tmp_path: Path) -> None:
    """Their owners are told of columns that change: they are there when alerts are read."""
    write(tmp_path, {"letter.py": LETTER})
    given: list[Sequence[dg.AssetSpec]] = []

    def build(*settings: Settings, **more: Any) -> dg.Definitions:
        given.append(more["others"])
        return build_definitions(*settings, **more)

    code_location_of(Settings(lake=str(tmp_path / "_lake"), team_assets=str(tmp_path)), build)
    (defined,) = defined_by(given[-1])
    assert defined == Defined("team/letter", ("team:x",), frozenset({"mart/dim_customer"}))


LETTER = (
    HEAD
    + """
@dg.asset(key=["team", "letter"], deps=[["mart", "dim_customer"]], owners=["team:x"])
def letter() -> None: ...
"""
)


def test_a_link_that_leads_nowhere_is_told_and_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "gone.py").symlink_to("/nowhere/else.py")
    (tmp_path / "folder.py").mkdir()
    assert located(tmp_path)[1].broken == {
        "gone.py": "it is a link to /nowhere/else.py, which is not there; mend it"
    }


def test_what_is_no_folder_is_told() -> None:
    ended = cli.run("assets", "discover", "--folder", "/no/such")
    assert ended.code == 1
    assert "/no/such: there is no such folder; create it or unset it" in ended.err
    assert "there is no team's folder" in cli.run("assets", "discover").err


GOOD_ASSET = Asset(
    "team/letter", "team", "Letters that were sent.", ("team:x",), ("table",), {},
    (Column("a", "string", "What it is"),), (), (), "eager", None, "whole", (), None, False,
)  # fmt: skip
BROKEN_RULES = {
    "key": {"key": "team/LetterBox"},
    "owner": {"owners": ()},
    "description": {"description": "A letter"},
    "model": {"columns": ()},
    "columns": {"columns": (Column("a", "string", ""),)},
    "upstream": {"upstream": ("team/nobody",)},
    "group": {"group": "default"},
    "policy": {"policy": None},
}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_broken_once(rule: str) -> None:
    wrong = Asset(**{**vars(GOOD_ASSET), **BROKEN_RULES[rule]})
    assert findings({"a": GOOD_ASSET}, {"team/letter"}, None) == []
    (found,) = findings({"a": wrong}, {"team/letter"}, None)
    assert found.rule == rule
    assert found.subject == wrong.key


def test_a_teams_ci_is_told_and_turns_rules_off_for_a_reason(
    team: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    write(folder, {"one.py": GOOD["sub/lazy.py"], "two.py": "1/0\n"})
    ended = cli.run("assets", "validate", "--folder", folder, "--format", "csv")
    assert ended.code == 1
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert (LOADS, "two.py") in {(row["rule"], row["subject"]) for row in rows}
    assert {row["rule"] for row in rows if row["subject"] == "team/given"} == {
        "owner", "description", "group", "policy",
    }  # fmt: skip
    (folder / "two.py").unlink()
    off = [f'[[off]]\nrule = "{each}"\nreason = "it is only an example"\n' for each in RULES]
    (folder / "rules.toml").write_text("".join(off))
    ended = cli.run("assets", "validate", "--folder", folder)
    assert ended.code == 0
    assert "Off: owner, 2 findings: it is only an example" in ended.out
    for text, told in (
        ('[[off]]\nrule = "owner"\n', "off.0.reason: Field required; say why"),
        ('[[off]]\nrule = "odd"\nreason = "it is only an example"\n', "rule 'odd': there is none"),
        ("[[off]", "rules.toml"),
    ):
        (folder / "rules.toml").write_text(text)
        assert told in cli.run("assets", "validate", "--folder", folder).err


def test_a_file_that_does_not_load_is_an_alert_until_it_does(tmp_path: Path) -> None:
    warehouse = open_warehouse(f"duckdb://{tmp_path}/warehouse.duckdb")
    with warehouse.transaction([Figure]) as transaction:
        transaction.require(Figure)
    now = datetime(2026, 6, 1, tzinfo=UTC)

    def crossed(minute: int, broken: dict[str, str]) -> list[tuple[str, str, str, str]]:
        with dg.DagsterInstance.ephemeral() as instance:
            watched = Watched([], {}, "build", Settings(), broken)
            found = evaluate(
                warehouse,
                instance,
                watched,
                AlertSettings(),
                logging.getLogger("test"),
                now + timedelta(minutes=minute),
            )
        alerts = [each.alert for each in found]
        return [(each.signal, each.subject, each.state.value, each.summary) for each in alerts]

    why = {"two.py": "line 1: ZeroDivisionError; mend it"}
    assert crossed(0, why) == [("file", "two.py", "alarm", why["two.py"])]
    assert crossed(1, why) == []
    assert [each[:3] for each in crossed(2, {})] == [("file", "two.py", "recovered")]
