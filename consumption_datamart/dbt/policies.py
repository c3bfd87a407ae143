"""When a model refreshes itself: what it, or a folder above it, says in `meta.dagster`."""

from collections.abc import Mapping
from typing import Any

from consumption_datamart.automation.words import PolicyError, policy_of
from consumption_datamart.dbt.nodes import Nodes
from consumption_datamart.errors import DatamartError


class MetaError(DatamartError):
    """What a model says to Dagster is wrong; the model is refreshed by hand alone."""


def condition_of(nodes: Nodes, node: Mapping[str, Any], minutes: int) -> Any:
    """The condition of a model's policy, as the mart's own; None: it does not refresh itself.

    Args:
        nodes: of its project.
        node: the model.
        minutes: interval of the settings.

    Raises:
        MetaError: names project, file, model, and what would be right.
    """
    said = nodes.said(node)
    key = "policy" if "policy" in said else "auto_materialize_policy"
    word = said.get(key)
    if word is None:
        return None
    try:
        return policy_of(_text(key, word))(minutes)
    except PolicyError as error:
        where = f"dbt project {nodes.project.name}: {nodes.file_of(node, str(key))}"
        raise MetaError(f"{where}: {node['name']}: meta.dagster.{key}: {error}") from error


def _text(key: str, word: Any) -> str:
    """The word of either form."""
    if key == "auto_materialize_policy":
        kind = word.get("type") if isinstance(word, dict) else word
        if kind != "eager":
            raise PolicyError(
                f"type {kind!r} is not known; write {{type: eager}}, or a policy of its own:"
                " policy: at_most_every(30)"
            )
        return "eager"
    if not isinstance(word, str):
        raise PolicyError(f"{word!r} is no text; write it as policy: at_most_every(30)")
    return word
