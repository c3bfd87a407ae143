"""dbt projects whose models read the mart: their assets, checks, jobs and schedules.

Nothing of dbt is imported, or asked for, where the settings name no project.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from consumption_datamart.factories import Catalog
from consumption_datamart.planning import CurrentPlan
from consumption_datamart.settings import Settings

GROUP = "dbt"


@dataclass(frozen=True)
class Downstream:
    """What the projects add to the code location.

    Attributes:
        assets: of all projects.
        jobs: of projects and cadences.
        schedules: of these.
        problems: what is wrong, a line each, by the folder of the project.
        found: in a line, of each project that was loaded, by its folder.
    """

    assets: Sequence[dg.AssetsDefinition] = ()
    jobs: Sequence[Any] = ()
    schedules: Sequence[dg.ScheduleDefinition] = ()
    problems: Sequence[tuple[str, str]] = ()
    found: Sequence[tuple[str, str]] = ()

    @property
    def keys(self) -> list[dg.AssetKey]:
        """Of all of these assets."""
        return [key for each in self.assets for key in each.keys]

    @property
    def selection(self) -> dg.AssetSelection:
        """All of these assets."""
        return dg.AssetSelection.assets(*self.keys)


def folders(settings: Settings) -> list[Path]:
    """The folders of the projects that the settings name."""
    named = (settings.dbt_projects or "").split(",")
    return [Path(each.strip()).expanduser().absolute() for each in named if each.strip()]


def downstream(
    settings: Settings, catalog: Catalog, plan: CurrentPlan, log: logging.Logger | None = None
) -> Downstream:
    """The assets of all projects that can be loaded; what cannot is told, and left out.

    Args:
        settings: of the code location.
        catalog: of all tables of the mart.
        plan: that the policies ask.
        log: where it is told what is wrong.
    """
    where = folders(settings)
    if not where and not settings.dbt_schedules:
        return Downstream()
    from consumption_datamart.dbt.loading import Loading

    found = Loading(settings, catalog, plan).load(where)
    if log is not None:
        for _, problem in found.problems:
            log.warning(problem)
    return found
