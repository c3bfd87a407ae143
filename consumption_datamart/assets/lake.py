"""The tables of the lake."""

from consumption_datamart.factories import LakeTableSpec
from consumption_datamart.schema.lake import (
    Accounts,
    Bundles,
    Entitlements,
    ExchangeRates,
    Invoices,
    Telemetry,
)

LAKE = (
    LakeTableSpec(Invoices, owners=("team:accounting",)),
    LakeTableSpec(Entitlements, owners=("team:accounting",)),
    LakeTableSpec(Telemetry, owners=("team:product",)),
    LakeTableSpec(Bundles, owners=("team:product",)),
    LakeTableSpec(Accounts, owners=("team:sales",)),
    LakeTableSpec(ExchangeRates, owners=("team:accounting",)),
)
