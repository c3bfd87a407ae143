"""The star schema (spec, section 3), daily grain."""

from consumption_datamart.schema.codes import METERINGS, UNLIMITED
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.table import FINITE, Field, MartTable, warnings_field
from consumption_datamart.schema.types import Amount, Day, Flag, Integer, Money, Real, Text


class ReportingDay(MartTable):
    """Days that the daily tables hold: from the first day to the last that has any dump."""

    day: Day

    class Config:
        """One row a day."""

        unique = ["day"]


class DimDay(MartTable):
    """Calendar days, 2020-01-01 to 2039-12-31."""

    day: Day
    day_of_week: Integer = Field(in_range={"min_value": 1, "max_value": 7})
    day_name: Text
    is_weekend: Flag
    iso_year: Integer
    iso_week: Integer = Field(in_range={"min_value": 1, "max_value": 53})
    month: Integer = Field(in_range={"min_value": 1, "max_value": 12})
    month_name: Text
    quarter: Integer = Field(in_range={"min_value": 1, "max_value": 4})
    year: Integer
    month_start: Day

    class Config:
        """One row a day."""

        unique = ["day"]


class DimCustomer(MartTable):
    """Customers and their names over time: slowly changing, type 2."""

    customer_key: Text
    customer_id: Text
    customer_name: Text
    valid_from: Day
    valid_to: Day
    is_current: Flag
    meta__warnings: Text = warnings_field("unknown_customer")

    class Config:
        """One row a version of a customer."""

        unique = ["customer_key"]


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


class DeploymentMonthly(MartTable):
    """Deployments seen in a month, by customer and product, as of the last day that each was."""

    _day = "month_start"
    _grain = Grain.MONTH

    month_start: Day
    deployment_id: Text
    customer_id: Text
    product_id: Text
    infrastructure: Text = Field(nullable=True)
    unit: Text
    first_seen_on: Day
    last_seen_on: Day

    class Config:
        """One row a month, deployment, customer and product."""

        unique = ["month_start", "deployment_id", "customer_id", "product_id"]


class DimProduct(MartTable):
    """Products, with how their use is metered."""

    product_id: Text
    product_name: Text
    unit: Text = Field(nullable=True)
    metering: Text = Field(isin=METERINGS)
    meta__warnings: Text = warnings_field("conflicting_metering", "never_invoiced")

    class Config:
        """One row a product."""

        unique = ["product_id"]


class DimDeployment(MartTable):
    """Deployments, as of the last day that each was seen."""

    deployment_id: Text
    customer_id: Text
    product_id: Text
    infrastructure: Text = Field(nullable=True)
    first_seen_on: Day
    last_seen_on: Day
    meta__warnings: Text = warnings_field("moved_deployment")

    class Config:
        """One row a deployment."""

        unique = ["deployment_id"]


class DimEntitlement(MartTable):
    """Entitlement amendments that are ever in force, each with the days on which it is."""

    source: Text
    entitlement_id: Text
    amendment: Integer = Field(ge=0)
    invoice_id: Text = Field(nullable=True)
    customer_id: Text
    product_id: Text
    quantity: Amount = Field(ge=0)
    unit: Text
    metering: Text = Field(isin=[*METERINGS, UNLIMITED])
    ends_on: Day
    daily_quantity: Real = Field(ge=0, **FINITE)
    valid_from: Day
    valid_to: Day

    class Config:
        """One row an amendment."""

        unique = ["source", "entitlement_id", "amendment"]


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

    _day = "day"

    day: Day
    deployment_id: Text
    customer_id: Text
    product_id: Text
    infrastructure: Text = Field(nullable=True)
    total_quantity: Real = Field(ge=0, **FINITE)
    peak_quantity: Real = Field(ge=0, **FINITE)
    event_count: Integer = Field(ge=1)

    class Config:
        """One row a day, deployment, customer and product."""

        unique = ["day", "deployment_id", "customer_id", "product_id"]


class FactEntitlementDaily(MartTable):
    """What a customer is entitled to use of a product on a day."""

    _day = "day"

    day: Day
    customer_id: Text
    product_id: Text
    entitled_quantity: Real = Field(ge=0, **FINITE)
    entitlement_count: Integer = Field(ge=1)

    class Config:
        """One row a day, customer and product."""

        unique = ["day", "customer_id", "product_id"]


class FactConsumptionDaily(MartTable):
    """What a customer uses of a product on a day, against what it is entitled to."""

    _day = "day"

    day: Day
    customer_id: Text
    product_id: Text
    entitled_quantity: Real = Field(ge=0, **FINITE)
    used_quantity: Real = Field(ge=0, **FINITE)
    consumption_ratio: Real = Field(ge=0, **FINITE, nullable=True)
    meta__warnings: Text = warnings_field("unentitled_usage")

    class Config:
        """One row a day, customer and product."""

        unique = ["day", "customer_id", "product_id"]
