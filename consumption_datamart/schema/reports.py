"""The reports (spec, section 4)."""

from consumption_datamart.schema.codes import BANDS
from consumption_datamart.schema.table import FINITE, Field, MartTable
from consumption_datamart.schema.types import Amount, Day, Flag, Integer, Real, Text

WINDOW_DAYS = 30
"""Over how many days, ending on the day, consumption is summed and customers count as active."""
RENEWAL_DAYS = 90
"""How long before its end an entitlement is up for renewal."""


class ReportConsumptionDaily(MartTable):
    """Consumption of a product by a customer over the 30 days ending that day, with its band."""

    _day = "day"

    day: Day
    customer_id: Text
    customer_name: Text
    product_id: Text
    product_name: Text
    entitled_30d: Real = Field(ge=0, **FINITE)
    used_30d: Real = Field(ge=0, **FINITE)
    consumption_30d: Real = Field(ge=0, **FINITE, nullable=True)
    band: Text = Field(isin=list(BANDS))

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
    """Entitlements in force on last_day that end within 90 days, and how they are used."""

    source: Text
    entitlement_id: Text
    customer_id: Text
    customer_name: Text
    product_id: Text
    product_name: Text
    quantity: Amount = Field(gt=0)
    unit: Text
    ends_on: Day
    days_left: Integer = Field(in_range={"min_value": 1, "max_value": RENEWAL_DAYS})
    consumption_30d: Real = Field(ge=0, **FINITE, nullable=True)
    band: Text = Field(isin=list(BANDS))
    annual_value: Real = Field(**FINITE, nullable=True)
    currency: Text = Field(nullable=True)
    at_risk: Flag

    class Config:
        """One row an entitlement: at most one of its amendments is in force on a day."""

        unique = ["source", "entitlement_id"]
