"""What was found in a team's folder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from consumption_datamart.schema.table import Table

BROKEN_GROUP = "team_files"
"""Group of the assets that stand for files which do not load."""


def specs_of(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    """The assets that definitions name, without asking whether they can be resolved."""
    found: list[dg.AssetSpec] = []
    for each in definitions.assets or ():
        if isinstance(each, dg.AssetsDefinition):
            found += each.specs
        elif isinstance(each, dg.AssetSpec):
            found.append(each)
        elif isinstance(each, dg.SourceAsset):
            found.append(dg.AssetSpec(each.key))
    return found


@dataclass(frozen=True)
class Problem:
    """Why a file does not load.

    Attributes:
        told: what is wrong.
        line: of the file; None: it is of the file as a whole.
        hint: what to do.
    """

    told: str
    line: int | None = None
    hint: str = "mend it and reload the code location"


@dataclass(frozen=True)
class TeamFile:
    """A file that defines assets, or was to.

    Attributes:
        name: relative to the folder.
        path: of the file.
        definitions: all of it, but for what has a model; None: it does not load.
        own_assets: that are made into tables of the mart, by a model.
        own_models: of these.
        keys: of all its assets.
        problem: None: it loads.
    """

    name: str
    path: Path
    definitions: dg.Definitions | None = None
    own_assets: tuple[dg.AssetsDefinition, ...] = ()
    own_models: tuple[type[Table], ...] = ()
    keys: tuple[str, ...] = ()
    problem: Problem | None = None

    @property
    def content(self) -> str:
        """A hash of what it holds."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]
        except OSError:
            return "unreadable"

    @property
    def why(self) -> str:
        """Why it does not load, and what to do, in a sentence; empty where it loads."""
        if self.problem is None:
            return ""
        line = f"line {self.problem.line}: " if self.problem.line else ""
        return f"{line}{self.problem.told}; {self.problem.hint}"


@dataclass(frozen=True)
class Discovered:
    """All that was found in a folder.

    Attributes:
        folder: the team's.
        files: in alphabetical order.
    """

    folder: Path
    files: tuple[TeamFile, ...] = ()

    @property
    def good(self) -> list[TeamFile]:
        """The files that load."""
        return [each for each in self.files if each.problem is None]

    @property
    def broken(self) -> dict[str, str]:
        """Why files do not load, by name."""
        return {each.name: each.why for each in self.files if each.problem is not None}
