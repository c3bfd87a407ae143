"""`init`: what it makes of a company's folder, seen from outside."""

import gzip
import json
import re
import tomllib
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumption_datamart.guessing.files import DataFile, suffix_of
from consumption_datamart.guessing.patterns import groups
from consumption_datamart.schema.lake import Entitlements, Invoices, Telemetry
from consumption_datamart_tests import cli
from consumption_datamart_tests.cli import Ended

DAYS = [date(2026, 10, 1) + timedelta(n) for n in range(3)]
USAGE = "id,ts,account,vm,sku,qty,uom\na,2026-10-01T10:00:00Z,1001,vm-1,COMPUTE,1.5,vCPU\n"
CONTRACTS = {"invoices": Invoices, "entitlements": Entitlements, "telemetry": Telemetry}


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode(encoding) if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix.lower() == ".gz" else data)


def write_compute(folder: Path) -> None:
    """By hour, in local time and with decimal commas."""
    for day in DAYS:
        for hour in range(24):
            row = f"c{hour};{day}T{hour:02}:15:00+02:00;1001;vm-1;COMPUTE;aws;60,5\n"
            text = "id;ts;account;vm;sku;cloud;vcpus\n" + row
            write(folder / f"compute/{day:%Y%m%d}/{hour:02}.csv.gz", text)


def write_storage(folder: Path) -> None:
    """As Spark writes it."""
    for day in DAYS:
        part = folder / f"storage/dt={day}/part-00000-abc.c000.snappy.parquet"
        part.parent.mkdir(parents=True)
        (part.parent / "_SUCCESS").touch()
        rows = {
            "eventId": ["s1", "s2"],
            "eventTime": [f"{day} 00:00:00", f"{day} 01:00:00"],
            "accountId": [1001, 1002],
            "bucket": ["b0", "b1"],
            "bytes_used": [536870912000, 537944653824],
        }
        pq.write_table(pa.table(rows), part)


def write_api(folder: Path) -> None:
    """Nested JSON."""
    for day in DAYS:
        at = f"{day}T10:00:00Z"
        row = {"request_id": "a1", "at": at, "customer": {"id": 1001, "name": "X"}, "calls": 10}
        write(folder / f"api/{day}.jsonl", json.dumps({**row, "tags": ["a"]}) + "\n")


def write_erp(folder: Path) -> None:
    """German."""
    for day in DAYS:
        on = f"{day:%d.%m.%Y}"
        write(
            folder / f"erp/Rechnungen_{day:%Y%m%d}.CSV",
            "Belegnr;Pos;Belegdatum;Debitor;Name;Artikel;Bezeichnung;Menge;Preis;Währung;Laufzeit\n"
            f"R1;1;{on};1001;Müller;COMPUTE;Rechnen;1.000,50;12,30;EUR;12\n"
            f"G1;1;{on};1002;Maier;STORAGE;Gutschrift;-10,00;12,30;EUR;12\n",
            "latin-1",
        )


def write_crm(folder: Path) -> None:
    """One file, with ends that are last days."""
    write(
        folder / "crm/contracts.csv",
        "contract,rev,account,parent,product,qty,uom,type,from,through\n"
        "K1,0,1001,1000,COMPUTE,100,vCPU,capacity,2026-10-01,2027-09-30\n"
        "K2,0,1002,1000,STORAGE,1,TiB,capacity,2026-10-01,2027-09-30\n"
        "K3,0,1000,,API,unlimited,call,consumable,2026-10-01,\n",
    )


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal folds no line."""
    monkeypatch.setenv("COLUMNS", "1000")


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Five sources, none of them by the contract."""
    folder = tmp_path / "company"
    for writes in (write_compute, write_storage, write_api, write_erp, write_crm):
        writes(folder)
    return folder


def proposed(folder: Path) -> tuple[dict[str, dict[str, Any]], Ended]:
    """The sources by name, with the lake table of each."""
    ended = cli.run("init", folder, "--force")
    assert ended.code == 0, ended.err
    config = tomllib.loads((folder / "lake.toml").read_text())
    sources = {
        source["name"]: {"table": table, **source}
        for table in CONTRACTS
        for source in config.get(table, [])
    }
    return sources, ended


