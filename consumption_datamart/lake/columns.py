"""Which of a file's own columns is which of the contract's (spec, section 6)."""

from collections import defaultdict
from collections.abc import Mapping

from consumption_datamart.errors import DumpError
from consumption_datamart.lake.dumps import DumpFile
from consumption_datamart.lake.formats import Header
from consumption_datamart.lake.sources import Source

DELIMITERS = {";": "';'", "\t": "a tab", "|": "'|'", ",": "','"}


def found_columns(source: Source, file: DumpFile, header: Header) -> dict[str, str]:
    """Contract column → own column of the same name, for those that no expression gives.

    Names are compared without case where that is unambiguous.

    Raises:
        DumpError: a required column is not there, or is there more than once.
    """
    exact = {name for name, _ in header}
    folded: dict[str, list[str]] = defaultdict(list)
    for name, _ in header:
        folded[name.partition("#")[0].strip().lower()].append(name)
    found = {}
    for name in source.contract.ibis_schema():
        if name in source.columns:
            continue
        alike = folded.get(name, [])
        if len(alike) > 1 and (name not in exact or f"{name}#" in "".join(alike)):
            problem = f"column '{name}' is there more than once"
            raise DumpError(file.name, file.day, problem)
        if name in exact:
            found[name] = name
        elif alike:
            found[name] = alike[0]
        elif name in source.contract.required():
            raise DumpError(file.name, file.day, _missing(source, name, header))
    return found


def unexpected_columns(source: Source, header: Header, found: Mapping[str, str]) -> str:
    """Own columns that nothing is made of, comma-separated, in alphabetical order."""
    expressions = " ".join([*source.columns.values(), source.where or ""]).lower()
    used = {*found.values()}
    names = {name for name, _ in header if name not in used and name.lower() not in expressions}
    return ", ".join(sorted(names))


def missing_columns(source: Source, found: Mapping[str, str]) -> str:
    """Columns of the contract that the file lacks, comma-separated, in alphabetical order."""
    given = found.keys() | source.columns.keys()
    return ", ".join(sorted(set(source.contract.ibis_schema()) - given))


def guess(source: Source, header: Header) -> str:
    """What to try where a header has but one column that looks like several; else ''."""
    marks = [mark for mark in DELIMITERS if mark != source.dialect.delimiter]
    others = [mark for mark in marks if len(header) == 1 and mark in header[0][0]]
    if not others:
        return ""
    return f": is it delimited by {DELIMITERS[others[0]]}? then say so in lake.toml"


def _missing(source: Source, name: str, header: Header) -> str:
    there = [own for own, _ in header]
    text = f"required column '{name}' is missing; the file has {', '.join(there) or 'none'}"
    if wrong := guess(source, header):
        return text + wrong
    return f"{text}; deliver the dump again with it, or say in lake.toml what it is made of"
