"""The page as an asset of Dagster."""

from typing import Any

import dagster as dg

from consumption_datamart.automation import after_others
from consumption_datamart.checks import as_dagster_failure, asset_key
from consumption_datamart.page import Site, write_site
from consumption_datamart.schema.reports import (
    ReportAccountConsumptionDaily,
    ReportActiveCustomersByProductDaily,
    ReportBandChanges,
    ReportCommitments,
    ReportConsumptionDaily,
    ReportPortfolioDaily,
    ReportRenewals,
)
from consumption_datamart.settings import Settings
from consumption_datamart.trends import as_markdown

SITE = "site"
"""Group of the asset."""
PAGE = dg.AssetKey(["mart", "page"])
MADE_OF = (
    ReportConsumptionDaily,
    ReportActiveCustomersByProductDaily,
    ReportAccountConsumptionDaily,
    ReportPortfolioDaily,
    ReportBandChanges,
    ReportRenewals,
    ReportCommitments,
)


def page_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The asset that writes the site and follows the reports; none where no place is set."""
    where = settings.page
    if where is None:
        return []

    @dg.multi_asset(
        name="page",
        specs=[
            dg.AssetSpec(
                PAGE,
                deps=[asset_key(each) for each in MADE_OF],
                description="The executives' report as a site of pages.",
                group_name=SITE,
                owners=["team:data"],
                kinds={"html"},
                automation_condition=after_others(ReportRenewals, settings.refresh_minutes),
            )
        ],
    )
    def _page() -> dg.MaterializeResult[Any]:
        with as_dagster_failure():
            site = write_site(settings, where, is_priced=settings.page_without is None)
        return dg.MaterializeResult(asset_key=PAGE, metadata=_told(site))

    return [_page]


def _told(site: Site) -> dict[str, Any]:
    """Where it lies, its figures, and a picture."""
    done = site.published
    told: dict[str, Any] = {
        "site": dg.MetadataValue.path(done.place),
        "pages": done.pages,
        "pages written": done.written,
        "bytes": done.size,
    }
    for figure in site.figures():
        if figure.value is not None:
            told[figure.label.lower()] = float(figure.value)
    if (picture := site.picture()) is not None:
        shown = as_markdown(picture, "Bands over time", "svg+xml")
        told["bands over time"] = dg.MetadataValue.md(shown)
    return told
