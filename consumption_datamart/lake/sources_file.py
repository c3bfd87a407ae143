"""`lake.toml`: what may stand in it, and what is said where it has a mistake (spec, section 6)."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import duckdb
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from consumption_datamart.errors import LakeError, first_line, masked
from consumption_datamart.lake.formats import Dialect, formats
from consumption_datamart.lake.patterns import Pattern, PatternError
from consumption_datamart.secrets import has_secret

FILE = "lake.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _checked(check: Callable[[str], object]) -> Any:
    def validate(text: str) -> str:
        check(text)
        return text

    return AfterValidator(validate)


def _zone(text: str) -> None:
    if text not in available_timezones():
        raise ValueError(f"{text} is no time zone; write one as Europe/Berlin, or UTC")


def _sql(text: str) -> None:
    try:
        duckdb.extract_statements(f"SELECT ({text})")
    except duckdb.Error as error:
        raise ValueError(
            f"{text} is no SQL expression: {first_line(error)}; texts are written '…', names of"
            ' columns as they are, or "…"'
        ) from error


def _format(text: str) -> None:
    if text not in formats():
        raise ValueError(f"there is no such format; there are {', '.join(sorted(formats()))}")


def _key(text: str) -> None:
    if not all(part.strip() for part in text.split("/")) or "/" not in text:
        raise ValueError("it is no asset's key; write one as fivetran/erp/readings")


Keys = list[Annotated[str, _checked(_key)]]
"""Of the assets that fill what is read."""
Zone = Annotated[str, _checked(_zone)]
Sql = Annotated[str, _checked(_sql)]


class Entry(_Strict):
    """A source as `lake.toml` has it."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    files: Annotated[str, _checked(Pattern)]
    owner: str | None = None
    late_after_days: int | None = Field(default=None, ge=0)
    where: Sql | None = None
    columns: dict[str, Sql] = {}
    csv: Dialect = Dialect()
    format: Annotated[str, _checked(_format)] | None = None
    day: str | None = Field(default=None, min_length=1)
    day_zone: Zone | None = None
    after: Keys = []


PARAMETER = re.compile(r"(?<![:\w]):(start|end|day)\b")
"""In a query: the first moment of a day, that of the next, and the day."""


def _query(text: str) -> None:
    named = set(PARAMETER.findall(text))
    if not (named >= {"start", "end"} or "day" in named):
        raise ValueError("it asks for no day; write … >= :start AND … < :end, or … = :day")


def _url(text: str) -> None:
    if "://" not in text and not has_secret(text):
        raise ValueError("it is no URL; write postgresql://user@host/database, sqlite:///file")
    if masked(text) != text and not has_secret(text):
        raise ValueError(
            "write no password in it, but where it comes from: postgresql://user:${NAME}@host/…"
        )


class IngestEntry(_Strict):
    """What a source's dumps are read from, as `lake.toml` has it: a query, or a function."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    url: Annotated[str, _checked(_url)] | None = Field(default=None, repr=False)
    query: Annotated[str, _checked(_query)] | None = None
    function: str | None = Field(default=None, pattern=r"^\w+(\.\w+)+$")
    table: Literal["invoices", "entitlements", "telemetry", "bundles", "accounts", "exchange_rates"]
    since: date
    source: str | None = None
    policy: str | None = None
    schedule: str | None = None
    reread_days: int = Field(default=1, ge=0)
    today: bool = False
    schema_changes: Literal["evolve", "freeze"] = "evolve"
    owner: str | None = None
    after: Keys = []


class Silence(_Strict):
    """What missing telemetry says."""

    unknown: list[str] = []


class SourcesFile(_Strict):
    """`lake.toml` as a whole."""

    time_zone: Zone = "UTC"
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    silence: Silence = Silence()
    invoices: list[Entry] = []
    entitlements: list[Entry] = []
    telemetry: list[Entry] = []
    bundles: list[Entry] = []
    accounts: list[Entry] = []
    exchange_rates: list[Entry] = []
    ingest: list[IngestEntry] = []

    @property
    def after(self) -> set[str]:
        """Keys of all assets that fill what is read."""
        tables = [self.invoices, self.entitlements, self.telemetry]
        tables += [self.bundles, self.accounts, self.exchange_rates]
        of_sources = {key for entries in tables for entry in entries for key in entry.after}
        return of_sources | {key for entry in self.ingest for key in entry.after}


def read(text: str, where: str) -> SourcesFile:
    """What a text in TOML says.

    Args:
        text: of `lake.toml`.
        where: the file's name, for messages.

    Raises:
        LakeError: names the file, the key, and what would be right.
    """
    try:
        found = tomllib.loads(text)
        return SourcesFile.model_validate(found)
    except tomllib.TOMLDecodeError as error:
        raise LakeError(f"{where}: this is no TOML: {error}") from error
    except ValidationError as error:
        raise LakeError(f"{where}: {_problem(error, found)}") from error


def _problem(error: ValidationError, found: Mapping[str, Any]) -> str:
    """The first thing that is wrong, and where."""
    problem = error.errors()[0]
    table, *path = problem["loc"]
    key = ".".join(str(part) for part in problem["loc"])
    if path and isinstance(path[0], int):
        name = found[str(table)][path[0]].get("name", f"number {path[0] + 1}")
        key = f"[[{table}]] {name}: {'.'.join(str(part) for part in path[1:])}"
    if problem["type"] == "extra_forbidden":
        known = ", ".join(_known_keys(problem["loc"]))
        return f"{key}: there is no such key; there are {known}"
    if isinstance(error_of := problem.get("ctx", {}).get("error"), PatternError | ValueError):
        return f"{key} = {masked(str(problem['input']))!r}: {error_of}"
    if problem["type"] == "missing":
        return f"{key}: it is missing"
    return f"{key} = {str(problem['input'])[:60]!r}: {problem['msg']}"


def _known_keys(path: Sequence[int | str]) -> Sequence[str]:
    model: type[BaseModel] = SourcesFile
    for part in path[:-1]:
        if part in ("silence",):
            model = Silence
        elif part == "csv":
            model = Dialect
        elif isinstance(part, int):
            model = IngestEntry if path[0] == "ingest" else Entry
    return list(model.model_fields)
