"""Components of Dagster in a team's folder: subfolders with a `defs.yaml`."""

import re
import sys
import warnings
from pathlib import Path
from types import ModuleType

import dagster as dg

from consumption_datamart.discovery.found import Problem, TeamFile, specs_of
from consumption_datamart.discovery.python_files import problem_of

FILE = "defs.yaml"
PACKAGE = "consumption_datamart_team"
"""Name by which Dagster knows the team's folder, which need not be a package."""


def component_files(folder: Path) -> list[Path]:
    """The `defs.yaml` files, but for those of what another is about."""
    found = [
        path
        for path in sorted(folder.rglob(FILE))
        if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]
    return [
        path
        for path in found
        if not any(path.parent != up.parent and path.is_relative_to(up.parent) for up in found)
    ]


def load_component(path: Path, folder: Path) -> TeamFile:
    """What a component defines; why it does not load, where it does not."""
    name = str(path.relative_to(folder))
    try:
        with warnings.catch_warnings(action="ignore"):
            # of this folder alone: else what is wrong with another file would be told of it
            tree = dg.ComponentTree(defs_module=_package(path.parent), project_root=folder)
            definitions = tree.build_defs()
            keys = [spec.key.to_user_string() for spec in specs_of(definitions)]
    except BaseException as error:  # whatever a component does, other files are loaded
        if isinstance(error, KeyboardInterrupt):
            raise
        return TeamFile(name, path, problem=_problem(error, path))
    return TeamFile(name, path, definitions, keys=tuple(sorted(keys)))


def _problem(error: BaseException, path: Path) -> Problem:
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    found = problem_of(causes[-1], path)
    # Dagster names the place in the text, and YAML's parser in its error
    place = re.search(rf"(\S*) at \S*{re.escape(FILE)}:(\d+)", str(causes[-1]))
    mark = getattr(causes[-1], "problem_mark", None)
    if place is not None:
        told = f"{found.told}, at {place[1].strip('`')}"
        return Problem(told, int(place[2]), found.hint)
    return found if mark is None else Problem(found.told, mark.line + 1, found.hint)


def _package(folder: Path) -> ModuleType:
    package = ModuleType(f"{PACKAGE}_{abs(hash(folder))}")
    package.__path__ = [str(folder)]
    package.__file__ = str(folder / "__init__.py")
    sys.modules[package.__name__] = package
    return package
