"""The plan of the moment, for those who ask again and again."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from consumption_datamart.errors import LakeError, WarehouseError
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.listing import listing
from consumption_datamart.planning.graph import Node
from consumption_datamart.planning.news import LakeNews, lake_news
from consumption_datamart.planning.pending import Pending, Why, pending
from consumption_datamart.planning.ready import Running, offered, ready
from consumption_datamart.planning.settled import is_settled
from consumption_datamart.schema.lake import Contract
from consumption_datamart.schema.raw import models_of
from consumption_datamart.warehouse import Ledger, Warehouse, read_ledger
from consumption_datamart.warehouse.ledger import Day

BUSY_SECONDS = 3.0
"""How long to wait for a run that is writing; it is asked again at the next tick."""
log = logging.getLogger(__name__)


class Following(NamedTuple):
    """What of a table can be refreshed if what it is made of is, in the same run.

    Attributes:
        periods: of the table.
        inputs: what has to be refreshed with it.
    """

    periods: Mapping[Day, Why]
    inputs: Pending


class Look(NamedTuple):
    """What is to be refreshed at a moment.

    Attributes:
        waiting: all of it.
        ready: what waits for nothing else.
        following: full name of a table → what can follow that.
        ledger: what was published.
    """

    waiting: Pending
    ready: Pending
    following: Mapping[str, Following]
    ledger: Ledger


class CurrentPlan:
    """What is to be refreshed in one warehouse; asked anew at each tick of the automation.

    The policies of all assets are evaluated in one tick: they share one look at lake and ledger.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        contracts: Sequence[type[Contract]],
        warehouse: Warehouse,
        lake: Lake,
    ) -> None:
        """Nothing is read yet."""
        self.nodes, self.contracts, self.lake = nodes, contracts, lake
        self.warehouse = warehouse.waiting_at_most(BUSY_SECONDS)
        self._lock = threading.Lock()
        self._tick: object = None
        self._look: Look | None = None
        self._settled: tuple[object, Ledger | None] | None = None

    def look(self, tick: object, running: Callable[[], Running] = dict) -> Look | None:
        """What is to be refreshed, as of a tick.

        Args:
            tick: anything that is equal for all who ask in one tick.
            running: what runs are about at the moment.

        Returns:
            None, where it cannot be told now: a run is writing.
        """
        with self._lock:
            if tick != self._tick:
                self._look, self._tick = self._plan(running()), tick
            return self._look

    def settled(self, nodes: Sequence[Node], tick: object) -> Ledger | None:
        """What was published, where these tables are settled; None: not now, or it cannot be told.

        Args:
            nodes: the same for all who ask.
            tick: see `look`.
        """
        look = self.look(tick)
        with self._lock:
            if self._settled is None or self._settled[0] != tick:
                is_so = look is not None and is_settled(nodes, look.ledger)
                self._settled = tick, look.ledger if look and is_so else None
            return self._settled[1]

    def _plan(self, running: Running) -> Look | None:
        try:
            ledger = read_ledger(self.warehouse)
            news = self._news(ledger)
        except WarehouseError as error:
            log.info("%s; the plan is made at the next tick", error)
            return None
        waiting = pending(self.nodes, ledger, news)
        alone = ready(self.nodes, ledger, waiting, running=running)
        found = offered(self.nodes, ledger, waiting, running)
        together = {name: {**waiting[name], **found.get(name, {})} for name in waiting}
        following = dict(self._following(found, alone))
        return Look(self._with_loads(together), self._with_loads(alone), following, ledger)

    def _following(self, found: Pending, alone: Pending) -> Iterator[tuple[str, Following]]:
        for node in self.nodes:
            before = alone.get(node.name, {})
            periods = {day: why for day, why in found[node.name].items() if day not in before}
            if periods:
                inputs = [model.full_name() for model in [*node.reads, *node.after]]
                asked = {name: found[name] for name in inputs if found.get(name)}
                yield node.name, Following(periods, asked)

    def _news(self, ledger: Ledger) -> LakeNews:
        try:
            return lake_news(self.warehouse, listing(self.lake), self.contracts, ledger)
        except LakeError as error:
            log.warning("%s; what was loaded is refreshed all the same", error)
            return LakeNews()

    def _with_loads(self, found: Pending) -> Pending:
        """The tables that are loaded together are refreshed together."""
        more = dict(found)
        for contract in self.contracts:
            raw, *others = (model.full_name() for model in models_of(contract))
            more |= {name: found.get(raw, {}) for name in others}
        return more