def only(folder: Path) -> dict[str, Any]:
    """The one source of a folder."""
    (source,) = proposed(folder)[0].values()
    return source


def test_files_tables_and_dialects_of_a_company_are_guessed(company: Path) -> None:
    sources, _ = proposed(company)
    told = {
        name: (source["table"], source["files"], source.get("csv", {}))
        for name, source in sources.items()
    }
    german = {"decimal": ",", "thousands": ".", "date_format": "%d.%m.%Y", "encoding": "latin-1"}
    assert told == {
        "api": ("telemetry", "api/{day}.jsonl", {}),
        "compute": (
            "telemetry",
            "compute/{day:%Y%m%d}/{hour}.csv.gz",
            {"delimiter": ";", "decimal": ","},
        ),
        "crm": ("entitlements", "crm/contracts.csv", {}),
        "erp": ("invoices", "erp/Rechnungen_{day:%Y%m%d}.CSV", {"delimiter": ";", **german}),
        "storage": ("telemetry", "storage/dt={day}/part-*.parquet", {}),
    }
    assert tomllib.loads((company / "lake.toml").read_text())["currency"] == "EUR"


def test_columns_of_a_company_are_guessed(company: Path) -> None:
    columns = {name: source["columns"] for name, source in proposed(company)[0].items()}
    assert columns["compute"] == {
        "event_id": "id",
        "event_ts": "ts",
        "customer_id": "'CUST-' || account",
        "deployment_id": "vm",
        "product_id": "sku",
        "infrastructure": "cloud",
        "quantity": "vcpus",
    }
    assert columns["storage"]["quantity"] == "bytes_used / 1024.0 ^ 4"
    assert columns["api"] == {
        "event_id": "request_id",
        "event_ts": '"at"',
        "customer_id": "'CUST-' || customer.id",
        "quantity": "calls",
    }
    assert columns["erp"] == {
        "invoice_id": "Belegnr",
        "line_number": "Pos",
        "invoice_date": "Belegdatum",
        "customer_id": "'CUST-' || Debitor",
        "customer_name": "Name",
        "product_id": "Artikel",
        "product_name": "Bezeichnung",
        "quantity": "Menge",
        "unit_price": "Preis",
        "currency": '"Währung"',
        "term_months": "Laufzeit",
    }


def test_what_is_computed_is_right(company: Path) -> None:
    crm = proposed(company)[0]["crm"]["columns"]
    selected = ", ".join(f"{sql} AS {name}" for name, sql in crm.items())
    rows = duckdb.execute(
        f"SELECT {selected} FROM read_csv('{company}/crm/contracts.csv', all_varchar = true)"
    ).fetchall()
    first, _, last = (dict(zip(crm, row, strict=True)) for row in rows)
    assert first["customer_id"] == "CUST-1001"
    assert (first["quantity"], first["metering"]) == ("100", "capacity")
    assert first["ends_on"] == date(2027, 10, 1)
    assert (last["quantity"], last["metering"]) == ("0", "unlimited")
    assert last["ends_on"] == date(9999, 12, 31)


def test_what_no_column_gives_is_left_to_be_decided_with_a_proposal(company: Path) -> None:
    ended = proposed(company)[1]
    text = (company / "lake.toml").read_text()
    opened = re.sub(r"^# (?=\w+ = .*)", "", text, flags=re.MULTILINE)
    config = tomllib.loads(opened)
    by_name = {source["name"]: source for source in config["telemetry"]}
    assert by_name["storage"]["columns"]["product_id"] == "'STORAGE'"
    assert by_name["storage"]["columns"]["unit"] == "'TiB'"
    assert by_name["api"]["columns"]["deployment_id"] == "'api'"
    assert by_name["api"]["columns"]["unit"] == "'call'"
    assert by_name["compute"]["day_zone"] == "Europe/Berlin"
    for table, contract in CONTRACTS.items():
        for source in config[table]:
            assert set(contract.required()) <= source["columns"].keys()
    for told in ("deployment_id: no column was found", "day_zone: ", "bytes become TiB"):
        assert told in ended.out


