"""The tables of the lake."""

from consumption_datamart.factories import LakeTableSpec
from consumption_datamart.schema.lake import Entitlements, Invoices, Telemetry

LAKE = (
    LakeTableSpec(Invoices, owners=("team:accounting",)),
    LakeTableSpec(Entitlements, owners=("team:accounting",)),
    LakeTableSpec(Telemetry, owners=("team:product",)),
)
