"""What the command `report` says of a small lake that has every band and every reason to act."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from consumption_datamart.report import Action, ranked
from consumption_datamart.report.amounts import money, number, percent, with_unit
from consumption_datamart.schema.codes import BANDS, STATUSES
from consumption_datamart_tests import cli
from consumption_datamart_tests.lakes import (
    account,
    day,
    entitlement,
    invoice,
    noon,
    rate,
    usage,
    write_dump,
)
from consumption_datamart_tests.mart import build_tables

LAST = 40
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
LONG_UNIT = "gigabyte_month_of_replicated_storage"
CAPACITY, CONSUMABLE = "capacity", "consumable"
NEXT_YEAR = day(366)
# name: product, quantity, unit, metering, first and last day, what is used a day, value of a year
TERMS: dict[str, tuple[Any, ...]] = {
    "Risky": ("desk", 400, "seat", CAPACITY, day(1), day(LAST + 50), 88, (36480, "GBP")),
    "Idle": ("db", 20, "vCPU", CAPACITY, day(1), day(LAST + 60), 0, (12000, "EUR")),
    "Done": ("api", 12000, "api_call", CONSUMABLE, day(1), day(101), 600, (1200, "USD")),
    "Soon": ("api", 10000, "api_call", CONSUMABLE, day(1), day(101), 200, None),
    "Over": ("db", 10, "vCPU", CAPACITY, day(1), NEXT_YEAR, 12, (2400, "EUR")),
    "Half": ("desk", 100, "seat", CAPACITY, day(1), NEXT_YEAR, 50, (1000, "EUR")),
    "Fine": ("desk", 100, "seat", CAPACITY, day(1), NEXT_YEAR, 80, None),
    "Free": ("db", 0, "vCPU", "unlimited", day(1), NEXT_YEAR, 3, None),
    "Quiet": ("silent", 10, "node", CAPACITY, day(1), NEXT_YEAR, 0, None),
    "Slow": ("store", 10000, "GiB", CONSUMABLE, day(1), day(101), 50, None),
    "Drops": ("store", 10000, "GiB", CONSUMABLE, day(1), day(101), 19, (4800, "USD")),
    "Later": ("store", 10000, "GiB", CONSUMABLE, day(1), day(201), 100, None),
    "Rises": ("db", 10, "vCPU", CAPACITY, day(1), NEXT_YEAR, 8, None),
    "Falls": ("db", 10, "vCPU", CAPACITY, day(1), NEXT_YEAR, 1, None),
    "Comes": ("db", 10, "vCPU", CAPACITY, day(20), NEXT_YEAR, 7.5, None),
    "Leaves": ("db", 10, "vCPU", CAPACITY, day(1), day(5), 7.5, None),
    LONG_NAME: ("huge", 10**12, LONG_UNIT, CAPACITY, day(1), NEXT_YEAR, 8 * 10**11, None),
}
BEFORE = {"Rises": 2, "Falls": 9}
"""What is used a day until day 10, where it is something else."""
REASONS = {
    "Risky": "used 22 % of 400 seats, renews in 50 days, 36,480 GBP",
    "Idle": "used none of 20 vCPU in 30 days, renews in 60 days, 12,000 EUR",
    "Done": "all 12,000 api_calls used up since 20 January, 81 days before the end, 1,200 USD",
    "Soon": "10,000 api_calls will be used up on 19 February, 51 days before the end",
    "Over": "uses 12 of 10 vCPU, 120 %, 2,400 EUR",
    "Half": "uses 50 of 100 seats, 50 %, until 1 January 2027, 500 of 1,000 EUR unused",
    "Slow": "will have used 50 % of 10,000 GiB by 11 April",
    "Drops": "used 19 % of 30 days' share of 10,000 GiB, renews in 61 days, 4,800 USD",
    "Later": "will have used 200 % of 10,000 GiB by 20 July",
    "Falls": "uses 1 of 10 vCPU, 10 %, until 1 January 2027",
    "Guest": "used 5 vCPU a day, entitled to none",
}
BY_BAND = {
    "over": {"Done", "Soon", "Over", "Later"},
    "healthy": {"Fine", "Rises", "Comes", LONG_NAME},
    "low": {"Half", "Slow"},
    "at_risk": {"Risky", "Drops", "Falls"},
    "unused": {"Idle"},
    "unentitled": {"Guest"},
    "unlimited": {"Free"},
    "no_telemetry": {"Quiet"},
}
BY_STATUS = {
    "exhausted": {"Done"},
    "no_telemetry": {"Quiet"},
    "too_early": {"Comes"},
    "overrunning": {"Soon", "Over", "Later"},
    "on_track": {"Fine", "Rises", LONG_NAME},
    "underused": {"Half", "Slow"},
    "at_risk": {"Risky", "Drops", "Falls"},
    "unused": {"Idle"},
}


def write_lake(lake: Path) -> None:
    """Forty days of all of them, and of a guest who is entitled to nothing."""
    lake.mkdir()
    (lake / "lake.toml").write_text('[silence]\nunknown = ["silent"]\n')
    invoices, entitlements = [], []
    for name, (product, quantity, unit, metering, first, last, _, value) in TERMS.items():
        of = {"customer_id": _id(name), "product_id": product, "invoice_id": f"INV-{name}"}
        term = {"unit": unit, "metering": metering, "starts_on": first, "ends_on": last}
        rows = {"entitlement_id": f"ENT-{name}", "quantity": Decimal(quantity)}
        entitlements.append(entitlement(**of, **term, **rows))
        amount, currency = value or (0, "USD")
        line = {"unit_price": Decimal(amount), "quantity": Decimal(1), "currency": currency}
        term_months = 12 if value else 0
        named = {"customer_name": name, "product_name": product.title(), "invoice_date": day(1)}
        invoices.append(invoice(**of, **line, **named, term_months=term_months))
    guest = {"customer_id": _id("Guest"), "customer_name": "Guest", "product_id": "db"}
    once = {"product_name": "Db", "invoice_id": "INV-Guest", "term_months": 0}
    write_dump(lake, "invoices", day(LAST), [*invoices, invoice(**guest, **once)])
    write_dump(lake, "entitlements", day(LAST), entitlements)
    write_dump(lake, "exchange_rates", day(1), [rate()])
    members = [account(customer_id=_id(each), parent_customer_id=_id("Half")) for each in ["Risky"]]
    write_dump(lake, "accounts", day(1), members)
    for each in range(1, LAST + 1):
        write_dump(lake, "telemetry", day(each), list(_used(each)))


def _id(name: str) -> str:
    return f"CUST-{[*TERMS, 'Guest'].index(name)}"


def _used(day_number: int) -> Iterator[dict[str, object]]:
    terms = TERMS | {"Guest": ("db", 0, "vCPU", CAPACITY, day(1), NEXT_YEAR, 5, None)}
    for name, (product, _, unit, _, first, last, used, _) in terms.items():
        quantity = BEFORE.get(name, used) if day_number <= 10 else used
        if quantity and first <= day(day_number) < last:
            of = {"customer_id": _id(name), "deployment_id": f"DEP-{name}", "product_id": product}
            at = {"event_id": name, "event_ts": noon(day_number), "unit": unit}
            yield usage(**of, **at, quantity=float(quantity))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The warehouse of that lake."""
    folder = tmp_path_factory.mktemp("report")
    write_lake(folder / "lake")
    url = f"duckdb://{folder}/warehouse.duckdb"
    build_tables(folder / "lake", url)
    return url


