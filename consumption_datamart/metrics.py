"""The state of the mart as Prometheus reads it, of the tables `monitoring` and of the alerts."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from importlib.metadata import version
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.errors import DatamartError, WarehouseError
from consumption_datamart.schema.monitoring import (
    AwaitedDay,
    CheckResult,
    FailedDay,
    Figure,
    Objective,
)
from consumption_datamart.settings import Settings
from consumption_datamart.warehouse import Warehouse, warehouse_of

try:
    from prometheus_client import (
        CollectorRegistry,
        generate_latest,
        start_http_server,
        write_to_textfile,
    )
    from prometheus_client.core import GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ModuleNotFoundError as error:
    raise DatamartError(
        "metrics are written by prometheus-client; pip install 'consumption-datamart[metrics]'"
    ) from error

PREFIX = "consumption_datamart"
OF_TABLES = {
    "rows": ("table_rows", "Rows of the table."),
    "warnings": ("table_rows_with_warnings", "Rows of the table that have a warning."),
    "rows read": ("lake_rows_read", "Rows that were read from the files of a raw table."),
    "quarantined": ("lake_rows_quarantined", "Rows of them that were set aside."),
}
"""Figure of a publication → metric, and what it says."""
OF_OBJECTIVES = {
    "target": ("objective_target_ratio", "Share of the days that are to be good."),
    "budget_left": ("objective_budget_left_ratio", "Share of the error budget that is left."),
    "burn_rate": ("objective_burn_rate", "Speed of its use; 1 uses it up in just the period."),
}
"""Column of `monitoring.objective` → metric, and what it says."""


class MartCollector(Collector):
    """Reads the mart as readers see it, anew each time that it is asked."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is read yet."""
        self.warehouse = warehouse_of(settings).released()
        self.dagster_home = settings.dagster_home

    def collect(self) -> Iterator[Metric]:
        """The metrics, each with all its labels.

        Raises:
            WarehouseError: the warehouse cannot be opened, or nothing was built.
        """
        about = _gauge("build_info", "The version of the program.", ["version"])
        about.add_metric([version("consumption-datamart")], 1)
        yield about
        released = self.warehouse.as_of()
        if released is None:
            raise WarehouseError(
                f"warehouse {self.warehouse.url}: nothing was built yet; run consumption-datamart"
                " build"
            )
        at = _gauge("released_timestamp_seconds", "When readers began to see this state.")
        at.add_metric([], released.replace(tzinfo=UTC).timestamp())
        yield at
        yield from _of_tables(self.warehouse)
        yield from _of_objectives(self.warehouse)
        yield from _of_checks(self.warehouse)
        yield from _of_ledger(self.warehouse)
        yield from _of_alerts(self.warehouse)
        if self.dagster_home is not None:
            yield _of_runs()


def serve(settings: Settings, host: str, port: int) -> None:
    """Answers Prometheus' requests until the process is stopped; each reads the mart anew.

    Raises:
        DatamartError: the address cannot be listened at.
    """
    try:
        _, thread = start_http_server(port, host, registry(settings))
    except OSError as error:
        raise DatamartError(f"{host}:{port}: {error.strerror}; name another address") from error
    thread.join()


def metrics(settings: Settings) -> str:
    """The metrics in Prometheus' text format.

    Raises:
        WarehouseError: the warehouse cannot be opened, or nothing was built.
    """
    return generate_latest(registry(settings)).decode()


def write_metrics(settings: Settings, file: Path) -> None:
    """Writes the metrics into a file, whole or not at all.

    Args:
        settings: of the warehouse.
        file: ends in `.prom`, for node_exporter's textfile collector.

    Raises:
        WarehouseError: the warehouse cannot be opened, or nothing was built.
        DatamartError: the file cannot be written.
    """
    try:
        write_to_textfile(str(file), registry(settings))
    except OSError as error:
        raise DatamartError(
            f"{file}: {error.strerror}; name a file in a folder of yours"
        ) from error


def registry(settings: Settings) -> CollectorRegistry:
    """What Prometheus' client asks for the metrics of a mart."""
    found = CollectorRegistry()
    found.register(MartCollector(settings))
    return found


