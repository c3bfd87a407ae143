"""Tables as inputs and outputs of any asset: as pandas frames, or as Ibis expressions.

The mart's own assets publish in their step (docs/decisions/archive/0008). This is for the assets
that a team adds: one that takes or returns a `pd.DataFrame` or an `ibis.Table` needs no more than
the annotation and a model of what it returns.
"""

from datetime import date

import dagster as dg
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.checks import Inspection, as_dagster_failure, asset_key
from consumption_datamart.errors import AuditError, DatamartError
from consumption_datamart.factories.catalog import Catalog
from consumption_datamart.factories.metadata import column_lineage, materialization_metadata
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse import publish
from consumption_datamart.warehouse.ledger import write_failures
from consumption_datamart.warehouse.rows import conform, on_days


def table_io_manager(catalog: Catalog) -> dg.IOManagerDefinition:
    """The I/O manager of the resource `warehouse`.

    Args:
        catalog: of all tables.
    """

    @dg.io_manager(required_resource_keys={"warehouse"})
    def tables(context: dg.InitResourceContext) -> TableIOManager:
        return TableIOManager(context.resources.warehouse, catalog)

    return tables


class TableIOManager(dg.IOManager):
    """Stores and loads tables in the warehouse, by the model of their asset key."""

    def __init__(self, warehouse: WarehouseResource, catalog: Catalog) -> None:
        """The catalog knows the models of all tables."""
        self.warehouse, self.catalog = warehouse, catalog
        self.models = {asset_key(model): model for model in catalog.models.values()}

    def handle_output(self, context: dg.OutputContext, obj: ir.Table | pd.DataFrame) -> None:
        """Publishes a frame or an expression, whole or not at all.

        Raises:
            Failure: the rows break the asset's model, or it has none; the table is as it was.
        """
        model = self._model(context.asset_key)
        days = _days(context, model)
        with as_dagster_failure():
            warehouse, dependents = self.warehouse.open(), self.catalog.dependents(model)
            if days is not None and self.catalog.open_days(model, warehouse, days) != [days]:
                raise DatamartError(
                    f"{model.full_name()}: {days}: raw rows of some of these days were pruned;"
                    " materialize the others"
                )
            inspection = Inspection(self.catalog.frozen_checks(model), is_sampled=True)
            try:
                published = publish(
                    warehouse, model, obj, days, dependents=dependents, inspect=inspection
                )
            except AuditError as error:
                inspection.stopped(warehouse, error, days)
                write_failures(warehouse, model, days)
                raise
        metadata = materialization_metadata(
            published.profile, days, inspection.samples[model], inspection.seconds()
        )
        if isinstance(obj, ir.Table):
            tables = {warehouse.location(each)[0]: each for each in self.catalog.models.values()}
            metadata["dagster/column_lineage"] = column_lineage(conform(model, obj), tables)
        context.add_output_metadata(metadata)

    def load_input(self, context: dg.InputContext) -> ir.Table | pd.DataFrame:
        """The upstream table, or the partitions of it, as the input's annotation asks.

        Returns:
            A frame for `pd.DataFrame`; for all else an Ibis expression that holds no connection.
        """
        model = self._model(context.asset_key)
        with as_dagster_failure():
            warehouse = self.warehouse.open()
            rows = on_days(model, warehouse.table(model), _days(context, model))
            return (
                warehouse.fetch(rows) if context.dagster_type.typing_type is pd.DataFrame else rows
            )

    def _model(self, key: dg.AssetKey) -> type[Table]:
        if key not in self.models:
            raise dg.Failure(
                f"asset {key.to_user_string()}: it has no model; see docs/extending.md"
            )
        return self.models[key]


def _days(context: dg.InputContext | dg.OutputContext, model: type[Table]) -> Days | None:
    if not context.has_asset_partitions:
        return None
    keys = context.asset_partition_key_range
    days = Days(date.fromisoformat(keys.start), date.fromisoformat(keys.end))
    return model.grain().whole(days)
