"""What was measured on, and with which versions."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = ("dagster", "ibis-framework", "duckdb", "pandas", "pandera", "dbt-core", "dbt-duckdb")


def machine() -> str:
    """Processor, cores and memory."""
    return (
        f"{_processor()}, {os.cpu_count()} cores,"
        f" {psutil.virtual_memory().total / 2**30:.0f} GiB of memory,"
        f" {platform.system()} {platform.machine()}"
    )


def versions() -> str:
    """Python, and the packages that do the work."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {packages}"


def _processor() -> str:
    """As Linux names it, or as Python does elsewhere."""
    source = Path("/proc/cpuinfo")
    lines = source.read_text().splitlines() if source.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
