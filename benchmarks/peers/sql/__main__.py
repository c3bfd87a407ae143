"""Builds the mart by running the scripts in order: `python -m benchmarks.peers.sql LAKE FILE`.

A memory limit may follow, and then `tuned`: scripts of that folder stand in for those of the same
name.
"""

import sys
from pathlib import Path

import duckdb

FOLDER = Path(__file__).parent
LAKE_TABLES = ("telemetry", "invoices", "entitlements")
SCRIPTS = (
    "raw_telemetry",
    "raw_invoices",
    "raw_entitlements",
    "usage",
    "dimensions",
    "facts",
    "reports",
)


def build(lake: Path, file: Path, memory_limit: str = "2GB", variant: str = ".") -> None:
    """Builds the mart of a lake whose dumps are single files, into a new DuckDB file."""
    with duckdb.connect(file) as connection:
        connection.execute("SET memory_limit = $limit", {"limit": memory_limit})
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET VARIABLE lake = $lake", {"lake": str(lake)})
        connection.execute(_script("macros"))
        for table in LAKE_TABLES:
            reads = [
                _script(f"read/{table}.{format_}")
                for format_ in ("parquet", "csv")
                if list((lake / table).glob(f"*.{format_}"))
            ]
            union = " UNION ALL BY NAME ".join(reads)
            connection.execute(f"CREATE TEMP VIEW read_{table} AS {union}")
        for name in SCRIPTS:
            is_other = (FOLDER / variant / f"{name}.sql").exists()
            connection.execute(_script(f"{variant}/{name}" if is_other else name))
        if list(lake.glob("*/*.csv")):
            connection.execute(_script("malformed"))


def _script(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
