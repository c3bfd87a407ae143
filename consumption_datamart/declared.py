"""TOML files that declare what is beside the mart: read entry by entry: one may be wrong."""

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

import dagster as dg
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from consumption_datamart.errors import DatamartError
from consumption_datamart.secrets import require_reference

NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
"""Of an entry: it becomes a part of an asset's key."""


class Entry(BaseModel):
    """A part of such a file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Secret = Annotated[str, AfterValidator(require_reference), Field(repr=False)]
E = TypeVar("E", bound=Entry)


class Named(Entry):
    """An entry of a list.

    Attributes:
        name: unique in the list.
    """

    name: str = Field(pattern=NAME)


class Patience(Entry):
    """How long to wait for a server.

    Attributes:
        timeout_seconds: for each answer.
        poll_seconds: between two questions whether a sync is over.
        patience_minutes: for a sync as a whole.
    """

    timeout_seconds: float = Field(default=15, gt=0)
    poll_seconds: float = Field(default=10, gt=0)
    patience_minutes: float = Field(default=60, gt=0)


class Declared:
    """A file's content.

    Attributes:
        file: for messages.
        problems: what was found to be wrong so far, a line each.
    """

    def __init__(self, file: Path, known: Mapping[str, type[Entry]]) -> None:
        """Reads it.

        Args:
            file: where it is.
            known: what may stand in it: the model of each section, or of each entry of a list.

        Raises:
            DatamartError: it is not there, is no TOML, or has another section.
        """
        self.file, self.problems = file, list[str]()
        try:
            self.said = tomllib.loads(file.read_text())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DatamartError(f"{file}: it cannot be read: {error}") from error
        if unknown := sorted(self.said.keys() - known.keys()):
            raise DatamartError(
                f"{file}: {unknown[0]}: there is no such section; there are {', '.join(known)}"
            )
        self.known = known

    def section(self, name: str) -> Any:
        """What `[name]` says.

        Raises:
            DatamartError: it is missing, or has a mistake.
        """
        return self._read(self.known[name], self.said.get(name), f"[{name}]")

    def entries(self, name: str) -> Iterator[Any]:
        """Each `[[name]]` that has no mistake, with a name of its own; what is wrong is kept."""
        found, taken = self.said.get(name, []), set[str]()
        for number, said in enumerate(found if isinstance(found, list) else [found], 1):
            called = said.get("name", f"number {number}") if isinstance(said, dict) else said
            try:
                entry: Any = self._read(self.known[name], said, f"[[{name}]] {called}")
                if entry.name in taken:
                    raise DatamartError(f"{self.file}: [[{name}]] {called}: two have this name")
            except DatamartError as error:
                self.problems.append(str(error))
                continue
            taken.add(entry.name)
            yield entry

    def _read(self, model: type[E], said: object, where: str) -> E:
        if said is None:
            raise DatamartError(f"{self.file}: {where}: it is missing")
        try:
            return model.model_validate(said)
        except ValidationError as error:
            told = _problem(error, list(model.model_fields))
            raise DatamartError(f"{self.file}: {where}: {told}") from error


def broken(group: str, file: Path, problems: list[str]) -> list[dg.AssetsDefinition]:
    """An asset that says in the UI what is wrong with a file; none, where nothing is."""
    if not problems:
        return []
    told = "\n\n".join(f"**Wrong**: {each}" for each in problems)
    key = dg.AssetKey([group, file.stem.replace(".", "_"), "wrong"])
    return [dg.AssetsDefinition(specs=[dg.AssetSpec(key, description=told, group_name=group)])]


def _problem(error: ValidationError, known: list[str]) -> str:
    """The first thing that is wrong, without what was written: it may be a secret."""
    # a key that is written wrongly is also one that is missing
    found = error.errors(include_input=False)
    problem = min(found, key=lambda each: each["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"{key}: there is no such key; {hint}there are {', '.join(known)}"
    if problem["type"] == "missing":
        return f"{key}: it is missing"
    told = problem["msg"].removeprefix("Value error, ")
    return f"{key}: {told}" if key else told
