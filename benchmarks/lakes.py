"""The lakes that are measured on, made by the project's own `simulate`."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
MART_COMMAND = [sys.executable, "-c", "from consumption_datamart.cli import main; main()"]
"""`consumption-datamart`, of this project and this interpreter."""
LAST_DAY = "2026-09-30"


@dataclass(frozen=True)
class Size:
    """How large a lake is.

    Attributes:
        name: for tables and charts.
        days: of dumps.
        rows_per_day: rows of telemetry a day, to which dirt is added.
        customers: that there are.
        products: likewise.
        dirt: share of rows that are bad or suspicious.
    """

    name: str
    days: int
    rows_per_day: int
    customers: int
    products: int = 10
    dirt: float = 0.005

    @property
    def rows(self) -> int:
        """Rows of telemetry without the dirt."""
        return self.days * self.rows_per_day

    def arguments(self) -> list[str]:
        """Of `consumption-datamart simulate`, without the folder."""
        return [
            f"--days={self.days}",
            f"--rows-per-day={self.rows_per_day}",
            f"--customers={self.customers}",
            f"--products={self.products}",
            f"--dirt={self.dirt}",
            f"--end={LAST_DAY}",
            "--format=parquet",
            "--no-extras",  # of which the mart's peers know nothing
        ]


SIZES = {
    size.name: size
    for size in (
        Size("tiny", days=1, rows_per_day=10, customers=3, products=2, dirt=0.0),
        Size("small", days=30, rows_per_day=1_000, customers=100),
        Size("medium", days=30, rows_per_day=50_000, customers=1_000),
        Size("large", days=30, rows_per_day=500_000, customers=5_000),
    )
}


def make_lake(size: Size, folder: Path) -> Path:
    """Writes a lake into a folder, unless it is there from before; returns where it is."""
    lake = folder / "lakes" / "".join(size.arguments()).removeprefix("--")
    if not lake.exists():
        unfinished = lake.with_name(f"{lake.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [*MART_COMMAND, "simulate", "--out", str(unfinished), *size.arguments()]
        subprocess.run(command, cwd=PROJECT, env=clean_environment(), check=True)
        unfinished.rename(lake)
    return lake


def clean_environment() -> dict[str, str]:
    """The environment without settings of the mart and of Dagster.

    Modules are compiled once, as they are for users, not for each process anew.
    """
    ours = ("CONSUMPTION_DATAMART_", "DAGSTER_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
