"""Alerts: what is wrong is told once, at each crossing of a line, and again when it is over."""

from consumption_datamart.alerts.after_build import BuildEnd, evaluate_after_build
from consumption_datamart.alerts.config import AlertSettings, load_alert_settings
from consumption_datamart.alerts.evaluation import Watched, evaluate
from consumption_datamart.alerts.sensor import ALERT_JOB, alert_job, alert_sensor
from consumption_datamart.alerts.store import AlertStore

__all__ = [
    "ALERT_JOB",
    "AlertSettings",
    "AlertStore",
    "BuildEnd",
    "Watched",
    "alert_job",
    "alert_sensor",
    "evaluate",
    "evaluate_after_build",
    "load_alert_settings",
]
