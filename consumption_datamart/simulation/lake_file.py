"""The lake.toml of a simulated lake: what its files alone do not say."""

from .currencies import REPORTING
from .market import Market

_TEMPLATE = """\
# What the dumps of this lake do not say themselves; see docs/your-own-lake.md.
currency = "{currency}"

[silence]
# {name} runs where few of them can report, so that silence says nothing of its use
unknown = ["{appliance}"]
"""


def lake_file(market: Market) -> str:
    """The text of the file."""
    what, place = market.what, market.what.appliance
    return _TEMPLATE.format(
        currency=REPORTING, appliance=what.product_id[place], name=what.product_name[place]
    )
