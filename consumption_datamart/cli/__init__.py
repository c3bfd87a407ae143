"""The command `consumption-datamart`: parses, calls, renders, and gives the exit code.

Each command imports what it needs when it runs, so that `--help` answers at once.
"""

from consumption_datamart.cli.app import app, main, run

__all__ = ["app", "main", "run"]
