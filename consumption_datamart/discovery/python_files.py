"""Python files of a team's folder, each imported by itself."""

import ast
import importlib
import sys
import traceback
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg

from consumption_datamart.automation import asks_planner
from consumption_datamart.checks import asset_key
from consumption_datamart.discovery.found import Problem, TeamFile
from consumption_datamart.private.graph import definitions_in
from consumption_datamart.schema.table import Table

LOOKED_AT: set[Path] = set()
"""Folders whose files this process has imported."""
COMPONENT_FILES = ("defs.yaml", "component.yaml")


class ImportTrouble(Exception):
    """A file cannot be imported for a reason that is none of its own."""


def python_files(folder: Path) -> list[Path]:
    """The Python files that may define assets: no tests, nothing hidden or called `_…`."""
    return [
        path
        for path in sorted(folder.rglob("*.py"))
        if not path.is_dir()
        and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        and not path.stem.startswith("test_")
        and path.stem != "conftest"
        and not any(
            (up / name).exists() for up in _between(path, folder) for name in COMPONENT_FILES
        )
    ]


def _between(path: Path, folder: Path) -> Iterator[Path]:
    """The folders of a file, below the team's."""
    for up in path.parents:
        if up == folder:
            return
        yield up


def forget(folder: Path) -> None:
    """Lets the files of a folder be imported anew, and import each other; those of none before."""
    LOOKED_AT.add(folder)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and any(Path(file).is_relative_to(each) for each in LOOKED_AT):
            del sys.modules[name]
    importlib.invalidate_caches()
    # last, so that a file called like a library hides none
    sys.path[:] = [each for each in sys.path if Path(each) not in LOOKED_AT] + [str(folder)]


def load_python(path: Path, folder: Path, seen: set[int]) -> TeamFile:
    """What a Python file defines; why it does not load, where it does not.

    Args:
        path: of the file.
        folder: the team's.
        seen: identities of what other files have defined, which it may import; those of its own are
            added.
    """
    name = str(path.relative_to(folder))
    if not path.exists():
        gone = Problem(f"it is a link to {path.readlink()}, which is not there", hint="mend it")
        return TeamFile(name, path, problem=gone)
    try:
        module = _imported(path, folder)
        return _contents(name, path, module, seen)
    except ImportTrouble as error:
        return TeamFile(name, path, problem=Problem(str(error), hint="call the file otherwise"))
    except BaseException as error:  # whatever a team's file does, other files are loaded
        if isinstance(error, KeyboardInterrupt):
            raise
        return TeamFile(name, path, problem=problem_of(error, path))


def problem_of(error: BaseException, path: Path) -> Problem:
    """What went wrong in a file, and on which line of it."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return Problem(f"{error.msg}: {(error.text or '').strip()}", error.lineno)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = frames[-1].lineno if frames else None
    lines = str(error).strip().splitlines()
    told = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        return Problem(told, line, f"install {error.name}, or leave out the import")
    if "describe the column" in told:
        return Problem(told.split(": describe")[0], line, "describe it by Field(description=…)")
    if isinstance(error, SystemExit):
        return Problem(told, line, "leave out what ends the process")
    return Problem(told, line)


def _imported(path: Path, folder: Path) -> ModuleType:
    name = ".".join(path.relative_to(folder).with_suffix("").parts)
    if not all(part.isidentifier() for part in name.split(".")):
        raise ImportTrouble(f"{name!r} is no name that Python can import")
    module = importlib.import_module(name)
    if Path(module.__file__ or "") != path:
        raise ImportTrouble(f"there is a module {name!r} already, {module.__file__ or 'of Python'}")
    return module


def _contents(name: str, path: Path, module: ModuleType, seen: set[int]) -> TeamFile:
    models = {
        asset_key(each): each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Table) and each.__module__ == module.__name__
    }
    for model in models.values():
        model.meanings()  # says what is not described
    given = definitions_in(module)
    found: list[Any] = []
    for definitions in given:
        seen.update(map(id, definitions.assets or ()))
        found += [*(definitions.assets or ())]
    imported = set(_imported_names(path))
    for variable, each in vars(module).items():
        one = each if type(each) in (list, tuple) else [each]
        for part in one if variable not in imported else ():
            is_asset = isinstance(part, dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset)
            is_check = isinstance(part, dg.AssetChecksDefinition)
            if is_asset and not is_check and id(part) not in seen:
                seen.add(id(part))
                found.append(part)
    own = [a for a in found if isinstance(a, dg.AssetsDefinition) and set(a.keys) & set(models)]
    unmade = set(models) - {key for each in own for key in each.keys}
    if unmade:
        key = min(unmade).to_user_string()
        raise TypeError(f"model {models[min(unmade)].__name__}: no asset here has the key {key}")
    for each in found:
        _require_known(each, models)
    others = [each for each in found if not any(each is a for a in own)]
    rest = dg.Definitions(assets=others, **_rest(module, seen, imported))
    definitions = dg.Definitions.merge(rest, *(_without_assets(each) for each in given))
    keys = tuple(sorted(key.to_user_string() for each in found for key in _keys(each)))
    return TeamFile(name, path, definitions, tuple(own), tuple(models.values()), keys)


def _require_known(found: Any, models: Collection[dg.AssetKey]) -> None:
    """An asset without a model that waits for the planner would never be refreshed.

    Raises:
        TypeError: names it.
    """
    specs = found.specs if isinstance(found, dg.AssetsDefinition) else [found]
    for spec in specs:
        if spec.key not in models and asks_planner(getattr(spec, "automation_condition", None)):
            raise TypeError(
                f"asset {spec.key.to_user_string()}: its policy asks the mart's planner, which"
                " knows only tables with a model; write one, or take a condition of Dagster's"
            )


def _keys(found: Any) -> list[dg.AssetKey]:
    return list(found.keys) if isinstance(found, dg.AssetsDefinition) else [found.key]


def _imported_names(path: Path) -> Iterator[str]:
    """What a file calls things that others define."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def _rest(module: ModuleType, seen: set[int], imported: Collection[str]) -> dict[str, Any]:
    """Checks, jobs, schedules and sensors."""
    theirs = {id(vars(module)[name]) for name in imported if name in vars(module)}
    with warnings.catch_warnings(action="ignore", category=dg.PreviewWarning):
        loaded = dg.load_definitions_from_module(module)
    found: dict[str, list[Any]] = {}
    for kind in ("asset_checks", "jobs", "schedules", "sensors"):
        all_ = getattr(loaded, kind) or ()
        found[kind] = [each for each in all_ if id(each) not in seen | theirs]
        seen.update(map(id, found[kind]))
    return found


def _without_assets(definitions: dg.Definitions) -> dg.Definitions:
    return dg.Definitions(
        asset_checks=definitions.asset_checks,
        jobs=definitions.jobs,
        schedules=definitions.schedules,
        sensors=definitions.sensors,
        resources=definitions.resources,
    )
