"""The lake's contract (spec, sections 1, 2 and 7): one model for each lake table.

A contract says which columns and rules a dump must keep, when a row is on the wrong day, when it is
suspicious, and which of two rows with one key is kept. The raw, quarantine and files tables derive
from it.
"""

from datetime import date
from typing import ClassVar

import ibis.expr.types as ir
import pandera.ibis as pa
from pandera.api.ibis.types import IbisData

from consumption_datamart.schema.codes import METERINGS, PERIODS, UNLIMITED
from consumption_datamart.schema.patterns import matches
from consumption_datamart.schema.table import Field, LakeTable
from consumption_datamart.schema.types import Amount, Day, Instant, Integer, Rate, Real, Text

UNUSUAL_QUANTITY = 1_000_000
LARGEST_READING = 1e15
EARLIEST = date(1900, 1, 2)
"""The first day on which a customer may have been invoiced: all are known from the day before."""
LONGEST_TERM = 100_0000
"""A hundred years, where a date is a number as 20261231."""


class Contract(LakeTable):
    """Base of the contracts.

    A contract with `_day` has in each dump all rows of its day; one without has rows that later
    dumps supersede: those with the same key, or with the same values of the columns `_superseding`.
    `_preferred` names the columns whose greatest value wins among rows with one key, before the
    remaining columns in contract order. A lake need not have the tables of `_is_optional`.
    """

    _preferred: ClassVar[tuple[str, ...]] = ("quantity",)
    _superseding: ClassVar[tuple[str, ...]] = ()
    _is_optional: ClassVar[bool] = False

    @classmethod
    def is_optional(cls) -> bool:
        """Whether a lake without the table is complete; its dumps make no days of the mart."""
        return cls._is_optional

    @classmethod
    def superseding(cls) -> list[str]:
        """Columns by which the rows of a later dump supersede those of an earlier one."""
        return list(cls._superseding) or cls.key()

    @classmethod
    def precedence(cls) -> list[str]:
        """Columns that decide which of several rows with one key in one dump is kept, in order."""
        columns = cls.ibis_schema()
        others = [name for name in columns if name not in (*cls.key(), *cls._preferred)]
        return [*(name for name in cls._preferred if name in columns), *others]

    @classmethod
    def moment(cls, rows: ir.Table) -> ir.Value | None:  # noqa: ARG003  # for overriding
        """The column that says of which day a row is: a date or a timestamp; None: it has none."""
        return None

    @classmethod
    def wrong_day(cls, day: ir.DateValue, dump_day: ir.DateValue) -> ir.BooleanValue:
        """Condition for reason `wrong_day`, of a row that is of a day."""
        return day != dump_day

    @classmethod
    def flags(cls, rows: ir.Table) -> dict[str, ir.BooleanValue]:
        """Warning code → condition, for the warnings that a kept row can have."""
        found = {}
        if "customer_id" in rows.columns:
            found["invalid_customer_id"] = ~matches(rows.customer_id, r"CUST-[0-9]+")
        if "quantity" in rows.columns:
            found["unusual_quantity"] = rows.quantity > UNUSUAL_QUANTITY
        return found


class Invoices(Contract):
    """Invoice lines, as the accounting system dumps them."""

    invoice_id: Text
    line_number: Integer = Field(ge=1)
    invoice_date: Day = Field(ge=EARLIEST)
    customer_id: Text
    customer_name: Text
    product_id: Text
    product_name: Text
    quantity: Amount
    unit_price: Amount = Field(ge=0)
    currency: Text = Field(str_matches=r"^[A-Z]{3}$")
    term_months: Integer = Field(ge=0)

    class Config:
        """The key within a dump."""

        unique = ["invoice_id", "line_number"]

    @classmethod
    def moment(cls, rows: ir.Table) -> ir.Value:
        """The day of the invoice."""
        return rows.invoice_date

    @classmethod
    def wrong_day(cls, day: ir.DateValue, dump_day: ir.DateValue) -> ir.BooleanValue:
        """An invoice is not dumped before its date."""
        return day > dump_day

    @classmethod
    def flags(cls, rows: ir.Table) -> dict[str, ir.BooleanValue]:
        """Also when nothing is invoiced, or less than nothing."""
        more = {"credit": rows.quantity < 0, "zero_quantity": rows.quantity == 0}
        return {**super().flags(rows), **more}


