"""The worked platform: its files are read without a complaint, and its graph has no gap."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart_tests.mart import SLOW
from examples.platform.picture import drawn, groups
from examples.platform.platform import HERE, PROJECTS

PICTURE = Path(__file__).parent.parent / "docs" / "platform.svg"


def platform(folder: Path, **more: object) -> dg.Definitions:
    """The code location; nobody answers, and nobody is asked."""
    lake = folder / "lake"
    lake.mkdir()
    since = datetime.now(UTC).date() - timedelta(days=3)
    (lake / "lake.toml").write_text((HERE / "lake.toml").read_text().replace("SINCE", str(since)))
    for name in ("fivetran", "reverse_etl"):
        said = (HERE / f"{name}.toml").read_text().replace("URL", "http://127.0.0.1:9")
        (folder / f"{name}.toml").write_text(said)
    return build_definitions(
        lake=str(lake),
        warehouse="postgres://nobody@127.0.0.1:9/nothing",
        fivetran=str(folder / "fivetran.toml"),
        reverse_etl=str(folder / "reverse_etl.toml"),
        page=str(folder / "site"),
        **more,
    )


def upstream_of(graph: Any, key: str) -> set[str]:
    """An asset, and all that it is made of."""
    found, ahead = set(), {dg.AssetKey.from_user_string(key)}
    while ahead:
        found |= ahead
        ahead = {parent for each in ahead for parent in graph.get(each).parent_keys} - found
    return {each.to_user_string() for each in found}


def test_an_edge_leads_from_the_erp_to_the_crm_and_the_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    definitions = platform(tmp_path)
    assert not [each for each in caplog.messages if "wrong" in each or ".toml" in each]
    graph = definitions.resolve_asset_graph()
    begins = {"fivetran/erp/readings", "ingest/readings", "ingest/invoices", "ingest/entitlements"}
    for end in ("reverse_etl/renewals", "mart/page"):
        assert begins <= upstream_of(graph, end)
    assert upstream_of(graph, "ingest/readings") == {"fivetran/erp/readings", "ingest/readings"}
    alone = {
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if not graph.get(key).parent_keys and not graph.get(key).child_keys
    }
    assert not {key for key in alone if not key.startswith("mart/check") and "figure" not in key}


@SLOW
@pytest.mark.filterwarnings("ignore")  # dbt's own
def test_the_picture_is_of_the_code_location_with_dbt(tmp_path: Path) -> None:
    where = ",".join(map(str, PROJECTS))
    definitions = platform(tmp_path, dbt_projects=where)
    names, edges = groups(definitions)
    assert {("reports", "product_analytics"), ("reports", "finance")} <= edges
    assert {("fivetran", "ingest"), ("ingest", "lake"), ("reports", "reverse_etl")} <= edges
    assert "customers" in names
    assert drawn(definitions) == PICTURE.read_text()


def test_the_picture_is_a_picture() -> None:
    root = ET.parse(PICTURE).getroot()
    texts = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"fivetran", "ingest", "lake", "star", "reports", "finance", "CRM"} <= texts
