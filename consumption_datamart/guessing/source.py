"""A source as it is proposed: a group of files, its lake table, its columns, its dialect."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from consumption_datamart.guessing.expressions import Line, line
from consumption_datamart.guessing.mapping import Sureness, contracts
from consumption_datamart.guessing.missing import Known, bytes_unit, open_line
from consumption_datamart.guessing.moments import clock_of
from consumption_datamart.guessing.patterns import Group
from consumption_datamart.guessing.sample import Column, Sample
from consumption_datamart.guessing.sql import reference
from consumption_datamart.guessing.tables import Guess
from consumption_datamart.guessing.values import Kind, offset_of
from consumption_datamart.guessing.words import TESTS, plain
from consumption_datamart.guessing.written import Written, parsed, written
from consumption_datamart.lake.formats import literal

ZONES = {"+01:00": "Europe/Berlin", "+02:00": "Europe/Berlin", "-05:00": "America/New_York",
         "-04:00": "America/New_York", "-08:00": "America/Los_Angeles",
         "-07:00": "America/Los_Angeles", "+05:30": "Asia/Kolkata", "+09:00": "Asia/Tokyo",
         "+08:00": "Asia/Singapore"}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """What is proposed for a group of files.

    Attributes:
        name: unique among all.
        guess: the lake table and its columns; None: it could not be told.
    """

    name: str
    group: Group
    sample: Sample
    guess: Guess | None

    @cached_property
    def written(self) -> Written:
        """How its values are written."""
        if self.guess is None:
            return Written(self.sample.dialect is not None)
        contract, found = contracts()[self.guess.table], self.guess.columns
        how = written(contract, found, self.sample.dialect)
        if "event_ts" in found and found["event_ts"].column.kind is Kind.day and self.clock:
            return replace(how, timestamp_format="")  # an expression takes both
        return how

    @property
    def clock(self) -> Column | None:
        """A column of times of day."""
        return clock_of(self.unused)

    def lines(self, known: Known) -> list[Line]:
        """A line for each column of the contract that was found, or that is required."""
        if self.guess is None:
            return []
        contract, found = contracts()[self.guess.table], self.guess.columns
        pattern = self.group.pattern
        unit = bytes_unit(found, pattern, known)
        lines = []
        for name in contract.ibis_schema():
            if name in found:
                lines.append(line(contract, name, found, self.written, unit, self.clock))
            elif name in contract.required():
                columns = self.sample.columns
                lines.append(open_line(name, found, columns, pattern, known))
        return lines

    @property
    def unused(self) -> list[Column]:
        """Own columns that become none of the contract's."""
        used = {match.column.path for match in self.guess.columns.values()} if self.guess else set()
        return [column for column in self.sample.columns if column.path not in used]

    @property
    def csv(self) -> dict[str, str | int | bool | list[str]]:
        """What differs from how the contract wants CSV."""
        dialect, how = self.sample.dialect, self.written
        if dialect is None:
            return {}
        found: dict[str, str | int | bool | list[str]] = {}
        if dialect.delimiter != ("\t" if self.group.format == "tsv" else ","):
            found["delimiter"] = dialect.delimiter
        found |= {"quote": dialect.quote} if dialect.quote != '"' else {}
        found |= {"encoding": dialect.encoding} if dialect.encoding != "utf-8" else {}
        found |= {"skip_lines": dialect.skip_lines} if dialect.skip_lines else {}
        found |= {} if dialect.header else {"header": False}
        found |= {"decimal": how.marks.decimal} if how.marks.decimal != "." else {}
        found |= {"thousands": how.marks.thousands} if how.marks.thousands else {}
        found |= {"date_format": how.date_format} if how.date_format else {}
        found |= {"timestamp_format": how.timestamp_format} if how.timestamp_format else {}
        found |= {"nulls": list(how.nulls)} if how.nulls else {}
        return found

    @property
    def is_usable(self) -> bool:
        """Whether the mart can read it once its open lines are decided."""
        is_daily = self.guess is not None and self.guess.table == "telemetry"
        return self.guess is not None and not (is_daily and not self.group.days)

    @property
    def is_by_contract(self) -> bool:
        """Whether the mart reads it as it is, without `lake.toml` (spec, section 1)."""
        if self.guess is None or self.csv:
            return False
        table, contract = self.guess.table, contracts()[self.guess.table]
        place = rf"{table}/\{{day\}}(/[^/]+)?\.(csv|parquet)"
        names = {name: match.column.path for name, match in self.guess.columns.items()}
        own = all(names.get(name) == (name,) for name in contract.required())
        is_iso = not any(self.written.formats.values())
        return bool(re.fullmatch(place, self.group.pattern)) and own and is_iso

    @property
    def condition(self) -> str | None:
        """Of rows that are no tests, where a column says so."""
        for column in self.unused:
            if plain(column.name) in TESTS:
                if column.type == "BOOLEAN":
                    return f"NOT {reference(column)}"
                usual = Counter(column.texts).most_common(1)
                return f"{reference(column)} = {literal(usual[0][0])}" if usual else None
        return None

    @cached_property
    def remarks(self) -> list[str]:
        """What is unsure about the source as a whole."""
        found = [*self.group.remarks, *self.sample.problems]
        if not self.group.days:
            found.append(self._undated())
        if self.sample.dialect and not self.sample.dialect.header:
            found.append("it has no header: columns are named column0, column1 …")
        return found

    def _undated(self) -> str:
        if self.guess is not None and self.guess.table == "telemetry":
            return "telemetry has to say of which day a file is: no day was found in its path"
        count = len(self.group.files)
        what = "it is" if count == 1 else f"its {count} files are"
        return f"no day was found in its path: {what} a snapshot of the day of the last change"

    @cached_property
    def day_zone(self) -> tuple[str | None, str] | None:
        """The zone in which its days seem to be cut, if any is known, and why; None: it is UTC."""
        if self.guess is None or self.guess.table != "telemetry":
            return None
        match = self.guess.columns.get("event_ts")
        if (
            match is None
            or match.sureness is Sureness.guess
            or match.column.kind is not Kind.instant
        ):
            return None
        form = self.written.formats.get("event_ts", "")
        times = [(text, day) for text, day in match.column.values if day is not None]
        offsets = Counter(filter(None, (offset_of(text) for text, _ in times)))
        local = [_day(text, form) == day for text, day in times]
        in_utc = [_day(text, form, utc=True) == day for text, day in times]
        if all(in_utc):
            return None
        if all(local) and (offset := next((each for each, _ in offsets.most_common()), None)):
            why = f"times have the offset {offset}, and are of their file's day in that zone only"
            return ZONES.get(offset), why
        share = in_utc.count(False) / len(in_utc)
        return (None, f"{share:.0%} of the times are not of their file's day") if times else None


def gaps(days: list[date]) -> list[date]:
    """Days that are missing between the first and the last."""
    there = set(days)
    count = (days[-1] - days[0]).days if days else 0
    return [day for n in range(count) if (day := days[0] + timedelta(n)) not in there]


def _day(text: str, form: str, *, utc: bool = False) -> date | None:
    if form:
        found = parsed(text, form)
    else:
        try:
            found = datetime.fromisoformat(text.replace(" UTC", "Z"))
        except ValueError:
            found = parsed(text, form)
    if found is None:
        return None
    return (found.astimezone(UTC) if utc and found.tzinfo else found).date()
