"""The command, run in this process or as a process of its own."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

from consumption_datamart.cli import run as run_command


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


def run(*arguments: object) -> Ended:
    """Run the command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", _argv(arguments)):
        code = run_command()
    return Ended(code, out.getvalue(), err.getvalue())


def run_apart(*arguments: object, **environment: str) -> Ended:
    """Run the command as a process of its own."""
    program = "from consumption_datamart.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program, *_argv(arguments)[1:]],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "200"} | environment,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def _argv(arguments: tuple[object, ...]) -> list[str]:
    return ["consumption-datamart", *map(str, arguments)]
