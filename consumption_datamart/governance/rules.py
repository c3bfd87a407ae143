"""The conventions of assets, one function each: `assets validate` asks them all.

A team turns one off in the file `rules.toml` of its folder, for some assets or for all, and says
why:

    [[off]]
    rule = "owner"
    assets = ["team/letter"]
    reason = "nobody reads it any more; it goes in March"
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from consumption_datamart.discovery import Discovered
from consumption_datamart.errors import DatamartError
from consumption_datamart.governance.assets import Asset

FILE = "rules.toml"
LOADS = "loads"
PART = re.compile(r"[a-z][a-z0-9_]*")


class Finding(NamedTuple):
    """What breaks a rule.

    Attributes:
        rule: its name.
        subject: key of the asset, or name of the file.
        told: what is wrong, and what to do.
    """

    rule: str
    subject: str
    told: str


class Off(BaseModel):
    """A rule that is turned off, of some assets or of all, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rule: str
    assets: tuple[str, ...] = ()
    reason: Annotated[str, Field(min_length=10)]

    def is_about(self, finding: Finding) -> bool:
        """Whether it turns a finding off."""
        is_subject = not self.assets or finding.subject in self.assets
        return self.rule == finding.rule and is_subject


class OffFile(BaseModel):
    """All of `rules.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    off: tuple[Off, ...] = ()


def key(asset: Asset, _: Collection[str]) -> Iterator[str]:
    """A key has two parts or more, of lower-case letters, digits and underscores."""
    parts = asset.key.split("/")
    if len(parts) < 2:
        yield f"its key has one part only; call it team/{asset.key} or as its table, schema first"
    for part in parts:
        if not PART.fullmatch(part):
            yield f"{part!r} of its key: write it in lower case, as {_snake(part)!r}"


def owner(asset: Asset, _: Collection[str]) -> Iterator[str]:
    """Somebody answers for it."""
    if not asset.owners:
        yield 'nobody answers for it; give it owners=["team:…"], or a person\'s e-mail address'


def description(asset: Asset, _: Collection[str]) -> Iterator[str]:
    """It says what it is, in more than two words."""
    if len(asset.description.split()) < 3:
        yield "it does not say what it is; give it a docstring, or its model"


def model(asset: Asset, _: Collection[str]) -> Iterator[str]:
    """A table says what its columns are."""
    is_table = "table" in asset.kinds or asset.key.startswith(("mart/", "lake/"))
    if is_table and not asset.columns:
        yield "it is a table without a model; write one (docs/extending.md), or a column schema"


def columns(asset: Asset, _: Collection[str]) -> Iterator[str]:
    """Each column says what it means."""
    silent = [each.name for each in asset.columns if not each.meaning]
    if silent:
        yield f"columns without a description: {', '.join(silent)}"


def upstream(asset: Asset, defined: Collection[str]) -> Iterator[str]:
    """What it is made of is there."""
    for each in asset.upstream:
        if each not in defined:
            yield f"it is made of {each}, which nobody defines; see `assets list` for the key"


def group(asset: Asset, _: Collection[str]) -> Iterator[str]:
    """It is in a group."""
    if asset.group in ("", "default"):
        yield 'it is in no group; give it group_name="…", such as the team\'s name'


def policy(asset: Asset, _: Collection[str]) -> Iterator[str]:
    """It refreshes itself, or is somebody else's."""
    if asset.policy is None and not asset.is_source:
        yield "nothing refreshes it; give it an automation_condition (docs/operations.md, Policies)"


Rule = Callable[[Asset, Collection[str]], Iterator[str]]
RULES: Mapping[str, Rule] = {
    each.__name__: each
    for each in (key, owner, description, model, columns, upstream, group, policy)
}
"""By name. Besides there is the rule `LOADS`: each file loads, and suits the others."""


def findings(
    assets: Mapping[str, Asset], defined: Collection[str], found: Discovered | None
) -> list[Finding]:
    """What breaks a rule.

    Args:
        assets: that are asked; those that stand for broken files are left out.
        defined: keys of all that is defined.
        found: the files of the team's folder.
    """
    files = found.broken if found is not None else {}
    told = [Finding(LOADS, name, why) for name, why in files.items()]
    return told + [
        Finding(name, asset.key, wrong)
        for asset in assets.values()
        for name, rule in RULES.items()
        for wrong in rule(asset, defined)
    ]


def turned_off(folder: Path | None) -> Sequence[Off]:
    """What a team has turned off.

    Raises:
        DatamartError: the file cannot be read, names no rule, or gives no reason.
    """
    if folder is None or not (folder / FILE).exists():
        return ()
    file = folder / FILE
    try:
        off = OffFile.model_validate(tomllib.loads(file.read_text())).off
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        hint = "; say why, in a sentence" if problem["loc"][-1:] == ("reason",) else ""
        raise DatamartError(f"{file}: {where}: {problem['msg']}{hint}") from error
    except (OSError, ValueError) as error:
        raise DatamartError(f"{file}: {error}; mend it") from error
    for each in off:
        if each.rule not in {LOADS, *RULES}:
            raise DatamartError(
                f"{file}: rule {each.rule!r}: there is none; these are: {LOADS}, {', '.join(RULES)}"
            )
    return off


def _snake(part: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", part)
    return re.sub(r"\W+", "_", spaced).lower().strip("_") or "name"