@pytest.fixture(scope="module")
def on_sqlite(url: str) -> str:
    """The same in another engine."""
    lake = Path(url.removeprefix("duckdb://")).with_name("lake")
    other = f"sqlite://{lake.with_name('warehouse.sqlite')}"
    build_tables(lake, other)
    return other


def report(url: str, *options: object) -> cli.Ended:
    """What the command says."""
    return cli.run("report", "--warehouse", url, *options)


def document(url: str, *options: object) -> dict[str, Any]:
    """What the command says as JSON."""
    ended = report(url, "--format", "json", *options)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def names(found: dict[str, Any]) -> set[str]:
    """The customers in the table."""
    return {row["customer_name"] for row in found["rows"]}


def test_every_band_and_every_status_but_covered_is_there() -> None:
    assert BY_BAND.keys() == BANDS.keys()
    assert BY_STATUS.keys() == STATUSES.keys() - {"covered"}


def test_the_verdict(url: str) -> None:
    found = document(url)["verdict"]
    assert found["bands"] == {band: len(each) for band, each in BY_BAND.items()}
    assert found["pairs"] == found["customers"] == sum(map(len, BY_BAND.values()))
    assert found["currency"] == "USD"
    covered, pounds = 12000 * 1.25 + 1200 + 2400 * 1.25 + 1000 * 1.25 + 4800, {"GBP": 36480}
    unknown = {"rows": 15, "reporting": covered, "without_rate": pounds, "unknown": 9}
    assert found["covered"] == unknown
    at_risk = {"rows": 3, "reporting": 12000 * 1.25 + 4800, "without_rate": pounds, "unknown": 0}
    assert found["at_risk"] == at_risk
    assert found["changes"] == {"up": 1, "down": 1, "new": 1, "gone": 1, "other": 0}


