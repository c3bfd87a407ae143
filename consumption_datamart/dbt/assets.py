"""The assets of a project: dagster-dbt's, but for keys, policies, and where dbt reads and writes.

Imported only where there is a project: dagster-dbt imports all of dbt.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from filelock import FileLock, Timeout

from consumption_datamart.checks import as_dagster_failure
from consumption_datamart.dbt.nodes import Nodes
from consumption_datamart.dbt.projects import (
    KEPT,
    PROFILES,
    Project,
    ProjectError,
    dbt_command,
)
from consumption_datamart.errors import WarehouseError
from consumption_datamart.resources import WarehouseResource

PARTIAL = "partial_parse.msgpack"
PASSED = ("success", "pass", "warn")
PARENT, RESUMED = "dagster/parent_run_id", "dagster/is_resume_retry"
"""Dagster's tags of a run that goes on where another has failed."""
LOCK_SECONDS = 3600.0
"""How long a run waits for another that writes: DuckDB lets in one at a time."""


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
        # a project may name a table of the mart in two of its sources
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))
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
            done = done_before(context.run.tags, runs, manifest)
            _prepare(target, project.state)
            (project.state / PROFILES).write_text(project.profile())
            resource = DbtCliResource(
                project_dir=str(project.folder),
                profiles_dir=str(project.profiles),
                dbt_executable=dbt_command()[0],
            )
            for unique_id in done:
                key = translator.keys[unique_id]
                if key in context.selected_asset_keys:
                    made_by = {"made by run": context.run.tags[PARENT]}
                    yield dg.MaterializeResult(asset_key=key, metadata=made_by)
            command = ["build"]
            for unique_id in done:
                command += ["--exclude", f"fqn:{'.'.join(manifest['nodes'][unique_id]['fqn'])}"]
            try:
                with _alone(project):
                    built = resource.cli(command, context=context, target_path=target)
                    yield from built.stream().fetch_column_metadata()
            finally:
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


def done_before(tags: Mapping[str, str], runs: Path, manifest: Mapping[str, Any]) -> Sequence[str]:
    """The models that a run need not build which goes on where another has failed.

    These are the ones that the other has built, and none of whose tests it has failed or left out.

    Args:
        tags: of the run.
        runs: where runs are kept.
        manifest: of the project.
    """
    if tags.get(RESUMED) != "true" or PARENT not in tags:
        return []
    try:
        found = json.loads((runs / tags[PARENT] / "run_results.json").read_text())["results"]
    except (OSError, ValueError, KeyError):  # it was killed before it could say
        return []
    status = {each["unique_id"]: each["status"] for each in found}
    again = {
        parent
        for unique_id, said in status.items()
        if unique_id.startswith("test.") and said not in PASSED
        for parent in manifest["parent_map"].get(unique_id, ())
    }
    return [
        unique_id
        for unique_id, said in status.items()
        if unique_id in manifest["nodes"]
        and not unique_id.startswith("test.")
        and said in PASSED
        and unique_id not in again
    ]


def _prepare(target: Path, state: Path) -> None:
    """Spares dbt to parse the project anew."""
    target.mkdir(parents=True, exist_ok=True)
    parsed = state / "parse" / PARTIAL
    if parsed.is_file():
        shutil.copyfile(parsed, target / PARTIAL)


def _forget(runs: Path) -> None:
    """Deletes what dbt has left of all but the last runs."""
    folders = [each for each in runs.iterdir() if each.is_dir()]
    folders.sort(key=lambda folder: folder.stat().st_mtime)
    for folder in folders[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
