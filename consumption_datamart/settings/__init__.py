"""Settings of the code location: the only reader of the environment.

A setting is what the command says, else a variable of the environment, else what the file of the
environment says that `CONSUMPTION_DATAMART_ENV` names, else its default.
"""

from consumption_datamart.settings.fields import PASSWORD, Settings, variable
from consumption_datamart.settings.files import CLONE, PROJECT_DIR, settings_file
from consumption_datamart.settings.loading import load_settings, origins

__all__ = [
    "CLONE",
    "PASSWORD",
    "PROJECT_DIR",
    "Settings",
    "load_settings",
    "origins",
    "settings_file",
    "variable",
]
