"""The dimensions of the star schema (spec, sections 3 and 7), and what they are made of."""

from consumption_datamart.schema.codes import METERINGS, PERIODS, UNLIMITED
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.table import FINITE, Field, MartTable, warnings_field
from consumption_datamart.schema.types import Day, Flag, Integer, Money, Real, Text


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


class AccountTree(MartTable):
    """Accounts, and customers named as a parent, each with the top of the tree that it is in."""

    customer_id: Text
    parent_customer_id: Text = Field(nullable=True)
    segment: Text = Field(nullable=True)
    region: Text = Field(nullable=True)
    account_manager: Text = Field(nullable=True)
    top_customer_id: Text
    is_circular: Flag

    class Config:
        """One row a customer."""

        unique = ["customer_id"]


class DimAccount(MartTable):
    """The top of each customer's account tree, and its names over time."""

    customer_id: Text
    top_customer_id: Text
    top_customer_name: Text
    valid_from: Day
    valid_to: Day

    class Config:
        """One row a customer and name of its top."""

        unique = ["customer_id", "valid_from"]


class DimCustomer(MartTable):
    """Customers and their names over time: slowly changing, type 2; as accounts as of now."""

    _defaults = {"top_customer_id": "customer_id"}

    customer_key: Text
    customer_id: Text
    customer_name: Text
    valid_from: Day
    valid_to: Day
    is_current: Flag
    parent_customer_id: Text = Field(nullable=True)
    segment: Text = Field(nullable=True)
    region: Text = Field(nullable=True)
    account_manager: Text = Field(nullable=True)
    top_customer_id: Text
    meta__warnings: Text = warnings_field("account_cycle", "unknown_customer")

    class Config:
        """One row a version of a customer."""

        unique = ["customer_key"]


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

    _defaults = {"is_bundle": "false", "silence_unknown": "false"}

    product_id: Text
    product_name: Text
    unit: Text = Field(nullable=True)
    metering: Text = Field(isin=METERINGS)
    is_bundle: Flag
    silence_unknown: Flag
    meta__warnings: Text = warnings_field("conflicting_metering", "nested_bundle", "never_invoiced")

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
    """Entitlement amendments that are ever in force, by component of a bundle and by period."""

    source: Text
    entitlement_id: Text
    amendment: Integer = Field(ge=0)
    invoice_id: Text = Field(nullable=True)
    customer_id: Text
    product_id: Text
    bundle_id: Text = Field(nullable=True)
    quantity: Money = Field(ge=0)
    unit: Text
    metering: Text = Field(isin=[*METERINGS, UNLIMITED])
    period: Text = Field(nullable=True, isin=PERIODS)
    starts_on: Day
    ends_on: Day
    ceases_on: Day
    period_starts_on: Day
    period_ends_on: Day
    daily_quantity: Real = Field(ge=0, **FINITE, nullable=True)
    valid_from: Day
    valid_to: Day

    class Config:
        """One row an amendment, component and period."""

        unique = ["source", "entitlement_id", "amendment", "product_id", "period_starts_on"]


class EntitlementValue(MartTable):
    """What amendments are invoiced at for a year, by component; in force or not."""

    source: Text
    entitlement_id: Text
    amendment: Integer = Field(ge=0)
    product_id: Text
    annual_value: Real = Field(**FINITE, nullable=True)
    currency: Text = Field(nullable=True)
    annual_value_reporting: Real = Field(**FINITE, nullable=True)
    meta__warnings: Text = warnings_field("no_exchange_rate")

    class Config:
        """One row an amendment and component."""

        unique = ["source", "entitlement_id", "amendment", "product_id"]