class Entitlements(Contract):
    """Entitlements and their amendments, as the accounting system dumps them."""

    entitlement_id: Text
    amendment: Integer = Field(ge=0)
    invoice_id: Text = Field(nullable=True)
    customer_id: Text
    product_id: Text
    quantity: Amount = Field(ge=0)
    unit: Text
    metering: Text = Field(isin=[*METERINGS, UNLIMITED])
    period: Text = Field(nullable=True, isin=PERIODS)
    starts_on: Day
    ends_on: Day

    class Config:
        """The key within a dump."""

        unique = ["entitlement_id", "amendment"]

    @pa.dataframe_check(error="starts_on <= ends_on")
    @classmethod
    def starts_before_it_ends(cls, data: IbisData) -> ir.BooleanValue:
        """An entitlement does not end before it starts."""
        return data.table.starts_on <= data.table.ends_on

    @pa.dataframe_check(error="a consumable without period ends within 100 years")
    @classmethod
    def is_for_a_term(cls, data: IbisData) -> ir.BooleanValue:
        """What is spread over centuries is no quantity a day."""
        rows = data.table
        ends, starts = _as_number(rows.ends_on), _as_number(rows.starts_on)
        is_short = ends <= starts + LONGEST_TERM
        return (rows.metering != "consumable") | rows.period.notnull() | is_short

    @classmethod
    def flags(cls, rows: ir.Table) -> dict[str, ir.BooleanValue]:
        """Also when an original entitles to nothing (an amendment may: it cancels)."""
        nothing = (rows.quantity == 0) & (rows.amendment == 0)
        return {**super().flags(rows), "zero_quantity": nothing}


class Telemetry(Contract):
    """Usage readings, as the product teams dump them."""

    _day = "dump_day"
    _preferred = ("event_ts", "quantity")
    _identifiers = ("event_id",)

    event_id: Text
    event_ts: Instant
    customer_id: Text
    deployment_id: Text
    product_id: Text
    infrastructure: Text = Field(nullable=True)
    quantity: Real = Field(ge=0, le=LARGEST_READING)
    unit: Text

    class Config:
        """The key within a dump, which is all usage of its day."""

        unique = ["event_id"]

    @classmethod
    def moment(cls, rows: ir.Table) -> ir.Value:
        """When the reading was taken."""
        return rows.event_ts


class Bundles(Contract):
    """Bundles, by the components that they are sold for."""

    _superseding = ("bundle_id",)
    _is_optional = True

    bundle_id: Text
    product_id: Text
    quantity: Amount = Field(ge=0)
    unit: Text
    metering: Text = Field(isin=METERINGS)

    class Config:
        """The key within a dump; the last dump that has a bundle has all of it."""

        unique = ["bundle_id", "product_id"]


class Accounts(Contract):
    """Customers as accounts, with the accounts that they belong to."""

    _is_optional = True

    customer_id: Text
    parent_customer_id: Text = Field(nullable=True)
    segment: Text = Field(nullable=True)
    region: Text = Field(nullable=True)
    account_manager: Text = Field(nullable=True)

    class Config:
        """The key within a dump."""

        unique = ["customer_id"]


class ExchangeRates(Contract):
    """Exchange rates: what one unit of a currency is worth, from a day on."""

    _is_optional = True

    currency: Text = Field(str_matches=r"^[A-Z]{3}$")
    valid_from: Day
    rate: Rate = Field(gt=0)

    class Config:
        """The key within a dump."""

        unique = ["currency", "valid_from"]


def _as_number(day: ir.DateValue) -> ir.IntegerValue:
    """A date as 20261231, on every engine."""
    return day.year() * 1_0000 + day.month() * 100 + day.day()


CONTRACTS: tuple[type[Contract], ...] = (
    Invoices,
    Entitlements,
    Telemetry,
    Bundles,
    Accounts,
    ExchangeRates,
)
"""Of all lake tables."""
REQUIRED = tuple(contract for contract in CONTRACTS if not contract.is_optional())
"""Of those without which there is no mart; their dumps say which days it is about."""
REQUIRED_TABLES = tuple(contract.table_name() for contract in REQUIRED)
