"""What was in a team's folder when it was last looked at."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_state_path

from consumption_datamart.discovery.found import Discovered

NEW, CHANGED, SAME, GONE = "new", "changed", "same", "gone"


def news(found: Discovered) -> dict[str, str]:
    """What each file is, compared with the last time; also those that are gone."""
    before = _read(_place(found.folder))
    states = {
        each.name: NEW
        if each.name not in before
        else SAME
        if before[each.name] == each.content
        else CHANGED
        for each in found.files
    }
    return states | dict.fromkeys(before.keys() - states.keys(), GONE)


def remember(found: Discovered) -> bool:
    """Keeps what there is now, for the next time.

    Returns:
        Whether it could be kept: where it cannot, all is new again.
    """
    place = _place(found.folder)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({each.name: each.content for each in found.files}))
    except OSError:
        return False
    return True


def _place(folder: Path) -> Path:
    """A file of the user's, for each folder: that itself may be one that is only read."""
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return user_state_path("consumption_datamart") / "team_assets" / f"{name}.json"


def _read(place: Path) -> Mapping[str, str]:
    try:
        found = json.loads(place.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
