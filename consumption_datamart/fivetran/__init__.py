"""Fivetran's connectors: their tables as assets whose syncs are observed, or started and awaited.

Nothing of it is imported, or asked for, where the settings name no file. Fivetran is not asked when
the code location loads: the file says which tables there are.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg
from pydantic import Field

from consumption_datamart.declared import Declared, Named, Patience, Secret, broken
from consumption_datamart.errors import DatamartError
from consumption_datamart.settings import Settings

GROUP = "fivetran"


class AccountEntry(Patience):
    """Where Fivetran is, and who asks.

    Attributes:
        key: of its API.
        secret: of the key.
        api: where its API is.
    """

    key: Secret
    secret: Secret
    api: str = Field(default="https://api.fivetran.com/v1", pattern="^https?://")


class ConnectorEntry(Named):
    """A connector.

    Attributes:
        name: of it, in the keys of its assets.
        id: that Fivetran knows it by.
        tables: that it writes, as `schema.table` or `table`.
        policy: when the mart starts a sync; by default Fivetran does, by its own schedule.
        owner: who answers for it.
    """

    id: str = Field(min_length=1)
    tables: list[str] = Field(min_length=1)
    policy: str | None = None
    owner: str = "team:data"

    @property
    def keys(self) -> list[dg.AssetKey]:
        """Of its tables' assets: `fivetran/erp/public/orders`."""
        return [dg.AssetKey([GROUP, self.name, *table.split(".")]) for table in self.tables]


@dataclass(frozen=True)
class Landed:
    """What connectors add to the code location.

    Attributes:
        assets: of all tables, and one that tells what is wrong.
        checks: of all tables.
        sensors: that look for syncs.
        apart: the assets of each connector that the mart starts, in runs of their own.
        asking: by name of a connector, asks Fivetran what it knows of it.
        problems: what is wrong, a line each.
    """

    assets: Sequence[dg.AssetsDefinition] = ()
    checks: Sequence[dg.AssetChecksDefinition] = ()
    sensors: Sequence[dg.SensorDefinition] = ()
    apart: Sequence[Sequence[dg.AssetKey]] = ()
    asking: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    problems: Sequence[str] = ()

    @property
    def selection(self) -> dg.AssetSelection:
        """All of these assets."""
        return dg.AssetSelection.assets(*(key for each in self.assets for key in each.keys))


def landed(settings: Settings, after: Collection[str], log: logging.Logger | None = None) -> Landed:
    """The assets of all connectors that can be read; what cannot is told, and left out.

    Args:
        settings: of the code location.
        after: keys of assets that `lake.toml` names; those that should be Fivetran's are to be so.
        log: where it is told what is wrong.
    """
    found = (
        Landed()
        if settings.fivetran is None
        else _of_file(Path(settings.fivetran), settings.refresh_minutes)
    )
    known = {key.to_user_string() for each in found.assets for key in each.keys}
    found = replace(found, problems=[*found.problems, *_strangers(settings, after, known)])
    if log is not None:
        for problem in found.problems:
            log.warning(problem)
    return found


def _strangers(settings: Settings, after: Collection[str], known: Collection[str]) -> Iterator[str]:
    """What nothing will ever be read after."""
    for key in sorted(after):
        if key.startswith(f"{GROUP}/") and key not in known:
            where = settings.fivetran or "CONSUMPTION_DATAMART_FIVETRAN, which is not set,"
            yield f"lake.toml: after: {key}: {where} has no such table; there are {_told(known)}"


def _told(known: Collection[str]) -> str:
    return ", ".join(sorted(known)) or "none"


def _of_file(file: Path, minutes: int) -> Landed:
    file = file.expanduser().absolute()
    try:
        said = Declared(file, {"fivetran": AccountEntry, "connector": ConnectorEntry})
        from consumption_datamart.fivetran.assets import assets_of

        return assets_of(said, minutes)
    except (DatamartError, ImportError) as error:
        told = str(error)
        if isinstance(error, ImportError):
            told = f"{file}: pip install 'consumption-datamart[fivetran]' first: {error}"
        return Landed(broken(GROUP, file, [told]), problems=[told])
