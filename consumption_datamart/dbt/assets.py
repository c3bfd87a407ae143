"""The assets of a project: dagster-dbt's, but for keys, policies, and where dbt reads and writes.

Imported only where there is a project: dagster-dbt imports all of dbt.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets
from filelock import FileLock, Timeout

from consumption_datamart.checks import as_dagster_failure
from consumption_datamart.dbt.nodes import Nodes
from consumption_datamart.dbt.projects import KEPT, Project, ProjectError, dbt_command
from consumption_datamart.errors import WarehouseError
from consumption_datamart.resources import WarehouseResource

PARTIAL = "partial_parse.msgpack"
LOCK_SECONDS = 3600.0
"""How long a run waits for another that writes: DuckDB lets in one at a time."""
TEXT = "description"


class Translator(DagsterDbtTranslator):
    """Keys and conditions as they were decided on; groups, owners and all else as dbt has them."""

    def __init__(
        self,
        nodes: Nodes,
        sources: Mapping[str, dg.AssetKey],
        conditions: Mapping[str, Any],
        problems: Mapping[str, str],
    ) -> None:
        """All by dbt's id of the model."""
        super().__init__()
        self.nodes, self.conditions, self.problems = nodes, conditions, problems
        self.keys = {**sources, **nodes.keys}

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Of a model or a source."""
        return self.keys[dbt_resource_props["unique_id"]]

    def get_automation_condition(self, dbt_resource_props: Mapping[str, Any]) -> Any:
        """None: by hand alone."""
        return self.conditions.get(dbt_resource_props["unique_id"])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """What the model says to Dagster, else the project."""
        said = self.nodes.said(dbt_resource_props).get("group")
        return said if isinstance(said, str) else self.nodes.project.name

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Any:
        """What the model says to Dagster, else the owner of its group in dbt."""
        return self.nodes.said(dbt_resource_props).get("owners") or super().get_owners(
            dbt_resource_props
        )

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """With what is wrong with the model's policy, if anything is."""
        told = super().get_description(dbt_resource_props)
        problem = self.problems.get(dbt_resource_props["unique_id"])
        return f"**Does not refresh itself**: {problem}\n\n{told}" if problem else told


def project_assets(translator: Translator, release: Callable[[Any], None]) -> dg.AssetsDefinition:
    """The assets of a project, which one step builds, as `dbt build` does.

    Args:
        translator: of its models.
        release: lets readers see the mart as it is now, if it is settled.
    """
    project, manifest = translator.nodes.project, translator.nodes.manifest
    place = DbtProject(project.folder, profiles_dir=project.profiles)

    @dbt_assets(
        manifest=manifest,
        project=place,
        dagster_dbt_translator=translator,
        name=f"dbt_{project.name}",
        pool="dbt",
    )
    def _dbt(context: dg.AssetExecutionContext, readers: WarehouseResource) -> Iterator[Any]:
        with as_dagster_failure():
            warehouse = readers.open()
            release(warehouse)
            if not warehouse.released().is_there():
                raise WarehouseError(f"warehouse {warehouse.url}: build the mart first")
            runs = project.state / "runs"
            target = runs / context.run.run_id
            is_retry = _go_on(context.run.parent_run_id, runs, target)
            resource = DbtCliResource(
                project_dir=str(project.folder),
                profiles_dir=str(project.profiles),
                dbt_executable=dbt_command()[0],
            )
            with _alone(project):
                (project.state / "profiles.yml").write_text(project.profile())
                done = resource.cli(
                    ["retry" if is_retry else "build"], context=context, target_path=target
                )
                yield from done.stream().fetch_column_metadata()
        _forget(runs)

    return _dbt


def _alone(project: Project) -> AbstractContextManager[Any]:
    """Nobody else writes the file, or the project's tables, meanwhile."""
    file = project.connection.file or project.state / "build"
    lock = FileLock(f"{file}.lock", timeout=LOCK_SECONDS)
    try:
        return lock.acquire()
    except Timeout as error:
        raise ProjectError(
            f"dbt project {project.name}: another run of dbt has been writing for"
            f" {LOCK_SECONDS / 60:.0f} minutes; wait until it is done, or end it"
        ) from error


def _go_on(parent: str | None, runs: Path, target: Path) -> bool:
    """Lets a run that makes up for another go on where that one has failed.

    Returns:
        Whether there is anything to go on from.
    """
    target.mkdir(parents=True, exist_ok=True)
    before = None if parent is None else runs / parent
    if before is not None and (before / "run_results.json").is_file():
        shutil.copytree(before, target, dirs_exist_ok=True)
        return True
    parsed = runs.parent / "parse" / PARTIAL
    if parsed.is_file():
        shutil.copyfile(parsed, target / PARTIAL)
    return False


def _forget(runs: Path) -> None:
    """Deletes what dbt has left of all but the last runs."""
    folders = [each for each in runs.iterdir() if each.is_dir()]
    folders.sort(key=lambda folder: folder.stat().st_mtime)
    for folder in folders[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
