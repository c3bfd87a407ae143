"""The rooms import what docs/architecture.md says they may, and no table goes without its model."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import dagster as dg
import ibis.expr.types as ir
import pytest

from consumption_datamart.definitions import build_definitions, models
from consumption_datamart.factories import TableSpec, mart_table_asset
from consumption_datamart.schema.monitoring import CheckResult, Figure, Objective
from consumption_datamart.schema.table import Field, MartTable
from consumption_datamart.schema.types import Text
from consumption_datamart.settings import Settings
from consumption_datamart_tests.mart import catalog

PROJECT = Path(__file__).parent.parent
PACKAGE = PROJECT / "consumption_datamart"
PAGE = PROJECT / "docs" / "architecture.md"

EVERYWHERE = {"errors"}
"""What every room may import, and what may import nothing."""


def room_of(module: str) -> str:
    """The room that a module of the package is in."""
    return module.split(".")[1]


@cache
def modules() -> Sequence[tuple[str, ast.Module]]:
    """The dotted name and the syntax tree of each module that is in a room."""
    return [
        (".".join(path.relative_to(PROJECT).with_suffix("").parts), ast.parse(path.read_text()))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "__init__.py"
    ]


@cache
def imports_of(module: str, tree: ast.Module) -> Sequence[str]:
    """The modules that a module imports, wherever in it."""
    return list(_imports(module, tree))


def _imports(module: str, tree: ast.Module) -> Iterator[str]:
    is_package = (PROJECT / module.replace(".", "/")).is_dir()
    parents = module.removesuffix(".__init__").split(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = node.level - (is_package or module.endswith(".__init__"))
            base = parents[: len(parents) - up] if node.level else []
            yield ".".join([*base, node.module] if node.module else base)


def allowed() -> dict[str, set[str]]:
    """What each room may import, as the table of docs/architecture.md says."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|$", PAGE.read_text(), re.MULTILINE)
    return {
        room: set() if names == "nothing of ours" else set(names.split(", "))
        for room, names in rows
    }


ALLOWED = allowed()


def test_the_page_names_every_room() -> None:
    rooms = {room_of(module) for module, _ in modules()}
    assert rooms - EVERYWHERE == ALLOWED.keys(), f"name each room in {PAGE.name}"


@pytest.mark.parametrize("room", [*ALLOWED, *EVERYWHERE])
def test_a_room_imports_only_what_it_may(room: str) -> None:
    may = {room, *EVERYWHERE, *ALLOWED[room]} if room in ALLOWED else {room}
    wrong = [
        f"{module} imports {imported}"
        for module, tree in modules()
        for imported in imports_of(module, tree)
        if room_of(module) == room
        and imported.startswith("consumption_datamart.")
        and room_of(imported) not in may
    ]
    assert not wrong, f"{PAGE.name} allows {room} to import only {', '.join(sorted(may))}"


@pytest.mark.parametrize("room", ["schema", "settings", "warehouse", "lake", "report", "errors"])
def test_a_room_below_the_assets_knows_nothing_of_dagster(room: str) -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, tree in modules()
        for imported in imports_of(module, tree)
        if room_of(module) == room and imported.split(".")[0].startswith("dagster")
    ]
    assert not wrong, f"{PAGE.name}: Dagster is the business of the rooms above"


def test_the_functions_of_the_star_and_the_reports_know_no_engine() -> None:
    may = {"datetime", "ibis", "pandas", "collections"}
    wrong = [
        f"{module} imports {imported}"
        for module, tree in modules()
        for imported in imports_of(module, tree)
        if re.match(r"consumption_datamart\.assets\.\w+\.(?!__init__)", module)
        and imported.split(".")[0] not in may
        and not imported.startswith(("consumption_datamart.schema", "consumption_datamart.assets"))
    ]
    assert not wrong, f"{PAGE.name}: they are pure functions from tables to a table"


def test_only_settings_and_what_is_secret_come_from_the_environment() -> None:
    readers = {
        module
        for module, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name | ast.alias)
        and {getattr(node, each, "") for each in ("attr", "id", "name")}
        & {"environ", "getenv", "BaseSettings", "EnvVar"}
    }
    rooms = {room_of(module) for module in readers}
    assert rooms == {"settings", "secrets", "resources"}, f"{PAGE.name}: no other reads it"


def assets() -> list[dg.AssetSpec]:
    """Every asset of the code location."""
    return sorted(build_definitions().resolve_all_asset_specs(), key=lambda spec: spec.key)


@pytest.mark.parametrize("spec", assets(), ids=lambda spec: spec.key.to_user_string())
def test_an_asset_is_described_in_full(spec: dg.AssetSpec) -> None:
    assert spec.description
    assert spec.owners
    assert spec.group_name in {"lake", "raw", "star", "reports", "monitoring"}
    assert spec.kinds
    columns = spec.metadata["dagster/column_schema"].columns
    assert columns
    for column in columns:
        assert column.type
        assert len(column.description.split()) > 1, column.name


def test_every_asset_of_the_warehouse_has_a_model_and_every_model_an_asset() -> None:
    stored = {
        spec.key.to_user_string(): spec.metadata["dagster/table_name"]
        for spec in assets()
        if spec.group_name != "lake"
    }
    known = {CheckResult, Figure, Objective, *models().values()}
    assert sorted(stored.values()) == sorted(model.full_name() for model in known)
    assert all(key.replace("/", ".") == name for key, name in stored.items())


class ReportNothing(MartTable):
    """A report of its own."""

    customer_id: Text


def report_nothing(fact_without_model: ir.Table) -> ir.Table:
    """A function that reads a table that nobody declared."""
    return fact_without_model.select("customer_id")


def test_a_function_that_reads_a_table_without_model_fails_at_load() -> None:
    spec = TableSpec(ReportNothing, report_nothing)
    with pytest.raises(KeyError, match="fact_without_model"):
        mart_table_asset(spec, catalog(Settings(), spec))


def test_a_setting_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="wharehouse is no setting; these are: lake, sources"):
        build_definitions(wharehouse="duckdb://m.duckdb")


class ReportOdd(MartTable):
    """A report with a column that nobody described."""

    customer_id: Text
    oddity: Text = Field(nullable=True)


def test_a_column_without_meaning_fails_at_load() -> None:
    spec = TableSpec(ReportOdd, lambda dim_customer: dim_customer)
    with pytest.raises(TypeError, match=r"ReportOdd\.oddity: describe the column"):
        mart_table_asset(spec, catalog(Settings(), spec))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), path
    assert len(text.splitlines()) <= 260, path
