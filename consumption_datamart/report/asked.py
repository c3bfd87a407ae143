"""What a report may be asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from consumption_datamart.errors import DatamartError
from consumption_datamart.schema.codes import BANDS, STATUSES
from consumption_datamart.schema.reports import (
    ReportAccountConsumptionDaily,
    ReportCommitments,
    ReportConsumptionDaily,
    ReportPortfolioDaily,
)
from consumption_datamart.schema.table import MartTable


@dataclass(frozen=True)
class View:
    """One of the tables of the report.

    Attributes:
        model: of the table of the mart that it shows.
        who: columns with the id and the name of whom a row is about; None: of all customers.
        key: columns that tell rows of one day apart.
        filters: that it takes.
    """

    model: type[MartTable]
    who: tuple[str, str] | None
    key: tuple[str, ...]
    filters: Collection[str]

    @property
    def is_daily(self) -> bool:
        """Whether it is of any day, and can be compared; otherwise it is as of the last."""
        return "day" in self.model.ibis_schema()


VIEWS: Mapping[str, View] = {
    "customer": View(
        ReportConsumptionDaily,
        ("customer_id", "customer_name"),
        ("customer_id", "product_id"),
        ("customer", "product", "band"),
    ),
    "product": View(ReportPortfolioDaily, None, ("product_id",), ("product", "band")),
    "account": View(
        ReportAccountConsumptionDaily,
        ("top_customer_id", "top_customer_name"),
        ("top_customer_id", "product_id"),
        ("customer", "product", "band"),
    ),
    "commitment": View(
        ReportCommitments,
        ("customer_id", "customer_name"),
        ("source", "entitlement_id", "product_id", "starts_on"),
        ("customer", "product", "status"),
    ),
}


@dataclass(frozen=True)
class Asked:
    """What a report is asked for; by default all of the last day.

    Attributes:
        by: name of the view.
        day: to report consumption of; None: the last.
        compare: an earlier day to compare it with.
        customers: ids, or parts of names in any letter case; nothing: all.
        products: likewise.
        bands: only rows in one of these.
        statuses: only commitments of one of these.
        top: only so many rows; None: all.

    Raises:
        DatamartError: a band, a status or a view that there is not, or a filter that the view
            does not take.
    """

    by: str = "customer"
    day: date | None = None
    compare: date | None = None
    customers: Sequence[str] = ()
    products: Sequence[str] = ()
    bands: Sequence[str] = ()
    statuses: Sequence[str] = ()
    top: int | None = None

    def __post_init__(self) -> None:
        """Refuses what there is not."""
        _known("--by", [self.by], VIEWS)
        _known("--band", self.bands, BANDS)
        _known("--status", self.statuses, STATUSES)

    @property
    def view(self) -> View:
        """The view that it is by."""
        return VIEWS[self.by]

    def refused(self, view: View) -> list[str]:
        """The options that a view does not take, though they are given."""
        given = {
            "customer": self.customers,
            "product": self.products,
            "band": self.bands,
            "status": self.statuses,
        }
        names = [name for name, values in given.items() if values and name not in view.filters]
        if self.compare and not view.is_daily:
            names.append("compare")
        return [f"--{name}" for name in names]

    def require_fitting(self) -> None:
        """Checks that the view takes all that is given.

        Raises:
            DatamartError: it does not take one of the options.
        """
        for option in self.refused(self.view):
            name = option.removeprefix("--")
            takers = [
                by
                for by, view in VIEWS.items()
                if (view.is_daily if name == "compare" else name in view.filters)
            ]
            raise DatamartError(
                f"{option}: not of the table by {self.by}; take --by {' or '.join(takers)}"
            )

    def of_customers(self, frame: pd.DataFrame, key: str, name: str) -> pd.DataFrame:
        """The rows about the customers that are asked for, whose id and name are in these columns.

        An id has to be the same; of a name a part is enough, in any letter case.
        """
        return _matching(frame, self.customers, key, name)

    def of_products(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows about the products that are asked for, likewise."""
        return _matching(frame, self.products, "product_id", "product_name")

    def about(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows about customers and products that are asked for."""
        return self.of_products(self.of_customers(frame, "customer_id", "customer_name"))


def _known(option: str, given: Collection[str], known: Collection[str]) -> None:
    for each in given:
        if each not in known:
            raise DatamartError(
                f"{option} {each}: there is no such; name one of {', '.join(known)}"
            )


def _matching(frame: pd.DataFrame, wanted: Sequence[str], key: str, name: str) -> pd.DataFrame:
    if not wanted:
        return frame
    names, fits = frame[name].astype(str).str.casefold(), frame[key].isin(wanted)
    for each in wanted:
        fits |= names.str.contains(each.casefold(), regex=False)
    return frame[fits]
