"""What a build did, read off Dagster's events."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from consumption_datamart.partitions import DAYS_BUILT
from consumption_datamart.private import failure_of, metadata_of, seconds_of
from consumption_datamart.schema.days import Days


@dataclass(frozen=True)
class BuiltTable:
    """A table that was built.

    Attributes:
        name: of the asset.
        days: of it that were built; None: it has none.
        rows: published, over all days that were built.
        quarantined: rows that were set aside; None where rows cannot be.
        warnings: rows with warnings; None where rows cannot have any.
        seconds: that the asset's step took.
    """

    name: str
    days: int | None
    rows: int
    quarantined: int | None
    warnings: int | None
    seconds: float


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    Attributes:
        days: of the daily tables.
        tables: that were built, in order.
        failures: what went wrong, a line each, by asset.
        skipped: assets that were not built because one before them failed.
        remarks: what whoever delivers to the lake should know, a line each.
    """

    days: Days
    tables: list[BuiltTable]
    failures: dict[str, str]
    skipped: list[str]
    remarks: Sequence[str] = ()

    @property
    def problem(self) -> str | None:
        """What went wrong, in a line; None: nothing."""
        lines = [f"{step}: {text}" for step, text in self.failures.items()]
        lines += [f"{name}: not built, as something before it is missing" for name in self.skipped]
        more = f"; and {len(lines) - 1} more" if lines[1:] else ""
        return lines[0].rstrip(".") + more if lines else None


def summarize(
    days: Days,
    planned: Collection[dg.AssetKey],
    events: Sequence[dg.DagsterEvent],
    remarks: Sequence[str] = (),
) -> BuildResult:
    """What became of the planned assets.

    Args:
        days: of the daily tables.
        planned: the assets that were to be built.
        events: Dagster's, of all runs in order.
        remarks: on the lake.
    """
    tables = _tables(events)
    failures = dict(_failures(events))
    missing = {key.to_user_string() for key in planned} - {table.name for table in tables}
    skipped = sorted(name for name in missing if name.split("/")[-1] not in failures)
    return BuildResult(days, tables, failures, skipped, remarks)


def _failures(events: Sequence[dg.DagsterEvent]) -> Iterator[tuple[str, str]]:
    for event in events:
        if event.is_step_failure and event.step_key:
            yield event.step_key, failure_of(event)


def _tables(events: Sequence[dg.DagsterEvent]) -> list[BuiltTable]:
    seconds = {event.step_key: seconds_of(event) for event in events if event.is_step_success}
    figures: dict[tuple[str, str | None], dict[str, int]] = {}
    for event in events:
        if event.is_step_materialization and event.asset_key:
            total = figures.setdefault((event.asset_key.to_user_string(), event.step_key), {})
            for name, value in metadata_of(event).items():
                if isinstance(value, dg.IntMetadataValue):
                    total[name] = total.get(name, 0) + (value.value or 0)
    return [
        BuiltTable(
            name=name,
            days=total.get(DAYS_BUILT),
            rows=total.get("dagster/row_count", total.get("dagster/partition_row_count", 0)),
            quarantined=total.get("quarantined"),
            warnings=total.get("warnings"),
            seconds=seconds.get(step, 0.0),
        )
        for (name, step), total in figures.items()
    ]