def test_a_file_that_is_there_is_kept(company: Path) -> None:
    (company / "lake.toml").write_text("# mine\n")
    refused = cli.run("init", company)
    assert refused.code == 1
    assert "--force" in refused.err
    printed = cli.run("init", company, "--stdout")
    assert printed.code == 0
    assert len(tomllib.loads(printed.out)["telemetry"]) == 3
    assert "To be decided" in printed.err
    assert (company / "lake.toml").read_text() == "# mine\n"
    assert cli.run("init", company, "--force").code == 0
    assert "[[telemetry]]" in (company / "lake.toml").read_text()


def test_a_lake_by_the_contract_needs_no_file(tmp_path: Path) -> None:
    size = ["--days", 3, "--customers", 5, "--products", 2, "--rows-per-day", 10]
    assert cli.run("simulate", "--out", tmp_path / "lake", *size, "--no-extras").code == 0
    ended = cli.run("init", tmp_path / "lake")
    assert ended.code == 0
    assert "needs no lake.toml" in ended.out
    assert not (tmp_path / "lake/lake.toml").exists()


def test_a_table_by_the_contract_is_said_only_beside_another_source(tmp_path: Path) -> None:
    size = ["--days", 3, "--customers", 5, "--products", 2, "--rows-per-day", 10]
    assert cli.run("simulate", "--out", tmp_path, *size, "--no-extras").code == 0
    write_crm(tmp_path)
    sources, _ = proposed(tmp_path)
    assert {source["files"] for source in sources.values()} == {
        "crm/contracts.csv",
        "entitlements/{day}.parquet",
    }


def test_a_folder_without_data_is_an_error(tmp_path: Path) -> None:
    assert cli.run("init", tmp_path / "none").code == 1
    for name in ("readme.txt", "_a.csv", ".b.csv", "~$c.csv", "d.csv.tmp", ".hidden/e.csv"):
        write(tmp_path / name, USAGE)
    ended = cli.run("init", tmp_path)
    assert ended.code == 1
    assert "no file in it is of a format that the mart reads" in ended.err
    assert "1 of .txt" in ended.err


def test_a_group_that_cannot_be_told_is_commented_out_with_its_columns(tmp_path: Path) -> None:
    write(tmp_path / "odd/2026-10-01.csv", "foo,bar\n1,x\n")
    sources, ended = proposed(tmp_path)
    assert sources == {}
    assert "which lake table it is" in ended.out
    text = (tmp_path / "lake.toml").read_text()
    assert '# files = "odd/{day}.csv"' in text
    assert '# … = "foo"' in text


def test_telemetry_without_a_day_is_commented_out(tmp_path: Path) -> None:
    write(tmp_path / "usage.csv", USAGE)
    sources, ended = proposed(tmp_path)
    assert sources == {}
    assert "no day was found in its path" in ended.out


def test_missing_days_are_told(tmp_path: Path) -> None:
    for day in (1, 2, 5):
        write(tmp_path / f"usage/2026-10-0{day}.csv", USAGE)
    proposed(tmp_path)
    text = (tmp_path / "lake.toml").read_text()
    assert "3 files, 2026-10-01 … 2026-10-05; 2 days are missing: 2026-10-03, 2026-10-04" in text