def test_the_verdict_in_words(url: str) -> None:
    out = report(url).out
    for line in (
        "Consumption, 30 days to 2026-02-09",
        "Bands    17 customer × product pairs of 17 customers: 4 over, 4 healthy, 2 low,",
        "Covered  25,250 USD a year in 15 commitments, and 36,480 GBP without an",
        "At risk  19,800 USD a year in 3 renewals within 90 days, and 36,480 GBP without",
        "Changed  in 30 days 1 moved up, 1 moved down, 1 new, 1 gone",
        "To act on first, by value and urgency on 2026-02-09 (1 more)",
    ):
        assert line in out
    early = report(url, "--day", day(20)).out
    assert "Changed" not in early, "there is no day 30 days before"
    assert "values, renewals and what to act on are as of 2026-02-09" in early


def test_what_to_act_on_and_why(url: str) -> None:
    found = document(url)["actions"]
    assert {action["customer_name"]: action["reason"] for action in found} == REASONS
    assert len(found) == len(REASONS)
    order = [action["customer_name"] for action in found]
    assert order[:2] == ["Risky", "Idle"]
    assert order[-1] == "Guest"
    shown = report(url).out
    for place, action in enumerate(found[:10], 1):
        assert f"{place:>2}  {action['customer_name']}, " in shown
        first_words = action["reason"][:60]
        assert first_words in shown
    assert found[-1]["reason"] not in shown


