"""The executives' page, read back: each figure is in the tables, and names do no harm."""

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.page import charts
from consumption_datamart.schema.codes import BANDS, STATUSES
from consumption_datamart.schema.superset import METRICS
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import day
from consumption_datamart_tests.oracle import expected_tables
from consumption_datamart_tests.oracle_commitments import report_commitments
from consumption_datamart_tests.oracle_tables import Row, days_between
from consumption_datamart_tests.pages import (
    HOSTILE,
    NO_UNIT,
    SCRIPT,
    Read,
    Told,
    ask,
    build_mart,
    heading,
    plain,
    write_old_lake,
    write_page_lake,
)
from consumption_datamart_tests.test_report import LAST, LONG_NAME, REASONS

TODAY = day(LAST)
DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The mart of the lake that has every band, and names that are out to do harm."""
    folder = tmp_path_factory.mktemp("page")
    write_page_lake(folder / "lake")
    return build_mart(folder)


def page(url: str, out: Path, *options: object) -> Read:
    """Writes the site as a user does, and reads it back."""
    ended = cli.run("page", "--warehouse", url, "--out", out, *options)
    assert (ended.code, ended.out) == (0, ""), ended.err
    return Read(out)


@pytest.fixture(scope="module")
def site(url: str, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Its site."""
    return page(url, tmp_path_factory.mktemp("site") / "site")


