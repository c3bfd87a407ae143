"""Section 6 of the spec: what a lake's own lake.toml says of currency and silence."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The reporting currency, and the products whose missing telemetry says nothing."""

    currency: str = "USD"
    silence_unknown: frozenset[str] = frozenset()


def settings_of(lake: Path) -> Settings:
    """Read the settings of a lake; one without lake.toml has the defaults."""
    path = lake / "lake.toml"
    if not path.exists():
        return Settings()
    found = tomllib.loads(path.read_text())
    unknown = found.get("silence", {}).get("unknown", [])
    return Settings(found.get("currency", "USD"), frozenset(unknown))