def invoices(rows: str, delimiter: str = ",") -> str:
    """An ERP's file."""
    names = "Invoice No,Line,Date,Account,Name,SKU,Description,Qty,Unit Price,Curr,Term"
    return names.replace(",", delimiter) + "\n" + rows


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (
            invoices("I1,1,2026-10-01,1,A,P,Q,5,1.5,USD,12\n"),
            "utf-8",
            {},
        ),
        (
            invoices('I1,1,10/21/2026,1,"A, Inc",P,Q,"1,200.5",1.5,USD,12\n'),
            "utf-8",
            {"thousands": ",", "date_format": "%m/%d/%Y"},
        ),
        (
            invoices("I1;1;21.10.2026;1;A;P;Q;1 200,5;1,5;USD;12\n", ";"),
            "utf-16",
            {
                "delimiter": ";",
                "encoding": "utf-16",
                "decimal": ",",
                "thousands": " ",
                "date_format": "%d.%m.%Y",
            },
        ),
        (
            "Export\n\n" + invoices("I1|1|20261001|1|A|P|'Q|R'|5|1.5|USD|12\n" * 2, "|"),
            "utf-8",
            {"delimiter": "|", "quote": "'", "skip_lines": 2, "date_format": "%Y%m%d"},
        ),
        (
            invoices("I1;1;21.10.2026;1;5 €;P;Q;1.200;2.500;EUR;-\n", ";"),
            "cp1252",
            {
                "delimiter": ";",
                "encoding": "cp1252",
                "decimal": ",",
                "thousands": ".",
                "date_format": "%d.%m.%Y",
                "nulls": ["-"],
            },
        ),
    ],
)
def test_a_dialect_is_guessed(
    tmp_path: Path, text: str, encoding: str, expected: dict[str, object]
) -> None:
    write(tmp_path / "billing/2026-10-21.csv", text, encoding)
    source = only(tmp_path)
    assert source.get("csv", {}) == expected
    assert set(Invoices.required()) <= source["columns"].keys()


def test_rows_may_end_in_a_delimiter_where_the_header_does_not(tmp_path: Path) -> None:
    row = "I1,1,2026-10-01,1,A,P,Q,5,1.5,USD,12,\n"
    write(tmp_path / "billing/2026-10-01.csv", invoices(row * 3))
    source = only(tmp_path)
    assert "csv" not in source
    assert source["columns"]["customer_id"] == "'CUST-' || Account"


def test_words_for_none_are_guessed(tmp_path: Path) -> None:
    rows = "I1,1,2026-10-01,1,A,P,Q,5,1.5,USD,12\nI2,1,2026-10-01,1,A,P,Q,-,n.a.,USD,12\n"
    write(tmp_path / "billing/2026-10-01.csv", invoices(rows))
    assert only(tmp_path)["csv"] == {"nulls": ["-", "n.a."]}


def test_day_and_month_are_told_apart_by_the_day_of_the_file_or_it_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a/2026-10-05.csv", invoices("I1,1,05/10/2026,1,A,P,Q,5,1.5,USD,12\n"))
    source, ended = proposed(tmp_path)
    assert source["a"]["csv"]["date_format"] == "%d/%m/%Y"
    assert "cannot be told apart" not in ended.out
    write(tmp_path / "a/2026-10-05.csv", invoices("I1,1,03/04/2026,1,A,P,Q,5,1.5,USD,12\n"))
    assert "cannot be told apart" in proposed(tmp_path)[1].out


def test_times_since_1970_are_computed(tmp_path: Path) -> None:
    text = USAGE.replace("2026-10-01T10:00:00Z", "1790848800000")
    write(tmp_path / "usage/2026-10-01.tsv", text.replace(",", "\t"))
    source = only(tmp_path)
    (found,) = duckdb.execute(
        f"SELECT {source['columns']['event_ts']} FROM (SELECT '1790848800000' AS ts)"
    ).fetchone()
    assert str(found) == "2026-10-01 10:00:00"
    assert "csv" not in source


def evaluated(source: dict[str, Any], column: str, file: Path, **options: object) -> list[object]:
    """What the expression of a contract column gives for each row of a CSV file."""
    said = "".join(f", {name} = '{value}'" for name, value in options.items())
    reader = f"read_csv('{file}', all_varchar = true, header = true{said})"
    rows = duckdb.execute(f"SELECT {source['columns'][column]} FROM {reader}").fetchall()
    return [value for (value,) in rows]


