"""Whole or not at all: a build that is killed, or loses its disk, leaves no table in between.

A few of the harms that `make kills` does to whole builds; here to a load and a fact.
"""

import json
import subprocess
import sys

import pytest

SOME = """
import json, sys, tempfile
from pathlib import Path
from consumption_datamart_tests.kills import harm
with tempfile.TemporaryDirectory() as folder:
    Path(folder).chmod(0o755)
    only = ["lake.raw_telemetry", "mart.fact_usage_daily"]
    found = harm(Path(folder), sys.argv[1], kills=5, others=1, only=only)
print(json.dumps([found.fates, found.findings]))
"""


def test_a_build_that_is_killed_or_has_no_disk_tears_no_table_and_heals(engine: str) -> None:
    # in a process of its own: it forks, which one that has used DuckDB must not
    done = subprocess.run(
        [sys.executable, "-c", SOME, engine], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    fates, findings = json.loads(done.stdout)
    assert findings == []
    assert sum(fates.values()) == 5 + 4
    for kind in ("statement", "commit", "byte", "time"):
        assert fates.get(f"{engine} {kind}: killed"), kind
    for kind in ("full", "gone", "no folder", "read-only"):
        assert fates.get(f"{engine} {kind}: failed"), kind
