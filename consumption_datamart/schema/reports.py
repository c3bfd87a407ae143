"""The reports (spec, sections 4, 7 and 8)."""

from consumption_datamart.schema.codes import ABSENT, BANDS, METERINGS, PERIODS, STATUSES
from consumption_datamart.schema.table import FINITE, Field, MartTable, warnings_field
from consumption_datamart.schema.types import Day, Flag, Integer, Money, Real, Text

WINDOW_DAYS = 30
"""Over how many days, ending on the day, consumption is summed and customers count as active."""
RENEWAL_DAYS = 90
"""How long before its end an entitlement is up for renewal."""
RENEWED_WITHIN = 30
"""Days after its end within which another entitlement takes over."""
NON_NEGATIVE = {"ge": 0, **FINITE}


class ReportConsumptionDaily(MartTable):
    """Consumption of a product by a customer over the 30 days ending that day, with its band."""

    _day = "day"

    day: Day
    customer_id: Text
    customer_name: Text
    product_id: Text
    product_name: Text
    entitled_30d: Real = Field(**NON_NEGATIVE)
    used_30d: Real = Field(**NON_NEGATIVE)
    used_limited_30d: Real = Field(**NON_NEGATIVE)
    consumption_30d: Real = Field(**NON_NEGATIVE, nullable=True)
    is_unlimited: Flag
    days_reported: Integer = Field(in_range={"min_value": 0, "max_value": WINDOW_DAYS})
    band: Text = Field(isin=list(BANDS))

    class Config:
        """One row a day, customer and product."""

        unique = ["day", "customer_id", "product_id"]


class ReportAccountConsumptionDaily(MartTable):
    """Consumption of a product by all customers of an account tree, over the 30 days."""

    _day = "day"

    day: Day
    top_customer_id: Text
    top_customer_name: Text
    product_id: Text
    product_name: Text
    customers: Integer = Field(ge=1)
    entitled_30d: Real = Field(**NON_NEGATIVE)
    used_30d: Real = Field(**NON_NEGATIVE)
    used_limited_30d: Real = Field(**NON_NEGATIVE)
    consumption_30d: Real = Field(**NON_NEGATIVE, nullable=True)
    is_unlimited: Flag
    days_reported: Integer = Field(in_range={"min_value": 0, "max_value": WINDOW_DAYS})
    band: Text = Field(isin=list(BANDS))

    class Config:
        """One row a day, account tree and product."""

        unique = ["day", "top_customer_id", "product_id"]


class ReportPortfolioDaily(MartTable):
    """Consumption of a product by all customers over the 30 days, and how many are in each band."""

    _day = "day"

    day: Day
    product_id: Text
    product_name: Text
    customers: Integer = Field(ge=1)
    entitled_30d: Real = Field(**NON_NEGATIVE)
    used_30d: Real = Field(**NON_NEGATIVE)
    used_limited_30d: Real = Field(**NON_NEGATIVE)
    consumption_30d: Real = Field(**NON_NEGATIVE, nullable=True)
    over: Integer = Field(ge=0)
    healthy: Integer = Field(ge=0)
    low: Integer = Field(ge=0)
    at_risk: Integer = Field(ge=0)
    unused: Integer = Field(ge=0)
    unentitled: Integer = Field(ge=0)
    unlimited: Integer = Field(ge=0)
    no_telemetry: Integer = Field(ge=0)

    class Config:
        """One row a day and product."""

        unique = ["day", "product_id"]


class ReportBandChanges(MartTable):
    """Customers whose band of a product differs from that 30 days before."""

    _day = "day"

    day: Day
    customer_id: Text
    customer_name: Text
    product_id: Text
    product_name: Text
    band_before: Text = Field(isin=[*BANDS, ABSENT])
    band: Text = Field(isin=[*BANDS, ABSENT])
    consumption_before: Real = Field(**NON_NEGATIVE, nullable=True)
    consumption_30d: Real = Field(**NON_NEGATIVE, nullable=True)

    class Config:
        """One row a day, customer and product."""

        unique = ["day", "customer_id", "product_id"]


