"""What was promised of the tables, and how much of it was kept."""

import pandas as pd

from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.monitoring import Objective
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import warehouse_of


def objectives(settings: Settings) -> pd.DataFrame:
    """The objectives, the most missed first.

    Raises:
        WarehouseError: the warehouse cannot be opened, or nothing was measured yet.
    """
    warehouse = warehouse_of(settings).released()
    rows = warehouse.table(Objective).order_by("budget_left", "objective_name")
    found = warehouse.find(Objective, rows)
    if found is None:
        raise WarehouseError(
            f"warehouse {warehouse.url}: no objective was measured yet; run consumption-datamart"
            " build, or the job monitor"
        )
    return found
