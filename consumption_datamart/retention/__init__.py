"""How long rows, results, runs and logs are kept, and what is done about those that are older.

The days of a daily raw table whose rows were pruned are closed: no dump of them is loaded any more,
whether it is restated or gone, and what is made of nothing but raw rows stays as it is. All that is
made of that, facts and reports, is refreshed as ever.
"""

from consumption_datamart.retention.mart import Deleted, prune_mart, reopen
from consumption_datamart.retention.of_dagster import prune_instance

__all__ = ["Deleted", "prune_instance", "prune_mart", "reopen"]
