"""The facts of the star schema (spec, sections 3 and 7), daily grain."""

from consumption_datamart.schema.table import FINITE, Field, MartTable, warnings_field
from consumption_datamart.schema.types import Amount, Day, Flag, Integer, Money, Real, Text


class UsageByUnitDaily(MartTable):
    """Usage of a product by a deployment on a day, by the unit that it was counted in."""

    _day = "day"

    day: Day
    deployment_id: Text
    customer_id: Text
    product_id: Text
    unit: Text
    infrastructure: Text = Field(nullable=True)
    total_quantity: Real = Field(ge=0, **FINITE)
    peak_quantity: Real = Field(ge=0, **FINITE)
    event_count: Integer = Field(ge=1)

    class Config:
        """One row a day, deployment, customer, product and unit."""

        unique = ["day", "deployment_id", "customer_id", "product_id", "unit"]


class FactInvoiceLine(MartTable):
    """Invoice lines, with the version of the customer they were issued to."""

    source: Text
    invoice_id: Text
    line_number: Integer = Field(ge=1)
    day: Day
    customer_key: Text
    customer_id: Text
    product_id: Text
    quantity: Amount
    unit_price: Amount = Field(ge=0)
    amount: Money
    currency: Text
    term_months: Integer = Field(ge=0)

    class Config:
        """One row an invoice line."""

        unique = ["source", "invoice_id", "line_number"]


class FactUsageDaily(MartTable):
    """Usage of a product by a deployment on a day."""

    _defaults = {"unit": "''", "unit_count": "1"}

    _day = "day"

    day: Day
    deployment_id: Text
    customer_id: Text
    product_id: Text
    infrastructure: Text = Field(nullable=True)
    unit: Text
    unit_count: Integer = Field(ge=1)
    total_quantity: Real = Field(ge=0, **FINITE)
    peak_quantity: Real = Field(ge=0, **FINITE)
    event_count: Integer = Field(ge=1)

    class Config:
        """One row a day, deployment, customer and product."""

        unique = ["day", "deployment_id", "customer_id", "product_id"]


class FactEntitlementDaily(MartTable):
    """What a customer is entitled to use of a product on a day."""

    _defaults = {"is_unlimited": "false"}

    _day = "day"

    day: Day
    customer_id: Text
    product_id: Text
    entitled_quantity: Real = Field(ge=0, **FINITE)
    is_unlimited: Flag
    entitlement_count: Integer = Field(ge=1)

    class Config:
        """One row a day, customer and product."""

        unique = ["day", "customer_id", "product_id"]


class FactConsumptionDaily(MartTable):
    """What a customer uses of a product on a day, against what it is entitled to."""

    _defaults = {"is_unlimited": "false", "deployment_count": "0"}

    _day = "day"

    day: Day
    customer_id: Text
    product_id: Text
    entitled_quantity: Real = Field(ge=0, **FINITE)
    is_unlimited: Flag
    used_quantity: Real = Field(ge=0, **FINITE)
    consumption_ratio: Real = Field(ge=0, **FINITE, nullable=True)
    deployment_count: Integer = Field(ge=0)
    meta__warnings: Text = warnings_field("unentitled_usage", "unit_mismatch")

    class Config:
        """One row a day, customer and product."""

        unique = ["day", "customer_id", "product_id"]
