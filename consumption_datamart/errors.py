"""The one error a user is meant to read: what is wrong, where, and what to do."""

import re
from datetime import date

PASSWORD = re.compile(r"(://[^:@/?]*:)[^@?]*(?=@)|([?&]password=)[^&]*")
"""Of a URL, also one that is not escaped as it should be."""


class DatamartError(Exception):
    """A problem of the input or the settings, told in one line.

    The message names the file, table, column or value at fault and what to do about it, so that the
    command line and the Dagster UI can show it without a traceback.
    """


def first_line(error: BaseException) -> str:
    """What an engine says is wrong, without the advice that follows."""
    return str(error).splitlines()[0]


def masked(url: str) -> str:
    """A URL, or a text with one in it, without its password."""
    return PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", url)


class LakeError(DatamartError):
    """The lake, or a dump in it, cannot be read by the contract (spec, section 1)."""


class DumpError(LakeError):
    """A dump cannot be read; those of other days can.

    Attributes:
        day: of the dump.
    """

    def __init__(self, file: str, day: date, problem: str) -> None:
        """Says of which file what is wrong."""
        super().__init__(f"{file}: {problem}")
        self.day = day


class SourceError(LakeError):
    """No dump of a source can be read: what `lake.toml` says of it does not suit its files."""


class WarehouseError(DatamartError):
    """The warehouse cannot be reached, or holds tables of another shape."""


class AuditError(DatamartError):
    """Rows about to be published break the table's model; nothing was published.

    Attributes:
        table: full name of the table.
    """

    def __init__(self, table: str, problem: str) -> None:
        """Says of which table what is wrong."""
        super().__init__(f"{table}: {problem}; nothing was published")
        self.table = table


class CheckError(AuditError):
    """Rows about to be published fail a blocking check; nothing was published."""
