"""What executives read, and what they must know of it."""

from consumption_datamart.report.executive import ExecutiveReport, executive_report

__all__ = ["ExecutiveReport", "executive_report"]
