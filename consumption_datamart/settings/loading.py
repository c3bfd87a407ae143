"""The settings as they are, and where each comes from."""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from consumption_datamart.errors import DatamartError
from consumption_datamart.settings.fields import SECRETS, Settings, variable
from consumption_datamart.settings.files import settings_file


def load_settings(*, lake: str | None = None, warehouse: str | None = None) -> Settings:
    """Settings from the environment, but for what is given.

    Raises:
        DatamartError: a value cannot be read, there is no such setting, or no such environment.
    """
    given: dict[str, Any] = {"lake": lake, "warehouse": warehouse}
    try:
        return Settings(**{name: value for name, value in given.items() if value})
    except ValidationError as error:
        problem = error.errors()[0]
        name = "_".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(name, Settings.model_fields, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise DatamartError(
                f"{settings_file()}: {name}: there is no such setting{hint}"
            ) from error
        file = settings_file()
        is_of_file = file is not None and origins().get(name) == str(file)
        where = f"{file}: {name} = " if is_of_file else f"{variable(name)}="
        value = "***" if name in SECRETS else repr(problem["input"])
        raise DatamartError(f"{where}{value}: {problem['msg']}") from error
    except tomllib.TOMLDecodeError as error:
        raise DatamartError(f"{settings_file()}: this is no TOML: {error}") from error


def origins() -> Mapping[str, str]:
    """Where the value of each setting comes from: a variable, a file, or `default`.

    Raises:
        DatamartError: the file of the environment is not there.
    """
    file = settings_file()
    said = {} if file is None else tomllib.loads(file.read_text())
    of_file = dict.fromkeys(said, str(file))
    return {
        name: variable(name) if variable(name) in os.environ else of_file.get(name, "default")
        for name in Settings.model_fields
    }
