"""When assets refresh themselves: named policies, and the condition that asks the planner."""

from consumption_datamart.automation.conditions import AwaitsRefresh, bound, with_plan
from consumption_datamart.automation.policies import (
    Policy,
    after_others,
    at_most_every,
    eager,
    manual,
    on_cron,
    on_missing,
    once_built,
)

__all__ = [
    "AwaitsRefresh",
    "Policy",
    "after_others",
    "at_most_every",
    "bound",
    "eager",
    "manual",
    "on_cron",
    "on_missing",
    "once_built",
    "with_plan",
]
