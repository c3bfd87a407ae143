"""Reports that are sent on to other systems by Census: a sync is triggered and awaited.

Nothing of it is imported, or asked for, where the settings name no file.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
from pydantic import Field

from consumption_datamart.declared import Declared, Named, Patience, Secret, broken
from consumption_datamart.errors import DatamartError
from consumption_datamart.factories import Catalog
from consumption_datamart.planning import CurrentPlan
from consumption_datamart.settings import Settings

GROUP = "reverse_etl"


class CensusEntry(Patience):
    """Where Census is, and who asks.

    Attributes:
        token: of the workspace.
        api: where its API is.
    """

    token: Secret
    api: str = Field(default="https://app.getcensus.com/api/v1", pattern="^https?://")


class SyncEntry(Named):
    """A sync of Census, and what it sends.

    Attributes:
        name: of its asset, and of the table that Census reads.
        id: that Census knows it by.
        table: of the mart.
        where: SQL condition on its rows; by default all are sent.
        policy: when it is sent by itself.
        owner: who answers for it.
    """

    id: int
    table: str
    where: str | None = None
    policy: str = "eager"
    owner: str = "team:data"


@dataclass(frozen=True)
class Sent:
    """What syncs add to the code location.

    Attributes:
        assets: of all syncs, and one that tells what is wrong.
        keys: of those that are sent, each of which has runs of its own.
        asking: by name of a sync, asks Census what it knows of it.
        problems: what is wrong, a line each.
    """

    assets: Sequence[dg.AssetsDefinition] = ()
    keys: Sequence[dg.AssetKey] = ()
    asking: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    problems: Sequence[str] = ()

    @property
    def selection(self) -> dg.AssetSelection:
        """All of these assets."""
        return dg.AssetSelection.assets(*(key for each in self.assets for key in each.keys))


def sent(
    settings: Settings, catalog: Catalog, plan: CurrentPlan, log: logging.Logger | None = None
) -> Sent:
    """The assets of all syncs that can be read; what cannot is told, and left out.

    Args:
        settings: of the code location.
        catalog: of all tables of the mart.
        plan: that the policies ask.
        log: where it is told what is wrong.
    """
    if settings.reverse_etl is None:
        return Sent()
    file = Path(settings.reverse_etl).expanduser().absolute()
    try:
        from consumption_datamart.reverse_etl.assets import assets_of

        found = assets_of(declared(file), settings, catalog, plan)
    except (DatamartError, ImportError) as error:
        told = str(error)
        if isinstance(error, ImportError):
            told = f"{file}: pip install 'consumption-datamart[census]' first: {error}"
        found = Sent(broken(GROUP, file, [told]), problems=[told])
    if log is not None:
        for problem in found.problems:
            log.warning(problem)
    return found


def declared(file: Path) -> Declared:
    """What the file says.

    Raises:
        DatamartError: it cannot be read.
    """
    return Declared(file, {"census": CensusEntry, "sync": SyncEntry})
