"""The deployments: where a customer runs a product, each with a part of its use."""

from typing import Any

import numpy as np

from .arrays import Array
from .market import Market
from .stories import MOVED_PRODUCT, MOVES_FROM, MOVES_TO, moved_on

DEPLOYMENT = np.dtype(
    [
        ("deployment", "i8"),
        ("subscription", "i8"),
        ("infrastructure", "i8"),
        ("share", "f8"),  # of the subscription's use
        ("used_from", "M8[D]"),
        ("used_to", "M8[D]"),
    ]
)
INFRASTRUCTURES = ["aws_ec2", "azure_vm", "gcp_gce", "on_prem", None]


def deployments(random: np.random.Generator, market: Market) -> Array:
    """All deployments that are ever used; one that moves is there once for each customer."""
    used = np.flatnonzero(market.subscriptions["ratio"] > 0)
    count = market.subscriptions["deployments"][used]
    rows = np.zeros(count.sum(), DEPLOYMENT)
    rows["deployment"] = np.arange(1, len(rows) + 1)
    rows["subscription"] = np.repeat(used, count)
    rows["infrastructure"] = random.choice(5, len(rows), p=[0.36, 0.26, 0.2, 0.15, 0.03])
    part = random.uniform(0.5, 2.0, len(rows))
    whole = np.add.reduceat(part, np.cumsum(count) - count) if len(rows) else part
    rows["share"] = part / np.repeat(whole, count)
    for column in ("used_from", "used_to"):
        rows[column] = market.of(rows)[column]
    return np.concatenate([rows, _move(rows, market)])


def _move(rows: Array, market: Market) -> Array:
    """End the one deployment that moves, and return its continuation at the other customer."""
    product = MOVED_PRODUCT % max(1, market.what.sold)
    sold = market.of(rows)
    leaves = np.flatnonzero((sold["customer"] == MOVES_FROM) & (sold["product"] == product))
    enters = np.flatnonzero((sold["customer"] == MOVES_TO) & (sold["product"] == product))
    if not len(leaves) or not len(enters):
        return rows[:0]
    moved: Any = rows[leaves[:1]].copy()
    moved["subscription"] = rows["subscription"][enters[0]]
    moved["share"] = 0.05
    moved["used_from"] = rows["used_to"][leaves[0]] = moved_on(market.start, market.end)
    return moved
