"""The sample lake in source_data: made by `python -m consumption_datamart.simulation.sample OUT`.

Ninety days of forty customers. Telemetry comes as CSV first and as Parquet later, as it does when
a source learns a better format; all other tables stay CSV.
"""

import shutil
import sys
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from .lake import simulate

DAYS, END = 90, date(2026, 9, 30)
PARQUET_SINCE = END - timedelta(29)


def write_sample(out: Path) -> None:
    """Write the sample lake into the folder out."""
    with TemporaryDirectory() as folder:
        for format in ("csv", "parquet"):
            simulate(
                Path(folder, format),
                days=DAYS,
                customers=40,
                products=6,
                rows_per_day=260,
                end=END,
                seed=27,
                format=format,
                dirt=0.005,
            )
        plain = Path(folder, "csv")
        for file in plain.rglob("*.*"):
            name = file.relative_to(plain)
            if name.parts[0] == "telemetry" and date.fromisoformat(file.stem) >= PARQUET_SINCE:
                name = name.with_suffix(".parquet")
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            format = "parquet" if name.suffix == ".parquet" else "csv"
            shutil.copyfile(Path(folder, format, name), out / name)


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]))
