"""The warehouse of runs that let readers see what they have published."""

import dagster as dg

from consumption_datamart.factories.catalog import Catalog
from consumption_datamart.resources import WarehouseResource
from consumption_datamart.warehouse import upgrade


def releasing(catalog: Catalog) -> type[WarehouseResource]:
    """The warehouse as a resource that is released at the end of each run.

    Args:
        catalog: of all tables.
    """

    class ReleasedWarehouse(WarehouseResource):
        """The warehouse that tables are published to; readers see what a run leaves."""

        def setup_for_execution(self, context: dg.InitResourceContext) -> None:
            """Gives the tables of an earlier version the columns of this one.

            Raises:
                WarehouseError: the warehouse is of a later version, or cannot be opened.
            """
            tell = context.log.warning if context.log else print
            upgrade(self.open(), list(catalog.models.values()), tell)

        def teardown_after_execution(self, _: dg.InitResourceContext) -> None:
            """Releases the mart, be the run a success or a failure.

            Raises:
                WarehouseError: it cannot be; Dagster notes it in the log of the run, and the next
                    run makes up for it.
            """
            catalog.release(self.open())

    return ReleasedWarehouse
