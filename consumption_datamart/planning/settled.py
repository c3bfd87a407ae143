"""Whether the mart is in a state that readers are to see."""

from collections.abc import Sequence

from consumption_datamart.planning.graph import Node
from consumption_datamart.planning.news import LakeNews
from consumption_datamart.planning.pending import pending
from consumption_datamart.planning.ready import ready
from consumption_datamart.warehouse import Ledger


def is_settled(nodes: Sequence[Node], ledger: Ledger) -> bool:
    """Whether nothing that was loaded still awaits its facts and reports.

    What could not be loaded does not count; a table whose refresh has failed does.

    Args:
        nodes: the tables of the mart.
        ledger: what was published.
    """
    waiting = pending(nodes, ledger, LakeNews(days=ledger.reporting))
    loads = {node.name: waiting[node.name] for node in nodes if node.is_loaded}
    return not any(
        days for name, days in ready(nodes, ledger, waiting, tried=loads).items() if days
    )
