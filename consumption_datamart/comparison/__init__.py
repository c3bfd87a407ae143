"""Two warehouses compared: rows and cells by table, bands, statuses, money."""

from consumption_datamart.comparison.answers import Money, Move
from consumption_datamart.comparison.compare import Comparison, compare
from consumption_datamart.comparison.preview import preview
from consumption_datamart.comparison.tables import TableDifference

__all__ = ["Comparison", "Money", "Move", "TableDifference", "compare", "preview"]
