"""Jobs and schedules of projects: what the settings name for each, by cadence."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from consumption_datamart.dbt.nodes import Nodes
from consumption_datamart.settings import Settings

CRON = {
    "hourly": "15 * * * *",
    "daily": "15 5 * * *",
    "weekly": "15 5 * * 1",
    "monthly": "15 5 1 * *",
}
"""When (UTC); each is also the tag in dbt of what it builds."""
RETRIES = {"dagster/max_retries": "2", "dagster/retry_strategy": "FROM_FAILURE"}
"""A run that has failed is made up for by Dagster, from the step that has failed."""
Cadences = Mapping[str, Sequence[str]]
"""By the name of a project."""


def cadences_of(settings: Settings, projects: Sequence[Nodes]) -> tuple[Cadences, list[str]]:
    """What the settings say: `product_analytics=hourly+daily, finance=monthly`.

    Returns:
        The cadences; and what is wrong, a line each.
    """
    found, problems = {}, []
    names = [nodes.project.name for nodes in projects]
    for each in (settings.dbt_schedules or "").split(","):
        name, equals, words = (part.strip() for part in each.partition("="))
        cadences = [word.strip() for word in words.split("+")]
        if not each.strip():
            continue
        if not equals or not set(cadences) <= CRON.keys():
            problems.append(
                f"{each.strip()!r} is no project and its cadences; write"
                f" project={'+'.join(list(CRON)[:2])}, of {', '.join(CRON)}"
            )
        elif name not in names:
            problems.append(
                f"{name}: there is no such dbt project, or it cannot be loaded; there are"
                f" {', '.join(names) or 'none'}"
            )
        else:
            found[name] = cadences
    return found, [f"CONSUMPTION_DATAMART_DBT_SCHEDULES: {each}" for each in problems]


def jobs_of(
    cadences: Cadences, projects: Sequence[Nodes]
) -> tuple[list[Any], list[dg.ScheduleDefinition]]:
    """A job and a schedule for each project and cadence.

    It builds the models that have the cadence as a tag in dbt; all, where none has.
    """
    by_name = {nodes.project.name: nodes for nodes in projects}
    jobs, schedules = [], []
    for name, words in cadences.items():
        for word in words:
            keys, told = _selected(by_name[name], word)
            job: Any = dg.define_asset_job(
                f"dbt_{name}_{word}",
                selection=dg.AssetSelection.assets(*keys),
                description=f"Builds {told} of dbt project {name}.",
                tags=RETRIES,
            )
            jobs.append(job)
            schedules.append(
                dg.ScheduleDefinition(
                    name=f"dbt_{name}_{word}",
                    job=job,
                    cron_schedule=CRON[word],
                    execution_timezone="UTC",
                    default_status=dg.DefaultScheduleStatus.RUNNING,
                    description=f"Builds {told} of dbt project {name}, {word}.",
                )
            )
    return jobs, schedules


def _selected(nodes: Nodes, word: str) -> tuple[list[dg.AssetKey], str]:
    tagged = [nodes.keys[each] for each, node in nodes.assets.items() if word in node["tags"]]
    if tagged:
        return tagged, f"the models with the tag {word}"
    return list(nodes.keys.values()), f"all models, as none has the tag {word},"
