"""What is stale, and what to do about it: one pure planner, asked by all who refresh."""

from consumption_datamart.planning.current import CurrentPlan
from consumption_datamart.planning.graph import ALL, Node, in_order
from consumption_datamart.planning.news import LakeNews, lake_news, listed_dumps, not_loaded
from consumption_datamart.planning.pending import Pending, pending
from consumption_datamart.planning.projection import Step, project
from consumption_datamart.planning.ready import ready
from consumption_datamart.planning.settled import is_settled

__all__ = [
    "ALL",
    "CurrentPlan",
    "LakeNews",
    "Node",
    "Pending",
    "Step",
    "in_order",
    "is_settled",
    "lake_news",
    "listed_dumps",
    "not_loaded",
    "pending",
    "project",
    "ready",
]
