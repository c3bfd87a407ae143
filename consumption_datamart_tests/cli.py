"""The command, run in this process or as a process of its own."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

from consumption_datamart.cli import main


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


def run(*arguments: object) -> Ended:
    """Run the command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", _argv(arguments)):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


def run_apart(*arguments: object, **environment: str) -> Ended:
    """Run the command as a process of its own."""
    program = "import sys; from consumption_datamart.cli import main; sys.exit(main())"
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