def test_a_day_and_a_time_of_day_are_put_together(tmp_path: Path) -> None:
    file = tmp_path / "Nutzung/2026/10/Nutzung 01.10.2026.csv"
    row = "01.10.2026;07:30:00;4711;srv1;S1;12;Stk\n"
    write(file, "Datum;Uhrzeit;Mandant;Server;Sku;Menge;Einheit\n" + row)
    source = only(tmp_path)
    assert source["files"] == "Nutzung/*/*/Nutzung {day:%d.%m.%Y}.csv"
    assert source["csv"] == {"delimiter": ";"}
    (found,) = evaluated(source, "event_ts", file, delim=";")
    assert str(found) == "2026-10-01 07:30:00"


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("2026-10-01", "2027-09-30", date(2027, 10, 1)),
        ("01.10.2026", "30.09.2027", date(2027, 10, 1)),
        ("10/01/26", "09/30/27", date(2027, 10, 1)),
        ("2026-10-01", "2027-10-01", "2027-10-01"),
        ("01.10.2026", "01.10.2027", "01.10.2027"),
    ],
)
@pytest.mark.parametrize("is_open", [False, True])
def test_ends_of_terms_are_exclusive_and_open_ones_are_far(
    tmp_path: Path, starts: str, ends: str, expected: object, is_open: bool
) -> None:
    file = tmp_path / "licenses/2026-10-01.csv"
    names = "license_key,customer_no,item_no,seats,valid_from,valid_to,type,unit\n"
    row = f"L1,1,I1,25,{starts},{ends},capacity,seat\n"
    write(file, names + row + (f"L2,1,I1,25,{starts},,capacity,seat\n" if is_open else ""))
    first, *others = evaluated(only(tmp_path), "ends_on", file)
    assert first == expected
    assert all(re.fullmatch("9999-12-31|31.12.9999", str(other)) for other in others)
    assert len(others) == is_open


def test_a_price_is_proposed_by_a_total(tmp_path: Path) -> None:
    names = "InvoiceNo,Line,Date,CustNo,CustName,Item,Desc,Qty,Amount,Currency\n"
    write(tmp_path / "a/2026-10-01.csv", names + "1,1,2026-10-01,5,A,X,Y,3,12.00,usd\n")
    source = only(tmp_path)
    text = (tmp_path / "lake.toml").read_text()
    assert "unit_price" not in source["columns"]
    assert "TRY_CAST(Amount AS DOUBLE) / nullif(TRY_CAST(Qty AS DOUBLE), 0)" in text
    assert source["columns"]["currency"] == "upper(Currency)"


@pytest.mark.parametrize("suffix", ["csv.zst", "parquet", "ndjson.zst", "JSONL", "Tsv"])
def test_each_format_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"usage/2026-10-01.{suffix}"
    path.parent.mkdir()
    kind = suffix.lower().split(".")[0]
    how = {"csv": "csv", "tsv": "csv, delimiter '\t'", "parquet": "parquet"}.get(kind, "json")
    packed = ", compression zstd" if suffix.endswith("zst") else ""
    duckdb.execute(
        "COPY (SELECT 'a' AS id, '2026-10-01T10:00:00Z' AS ts, 'CUST-1' AS customer, 'vm-1' AS vm,"
        f" 'COMPUTE' AS sku, 1.5 AS qty, 'vCPU' AS uom) TO '{path}' (FORMAT {how}{packed})"
    )
    source = only(tmp_path)
    assert source["files"] == f"usage/{{day}}.{suffix}"
    assert source["columns"]["customer_id"] == "customer"
    assert set(Telemetry.required()) <= source["columns"].keys()


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/2026-10-01.csv", USAGE)
    folder = tmp_path / "company"
    folder.mkdir()
    (folder / "usage").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/up").symlink_to(folder)
    assert only(folder)["files"] == "usage/{day}.csv"


def test_names_with_any_characters_are_written_well(tmp_path: Path) -> None:
    header = 'id,"event\ntime","Kunden ""Nr""","it\'s",vm,sku,qty,uom\n'
    row = "a,2026-10-01T10:00:00Z,1001,x,vm-1,COMPUTE,1.5,vCPU\n"
    write(tmp_path / 'us\'age\n"[x]*"/2026-10-01.csv', header + row)
    columns = only(tmp_path)["columns"]
    names = ["id", "event\ntime", 'Kunden "Nr"', "it's", "vm", "sku", "qty", "uom"]
    table = pa.table({name: ["1"] for name in names})
    for sql in columns.values():
        duckdb.from_arrow(table).project(sql)
    assert columns["customer_id"] == '\'CUST-\' || "Kunden ""Nr"""'


