"""What a build would change, found out on a copy of the warehouse."""

from collections.abc import Callable, Collection

from consumption_datamart.comparison.compare import Comparison, compare
from consumption_datamart.schema.table import Table
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of


def preview(
    settings: Settings, models: Collection[type[Table]], build: Callable[[Settings], None]
) -> Comparison:
    """Builds into a copy, which is thrown away, and compares it with what readers see.

    Args:
        settings: where the lake and the warehouse are.
        models: of the tables to compare.
        build: builds the mart of the settings that it is given.

    Raises:
        WarehouseError: the warehouse is not built yet, or cannot be copied.
    """
    warehouse = warehouse_of(settings)
    with warehouse.copied() as copied:
        build(settings.model_copy(update={"warehouse": copied.url, "dagster_home": None}))
        return compare(warehouse.released(), copied, models)