def _gauge(name: str, says: str, labels: list[str] | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", says, labels=labels or [])


def _of_tables(warehouse: Warehouse) -> Iterator[Metric]:
    """Of each day of a table its last publication counts; seconds are of the last of the table."""
    found = warehouse.find(Figure, _last_figures(warehouse.table(Figure)))
    if found is None:
        return
    last = _gauge("table_published_timestamp_seconds", "When it was last published.", ["table"])
    took = _gauge("table_build_seconds", "How long its last publication took.", ["table"])
    days = _gauge(
        "table_last_day_timestamp_seconds", "Last day of a daily table, at its begin.", ["table"]
    )
    for table, own in found.groupby("built_table"):
        at = own.published_at.max()
        last.add_metric([table], _seconds(at))
        is_last = (own.published_at == at) & (own.figure == "seconds")
        took.add_metric([table], own.number[is_last].sum())
        with_rows = own[(own.figure == "rows") & (own.number > 0)]
        if with_rows.built_day.notna().any():
            days.add_metric([table], _seconds(with_rows.built_day.max()))
    yield from (last, took, days)
    for figure, (name, says) in OF_TABLES.items():
        metric = _gauge(name, says, ["table"])
        sums = found[found.figure == figure].groupby("built_table").number.sum()
        for table, number in sums.items():
            metric.add_metric([str(table)], number)
        yield metric


def _last_figures(rows: ir.Table) -> ir.Table:
    wanted = rows.filter(rows.figure.isin([*OF_TABLES, "seconds"]))
    return _latest(wanted, "published_at", "built_table", "built_day")


def _latest(rows: ir.Table, moment: str, *keys: str) -> ir.Table:
    """The rows of the last moment of each key, by a window: not every engine joins nulls."""
    latest = rows.mutate(latest=rows[moment].max().over(ibis.window(group_by=keys)))
    return latest.filter(latest[moment] == latest.latest).drop("latest")


def _of_objectives(warehouse: Warehouse) -> Iterator[Metric]:
    found = warehouse.find(Objective)
    rows = [] if found is None else found.to_dict("records")
    for column, (name, says) in OF_OBJECTIVES.items():
        metric = _gauge(name, says, ["objective", "table", "kind"])
        for row in rows:
            if column == "target" or row["days_measured"]:
                labels = [row["objective_name"], row["objective_table"], row["kind"]]
                metric.add_metric(labels, row[column])
        yield metric


def _of_checks(warehouse: Warehouse) -> Iterator[Metric]:
    """How many checks failed when they were last evaluated, of any day."""
    rows = warehouse.table(CheckResult)
    latest = _latest(rows, "evaluated_at", "checked_table", "check_name", "checked_day")
    failed = latest.filter(~latest.passed)
    each = failed.select("checked_table", "check_name", "severity").distinct()
    found = warehouse.find(
        CheckResult, each.group_by("checked_table", "severity").aggregate(checks=each.count())
    )
    metric = _gauge("checks_failing", "Checks that last failed.", ["table", "severity"])
    for row in () if found is None else found.itertuples():
        metric.add_metric([row.checked_table, row.severity], row.checks)
    yield metric


def _of_ledger(warehouse: Warehouse) -> Iterator[Metric]:
    """What waits, and what could not be refreshed; a table without partitions counts as one."""
    for model, prefix, name, says in (
        (AwaitedDay, "awaiting", "partitions_awaiting", "Partitions that are to be refreshed."),
        (FailedDay, "failed", "partitions_failed", "Partitions whose last refresh failed."),
    ):
        rows = warehouse.table(model).rename(table=f"{prefix}_table", day=f"{prefix}_day")
        each = rows.select("table", "day").distinct()
        found = warehouse.find(model, each.group_by("table").aggregate(partitions=each.count()))
        metric = _gauge(name, says, ["table"])
        for row in () if found is None else found.itertuples():
            metric.add_metric([row.table], row.partitions)
        yield metric


def _of_alerts(warehouse: Warehouse) -> Iterator[Metric]:
    store = AlertStore(warehouse)
    counted = Counter(
        (each.signal, each.state.value) for each in store.alerts().values() if each.is_open
    )
    metric = _gauge("alerts_open", "Alerts that are open.", ["signal", "state"])
    for labels, count in sorted(counted.items()):
        metric.add_metric(list(labels), count)
    yield metric
    evaluated = store.evaluated_at()
    at = _gauge("alerts_evaluated_timestamp_seconds", "When alerts were last evaluated.")
    if evaluated is not None:
        at.add_metric([], evaluated.replace(tzinfo=UTC).timestamp())
    yield at


def _of_runs() -> Metric:
    """Runs of Dagster that are not done; its library is imported only where it keeps a record."""
    import dagster as dg  # noqa: PLC0415

    from consumption_datamart.runs import all_runs  # noqa: PLC0415

    metric = _gauge("dagster_runs", "Runs of Dagster that are not done.", ["status"])
    with dg.DagsterInstance.get() as instance:
        for status in (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED):
            count = len(list(all_runs(instance, dg.RunsFilter(statuses=[status]))))
            metric.add_metric([status.value.lower()], count)
    return metric


def _seconds(at: pd.Timestamp) -> float:
    return float(pd.Timestamp(at).tz_localize(UTC).timestamp())
