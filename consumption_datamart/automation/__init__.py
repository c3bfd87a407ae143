"""When assets refresh themselves: named policies, and what they are made of."""

from consumption_datamart.automation.policies import (
    Policy,
    Target,
    at_most_every,
    eager,
    manual,
    on_cron,
    on_missing,
)

__all__ = ["Policy", "Target", "at_most_every", "eager", "manual", "on_cron", "on_missing"]
