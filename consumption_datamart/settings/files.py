"""Where settings are kept: the folder of the project, the file of an environment."""

import os
from pathlib import Path

from consumption_datamart.errors import DatamartError

CLONE = Path(__file__).resolve().parent.parent.parent
IS_CLONE = (CLONE / "workspace.yaml").is_file()
PROJECT_DIR = CLONE if IS_CLONE else Path.cwd()
"""Where files are by default: in the clone, or in the working folder where only the package is."""
MARTS = PROJECT_DIR / ".datamart" if IS_CLONE else PROJECT_DIR
PREFIX = "CONSUMPTION_DATAMART_"
ENV = f"{PREFIX}ENV"
"""Names the environment, and so its file."""
FOLDER = f"{PREFIX}SETTINGS"
"""The folder of these files, `settings` of the project by default."""


def settings_file() -> Path | None:
    """The file of the environment; None: no environment is named.

    Raises:
        DatamartError: it is not there.
    """
    name = os.environ.get(ENV)
    if not name:
        return None
    folder = Path(os.environ.get(FOLDER) or PROJECT_DIR / "settings")
    file = folder / f"{name}.toml"
    if not file.is_file():
        there = ", ".join(sorted(each.stem for each in folder.glob("*.toml"))) or "none"
        raise DatamartError(f"{ENV}={name}: there is no {file}; environments there: {there}")
    return file
