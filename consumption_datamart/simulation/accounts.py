"""The accounts: whose customer belongs to whom, where it is, and who looks after it."""

import numpy as np
import pyarrow as pa

from .agreements import AGREEMENTS, CIRCLE, OF_A_HOLDING, SUBSIDIARIES
from .arrays import Array
from .market import Market, text
from .snapshots import ALWAYS, Snapshots
from .stories import STORIES
from .subscriptions import FAR, day_within

HOLDING = "CUST-900001"  # known as a parent alone
_DEPTHS = [0.72, 0.20, 0.08]  # shares of the customers that have none, one or two above them
_UNKNOWN = 0.03  # share of customers without an account
_BOUGHT, _HANDED_OVER = 0.2, 0.06  # shares of subsidiaries and accounts that changed hands
_REGIONS = ["EMEA", "AMER", "APAC", None]
_SEGMENTS = ["enterprise", "mid-market", "small business", None]
_MANAGERS = [
    *("Ines Halloran", "Tomasz Bielak", "Greta Lindqvist", "Oumar Diallo"),
    *("Rachel Okafor", "Diego Santamaria", "Meera Raghunathan", "Kenji Morita"),
    *("Astrid Vestergaard", "Paolo Ferrante", "Leila Haddad", "Bram de Wit"),
]


def accounts(random: np.random.Generator, market: Market) -> Snapshots:
    """All accounts; a few of them are given to another manager, or bought by a parent, later."""
    count = len(market.who.customer_id)
    who, parent = np.arange(count), _parents(random, count)
    region = random.choice(len(_REGIONS), count, p=[0.5, 0.3, 0.17, 0.03])
    segment = random.choice(len(_SEGMENTS), count, p=[0.25, 0.4, 0.32, 0.03])
    manager = random.integers(0, len(_MANAGERS), count)
    told = STORIES + AGREEMENTS
    was_bought = (parent >= 0) & (random.random(count) < _BOUGHT) & (who >= told)
    was_handed_over = random.random(count) < _HANDED_OVER
    changed = was_bought | was_handed_over
    change = np.where(changed, day_within(market.start, market.end, 0.5), ALWAYS)
    known = np.flatnonzero((who < told) | (random.random(count) >= _UNKNOWN))
    earlier = known[changed[known]]

    def rows(chosen: Array, parent: Array, manager: Array) -> pa.Table:
        ids = [*market.who.customer_id, HOLDING, None]
        return pa.table(
            {
                "customer_id": text(ids, chosen),
                "parent_customer_id": text(ids, np.where(parent < 0, count + 1, parent)[chosen]),
                "segment": text(_SEGMENTS, segment[chosen]),
                "region": text(_REGIONS, region[chosen]),
                "account_manager": text(_MANAGERS, manager[chosen]),
            }
        )

    other = (manager + was_handed_over * 5) % len(_MANAGERS)
    before = rows(earlier, np.where(was_bought, -1, parent), other)
    since = np.concatenate([change[known], np.full(len(earlier), ALWAYS)])
    until = np.concatenate([np.full(len(known), FAR), change[earlier]])
    return Snapshots(pa.concat_tables([rows(known, parent, manager), before]), since, until)


def _parents(random: np.random.Generator, count: int) -> Array:
    """The parent of each customer: -1 where there is none, count where it is the holding."""
    depth, parent = random.choice(len(_DEPTHS), count, p=_DEPTHS), np.full(count, -1)
    depth[: STORIES + AGREEMENTS] = 0
    depth[[customer for customer in CIRCLE if customer < count]] = -1
    for below in range(1, len(_DEPTHS)):
        own, above = np.flatnonzero(depth == below), np.flatnonzero(depth == below - 1)
        if len(above):
            parent[own] = random.choice(above, len(own))
    stories = {**SUBSIDIARIES, **dict(zip(CIRCLE, CIRCLE[::-1], strict=True))}
    told = {own: above for own, above in stories.items() if max(own, above) < count}
    told |= {own: count for own in OF_A_HOLDING if own < count}
    parent[[*told]] = [*told.values()]
    return parent