def test_a_file_that_cannot_be_read_is_told_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "usage/2026-10-01.csv", USAGE)
    (tmp_path / "bad").mkdir()
    for name in ("a.csv.gz", "b.parquet", "c.jsonl", "d.csv.zst"):
        (tmp_path / "bad" / name).write_bytes(b"\x00nothing\n")
    (tmp_path / "bad/empty.csv").touch()
    (tmp_path / "bad/blank.csv").write_text("\n\n")
    sources, ended = proposed(tmp_path)
    assert sources.keys() == {"usage"}
    for name in ("a.csv.gz", "b.parquet", "c.jsonl", "d.csv.zst"):
        assert f"bad/{name} cannot be read" in ended.out


def test_of_many_files_a_few_are_read(tmp_path: Path) -> None:
    first = date(2024, 1, 1)
    for number in range(20_000):
        day = first + timedelta(number // 24)
        folder = tmp_path / f"usage/{day:%Y%m%d}"
        if number % 24 == 0:
            folder.mkdir(parents=True)
        (folder / f"{number % 24:02}.csv").write_text(USAGE)
    sources, _ = proposed(tmp_path)
    assert sources["usage"]["files"] == "usage/{day:%Y%m%d}/{hour}.csv"
    assert "20,000 files" in (tmp_path / "lake.toml").read_text()


def test_many_folders_with_the_same_columns_are_one_source(tmp_path: Path) -> None:
    for name in "abcdefghijkl":
        write(tmp_path / f"usage/customer-{name}/2026-10-01.csv", USAGE)
        write(tmp_path / f"dumps/{name}.csv", f"{name}1,{name}2\n1,2\n")
    sources, _ = proposed(tmp_path)
    assert sources["usage"]["files"] == "usage/*/{day}.csv"
    assert "dumps/*.csv" not in (tmp_path / "lake.toml").read_text()
    assert "dumps/a.csv" in (tmp_path / "lake.toml").read_text()


FORMATS = [
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y_%m_%d",
    "%Y.%m.%d",
    "%Y/%m/%d",
    "%Y%m/%d",
    "%Y/%m%d",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d%m%Y",
    "%d-%b-%Y",
    "%Y-%b-%d",
    "year=%Y/month=%m/day=%d",
    "%y%m%d",
]
RESTS = {
    ".csv": ".csv",
    "/data.CSV": "/data.CSV",
    "_export.csv.gz": "_export.csv.gz",
    "/part-00000-{number}-c000.snappy.parquet": "/part-*.parquet",
    "/usage-{number}.jsonl": "/usage-*.jsonl",
    "/{hour}.csv.zst": "/{hour}.csv.zst",
    "/hour={hour}/x.csv": "/hour={hour}/x.csv",
    "T{hour}.csv": "T{hour}.csv",
}


@settings(deadline=None)
@given(
    before=st.sampled_from(["", "usage/", "a/b_c/", "erp/Rechnungen_", "v2/", "x/dt="]),
    form=st.sampled_from(FORMATS),
    rest=st.sampled_from([*RESTS]),
    first=st.dates(date(2020, 1, 1), date(2038, 1, 1)),
    count=st.integers(14, 40),
)
def test_a_pattern_is_found_and_gives_each_files_day(
    before: str, form: str, rest: str, first: date, count: int
) -> None:
    before = before.replace("dt=", "") if form.startswith("year=") else before
    days = [first + timedelta(n) for n in range(count)]
    paths = {
        before + day.strftime(form) + rest.format(hour=f"{n % 24:02}", number=f"{n:05}"): day
        for n, day in enumerate(days)
    }
    files = [DataFile(path, path, suffix_of(path) or "") for path in paths]
    (group,) = groups(files, lambda _: False)
    written = "{day}" if form == "%Y-%m-%d" else f"{{day:{form}}}"
    assert group.pattern == before + written + RESTS[rest]
    assert {file.name: day for file, day in group.files} == paths
    assert not group.remarks
    for path, day in paths.items():
        assert fnmatchcase(
            path, group.pattern.replace(written, day.strftime(form)).replace("{hour}", "[0-2][0-9]")
        )
