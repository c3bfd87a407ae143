"""Policies as they are written where others work: `eager`, `at_most_every(30)`, in dbt, in TOML."""

import inspect
from ast import literal_eval
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any

import dagster as dg

from consumption_datamart.automation import policies
from consumption_datamart.automation.policies import Condition, Policy


class PolicyError(ValueError):
    """A word that is no policy; says what would be."""


def policy_of(text: str) -> Policy:
    """The policy that a text names.

    Args:
        text: a word of `automation/policies.py`, `eager` or `at_most_every(30)`; or a function of a
            team's own module on Python's path, `acme.policies.weekdays(9)`, that gives a policy or
            one of Dagster's conditions.

    Raises:
        PolicyError: there is no such policy, or it does not take this; says what would be right.
    """
    name, paren, rest = text.strip().partition("(")
    if paren and not rest.endswith(")"):
        raise PolicyError(f"{text}: the parenthesis is not closed; write {name}(…)")
    function = _own(name) if "." in name else _known(name)
    arguments = _arguments(rest[:-1]) if paren else []
    try:
        made = function(*arguments) if paren or _is_maker(function) else function
        return _policy(made, text)
    except PolicyError:
        raise
    except Exception as error:  # of a team's own function, or of Dagster's own check
        told = str(error).removeprefix("Invariant violation for parameter cron_schedule. ")
        told = " ".join(told.removeprefix("Description: ").split())
        raise PolicyError(f"{text}: {told}; write {_usage(name, function)}") from error


@cache
def words() -> Mapping[str, str]:
    """All words of `automation/policies.py`, with how each is written."""
    found = {
        name: function
        for name, function in vars(policies).items()
        if inspect.isfunction(function) and not name.startswith("_") and _is_word(function)
    }
    return {name: _usage(name, function) for name, function in found.items()}


def _known(name: str) -> Callable[..., Any]:
    if name not in words():
        near = get_close_matches(name, words(), n=1)
        hint = f"did you mean {words()[near[0]]}? " if near else ""
        raise PolicyError(
            f"{name}: there is no such policy; {hint}there are {', '.join(words().values())}"
        )
    function: Callable[..., Any] = getattr(policies, name)
    return function


def _own(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise PolicyError(
            f"{path}: {error}; write a word of the mart's, {', '.join(words().values())}, or a"
            " function of a module on Python's path"
        ) from error
    if not callable(found):
        raise PolicyError(f"{path}: it is no function")
    function: Callable[..., Any] = found
    return function


def _policy(made: Any, text: str) -> Policy:
    """What a function has given, as a policy; it is tried at once."""
    policy: Policy = (lambda _: made) if isinstance(made, dg.AutomationCondition) else made
    condition: Condition | None = policy(policies.MINUTES)
    if condition is not None and not isinstance(condition, dg.AutomationCondition):
        raise PolicyError(f"{text}: it gives {condition!r}, which is no policy")
    return policy


def _arguments(text: str) -> list[Any]:
    """`30` is a number, `0 6 * * *` and `"0 6 * * *"` are the same text."""
    if not text.strip():
        return []
    try:
        found = literal_eval(f"({text},)")
        return list(found)
    except (ValueError, SyntaxError):
        return [text.strip()]


def _is_maker(function: Callable[..., Any]) -> bool:
    """Whether it gives a policy, rather than being one."""
    return inspect.signature(function).return_annotation is Policy


def _is_word(function: Callable[..., Any]) -> bool:
    signature = inspect.signature(function)
    taken = [each.annotation for each in signature.parameters.values()]
    return signature.return_annotation is Policy or (
        taken == [int] and signature.return_annotation in (Condition, None, Condition | None)
    )


def _usage(name: str, function: Callable[..., Any]) -> str:
    if not _is_maker(function):
        return name
    return f"{name}({', '.join(inspect.signature(function).parameters)})"
