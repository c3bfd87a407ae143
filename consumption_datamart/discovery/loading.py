"""A team's folder as definitions beside the mart's."""

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg

from consumption_datamart.discovery.components import component_files, load_component
from consumption_datamart.discovery.found import (
    BROKEN_GROUP,
    Discovered,
    Problem,
    TeamFile,
    specs_of,
)
from consumption_datamart.discovery.python_files import forget, load_python, python_files
from consumption_datamart.errors import DatamartError
from consumption_datamart.settings import Settings, variable

Build = Callable[..., dg.Definitions]
"""`build_definitions`: takes settings, `own_assets`, `own_models`, `broken` and `others`."""


def code_location_of(settings: Settings, build: Build) -> tuple[dg.Definitions, Discovered | None]:
    """The mart's definitions with those of the team's folder, and what was found there.

    A file that does not load, or does not suit the others, is left out: an asset of group
    `BROKEN_GROUP` stands for it.

    Args:
        settings: `team_assets` is the folder.
        build: makes the mart's.

    Raises:
        DatamartError: there is no such folder.
    """
    if settings.team_assets is None:
        return build(settings), None
    folder = Path(settings.team_assets).resolve()
    if not folder.is_dir():
        raise DatamartError(
            f"{variable('team_assets')}={settings.team_assets}: there is no such folder; create it"
            " or unset it"
        )
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        others: list[dg.AssetSpec] = []
        mart = build(settings, others=others)
        found = suited(discover(folder), mart)
        try:
            others += _others(found)
            is_changed = found.broken or any(each.own_assets for each in found.good)
            definitions = merged(settings, build if is_changed else lambda *_, **__: mart, found)
            dg.Definitions.validate_loadable(definitions)
        except Exception:  # which of the files it is shows where each is tried alone
            found = replace(
                found, files=tuple(_tried(each, settings, build, folder) for each in found.files)
            )
            definitions = merged(settings, build, found)
    return definitions, found


def discover(folder: Path) -> Discovered:
    """All files of a folder that define assets, each loaded by itself."""
    forget(folder)
    seen: set[int] = set()
    files = [load_python(path, folder, seen) for path in python_files(folder)]
    files += [load_component(path, folder) for path in component_files(folder)]
    return Discovered(folder, tuple(sorted(files, key=lambda each: each.name)))


def merged(settings: Settings, build: Build, found: Discovered) -> dg.Definitions:
    """The mart's definitions, and those of the files that load."""
    mart = build(
        settings,
        own_assets=[asset for each in found.good for asset in each.own_assets],
        own_models=[model for each in found.good for model in each.own_models],
        broken=found.broken,
        others=_others(found),
    )
    broken = [_standing_for(each) for each in found.files if each.problem is not None]
    theirs = [each.definitions for each in found.good if each.definitions is not None]
    return dg.Definitions.merge(mart, *theirs, dg.Definitions(assets=broken))


def _others(found: Discovered) -> list[dg.AssetSpec]:
    """The assets that are no tables of the mart."""
    theirs = (each.definitions for each in found.good)
    return [spec for each in theirs if each is not None for spec in specs_of(each)]


def suited(found: Discovered, mart: dg.Definitions) -> Discovered:
    """The same, but that files which take what others have do not load."""
    taken: dict[tuple[str, str], str] = dict.fromkeys(_names(mart), "the mart")
    made_of = {spec.key: {d.asset_key for d in spec.deps} for spec in specs_of(mart)}
    files = []
    for each in found.files:
        problem = each.problem
        if problem is None:
            problem = _conflict(each, taken) or _circle(each, made_of)
        if problem is None:
            taken |= dict.fromkeys(_names_of(each), each.name)
            made_of |= _made_of(each)
        files.append(each if problem is None else replace(each, problem=problem))
    return replace(found, files=tuple(files))


def _conflict(file: TeamFile, taken: Mapping[tuple[str, str], str]) -> Problem | None:
    for kind, name in sorted(_names_of(file)):
        if (kind, name) in taken:
            by = taken[kind, name]
            return Problem(f"{kind} {name}: {by} has one of that name", hint="call it otherwise")
    return None


def _circle(file: TeamFile, made_of: Mapping[dg.AssetKey, set[dg.AssetKey]]) -> Problem | None:
    try:
        TopologicalSorter({**made_of, **_made_of(file)}).prepare()
    except CycleError as error:
        way = " ← ".join(key.to_user_string() for key in error.args[1])
        return Problem(f"assets are made of each other: {way}", hint="leave out one of these")
    return None


def _made_of(file: TeamFile) -> dict[dg.AssetKey, set[dg.AssetKey]]:
    return {spec.key: {dep.asset_key for dep in spec.deps} for spec in _specs(file)}


def _specs(file: TeamFile) -> Iterator[dg.AssetSpec]:
    for each in file.own_assets:
        yield from each.specs
    if file.definitions is not None:
        yield from specs_of(file.definitions)


def _names_of(file: TeamFile) -> set[tuple[str, str]]:
    names = {("asset", key) for key in file.keys}
    names |= {("table", model.table_name()) for model in file.own_models}
    return names | (_names(file.definitions) if file.definitions else set())


def _names(definitions: dg.Definitions) -> set[tuple[str, str]]:
    """All names of which there may be only one; resources are not shared either."""
    specs = specs_of(definitions)
    names = {("asset", spec.key.to_user_string()) for spec in specs}
    names |= {("table", spec.key.path[-1]) for spec in specs if _is_table(spec)}
    for kind in ("jobs", "schedules", "sensors"):
        found: Any = getattr(definitions, kind) or ()
        names |= {(kind.removesuffix("s"), each.name) for each in found}
    return names | {("resource", name) for name in definitions.resources or ()}


def _is_table(spec: dg.AssetSpec) -> bool:
    return "dagster/table_name" in spec.metadata


def _tried(file: TeamFile, settings: Settings, build: Build, folder: Path) -> TeamFile:
    """A file, as it loads beside the mart alone."""
    if file.problem is not None:
        return file
    try:
        alone = merged(settings, build, Discovered(folder, (file,)))
        dg.Definitions.validate_loadable(alone)
    except Exception as error:  # it is told
        lines = str(error).strip().splitlines() or [""]
        return replace(file, problem=Problem(f"{type(error).__name__}: {lines[0]}"))
    return file


def _standing_for(file: TeamFile) -> dg.AssetSpec:
    """The asset by which Dagster's UI shows that a file does not load."""
    return dg.AssetSpec(
        key=[BROKEN_GROUP, re.sub(r"\W", "_", file.name)],
        group_name=BROKEN_GROUP,
        description=f"{file.name} does not load, and what it defines is missing: {file.why}",
        metadata={"problem": file.why, "file": str(file.path)},
        kinds={"python" if file.path.suffix == ".py" else "yaml"},
    )