def test_on_a_wide_screen_an_action_has_a_line(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = report(url).out.splitlines()
    assert any("Risky, Desk" in line and REASONS["Risky"] in line for line in lines)


@pytest.mark.parametrize("by", ["customer", "product", "account", "commitment"])
@pytest.mark.parametrize("columns", ["80", "40"])
def test_no_figure_is_cut(by: str, columns: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    compare = [[], ["--compare", day(10)]] if by != "commitment" else [[]]
    for options in compare:
        ended = report(url, "--by", by, "--top", 0, *options)
        assert ended.code == 0
        assert max(map(len, ended.out.splitlines())) <= 80
        assert "…" not in ended.out
        if not options:
            assert "1 tn" in ended.out
            assert by == "commitment" or "800 bn" in ended.out


def test_capacity_is_averaged_and_consumables_are_summed_up(url: str) -> None:
    out = report(url, "--top", 0).out
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert lines["Risky"][1:] == ["Desk", "88", "400", "seats", "22%", "at_risk"]
    assert lines["Slow"][1:] == ["Store", "1,500", "3,000", "GiB*", "50%", "low"]
    assert lines["Free"][1:] == ["Db", "3", "vCPU", "unlimited", "–", "unlimited"]
    assert lines["Guest"][1:] == ["Db", "5", "vCPU", "–", "–", "unentitled"]
    assert "Averages a day; * sum of the 30 days." in out
    early = report(url, "--top", 0, "--day", day(5)).out
    assert "seats   22%" in early, "of the days that there are"
    assert "* sum of the 5 days." in early


@pytest.mark.parametrize("band", BY_BAND)
def test_of_a_band(band: str, url: str) -> None:
    assert names(document(url, "--band", band)) == BY_BAND[band]


@pytest.mark.parametrize("status", BY_STATUS)
def test_of_a_status(status: str, url: str) -> None:
    assert names(document(url, "--by", "commitment", "--status", status)) == BY_STATUS[status]


def test_filters_together(url: str) -> None:
    found = document(url, "--band", "low", "--band", "unused")
    assert names(found) == BY_BAND["low"] | BY_BAND["unused"]
    assert len(found["actions"]) == len(REASONS), "a band narrows the table only"
    found = document(url, "--customer", "slo", "--customer", _id("Idle"))
    assert names(found) == {"Slow", "Idle"}
    assert {action["customer_name"] for action in found["actions"]} == {"Slow", "Idle"}
    assert found["verdict"]["pairs"] == 2
    assert found["only"] == ["slo", _id("Idle")]
    found = document(url, "--product", "API", "--top", 1)
    assert names(found) == {"Done"}
    assert found["verdict"]["bands"]["over"] == 2
    found = document(url, "--by", "product", "--band", "no_telemetry")
    assert [row["product_id"] for row in found["rows"]] == ["silent"]
    found = document(url, "--by", "account", "--customer", "Half")
    assert [(row["top_customer_name"], row["customers"]) for row in found["rows"]] == [("Half", 2)]
    assert found["verdict"]["pairs"] == 2, "those of its members"
    nothing = report(url, "--customer", "nobody").out
    assert "no customer is entitled to anything or uses anything" in nothing
    assert "Nothing is to be acted on." in nothing
    assert "The table has no rows: nothing fits." in nothing


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--band", "odd"], "--band odd: there is no such; name one of unlimited, unentitled, "),
        (["--by", "commitment", "--status", "odd"], "name one of covered, exhausted, "),
        (["--status", "unused"], "--status: not of the table by customer; take --by commitment"),
        (["--by", "product", "--customer", "Idle"], "take --by customer or account or commitment"),
        (["--by", "commitment", "--compare", day(3)], "take --by customer or product or account"),
        (["--compare", day(LAST)], "--compare 2026-02-09: name a day before 2026-02-09"),
        (["--compare", day(400)], "the mart has 2026-01-01 … 2026-02-09"),
        (["--day", day(400)], "--day 2027-02-04: the mart has 2026-01-01 … 2026-02-09"),
    ],
)
def test_what_cannot_be_asked_for(options: list[object], told: str, url: str) -> None:
    ended = report(url, *options)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: --")
    assert told in ended.err
    assert len(ended.err.splitlines()) == 1


def test_compared_with_an_earlier_day(url: str) -> None:
    rows = {row["customer_name"]: row for row in document(url, "--compare", day(10))["rows"]}
    assert (rows["Rises"]["band_before"], rows["Rises"]["band"]) == ("at_risk", "healthy")
    assert rows["Rises"]["consumption_before"] == pytest.approx(0.2)
    assert (rows["Comes"]["band_before"], rows["Leaves"]["band"]) == ("absent", "absent")
    assert rows["Leaves"]["used_30d"] is None
    assert rows["Leaves"]["day"] == "2026-02-09"
    out = report(url, "--compare", day(10), "--top", 3).out
    assert "By customer, 30 days to 2026-02-09 against 30 days to 2026-01-10" in out
    lines = {line.split()[0]: line.split()[2:] for line in out.splitlines() if " → " in line}
    assert lines["Falls"] == ["90%", "→", "10%", "-80", "healthy", "→", "at_risk"]
    assert lines["Leaves"] == ["75%", "→", "–", "–", "healthy", "→", "absent"]
    products = document(url, "--by", "product", "--compare", day(10))["rows"]
    assert {row["product_id"]: row["customers_before"] for row in products}["db"] == 7


def test_every_engine_says_the_same(url: str, on_sqlite: str) -> None:
    for options in ([], ["--compare", day(10)], ["--by", "account"], ["--by", "commitment"]):
        found, other = (report(each, "--top", 0, *options) for each in (url, on_sqlite))
        assert other.code == found.code == 0
        # but for when it was built
        assert other.out.splitlines()[1:] == found.out.splitlines()[1:]


def test_as_csv(url: str) -> None:
    found = csv.DictReader(io.StringIO(report(url, "--format", "csv", "--by", "account").out))
    rows = document(url, "--by", "account")["rows"]
    assert [row["top_customer_id"] for row in found] == [row["top_customer_id"] for row in rows]