@pytest.fixture(scope="module")
def unpriced(url: str, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The same without money."""
    return page(url, tmp_path_factory.mktemp("site") / "site", "--without", "money")


CAPPED = """CASE WHEN band = 'no_telemetry' THEN NULL WHEN consumption_30d > 1 THEN 1
    ELSE consumption_30d END"""
KEYS = {
    "report_consumption_daily": ("customer_id", "product_id"),
    "report_account_consumption_daily": ("top_customer_id", "product_id"),
    "report_portfolio_daily": ("product_id",),
    "report_commitments": ("source", "entitlement_id", "product_id", "starts_on"),
    "report_renewals": ("source", "entitlement_id", "product_id"),
    "fact_invoice_line": ("source", "invoice_id", "line_number"),
    "dim_deployment": ("deployment_id",),
}
COMPUTED = {
    ("report_portfolio_daily", "active"): """
        SELECT product_id AS key, count(*) AS value
        FROM mart.report_active_customers_by_product_daily WHERE day = ? GROUP BY ALL""",
    ("dim_deployment", "used_30d"): """
        SELECT deployment_id AS key,
            sum(CASE metering WHEN 'capacity' THEN peak_quantity ELSE total_quantity END) AS value
        FROM mart.fact_usage_daily JOIN mart.dim_product USING (product_id)
        WHERE day BETWEEN ?::date - 29 AND ?1 GROUP BY ALL""",
    ("fact_usage_daily", "share"): """
        SELECT product_id || '|' || infrastructure AS key, sum(used)
            / sum(sum(used)) OVER (PARTITION BY product_id) AS value
        FROM (SELECT *, CASE metering WHEN 'capacity' THEN peak_quantity ELSE total_quantity END
            AS used FROM mart.fact_usage_daily JOIN mart.dim_product USING (product_id))
        WHERE day BETWEEN ?::date - 29 AND ?1 GROUP BY product_id, infrastructure""",
    ("movements", "customers"): """
        SELECT band_before || '|' || band AS key, count(*) AS value
        FROM mart.report_band_changes WHERE day = ? GROUP BY ALL""",
    ("movements", "value"): """
        SELECT band_before || '|' || band AS key, sum(worth) AS value
        FROM mart.report_band_changes JOIN (SELECT customer_id, product_id,
            sum(annual_value_reporting) AS worth FROM mart.report_commitments GROUP BY ALL)
            USING (customer_id, product_id) WHERE day = ? GROUP BY ALL""",
    ("renewals", "renewals"): """
        SELECT strftime(ends_on, '%Y-%m') || '|' || CASE WHEN at_risk THEN 'at risk'
            WHEN renewed_by IS NOT NULL THEN 'renewed' ELSE 'open' END AS key, count(*) AS value
        FROM mart.report_renewals WHERE ?::date IS NOT NULL GROUP BY ALL""",
    ("renewals", "value"): """
        SELECT strftime(ends_on, '%Y-%m') || '|' || CASE WHEN at_risk THEN 'at risk'
            WHEN renewed_by IS NOT NULL THEN 'renewed' ELSE 'open' END AS key,
            sum(annual_value_reporting) AS value
        FROM mart.report_renewals WHERE ?::date IS NOT NULL GROUP BY ALL""",
    ("customers", "share"): f"""
        SELECT customer_id AS key, avg({CAPPED}) AS value
        FROM mart.report_consumption_daily WHERE day = ? GROUP BY ALL""",
    ("customers", "value"): """
        SELECT customer_id AS key, sum(annual_value_reporting) AS value
        FROM mart.report_commitments WHERE ?::date IS NOT NULL GROUP BY ALL""",
    ("customers", "ends_on"): """
        SELECT customer_id AS key, min(ends_on) AS value
        FROM mart.report_commitments WHERE ?::date IS NOT NULL GROUP BY ALL""",
    ("", "rows"): " UNION ALL ".join(
        f"SELECT '{table}|' || reason AS key, count(*) AS value FROM lake.quarantine_{table}"
        " WHERE ?1::date IS NOT NULL GROUP BY ALL"
        for table in ("invoices", "entitlements", "telemetry")
    ),
}
BY_PRODUCT = {"fact_usage_daily"}
"""Tables whose key on a page is within its product."""
OF_MART = {
    "consumed": f"""SELECT avg({CAPPED}) FROM mart.report_consumption_daily
        WHERE day = ?""",
    "consumed_change": f"""SELECT avg({CAPPED}) FILTER (day = ?1)
        - avg({CAPPED}) FILTER (day = ?1::date - 30)
        FROM mart.report_consumption_daily""",
    "pairs": "SELECT count(*) FROM mart.report_consumption_daily WHERE day = ?",
    "customers": """SELECT count(DISTINCT customer_id) FROM mart.report_consumption_daily
        WHERE day = ?""",
    "covered": """SELECT sum(annual_value_reporting) FROM mart.report_commitments
        WHERE ?::date IS NOT NULL""",
    "at_risk_value": """SELECT sum(annual_value_reporting) FROM mart.report_renewals
        WHERE at_risk AND ?::date IS NOT NULL""",
    "idle": """SELECT sum(unused_value) FROM mart.report_commitments
        WHERE status IN ('underused', 'at_risk', 'unused') AND ?::date IS NOT NULL""",
    "over_use": """SELECT sum(overage_value) FROM mart.report_commitments
        WHERE status IN ('overrunning', 'exhausted') AND ?::date IS NOT NULL""",
    "met": """SELECT count(*) FROM monitoring.objective
        WHERE days_measured > 0 AND budget_left >= 0 AND ?::date IS NOT NULL""",
    "measured": """SELECT count(*) FROM monitoring.objective
        WHERE days_measured > 0 AND ?::date IS NOT NULL""",
}
SUMS = {
    "covered_change": ("annual_value_reporting", STATUSES),
    "idle_change": ("unused_value", ("underused", "at_risk", "unused")),
    "over_use_change": ("overage_value", ("overrunning", "exhausted")),
}


def change(lake: Path, column: str) -> float:
    """The change of a figure in 30 days, by the tests' own reading of the specification."""
    value, statuses = SUMS[column]
    sums = []
    for last in (TODAY, TODAY - timedelta(days=30)):
        rows = commitments_on(lake, last)
        sums.append(sum(row[value] or 0.0 for row in rows if row["status"] in statuses))
    return sums[0] - sums[1]


@cache
def commitments_on(lake: Path, last: date) -> list[Row]:
    """report_commitments as of a day, of a lake that is known as a whole."""
    star = expected_star(lake)
    facts = [row for row in star["mart.fact_consumption_daily"] if row["day"] <= last]
    names = ("dim_entitlement", "entitlement_value", "dim_customer")
    entitlements, values, customers = (star[f"mart.{name}"] for name in names)
    products = {row["product_id"]: row for row in star["mart.dim_product"]}
    days = list(days_between(day(1), last))
    return report_commitments(entitlements, facts, values, customers, products, days)


expected_star = cache(expected_tables)


class Truth:
    """What the tables say of a figure, asked once each."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}
        self.values: dict[tuple[str, str], dict[str, Any]] = {}

    def of(self, told: Told, name: str, product: str) -> object:
        """The value that a figure must have."""
        asked = told.table, told.column
        if asked in COMPUTED:
            if asked not in self.values:
                rows = ask(self.url, COMPUTED[asked], TODAY)
                self.values[asked] = {row["key"]: row["value"] for row in rows}
            key = f"{product}|{told.key}" if told.table in BY_PRODUCT else told.key
            return self.values[asked].get(key, 0 if told.column == "active" else None)
        if told.table in KEYS:
            return self._rows(told.table)[told.key][told.column]
        assert name == "index.html", told
        if told.column in SUMS:
            return change(Path(self.url.removeprefix("duckdb://")).parent / "lake", told.column)
        if told.column in BANDS and not told.text.endswith(("USD", "EUR")):
            sql = "SELECT count(*) FROM mart.report_consumption_daily WHERE day = ? AND band = ?"
            ((_, value),) = ask(self.url, sql, TODAY, told.column)[0].items()
            return value
        column = "at_risk_value" if told.column == "at_risk" else told.column
        ((_, value),) = ask(self.url, OF_MART[column], TODAY)[0].items()
        return value

    def _rows(self, table: str) -> dict[str, dict[str, Any]]:
        if table not in self.rows:
            keys = " || '|' || ".join(f"{name}::varchar" for name in KEYS[table])
            where = f"WHERE day = '{TODAY}'" if table.endswith("_daily") else ""
            rows = ask(self.url, f"SELECT {keys} AS key, * FROM mart.{table} {where}")
            self.rows[table] = {row["key"]: row for row in rows}
        return self.rows[table]


def figures(site: Read) -> Iterator[tuple[str, Told]]:
    """All figures of the mart, with the name of the page that tells it."""
    for name in site.names:
        for told in site.figures(name):
            # of the day of the page itself
            is_heading = told.column == "day" and told.table != "fact_invoice_line"
            if is_heading:
                assert told.value == TODAY.isoformat()
            elif name not in ("trends.html", "objectives.html"):
                yield name, told


def test_every_figure_is_in_the_tables(site: Read, url: str) -> None:
    truth, seen = Truth(url), Counter[str]()
    products = {row["product_name"]: row["product_id"] for row in ask(url, "FROM mart.dim_product")}
    for name, told in figures(site):
        if told.table == "actions":
            continue
        product = products.get(heading(site.pages[name]), "")
        expected, value = plain(truth.of(told, name, product)), told.value
        seen[f"{told.table} {told.column}"] += 1
        where = f"{name}: {told}"
        if isinstance(expected, float):
            assert float(value) == pytest.approx(expected, rel=1e-9, abs=1e-12), where
        else:
            assert value == expected, where
    assert {name for name, _ in COMPUTED} | KEYS.keys() <= {key.split(" ")[0] for key in seen}
    assert {f" {name}".replace("_value", "") for name in OF_MART} | {
        f" {name}" for name in SUMS
    } <= seen.keys()


def test_what_to_act_on_is_what_the_report_says(site: Read, url: str) -> None:
    ended = cli.run("report", "--warehouse", url, "--format", "json")
    actions = json.loads(ended.out)["actions"]
    rows = site.pages["index.html"].xpath("//*[@data-table='actions']//tbody/tr")
    assert len(rows) == 10
    for row, action in zip(rows, actions, strict=False):
        told = {node.get("data-column"): node.get("value") for node in row.xpath(".//data")}
        assert row.xpath("string(td[1])") == action["reason"]
        assert row.xpath("string(th/a)") == action["customer_name"]
        assert int(told["days"]) == action["days"]
        if action["at_stake"] is not None:
            assert float(told["stake"]) == pytest.approx(action["at_stake"])
    assert {row.xpath("string(td[1])") for row in rows} <= {*REASONS.values()} | {
        action["reason"] for action in actions
    }


def test_every_row_of_a_customer_is_on_its_page(site: Read, url: str) -> None:
    for table, keys in KEYS.items():
        if table in ("report_portfolio_daily", "report_account_consumption_daily"):
            continue
        where = f"WHERE day = '{TODAY}'" if table.endswith("_daily") else ""
        key = " || '|' || ".join(f"{name}::varchar" for name in keys)
        sql = f"SELECT {key} AS key, customer_id FROM mart.{table} {where}"
        found = {
            (node.xpath("string(//h1)"), node.get("data-key"))
            for name, tree in site.pages.items()
            if name.startswith("customers/")
            for node in tree.xpath(f"//*[@data-table='{table}']//tr[@data-key]")
        }
        names = {row["customer_id"]: row["customer_name"] for row in ask(
            url, "FROM mart.dim_customer WHERE is_current")}  # fmt: skip
        assert found == {(names[row["customer_id"]], row["key"]) for row in ask(url, sql)}, table


def points(path: str) -> list[tuple[float, float]]:
    """The points of a line: the first where it is, the others by their distance."""
    steps = [tuple(map(float, each.split(" "))) for each in re.split("[Ml]", path)[1:]]
    return list(zip(*(accumulate(each) for each in zip(*steps, strict=True)), strict=True))


def test_a_chart_draws_what_was_used_against_what_was_entitled(site: Read, url: str) -> None:
    drawing = site.titled(SCRIPT).xpath("//figure[1]//*[name()='svg'][1]")[0]
    sides = [
        (float(text.get("y")) - 4, float(text.text))
        for text in drawing.xpath(".//*[@class='side']/*")
    ]
    (zero, low), (top, high) = sides[0], sides[-1]
    assert low == 0

    def value(y: float) -> float:
        return (zero - y) / (zero - top) * high

    entitled = drawing.xpath(".//*[@class='entitled']/@d")[0]
    heights = [float(each) for each in re.findall(r"(?:V|M[\d.]+ )([\d.]+)", entitled)]
    assert [value(y) for y in heights] == pytest.approx([10, 30], abs=0.2), "amended on day 20"
    drawing = site.titled("Falls").xpath("//figure[1]//*[name()='svg'][1]")[0]
    (used,) = drawing.xpath(".//*[@class='used']/@d")
    found = [value(y) * 10 / high for _, y in points(used)]
    rows = ask(
        url,
        """SELECT used_quantity FROM mart.fact_consumption_daily
        JOIN mart.dim_customer USING (customer_id) WHERE customer_name = 'Falls' ORDER BY day""",
    )
    scale = rows[0]["used_quantity"] / found[0]
    assert [each * scale for each in found] == pytest.approx(
        [row["used_quantity"] for row in rows], abs=0.2
    )
    assert drawing.xpath("count(.//*[contains(@class, 'zone')])") == 4


def test_a_commitment_says_where_it_is_heading(site: Read) -> None:
    def of(name: str) -> tuple[str, bool]:
        tree = site.titled(name)
        dashed = bool(tree.xpath("//figure//*[name()='svg']/*[@class='projected']"))
        return tree.xpath("string(//*[@class='outlook'])"), dashed

    assert of("Slow") == ("will have used 50 % by 11 April", True)
    assert of("Soon")[0] == "will have used 200 % by 11 April; used up on 19 February"
    assert of("Done") == ("all 12,000 api_calls used up since 20 January", False)
    assert of("Comes") == ("too early to tell: 21 of 346 days have passed", False)
    assert of("Fine") == ("will use 80 % a day until 1 January 2027", True)


def test_a_product_says_who_uses_it_without_a_share(site: Read) -> None:
    rows = site.titled("Db").xpath(
        "//h2[.='Unentitled or unlimited']/following::table[1]//tbody/tr"
    )
    told = [(row.xpath("string(th)"), row.xpath("string(td[last()])")) for row in rows]
    assert told == [("Guest", "unentitled"), ("Free", "unlimited")]


def test_the_metrics_for_analysts_are_the_figures_of_the_page(site: Read, url: str) -> None:
    told = {each.column: each.value for each in site.figures("index.html") if not each.table}
    page_names = {"share_consumed": "consumed", "at_risk_value": "at_risk"}
    seen = set()
    for model, metrics in METRICS.items():
        of_day = f"WHERE day = '{TODAY}'" if model.day_column() else ""
        asked = ", ".join(f"{sql} AS {name}" for name, (sql, _, _) in metrics.items())
        (row,) = ask(url, f"SELECT {asked} FROM {model.full_name()} {of_day}")
        for name in row.keys() & {*page_names, "pairs", "covered", "idle", "over_use"}:
            seen.add(name)
            assert row[name] == pytest.approx(float(told[page_names.get(name, name)])), name
    assert len(seen) == 6


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pandas 2.3 with matplotlib 3.11
@pytest.mark.parametrize("number", [0, 1])
def test_the_notebooks_of_the_docs_run(number: int, url: str) -> None:
    program = re.findall(r"```python\n(.*?)```", (DOCS / "bi.md").read_text(), re.DOTALL)[number]
    names: dict[str, Any] = {}
    exec(program.replace(".datamart/consumption.duckdb", url.removeprefix("duckdb://")), names)
    assert len(names["bands" if number == 0 else "idle"]) > 5


def test_names_do_no_harm(site: Read) -> None:
    for name, tree in site.pages.items():
        scripts = tree.xpath("//script[not(@type='application/json')]")
        assert len(scripts) == (0 if name.startswith("customers/") else 1), name
        assert not tree.xpath("//@*[starts-with(name(), 'on')]"), name
        assert not tree.xpath("//img | //iframe | //object | //@style"), name
        assert not [script for script in scripts if "alert(1)" in script.text]
    for name in HOSTILE.values():
        assert site.titled(name.strip()) is not None or name
        assert site.titled(name.strip()).xpath("//h1/bdi")
    assert site.titled(NO_UNIT).xpath("string(//main/p[1])") == f"{NO_UNIT} · capacity"
    files = [name for name in site.names if "/" in name]
    assert len(set(map(str.lower, files))) == len(files) == 18 + len(HOSTILE) + 7
    assert all(re.fullmatch(r"(customers|products)/[a-z0-9-]+\.html", name) for name in files)


def test_links_lead_to_pages(site: Read) -> None:
    linked = set()
    for name, tree in site.pages.items():
        for link in tree.xpath("//a/@href"):
            file, _, anchor = link.partition("#")
            target = (site.folder / name).parent / file if file else site.folder / name
            assert target.resolve().is_relative_to(site.folder.resolve())
            assert target.is_file(), f"{name}: {link}"
            assert not anchor or tree.get_element_by_id(anchor) is not None
            linked.add(str(target.resolve().relative_to(site.folder.resolve())))
    assert linked == set(site.names)
    search = json.loads(site.pages["index.html"].get_element_by_id("pages").text)
    assert {page for _, _, page in search} == {name for name in site.names if "/" in name}
    assert {SCRIPT, LONG_NAME} <= {name for name, _, _ in search}


def test_nothing_is_asked_of_others(site: Read) -> None:
    for name, tree in site.pages.items():
        policy = tree.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
        assert "default-src 'none'" in policy
        scripts = tree.xpath("//script[not(@type)]/text()")
        digests = [b64encode(sha256(each.encode()).digest()).decode() for each in scripts]
        assert re.findall(r"script-src ([^;]*)", policy) == [f"'sha256-{each}'" for each in digests]
        assert "unsafe" not in policy
        assert tree.xpath("//meta[@name='robots']/@content") == ["noindex"]
        links = tree.xpath("//@src | //link/@href | //@action")
        assert not [link for link in links if re.match(r"(?!data:)\w+:|//", link)], name
    assert "url(" not in (site.folder / "style.css").read_text()


def test_without_money_there_is_none(site: Read, unpriced: Read) -> None:
    assert unpriced.names == site.names
    for name in unpriced.names:
        text = unpriced.text(name)
        assert not re.search(r"\b(EUR|USD|GBP)\b", text), name
        assert not re.search(r"36,?480", text), name
        told = {each.column for each in unpriced.figures(name)}
        assert not told & {"annual_value", "stake", "value", "amount"}, name
    assert all(re.search("EUR|USD", site.text(name)) for name in ("index.html", "customers.html"))
    tiles = unpriced.pages["index.html"].xpath("//dd[@class='big']")
    assert tiles[0].text_content() == "21"
    reasons = unpriced.pages["index.html"].xpath("//*[@data-table='actions']//td[1]/text()")
    assert "used 22 % of 400 seats, renews in 50 days" in reasons


def test_trends_and_objectives(site: Read, url: str) -> None:
    rows = site.pages["objectives.html"].xpath("//tbody/tr")
    assert [row.get("data-key") for row in rows] == ["missed", "kept", "open"]
    assert [row.xpath("string(td[last()])") for row in rows] == ["missed", "met", "not measured"]
    assert rows[0].xpath("string(td[3])") == "18 of 20"
    assert rows[0].xpath("string(td[4])") == "-900 %"
    found = {
        (told.key, told.column): float(told.value)
        for told in site.figures("trends.html")
        if told.column in ("number", "most") and told.table == "Rows, by table"
    }
    (row,) = ask(url, "SELECT count(*) AS rows FROM lake.raw_invoices")
    assert found["raw_invoices", "number"] == row["rows"]


def test_of_an_earlier_day(url: str, tmp_path: Path) -> None:
    early = page(url, tmp_path / "site", "--day", day(10))
    told = {each.column: each.value for each in early.figures("index.html") if not each.table}
    sql = "SELECT count(*) AS pairs FROM mart.report_consumption_daily WHERE day = ?"
    assert int(told["pairs"]) == ask(url, sql, day(10))[0]["pairs"]
    text = early.pages["index.html"].text_content()
    assert "are as of 9 Feb 2026" in text
    assert "The mart has no day 30 days before." in text
    assert "of which the mart has 10" in text
    assert not early.pages["index.html"].xpath("//td[@data-label='Use by week']/*[@class='spark']")


def test_what_has_not_changed_is_not_written_again(site: Read, url: str) -> None:
    before = {name: (site.folder / name).stat().st_mtime_ns for name in site.names}
    ended = cli.run("page", "--warehouse", url, "--out", site.folder)
    assert ended.err.startswith(f"Wrote 0 of {len(before) + 1} pages: ")
    assert before == {name: (site.folder / name).stat().st_mtime_ns for name in site.names}


def wrong(url: str, tmp_path: Path, *options: object) -> cli.Ended:
    return cli.run("page", "--warehouse", url, "--out", tmp_path / "site", *options)


def test_what_cannot_be_written(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.run("page", "--warehouse", url).code == 2
    ended = wrong(url, tmp_path, "--day", day(400))
    assert (ended.code, ended.out) == (1, "")
    assert "the mart has 2026-01-01 … 2026-02-09" in ended.err
    ended = wrong(f"duckdb://{tmp_path}/none.duckdb", tmp_path)
    assert "the mart is not built; run consumption-datamart build" in ended.err
    assert not (tmp_path / "site").exists()
    monkeypatch.setenv("CONSUMPTION_DATAMART_PAGE", str(tmp_path / "set"))
    assert cli.run("page", "--warehouse", url).code == 0
    assert (tmp_path / "set" / "index.html").is_file()
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    ended = wrong(url, tmp_path)
    told = "Error: page needs Jinja2: pip install 'consumption-datamart[page]'\n"
    assert (ended.code, ended.err) == (1, told)


def test_the_asset_is_there_where_a_place_is_set(site: Read, url: str, tmp_path: Path) -> None:
    key = dg.AssetKey(["mart", "page"])
    assert key not in build_definitions().resolve_asset_graph().get_all_asset_keys()
    out = tmp_path / "site"
    definitions = build_definitions(warehouse=url, page=str(out))
    node = definitions.resolve_asset_graph().get(key)
    assert node.automation_condition.get_label() == "after_others(5)"
    assert key not in definitions.resolve_job_def("build").asset_layer.executable_asset_keys
    asset = definitions.resolve_assets_def(key)
    with dg.DagsterInstance.ephemeral() as instance:
        (made,) = dg.materialize([asset], instance=instance).asset_materializations_for_node("page")
    assert made.metadata["site"].value == str(out / "index.html")
    assert made.metadata["share consumed"].value == pytest.approx(
        made.metadata["share consumed"].value
    )
    assert made.metadata["bands over time"].value.startswith(
        "![Bands over time](data:image/svg+xml;"
    )
    assert (out / "index.html").is_file()


@pytest.fixture
def mart_of(tmp_path: Path) -> Callable[[Callable[[Path], None]], str]:
    """Builds a mart of its own."""

    def built(write: Callable[[Path], None]) -> str:
        (tmp_path / "lake").mkdir()
        write(tmp_path / "lake")
        return build_mart(tmp_path)

    return built


def test_ten_years_of_one_customer_are_thinned(
    mart_of: Callable[[Callable[[Path], None]], str], tmp_path: Path
) -> None:
    site = page(mart_of(write_old_lake), tmp_path / "site")
    tree = site.titled("Acme")
    (used,) = tree.xpath("(//figure)[1]/*[name()='svg'][1]/*[@class='used']/@d")
    assert 100 < len(points(used)) <= 131
    years = tree.xpath("(//figure)[1]//*[@class='below']/*/text()")
    assert years == ["2018", "2020", "2022", "2024"]
    assert all((site.folder / name).stat().st_size < 40_000 for name in site.names)
    assert "pages" in site.text("index.html")


def test_an_empty_mart_says_so(
    mart_of: Callable[[Callable[[Path], None]], str], tmp_path: Path
) -> None:
    site = page(mart_of(lambda _: None), tmp_path / "site")
    assert site.names == ["index.html"]
    assert "The mart is empty: its lake had no dumps." in site.pages["index.html"].text_content()


def test_of_a_day_alone_something_is_drawn() -> None:
    chart = charts.lines("Adoption", "customers", [TODAY], [("used", "used it", [3.0])])
    ((_, path),) = chart.marks
    (left, _), (right, _) = points(path)
    assert right - left > 100
    ((_, area),) = charts.stacked("Bands", "", [TODAY], [("low", "low", [3.0])]).marks
    assert area.count("l") == 3
