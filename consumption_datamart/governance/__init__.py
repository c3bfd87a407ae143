"""The view of those who answer for many assets: what there is, whose, and whether it is well."""

from consumption_datamart.governance.assets import Asset, Column, assets_of
from consumption_datamart.governance.evidence import CheckState, Evidence, Made
from consumption_datamart.governance.health import FAILING, STATES, Health
from consumption_datamart.governance.versions import ToldVersion, versions_of
from consumption_datamart.governance.view import View, look

__all__ = [
    "FAILING",
    "STATES",
    "Asset",
    "CheckState",
    "Column",
    "Evidence",
    "Health",
    "Made",
    "ToldVersion",
    "View",
    "assets_of",
    "look",
    "versions_of",
]