def test_as_a_workbook(url: str, tmp_path: Path) -> None:
    out = tmp_path / "report.xlsx"
    assert report(url, "--format", "xlsx", "--out", out) == (0, "", f"Wrote {out}\n")
    book = openpyxl.load_workbook(out)
    sheets = ["verdict", "actions", "customer", "product", "account", "commitment"]
    assert book.sheetnames == sheets
    assert book["actions"].max_row == 1 + len(REASONS)
    assert book["customer"].max_row == 1 + 17
    told = {row[0].value: row[1].value for row in book["verdict"].iter_rows(min_row=2)}
    assert told["Covered"].startswith("25,250 USD a year in 15 commitments")
    reasons = {cell.value for row in book["actions"].iter_rows() for cell in row}
    assert set(REASONS.values()) <= reasons
    assert report(url, "--format", "xlsx", "--out", out, "--band", "low").code == 0
    assert openpyxl.load_workbook(out).sheetnames == ["verdict", "actions", *sheets[2:5]]


def test_a_workbook_that_cannot_be_written(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert report(url, "--format", "xlsx").code == 2
    assert report(url, "--out", tmp_path / "report.xlsx").code == 2
    ended = report(url, "--format", "xlsx", "--out", tmp_path / "report.xls")
    assert ended.err.endswith("report.xls: name a file that ends with .xlsx\n")
    ended = report(url, "--format", "xlsx", "--out", tmp_path / "no" / "report.xlsx")
    assert "cannot be written to: No such file or directory" in ended.err
    monkeypatch.setitem(sys.modules, "openpyxl.cell.cell", None)
    ended = report(url, "--format", "xlsx", "--out", tmp_path / "report.xlsx")
    told = "Error: --format xlsx needs openpyxl: pip install 'consumption-datamart[xlsx]'\n"
    assert ended == (1, "", told)


def action(name: str, **other: Any) -> Action:
    """An action now, without a value."""
    given = {"kind": "renewal", "days": 0, "annual_value": None, "currency": None, "share": 1.0}
    given |= {"at_stake": None, "reason": "", "entitlement_id": None} | other
    return Action(customer_id=name, customer_name=name, product_id="p", product_name="P", **given)


def test_actions_are_ranked_by_value_and_urgency() -> None:
    found = [
        action("guest", kind="unentitled"),
        action("loss", at_stake=-5.0),
        action("half, later", at_stake=2000.0, days=60),
        action("most", at_stake=1000.0),
        action("as much", at_stake=2010.0, days=30),
        action("no rate", annual_value=3600.0, currency="GBP", share=0.25),
        action("unknown"),
    ]
    # 1005, 1000, 900, the median of -5, 900, 1000, 2000 and 2010, 667, 0
    order = ["as much", "most", "unknown", "no rate", "half, later", "loss", "guest"]
    assert [each.customer_id for each in ranked(found)] == order
    assert [each.customer_id for each in ranked(found[::-1])] == order
    assert ranked([]) == []


def test_of_equals_the_kind_and_then_the_days_decide() -> None:
    found = [action("b", kind="underused"), action("c"), action("a", days=1), action("d")]
    assert [each.customer_id for each in ranked(found)] == ["c", "d", "b", "a"]


def test_amounts_in_words() -> None:
    values = [0, 0.01, 0.63, 88.2, 99.96, 1234.5, 9_999_999, 12_345_678, 8e11, 1e15, 1e28]
    words = [
        "0",
        "<0.1",
        "0.6",
        "88.2",
        "100",
        "1,234",
        "9,999,999",
        "12.3 M",
        "800 bn",
        "1,000 tn",
        "1.0e+28",
    ]
    assert [number(value) for value in values] == words
    shares = [None, 0, 0.001, 0.29999, 0.3, 0.9999, 1, 256.2, 7.5]
    told = ["–", "0%", "<1%", "29%", "30%", "99%", "100%", ">9,999%", "750%"]
    assert [percent(share) for share in shares] == told
    units = [(1, "seat"), (2, "seat"), (2, "api_call"), (2, "query"), (2, "vCPU"), (2, "GiB")]
    plural = ["1 seat", "2 seats", "2 api_calls", "2 queries", "2 vCPU", "2 GiB"]
    assert [with_unit(value, unit) for value, unit in units] == plural
    assert with_unit(3, None) == "3"
    assert [money(value, "EUR") for value in (0.5, 36480.4, 2e9)] == [
        "0.50 EUR",
        "36,480 EUR",
        "2 bn EUR",
    ]
