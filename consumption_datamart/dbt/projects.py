"""dbt projects: which there are, and what dbt has made of them."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock

from consumption_datamart.dbt.profile import Connection
from consumption_datamart.errors import DatamartError

FILE = "dbt_project.yml"
PROFILES = "profiles.yml"
SOURCES = (".sql", ".yml", ".yaml", ".csv", ".md", ".py")
"""How the names of files end that dbt reads."""
MADE = ("target", "logs", ".git", ".venv")
"""Folders of a project in which nothing of its source is."""
PARSE_SECONDS = 600
KEPT = 5
"""Manifests, and runs with their logs, that are kept of a project."""
TAKEN = ("lake", "mart", "monitoring", "ingest", "dbt")
"""First parts of the keys of other assets."""


class ProjectError(DatamartError):
    """A project cannot be loaded; the others can."""


@dataclass(frozen=True)
class Project:
    """A dbt project.

    Attributes:
        folder: of its `dbt_project.yml`.
        connection: to the mart.
    """

    folder: Path
    connection: Connection

    @cached_property
    def said(self) -> Mapping[str, Any]:
        """Its `dbt_project.yml`.

        Raises:
            ProjectError: it is not there, or no project file.
        """
        file = self.folder / FILE
        try:
            found = yaml.safe_load(file.read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            told = " ".join(str(error).split())
            raise ProjectError(f"{file}: {told}; name the folder of a dbt project") from error
        name = found.get("name") if isinstance(found, dict) else None
        if not isinstance(name, str) or name in TAKEN:
            raise ProjectError(
                f"{file}: name: {name!r} is no name of a project here; write one, other than"
                f" {', '.join(TAKEN)}"
            )
        said: Mapping[str, Any] = found
        return said

    @property
    def name(self) -> str:
        """As its project file has it; see `said`."""
        return str(self.said["name"])

    @property
    def made(self) -> Path:
        """Where its manifest is, if it was made where it may not be written to."""
        return self.folder / "target" / "mart"

    @cached_property
    def state(self) -> Path:
        """Where its manifest, its profile and its runs are kept: in its `target`, if it may be."""
        with suppress(OSError):
            self.made.mkdir(parents=True, exist_ok=True)
            if os.access(self.made, os.W_OK):
                return self.made
        mark = hashlib.sha256(str(self.folder.absolute()).encode()).hexdigest()[:12]
        beside = Path(tempfile.gettempdir()) / f"consumption_datamart_dbt_{os.getuid()}" / mark
        beside.mkdir(parents=True, exist_ok=True)
        return beside

    @property
    def profiles(self) -> Path:
        """The folder of the profile that it is run with: its own, or the one that is written."""
        return self.folder if (self.folder / PROFILES).is_file() else self.state

    def profile(self) -> str:
        """The profile that the mart writes, as text."""
        name = str(self.said.get("profile") or self.name)
        return str(yaml.safe_dump(self.connection.profile(name, self.name), sort_keys=False))

    def files(self) -> Iterator[Path]:
        """All files that dbt may read."""
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(each for each in folders if each not in MADE)
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(SOURCES))

    def fingerprint(self) -> str:
        """Another whenever dbt might make another manifest of it."""
        found = hashlib.sha256(self.profile().encode())
        for file in self.files():
            found.update(f"{file.relative_to(self.folder)}\0".encode())
            found.update(hashlib.sha256(file.read_bytes()).digest())
        return found.hexdigest()[:16]

    def manifest(self) -> tuple[Mapping[str, Any], str | None]:
        """What dbt has made of it; it is parsed where that was not done yet.

        Returns:
            The manifest; and what is wrong, where it is the last that could be made.

        Raises:
            ProjectError: it cannot be parsed, and never could.
        """
        try:
            return self._manifest(f"manifest-{self.fingerprint()}.json"), None
        except (ProjectError, OSError) as error:
            told = str(error) if isinstance(error, ProjectError) else self._told(error)
            found = [*self.made.glob("manifest-*.json"), *self.state.glob("manifest-*.json")]
            for file in sorted(found, key=_changed, reverse=True):
                with suppress(OSError, ValueError):
                    return _read(file), f"{told}; its assets are as they were before"
            raise ProjectError(told) from error

    def _told(self, error: Exception) -> str:
        return f"dbt project {self.name}: {' '.join(str(error).split())}"

    def _manifest(self, name: str) -> Mapping[str, Any]:
        for folder in (self.made, self.state):
            with suppress(OSError, ValueError):
                return _read(folder / name)
        with FileLock(self.state / "parse.lock", timeout=PARSE_SECONDS):
            with suppress(OSError, ValueError):  # another process was quicker
                return _read(self.state / name)
            self._parse(self.state / name)
            return _read(self.state / name)

    def _parse(self, file: Path) -> None:
        """Lets dbt write the manifest."""
        (self.state / PROFILES).write_text(self.profile())
        folder = self.state / "parse"
        command = [*dbt_command(), "--quiet", "--no-use-colors", "parse"]
        command += ["--profiles-dir", str(self.profiles), "--project-dir", str(self.folder)]
        command += ["--target-path", str(folder), "--log-path", str(folder)]
        try:
            done = subprocess.run(
                [*command, "--no-send-anonymous-usage-stats"],
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=PARSE_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ProjectError(self._told(error)) from error
        if done.returncode:
            raise ProjectError(f"dbt project {self.name}: {_problem(done.stdout + done.stderr)}")
        made = folder / "manifest.json"
        made.replace(file)
        prune(sorted(self.state.glob("manifest-*.json"), key=_changed))


def dbt_command() -> Sequence[str]:
    """The command of this environment's dbt.

    Raises:
        ProjectError: it is not installed.
    """
    command = Path(sys.executable).parent / "dbt"
    if not command.exists():
        raise ProjectError(
            "dbt is not installed: pip install 'consumption-datamart[dbt]', or unset"
            " CONSUMPTION_DATAMART_DBT_PROJECTS"
        )
    return [str(command)]


def prune(in_order: Sequence[Path]) -> None:
    """Deletes all but the last of some files."""
    for file in in_order[:-KEPT]:
        file.unlink(missing_ok=True)


def _read(file: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(file.read_text())
    return found


def _changed(file: Path) -> float:
    return file.stat().st_mtime


def _problem(output: str) -> str:
    """What dbt has printed, in a line."""
    told = output.partition("Encountered an error:")[2] or output
    return " ".join(told.split()) or "dbt parse has failed and said nothing"
