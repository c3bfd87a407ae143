"""Secrets that a file of settings refers to, and does not hold.

A text in such a file refers to a variable of the environment by `${NAME}`, and by
`${file:/run/secrets/name}` to a file whose content is the secret, as containers are given theirs.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from consumption_datamart.errors import DatamartError

REFERENCE = re.compile(r"\$\{(file:)?([^{}]+)\}")


def revealed(text: str) -> str:
    """A text with the secrets in it that it refers to.

    Raises:
        DatamartError: a variable is not set, or a file cannot be read.
    """
    return REFERENCE.sub(lambda found: _secret(is_file=bool(found[1]), name=found[2]), text)


def hidden(told: str, text: str) -> str:
    """What is told of something that used a text, without the secrets that the text refers to.

    Of a URL clients also tell what follows the host alone.
    """
    for found in REFERENCE.finditer(text):
        with suppress(DatamartError):  # there is none that could be told
            secret = _secret(is_file=bool(found[1]), name=found[2])
            told = told.replace(secret, "***")
            if "://" in secret and (rest := secret.split("://", 1)[1].partition("/")[2]):
                told = told.replace(rest, "***")
    return told


def has_secret(text: str) -> bool:
    """Whether a text refers to a secret."""
    return REFERENCE.search(text) is not None


def _secret(*, is_file: bool, name: str) -> str:
    if not is_file:
        if not os.environ.get(name):
            raise DatamartError(f"the variable {name} is not set, which a secret comes from")
        return os.environ[name]
    try:
        found = Path(name).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DatamartError(f"{name}: a secret comes from it, but: {error}") from error
    if not found:
        raise DatamartError(f"{name}: it is empty, and a secret was to come from it")
    return found


def require_reference(text: str) -> str:
    """A text of a file, which must refer to a secret and not hold it.

    Raises:
        ValueError: it refers to none.
    """
    if not has_secret(text):
        raise ValueError(
            "a secret has no place in this file: write ${NAME} and set that variable of the"
            " environment, or ${file:/run/secrets/name}"
        )
    return text
