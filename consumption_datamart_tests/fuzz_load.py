"""Loading damaged dumps between good ones, and what must hold of the tables then."""

import resource
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from consumption_datamart.errors import DumpError
from consumption_datamart.lake.attempts import Attempts
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.lake import Contract, Entitlements, Invoices, Telemetry
from consumption_datamart.warehouse import open_warehouse
from consumption_datamart_tests.compare import differences
from consumption_datamart_tests.contract import KEYS
from consumption_datamart_tests.lakes import Row, day
from consumption_datamart_tests.mart import Tables, load_table, tables_of
from consumption_datamart_tests.mutations import delivered, good_dump, rows_of
from consumption_datamart_tests.oracle_csv import read_records
from consumption_datamart_tests.oracle_lake import (
    classify,
    quarantine_duplicates,
    raw_row,
    read_file,
)

DAYS = 20
"""Mutations that are loaded at once, each on a day of its own between two good ones."""
TABLES: list[type[Contract]] = [Telemetry, Telemetry, Invoices, Telemetry, Entitlements]
OTHER_PART = 1000
CONFIGURED = ["tsv", "jsonl", "jsonl", "csv.gz", "jsonl.zst", "parquet"]
SOURCE = """
[[{table}]]
name = "{table}"
files = "{table}/{{day}}/*"
"""