class ReportActiveCustomersByProductDaily(MartTable):
    """Customers that used a product on any of the 30 days ending that day."""

    _day = "day"

    day: Day
    product_id: Text
    product_name: Text
    customer_id: Text
    customer_name: Text

    class Config:
        """One row a day, product and customer."""

        unique = ["day", "product_id", "customer_id"]


class ReportRenewals(MartTable):
    """Entitlements in force on last_day that end within 90 days, how they are used and renewed."""

    source: Text
    entitlement_id: Text
    customer_id: Text
    customer_name: Text
    product_id: Text
    product_name: Text
    quantity: Money = Field(ge=0)
    unit: Text
    ends_on: Day
    days_left: Integer = Field(in_range={"min_value": 1, "max_value": RENEWAL_DAYS})
    consumption_30d: Real = Field(ge=0, **FINITE, nullable=True)
    band: Text = Field(isin=list(BANDS))
    annual_value: Real = Field(**FINITE, nullable=True)
    currency: Text = Field(nullable=True)
    annual_value_reporting: Real = Field(**FINITE, nullable=True)
    renewed_by: Text = Field(nullable=True)
    renewed_quantity: Money = Field(ge=0, nullable=True)
    at_risk: Flag = Field(description="Whether it is little used, and not renewed for half of it")
    meta__warnings: Text = warnings_field("no_exchange_rate")

    class Config:
        """One row an entitlement and product: one amendment of it is in force on a day."""

        unique = ["source", "entitlement_id", "product_id"]


class ReportCommitments(MartTable):
    """Commitments in force on last_day: what is used of each, and where it is heading."""

    source: Text
    entitlement_id: Text
    amendment: Integer = Field(ge=0)
    customer_id: Text
    customer_name: Text
    product_id: Text
    product_name: Text
    period: Text = Field(nullable=True, isin=PERIODS)
    unit: Text
    metering: Text = Field(isin=METERINGS)
    starts_on: Day = Field(description="First day of the period, or of the amendment")
    ends_on: Day
    quantity: Real = Field(gt=0, **FINITE)
    term_days: Integer = Field(ge=1)
    elapsed_days: Integer = Field(ge=1)
    remaining_days: Integer = Field(ge=0)
    elapsed_pct: Real = Field(**NON_NEGATIVE)
    observed_days: Integer = Field(ge=1)
    used_to_date: Real = Field(**NON_NEGATIVE)
    peak_used: Real = Field(**NON_NEGATIVE)
    used_estimated: Real = Field(**NON_NEGATIVE)
    used_pct: Real = Field(**NON_NEGATIVE)
    burn_30d: Real = Field(**NON_NEGATIVE)
    projected: Real = Field(**NON_NEGATIVE)
    projected_pct: Real = Field(**NON_NEGATIVE)
    pace: Real = Field(**NON_NEGATIVE)
    exhausts_on: Day = Field(nullable=True)
    target_daily: Real = Field(**NON_NEGATIVE, nullable=True)
    overage: Real = Field(**NON_NEGATIVE)
    unused: Real = Field(**NON_NEGATIVE, description="projected below quantity")
    annual_value: Real = Field(**FINITE, nullable=True)
    currency: Text = Field(nullable=True)
    annual_value_reporting: Real = Field(**FINITE, nullable=True)
    unused_value: Real = Field(**FINITE, nullable=True)
    overage_value: Real = Field(**FINITE, nullable=True)
    status: Text = Field(isin=list(STATUSES))
    meta__warnings: Text = warnings_field("before_history", "no_exchange_rate")

    class Config:
        """One row an entitlement, product and period: one is in force on a day."""

        unique = ["source", "entitlement_id", "product_id", "starts_on"]
