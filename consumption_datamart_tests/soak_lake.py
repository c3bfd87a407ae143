"""The lake of a soak: days of dumps that arrive, are restated, vanish, are bad, and are forgotten.

What arrives on a day follows from the seed and the day alone. All that the lake was ever told is
kept beside it as CSV, for the oracle, which knows nothing of retention.
"""

from collections.abc import Sequence
from pathlib import Path
from random import Random

from consumption_datamart_tests.lakes import Row, day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mutations import TEXTS

TABLES = ("invoices", "entitlements", "telemetry")
FORMATS = ("csv", "jsonl", "parquet")
CUSTOMERS = [f"CUST-{number}" for number in range(1, 6)]
PRODUCTS = {"db": "vCPU", "app": "seats"}
SOURCES = "".join(
    f'[[{table}]]\nname = "{table}"\nfiles = "{table}/{{day}}.*"\n' for table in TABLES
)
"""`lake.toml`: dumps in any format."""
RESTATED_WITHIN = 20
"""Days, of which an older dump is restated or taken away: raw rows are kept for longer."""


class SoakLake:
    """A lake that grows by days, and another with all that was ever in it."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Day 1 is there."""
        self.lake, self.whole, self.seed = folder / "lake", folder / "whole", seed
        self.unreadable: list[Path] = []
        self.fresh: set[int] = set()  # days of telemetry that no mart need have seen yet
        self.last = 0
        self._put(self.lake / "lake.toml", SOURCES.encode())
        self.arrive(1)

    def arrive(self, number: int) -> list[str]:
        """The dumps of a day, and what else happens on it; tells what that is."""
        chance, happened = Random(f"{self.seed} {number}"), []
        self.last = number
        if number == 1 or chance.random() < 0.9:
            self._write("telemetry", number, self._readings(number, chance), chance)
        else:
            happened.append(f"no telemetry of day {number}")
        for table, share in (("entitlements", 0.3), ("invoices", 0.4)):
            if number == 1 or chance.random() < share:
                self._write(table, number, self._posted(table, number, chance), chance)
        if number > 2:
            happened += self._earlier(number, chance)
        return happened

    def _earlier(self, number: int, chance: Random) -> list[str]:
        """A dump of an earlier day is restated, or gone, or can no longer be read."""
        within = range(max(2, number - RESTATED_WITHIN), number)
        which, other = chance.choice(within), chance.choice(within)
        fate = chance.random()
        if fate < 0.3:
            self._write("telemetry", which, self._readings(which, chance), chance)
            return [f"telemetry of day {which} restated"]
        if fate < 0.45:
            for table in ("telemetry", "invoices"):
                self._remove(table, other)
            return [f"telemetry and invoices of day {other} gone"]
        files = self._files(self.lake, "telemetry", which)
        if fate < 0.55 and files and which not in self.fresh:
            self._remove("telemetry", which, is_forgotten=False)
            bad = files[0].with_suffix(".parquet")
            self._put(bad, chance.randbytes(200))
            self.unreadable.append(bad)
            return [f"telemetry of day {which} cannot be read"]
        return []

    @property
    def is_bad(self) -> bool:
        """Whether there is a dump that cannot be read."""
        return any(_is_bad(file) for file in self.unreadable)

    def mend(self) -> None:
        """What could not be read is delivered again, as it was."""
        for bad in self.unreadable:
            good = self.whole / "telemetry" / f"{bad.stem}.csv"
            if _is_bad(bad):
                bad.unlink()
                if good.exists():
                    self._put(self.lake / "telemetry" / good.name, good.read_bytes())
        self.unreadable, self.fresh = [], set()

    def forget(self, through: int) -> None:
        """Takes telemetry of closed days from the lake; the oracle's stays."""
        for number in range(1, through + 1):
            self._remove("telemetry", number, is_forgotten=False)

    def _readings(self, number: int, chance: Random) -> list[Row]:
        rows = []
        for index in range(chance.randrange(8, 30)):
            product = chance.choice(list(PRODUCTS))
            customer = chance.choice(CUSTOMERS)
            row = usage(
                event_id=f"EV-{number}-{index}",
                event_ts=noon(number, hour=chance.randrange(24)),
                customer_id=customer,
                product_id=product,
                deployment_id=f"DEP-{customer}-{product}",
                unit=PRODUCTS[product],
                quantity=float(chance.randrange(1, 200)) / 4,
            )
            fate = chance.random()
            if fate < 0.04:
                row["quantity"] = chance.choice([-1.0, "many", None])
            elif fate < 0.07:
                row["customer_id"] = chance.choice([None, "CUST-unknown"])
            rows.append(row)
        return rows

    def _posted(self, table: str, number: int, chance: Random) -> list[Row]:
        """Of day 1 all that is entitled; later a new one, or another state of one of those."""
        if table == "invoices":
            which = chance.randrange(1, number + 1)
            name = {"customer_name": f"Name {number}"} if chance.random() < 0.3 else {}
            ids = {"invoice_id": f"INV-{which}", "customer_id": CUSTOMERS[which % 5]}
            bad = [invoice(invoice_id=f"BAD-{number}", quantity="many")]
            good = invoice(**ids, **name, invoice_date=day(which))
            return [good, *(bad if chance.random() < 0.2 else [])]
        if number == 1:
            return [
                entitlement(
                    entitlement_id=f"ENT-{customer}-{product}",
                    customer_id=customer,
                    product_id=product,
                    unit=unit,
                )
                for customer in CUSTOMERS
                for product, unit in PRODUCTS.items()
            ]
        customer, (product, unit) = chance.choice(CUSTOMERS), chance.choice(list(PRODUCTS.items()))
        amended = entitlement(
            entitlement_id=f"ENT-{customer}-{product}",
            amendment=number,
            customer_id=customer,
            product_id=product,
            unit=unit,
            quantity=chance.randrange(1, 60),
            starts_on=day(max(1, number - chance.randrange(10))),
        )
        return [amended]

    def _write(self, table: str, number: int, rows: Sequence[Row], chance: Random) -> None:
        """The dump in one of the formats, and as CSV for the oracle; in place of what was there."""
        format = chance.choice(FORMATS)
        self._remove(table, number)
        if table == "telemetry":
            self.fresh.add(number)
        written = write_dump(self.whole, table, day(number), rows)
        file = self.lake / table / f"{day(number)}.{format}"
        if format == "csv":
            content = written.read_bytes()
        elif format in TEXTS:
            content = TEXTS[format](rows)
        else:
            made = write_dump(
                self.whole / ".made", table, day(number), rows, format=format, as_text=True
            )
            content = made.read_bytes()
        self._put(file, content)

    def _put(self, file: Path, content: bytes) -> None:
        """As a careful writer does: under a hidden name first."""
        file.parent.mkdir(parents=True, exist_ok=True)
        hidden = file.with_name(f".{file.name}.part")
        hidden.write_bytes(content)
        hidden.rename(file)

    def _remove(self, table: str, number: int, *, is_forgotten: bool = True) -> None:
        for folder in (self.lake, *([self.whole] if is_forgotten else [])):
            for file in self._files(folder, table, number):
                file.unlink()

    def _files(self, folder: Path, table: str, number: int) -> list[Path]:
        return sorted((folder / table).glob(f"{day(number)}.*"))

    def bytes(self) -> int:
        """What the files of the lake take."""
        return sum(file.stat().st_size for file in self.lake.rglob("*") if file.is_file())


def _is_bad(file: Path) -> bool:
    """Whether a Parquet file is there that is none."""
    return file.exists() and file.read_bytes()[:4] != b"PAR1"