@dataclass(frozen=True)
class Damage:
    """One damaged file of a dump.

    Attributes:
        number: of the mutation.
        contract: of the lake table.
        at: number of the dump's day.
        format: by the file's name.
        good: the file's bytes as they should be.
        content: as they are.
        is_part: whether the dump has another file, which is good.
        is_configured: whether a `lake.toml` says where files are: each in the folder of its day.
    """

    number: int
    contract: type[Contract]
    at: int
    format: str
    good: bytes
    content: bytes
    is_part: bool
    is_configured: bool = False

    @classmethod
    def of(cls, number: int) -> "Damage":
        """The mutation with that number, always the same."""
        random = Random(number)
        contract = TABLES[number // DAYS % len(TABLES)]
        is_configured = number // DAYS // len(TABLES) % 2 == 1
        formats = CONFIGURED if is_configured else ["csv", "csv", "parquet"]
        at, format = 2 * (number % DAYS) + 2, random.choice(formats)
        good = good_dump(contract.table_name(), at, format, random)
        content = delivered(good, format, random)
        is_part = random.random() < 0.2
        return cls(number, contract, at, format, good, content, is_part, is_configured)

    @property
    def name(self) -> str:
        """The file's, in the lake."""
        in_folder = self.is_part or self.is_configured
        middle = f"{day(self.at)}/part-0" if in_folder else str(day(self.at))
        return f"{self.contract.table_name()}/{middle}.{self.format}"

    def untouched(self) -> list[Row]:
        """Rows whose lines are in the CSV file as they were, below a header as it was."""
        if self.format == "jsonl":
            there = self.content.split(b"\n")
            rows = rows_of(self.contract.table_name(), self.at)
            lines = self.good.splitlines()
            return [row for row, line in zip(rows, lines, strict=True) if line in there]
        if self.format != "csv":
            return []
        header, *lines = [record.line for record in read_records(self.good)]
        found = [record.line for record in read_records(self.content)]
        if found[:1] != [header]:
            return []
        rows = rows_of(self.contract.table_name(), self.at)
        return [row for row, line in zip(rows, lines, strict=False) if line in found[1:]]


class Load:
    """A warehouse into which one lake of damaged dumps is loaded after another."""

    def __init__(self, folder: Path, engine: str) -> None:
        """Nothing is loaded yet."""
        self.lake, self.url = folder / "lake", f"{engine}://{folder}/fuzzed.{engine}"
        self.warehouse = open_warehouse(self.url)
        self.before: Tables = {}

    def try_out(self, damages: Sequence[Damage]) -> tuple[Counter[str], list[str]]:
        """Loads damaged dumps of one table.

        Returns:
            How many were loaded and how many failed, by format; and what must not be, a line each.
        """
        contract = damages[0].contract
        self._write(damages)
        failures, findings = self._load(contract, damages)
        self.warehouse.release()
        after = tables_of(self.url)
        fates = Counter(
            f"{each.format} {'failed' if each.at in failures else 'loaded'}" for each in damages
        )
        for each in damages:
            check = Check(each, after, self.lake)
            problems = check.as_before(self.before) if each.at in failures else check.loaded()
            findings += [f"{each.number} {each.name}: {problem}" for problem in problems]
        good = {number for each in damages for number in (each.at - 1, each.at + 1)}
        findings += Check(damages[0], after, self.lake).good_days(good)
        self.before = after
        return fates, findings

    def memory(self) -> int:
        """Megabytes that the process took at most."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    def _write(self, damages: Sequence[Damage]) -> None:
        shutil.rmtree(self.lake, ignore_errors=True)
        table = damages[0].contract.table_name()
        for damage in damages:
            files = {damage.name: damage.content}
            if damage.is_configured:
                files["lake.toml"] = SOURCE.format(table=table).encode()
            for number in (damage.at - 1, damage.at + 1):
                name = f"{day(number)}/good" if damage.is_configured else str(day(number))
                files[f"{table}/{name}.csv"] = good_dump(table, number, "csv", Random(0))
            if damage.is_part:
                other = good_dump(table, damage.at + OTHER_PART, "csv", Random(0))
                shifted = str(day(damage.at + OTHER_PART)).encode(), str(day(damage.at)).encode()
                files[f"{table}/{day(damage.at)}/part-1.csv"] = other.replace(*shifted)
            for name, content in files.items():
                path = self.lake / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def _load(
        self, contract: type[Contract], damages: Sequence[Damage]
    ) -> tuple[dict[int, DumpError], list[str]]:
        """Loads all that can be loaded; a dump that fails a table of one load is taken away."""
        if contract.day_column():
            days = Days(day(min(each.at for each in damages) - 1), day(max_at(damages) + 1))
            attempts = Attempts(
                lambda part: load_table(self.warehouse, contract, self.lake, part), [days]
            )
            attempts.once_more()
            failures = {number_of(error): error for error in attempts.failures.values()}
            return failures, named(failures, damages)
        failures = {}
        while True:
            try:
                load_table(self.warehouse, contract, self.lake)
            except DumpError as error:
                failures[number_of(error)] = error
                if wrong := named({number_of(error): error}, damages):
                    return failures, wrong
                shutil.rmtree(self.lake / contract.table_name() / str(error.day), True)
                for file in (self.lake / contract.table_name()).glob(f"{error.day}.*"):
                    file.unlink()
            else:
                return failures, []


def max_at(damages: Sequence[Damage]) -> int:
    """The last day that is damaged."""
    return max(each.at for each in damages)


def number_of(error: DumpError) -> int:
    """The number of the day that failed."""
    return (error.day - day(1)).days + 1


def named(failures: dict[int, DumpError], damages: Sequence[Damage]) -> list[str]:
    """Failures of dumps that are good, or that do not name their file in a line."""
    names = {each.at: each.name for each in damages}
    return [
        f"day {number} failed: {error}"
        for number, error in failures.items()
        if not str(error).startswith(f"{names.get(number)}: ") or "\n" in str(error)
    ]


@dataclass(frozen=True)
class Check:
    """What the tables hold of a damaged dump of a lake."""

    damage: Damage
    tables: Tables
    lake: Path

    def rows(self, kind: str, number: int, tables: Tables | None = None) -> list[Row]:
        """Rows of a day of the raw, quarantine or files table."""
        name = f"lake.{kind}_{self.damage.contract.table_name()}"
        rows = (self.tables if tables is None else tables).get(name, [])
        return [row for row in rows if row["dump_day"] == day(number)]

    def as_before(self, before: Tables) -> list[str]:
        """A daily dump that failed left its day as it was; others were loaded without it."""
        if not self.damage.contract.day_column():
            before = {}
        return [
            f"a dump that failed changed {kind}"
            for kind in ("raw", "quarantine", "files")
            if differences(self.rows(kind, self.damage.at), self.rows(kind, self.damage.at, before))
        ]

    def loaded(self) -> list[str]:
        """Rows of a dump that was loaded are accounted for; of a CSV file as the oracle has it."""
        at, table = self.damage.at, self.damage.contract.table_name()
        counts: Counter[str] = Counter()
        for file in self.rows("files", at):
            counts.update({name: file[f"rows_{name}"] for name in FATES})
        raw, quarantine = self.rows("raw", at), self.rows("quarantine", at)
        problems = []
        if counts["read"] != counts["kept"] + counts["quarantined"] + counts["superseded"]:
            problems.append(f"rows are not accounted for: {dict(counts)}")
        if (counts["kept"], counts["quarantined"]) != (len(raw), len(quarantine)):
            problems.append(f"{len(raw)} raw, {len(quarantine)} quarantined, not {dict(counts)}")
        other = rows_of(table, at + OTHER_PART) if self.damage.is_part else []
        if self.damage.format == "csv":
            files = sorted((self.lake / table).glob(f"{day(at)}.csv"))
            files += sorted((self.lake / table / str(day(at))).glob("*.csv"))
            read = [row for file in files for row in read_file(self.lake, file, table, day(at))]
            fates = quarantine_duplicates(table, [classify(table, row) for row in read])
            expected = [raw_row(table, row) for row in fates if not row.reason]
            problems += [f"raw: {text}" for text in differences(raw, expected)[:3]]
            if Counter(row.reason for row in fates if row.reason) != reasons(quarantine):
                problems.append(f"quarantined {dict(reasons(quarantine))}")
        kept = {key_of(table, row) for row in raw}
        for row in [*self.damage.untouched(), *other]:
            if key_of(table, row) not in kept:
                problems.append(f"an untouched line is not kept: {key_of(table, row)}")
        return problems

    def good_days(self, numbers: set[int]) -> list[str]:
        """Good dumps are loaded row by row, whatever lies between them."""
        table, problems = self.damage.contract.table_name(), []
        for number in sorted(numbers):
            added = {"dump_day": day(number), "meta__warnings": ""}
            expected = [row | added for row in rows_of(table, number)]
            found = differences(self.rows("raw", number), expected)
            if found or self.rows("quarantine", number):
                problems.append(f"{table} of good day {number}: {found[:1]}")
        return problems


def reasons(quarantine: list[Row]) -> Counter[object]:
    """How many rows were set aside for each reason."""
    return Counter(row["reason"] for row in quarantine)


FATES = ("read", "kept", "quarantined", "superseded")


def key_of(table: str, row: Row) -> tuple[object, ...]:
    """What tells a row from others of its dump."""
    return tuple(row[name] for name in KEYS[table])
