"""Dagster's private API is used in one package alone."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._annotations import is_public
from dagster._core.storage import dagster_run, tags

from consumption_datamart import partitions, runs
from consumption_datamart_tests.test_architecture import PACKAGE, modules

PRIVATE = "consumption_datamart.private"
TESTS = Path(__file__).parent
STORAGES = {"event_log_storage", "run_storage", "schedule_storage", "daemon_cursor_storage"}
VARIABLES = {
    "instance": dg.DagsterInstance,
    "definitions": dg.Definitions,
    "job": dg.JobDefinition,
    "assets": dg.AssetsDefinition,
    "event": dg.DagsterEvent,
}
"""What variables and attributes of these names hold, wherever in the package."""


def private_uses(tree: ast.AST) -> Iterator[str]:
    """What a module uses of Dagster's private API."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names if not node.level]
            yield from filter(is_private, names)
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).split(".")[-1]
            if (
                node.attr in STORAGES
                or (owner == "dg" and node.attr.startswith("_"))
                or (owner in VARIABLES and is_undocumented(VARIABLES[owner], node.attr))
            ):
                yield ast.unparse(node)


def is_private(module: str) -> bool:
    """Whether a module is one of Dagster's that it does not document."""
    library, *parts = module.split(".")
    is_shared = library == "dagster_shared"
    return library.startswith("dagster") and (is_shared or any(p.startswith("_") for p in parts))


def is_undocumented(class_: type, name: str) -> bool:
    """Whether a method or property is one that Dagster does not call public."""
    if name.startswith("_"):
        return True
    found = [vars(each)[name] for each in class_.__mro__ if name in vars(each)]
    inner = [getattr(each, "fget", None) or getattr(each, "__func__", each) for each in found]
    is_code = any(inspect.isfunction(each) or isinstance(each, property) for each in inner + found)
    return is_code and not any(is_public(each) for each in inner)


@pytest.mark.parametrize("module", [name for name, _ in modules() if not name.startswith(PRIVATE)])
def test_a_module_uses_only_what_dagster_documents(module: str) -> None:
    assert list(private_uses(dict(modules())[module])) == [], f"it belongs to {PRIVATE}"


@pytest.mark.parametrize(
    "line",
    [
        "import dagster._core.storage",
        "from dagster import _check",
        "from dagster._core.storage.tags import PARTITION_NAME_TAG",
        "from dagster_shared.record import copy",
        "instance.event_log_storage.get_records()",
        "self.instance.get_ticks('', '')",
        "context.instance.all_instigator_state()",
        "whatever().schedule_storage",
        "instance._ref",
        "dg._core",
        "event.step_failure_data",
        "self.job.asset_layer",
        "definitions.resolve_asset_graph()",
    ],
)
def test_what_is_private_is_seen(line: str) -> None:
    assert list(private_uses(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        "import dagster as dg",
        "from consumption_datamart.private import freshness",
        "context.instance.fetch_observations(key, limit=1)",
        "instance.get_run_records()",
        "event.is_step_failure",
        "event.step_key",
        "job.execute_in_process()",
    ],
)
def test_what_is_documented_is_allowed(line: str) -> None:
    assert list(private_uses(ast.parse(line))) == []


def test_every_function_says_what_it_stands_on_and_is_tried() -> None:
    tried = (TESTS / "test_private_calls.py").read_text()
    for path in (PACKAGE / "private").glob("*.py"):
        module = "private" if path.stem == "__init__" else path.stem
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) or getattr(node, "name", "") == "RewritingSensor":
                assert "\n\nPrivate: `" in (ast.get_docstring(node) or ""), node.name
                assert f"{module}.{node.name}" in tried


def test_tags_and_states_of_runs_are_dagsters() -> None:
    assert partitions.PARTITION == tags.PARTITION_NAME_TAG
    assert partitions.RANGE_START == tags.ASSET_PARTITION_RANGE_START_TAG
    assert partitions.RANGE_END == tags.ASSET_PARTITION_RANGE_END_TAG
    assert set(runs.UNFINISHED) >= set(dagster_run.NOT_FINISHED_STATUSES)
    assert set(dagster_run.FINISHED_STATUSES) == runs.ENDED
