"""What executives read, and what they must know of it."""

from consumption_datamart.report.actions import Action, actions, ranked
from consumption_datamart.report.asked import VIEWS, Asked
from consumption_datamart.report.executive import ExecutiveReport, executive_report, report_of
from consumption_datamart.report.listings import Listing
from consumption_datamart.report.reading import records
from consumption_datamart.report.verdict import Value, Verdict

__all__ = [
    "VIEWS",
    "Action",
    "Asked",
    "ExecutiveReport",
    "Listing",
    "Value",
    "Verdict",
    "actions",
    "executive_report",
    "ranked",
    "records",
    "report_of",
]
