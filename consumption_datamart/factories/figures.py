"""The asset that plots what was recorded of publications."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from consumption_datamart.automation import once_built
from consumption_datamart.checks import as_dagster_failure, asset_key
from consumption_datamart.factories.metadata import asset_spec
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.schema.monitoring import CheckResult, Figure
from consumption_datamart.trends import CHARTS, as_markdown, draw, figures


def figures_asset() -> dg.AssetsDefinition:
    """The asset of all recorded figures; materializing it plots them."""

    @dg.multi_asset(
        name=Figure.table_name(),
        specs=[
            asset_spec(
                Figure,
                "monitoring",
                deps=[asset_key(CheckResult)],
                automation_condition=once_built(CheckResult),
            )
        ],
    )
    def _figures(warehouse: WarehouseResource) -> Iterator[dg.MaterializeResult[Any]]:
        metadata: dict[str, Any] = {}
        with as_dagster_failure():
            target = warehouse.open()
            found = figures(target) if target.exists(Figure) else None
        if found is not None:
            # of each series what it was last
            last = found.drop_duplicates(["chart", "series"], keep="last")
            metadata = last.groupby("chart").number.sum().astype(float).to_dict()
            for chart, about in CHARTS.items():
                picture = as_markdown(draw(found, "png", [chart]), about.title)
                metadata[about.title] = dg.MetadataValue.md(picture)
        yield dg.MaterializeResult(asset_key=asset_key(Figure), metadata=metadata)

    return _figures
