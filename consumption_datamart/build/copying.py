"""Copying the mart of the settings into another warehouse."""

from pathlib import Path

from consumption_datamart.assets.lake import LAKE
from consumption_datamart.definitions import models
from consumption_datamart.discovery.loading import discover
from consumption_datamart.errors import DatamartError, WarehouseError
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.monitoring import MONITORING
from consumption_datamart.schema.raw import raw_of
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, open_warehouse, warehouse_of
from consumption_datamart.warehouse.copying import Copied, copy_mart


def copy_to(settings: Settings, url: str, *, replaces: bool = False) -> Copied:
    """Copies the mart, its ledger, its history and its alerts; readers of the copy see it at once.

    Args:
        settings: where the mart is, the password of the other warehouse, and a team's folder, whose
            tables are copied, too.
        url: of the other warehouse.
        replaces: whether it may hold a mart, which is then gone.

    Raises:
        WarehouseError: it cannot be copied; the other warehouse is as it was.
        DatamartError: there is no such folder.
    """
    secret = settings.copy_password
    password = None if secret is None else secret.get_secret_value()
    source, target = warehouse_of(settings), open_warehouse(url, settings.memory_limit, password)
    if _is_same(source, target):
        raise WarehouseError(f"warehouse {target.url}: it is the one that is to be copied")
    tables = [*models().values(), *MONITORING, *_own(settings)]
    copied = copy_mart(source, target, tables, replaces=replaces)
    raw = [raw_of(each.contract) for each in LAKE if each.contract.grain() is not Grain.NONE]
    target.release(
        models=tables,
        left_out=[] if settings.release_raw else raw,
        keeps_previous=settings.keep_previous_release,
    )
    return copied


def _own(settings: Settings) -> list[type[Table]]:
    """Models of a team's own tables."""
    if settings.team_assets is None:
        return []
    folder = Path(settings.team_assets).resolve()
    if not folder.is_dir():
        raise DatamartError(f"team_assets = {settings.team_assets}: there is no such folder")
    return [model for file in discover(folder).good for model in file.own_models]


def _is_same(source: Warehouse, target: Warehouse) -> bool:
    """Whether both are one file, or called alike."""
    places = [getattr(each, "path", None) for each in (source, target)]
    if isinstance(places[0], Path) and isinstance(places[1], Path):
        return places[0].resolve() == places[1].resolve()
    return source.url == target.url
