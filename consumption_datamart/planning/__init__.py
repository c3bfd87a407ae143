"""What is stale, and what to do about it: one pure planner, asked by all who refresh."""

from consumption_datamart.planning.current import CurrentPlan
from consumption_datamart.planning.graph import Node, in_order
from consumption_datamart.planning.news import LakeNews, lake_news
from consumption_datamart.planning.planner import Pending, Step, pending, project, ready

__all__ = [
    "CurrentPlan",
    "LakeNews",
    "Node",
    "Pending",
    "Step",
    "in_order",
    "lake_news",
    "pending",
    "project",
    "ready",
]
