"""Upgrading a warehouse before a build would, and trying that on a copy."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from consumption_datamart.build.run import dry_run
from consumption_datamart.definitions import catalog_of
from consumption_datamart.errors import WarehouseError
from consumption_datamart.planning import Step
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import upgrade, warehouse_of


class Tried(NamedTuple):
    """What an upgrade would do.

    Attributes:
        is_needed: whether the warehouse is of another version.
        losses: what cannot be kept, a line each.
        steps: what the next build then computes anew.
    """

    is_needed: bool
    losses: Sequence[str]
    steps: Sequence[Step]


def try_upgrade(settings: Settings) -> Tried:
    """Upgrades a copy of the warehouse, which is thrown away, and plans the next build on it.

    Raises:
        WarehouseError: there is none, it cannot be copied, or is of a later version.
        LakeError: the lake cannot be read, by which the build is planned.
    """
    losses: list[str] = []
    with warehouse_of(settings).copied() as copied:
        is_needed = upgrade(copied, list(catalog_of(settings).models.values()), losses.append)
        steps = dry_run(settings.model_copy(update={"warehouse": copied.url})) if is_needed else []
    return Tried(is_needed, losses, steps)


def upgrade_now(settings: Settings, tell: Callable[[str], None]) -> bool:
    """Upgrades the warehouse in place, as the next build would; readers see it after that build.

    Args:
        settings: where it is.
        tell: is told what cannot be kept.

    Returns:
        Whether anything had to be done.

    Raises:
        WarehouseError: there is none, it is of a later version, or cannot be opened.
    """
    warehouse = warehouse_of(settings)
    if not warehouse.is_there():
        raise WarehouseError(f"warehouse {warehouse.url}: there is nothing to upgrade; build it")
    with warehouse.turn():
        return upgrade(warehouse, list(catalog_of(settings).models.values()), tell)
