"""Expressions that a process makes once: to make one takes Ibis longer than an engine to run it."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

import ibis.expr.operations as ops
import ibis.expr.types as ir

Made = TypeVar("Made")


def memoized(make: Callable[..., Made]) -> Callable[..., Made]:
    """A pure function of tables, and of values that have a hash, that makes the same only once.

    Args:
        make: takes its arguments by position; tables hold no connection.
    """

    @lru_cache(maxsize=2048)
    def of_nodes(*arguments: Any) -> Made:
        return make(*map(_expression, arguments))

    @wraps(make)
    def of_expressions(*arguments: Any) -> Made:
        return of_nodes(*map(_node, arguments))

    return of_expressions


def _node(argument: object) -> object:
    """Nodes are alike where they say the same; expressions have an `==` of their own."""
    return argument.op() if isinstance(argument, ir.Expr) else argument


def _expression(argument: object) -> object:
    return argument.to_expr() if isinstance(argument, ops.Node) else argument
