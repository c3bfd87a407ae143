"""What is installed from a wheel, without a clone, does what a clone does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consumption_datamart.settings import CLONE
from consumption_datamart_tests import cli
from consumption_datamart_tests.mart import SLOW


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the package."""
    folder = tmp_path_factory.mktemp("package")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder / "wheel", CLONE], check=True)
    (wheel,) = (folder / "wheel").glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


@SLOW
def test_the_sample_is_built_and_shown_in_the_working_folder(
    installed: Path, tmp_path: Path
) -> None:
    kept = {name: value for name, value in os.environ.items() if "DATAMART" not in name}
    program = [sys.executable, "-c", "from consumption_datamart.cli import main; main()"]

    def run(*arguments: str) -> str:
        return subprocess.run(
            [*program, *arguments],
            check=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=kept | {"PYTHONPATH": str(installed)},
        ).stdout

    assert "Next:" in run("demo")
    run("build")
    assert "To act on first" in run("report")
    run("page", "--out", "site")
    assert (tmp_path / "site" / "index.html").exists()
    assert {each.name for each in tmp_path.iterdir()} >= {"source_data", "consumption.duckdb"}
    assert not list(installed.glob("*.duckdb*"))


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("1")
    ended = cli.run("demo", "--out", tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert f"{tmp_path}: there is something already" in ended.err
