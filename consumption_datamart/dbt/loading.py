"""Loading projects: each is read, and what is wrong with one leaves it out."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from consumption_datamart.automation.following import Mart, following
from consumption_datamart.checks import asset_key
from consumption_datamart.dbt import GROUP, Downstream
from consumption_datamart.dbt.nodes import Nodes, Relation
from consumption_datamart.dbt.policies import MetaError, condition_of
from consumption_datamart.dbt.profile import Connection, connection
from consumption_datamart.dbt.projects import Project, ProjectError
from consumption_datamart.dbt.schedules import cadences_of, jobs_of
from consumption_datamart.errors import DatamartError
from consumption_datamart.factories import Catalog
from consumption_datamart.planning import CurrentPlan
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of


class Loading:
    """Loads projects, one after the other; keeps what is wrong."""

    def __init__(self, settings: Settings, catalog: Catalog, plan: CurrentPlan) -> None:
        """See `downstream`."""
        self.settings, self.catalog = settings, catalog
        known = [node for node in catalog.nodes() if node not in catalog.own]
        self.mart = Mart(plan, known)
        self.planned = {node.name for node in catalog.nodes()}
        self.problems: list[tuple[str, str]] = []
        self.found: list[tuple[str, str]] = []

    def load(self, where: Sequence[Path]) -> Downstream:
        """What the projects in these folders add to the code location."""
        schemas = sorted({model.schema_name() for model in self.catalog.models.values()})
        assets, projects = [], []
        try:
            warehouse = warehouse_of(self.settings)
            to = connection(warehouse, schemas)
        except DatamartError as error:
            self.problems += [(str(folder), str(error)) for folder in where]
            return self._all([], [])
        tables = self._tables(to)
        loaded = [each for folder in where if (each := self._nodes(Project(folder, to)))]
        usable = self._apart(loaded)
        known = {**{r: k for each in usable for r, k in each.relations.items()}, **tables}
        for nodes in usable:
            try:
                assets.append(self._assets(nodes, known, set(to.mart.values())))
                projects.append(nodes)
            except Exception as error:  # Dagster has many for what a project may say
                self._tell(nodes.project, error)
        return self._all(assets, projects)

    def _all(self, assets: list[dg.AssetsDefinition], projects: list[Nodes]) -> Downstream:
        cadences, problems = cadences_of(self.settings, projects)
        self.problems += [("schedules", problem) for problem in problems]
        jobs, schedules = jobs_of(cadences, projects)
        return Downstream(
            [*assets, *broken(self.problems)], jobs, schedules, self.problems, self.found
        )

    def _tell(self, project: Project, error: Exception) -> None:
        told = " ".join(str(error).split())
        if isinstance(error, ImportError):
            told = f"pip install 'consumption-datamart[dbt]' first: {told}"
        if not isinstance(error, DatamartError):
            told = f"dbt project {project.name}: {told}"
        self.problems.append((str(project.folder), told))

    def _tables(self, to: Connection) -> dict[Relation, dg.AssetKey]:
        """The mart's tables as dbt names them."""
        return {
            (to.mart[model.schema_name()], model.table_name()): asset_key(model)
            for model in self.catalog.models.values()
        }

    def _nodes(self, project: Project) -> Nodes | None:
        try:
            nodes = Nodes(project, *project.manifest())
            nodes.relations  # noqa: B018  # a manifest that is none is found out now
        except Exception as error:  # whatever is in the file
            self._tell(project, error)
            return None
        if nodes.problem:
            self.problems.append((str(project.folder), nodes.problem))
        return nodes

    def _apart(self, loaded: Sequence[Nodes]) -> list[Nodes]:
        """Projects none of whose assets is another's."""
        taken = {asset_key(model): "the mart" for model in self.catalog.models.values()}
        usable = []
        for nodes in loaded:
            try:
                twice = next((key for key in nodes.keys.values() if key in taken), None)
                if twice is not None:
                    raise ProjectError(
                        f"dbt project {nodes.project.name}: {twice.to_user_string()} is an asset of"
                        f" {taken[twice]} already; call the project or the model otherwise"
                    )
            except DatamartError as error:
                self._tell(nodes.project, error)
                continue
            taken |= dict.fromkeys(nodes.keys.values(), f"dbt project {nodes.project.name}")
            usable.append(nodes)
        return usable

    def _assets(
        self, nodes: Nodes, known: Mapping[Relation, dg.AssetKey], schemas: set[str]
    ) -> dg.AssetsDefinition:
        from consumption_datamart.dbt.assets import Translator, project_assets

        name = nodes.project.name
        for stranger in nodes.strangers(schemas, known):
            self.problems.append(
                (
                    str(nodes.project.folder),
                    f"dbt project {name}: source {stranger}: the mart has no such table; see"
                    " docs/data-dictionary.md",
                )
            )
        sources = nodes.sources(known)
        conditions, problems = self._conditions(nodes, sources, known)
        self.problems += [(str(nodes.project.folder), each) for each in problems.values()]
        translator = Translator(nodes, sources, conditions, problems)
        made = project_assets(translator, self.catalog.release)
        checks = len(list(made.check_keys))
        told = f"{name}: {len(nodes.keys)} assets, {checks} checks"
        self.found.append((str(nodes.project.folder), told))
        return made

    def _conditions(
        self,
        nodes: Nodes,
        sources: Mapping[str, dg.AssetKey],
        known: Mapping[Relation, dg.AssetKey],
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The condition of each model, and what is wrong with those that cannot be read."""
        conditions, problems = {}, {}
        names = {asset_key(model): model.full_name() for model in self.catalog.models.values()}
        models = set(known.values()) - names.keys()
        for unique_id, node in nodes.assets.items():
            try:
                found = condition_of(nodes, node, self.settings.refresh_minutes)
            except MetaError as error:
                problems[unique_id] = str(error)
                continue
            made_of = set(_upstream(nodes, unique_id, {**sources, **nodes.keys}))
            of_mart = {names[key] for key in made_of if key in names} & self.planned
            conditions[unique_id] = following(found, self.mart, of_mart, made_of & models)
        return conditions, problems


def _upstream(
    nodes: Nodes, unique_id: str, keys: Mapping[str, dg.AssetKey]
) -> Iterator[dg.AssetKey]:
    """The assets that a model is made of; by way of models that are none, too."""
    for parent in nodes.manifest["parent_map"].get(unique_id, ()):
        if parent in keys:
            yield keys[parent]
        elif parent.startswith("model."):
            yield from _upstream(nodes, parent, keys)


def broken(problems: Sequence[tuple[str, str]]) -> Iterator[dg.AssetsDefinition]:
    """An asset for each project with which something is wrong, so that the UI tells it."""
    told: dict[str, list[str]] = {}
    for folder, problem in problems:
        told.setdefault(Path(folder).name, []).append(problem)
    for name, lines in told.items():
        description = "\n\n".join(f"**Wrong**: {line}" for line in lines)
        key = dg.AssetKey(["dbt", name])
        spec = dg.AssetSpec(key, description=description, group_name=GROUP, kinds={"dbt"})
        yield dg.AssetsDefinition(specs=[spec])
