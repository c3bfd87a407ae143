"""The asset of each query: upstream of the source that it feeds."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from consumption_datamart.errors import DatamartError, LakeError
from consumption_datamart.ingest import Upstream
from consumption_datamart.ingest.policies import condition_of
from consumption_datamart.ingest.reading import ColumnsChangedError, IngestError
from consumption_datamart.ingest.running import Ingested, ingest, last_day
from consumption_datamart.lake.dumps import Lake
from consumption_datamart.lake.parsing import Ingest, ingests_of
from consumption_datamart.lake.sources import Sources
from consumption_datamart.lake.sources_file import FILE
from consumption_datamart.resources import LakeResource

GROUP = "ingest"
SAME_COLUMNS = "same_columns"
RETRY = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL)


def assets_of(lake: Lake, sources: Sources, minutes: int) -> Upstream:
    """The assets of all queries that `lake.toml` describes.

    Args:
        lake: where it is.
        sources: of the lake.
        minutes: interval of the settings.
    """
    where, assets, problems = lake.sources_file or FILE, [], []
    feeds: dict[tuple[str, str], list[dg.AssetKey]] = {}
    for one in ingests_of(sources, where):
        condition, problem = None, None
        try:
            condition = condition_of(one, where, minutes)
        except LakeError as error:
            problem = str(error)
            problems.append(problem)
        assets.append(ingest_asset(one, condition, problem))
        feeds.setdefault(one.source.key, []).append(key_of(one))
    return Upstream(assets, feeds, problems)


def key_of(one: Ingest) -> dg.AssetKey:
    """`ingest/orders`."""
    return dg.AssetKey([GROUP, one.name])


def ingest_asset(one: Ingest, condition: Any, problem: str | None = None) -> dg.AssetsDefinition:
    """The asset whose materialization on a day is that day's dump.

    Args:
        one: the query.
        condition: when it is read by itself.
        problem: why it is not.
    """
    entry, key = one.entry, key_of(one)
    told = f"The rows of a query as dumps of {one.source.label}.\n\n```sql\n{entry.query}\n```"
    if entry.function:
        told = f"The rows of the function `{entry.function}` as dumps of {one.source.label}."
    if problem:
        told = f"**Is not read by itself**: {problem}\n\n{told}"
    spec = dg.AssetSpec(
        key,
        description=told,
        group_name=GROUP,
        owners=[entry.owner or "team:data"],
        kinds={"sql", "parquet"},
        deps=[dg.AssetKey.from_user_string(each) for each in entry.after],
        partitions_def=dg.DailyPartitionsDefinition(
            entry.since.isoformat(), end_offset=1 if entry.today else 0
        ),
        automation_condition=condition,
        skippable=True,
    )
    check = dg.AssetCheckSpec(
        SAME_COLUMNS, asset=key, description="The query has the columns that it had before."
    )

    @dg.multi_asset(
        name=f"{GROUP}_{one.name}",
        specs=[spec],
        check_specs=[check],
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRY,
        pool=f"{GROUP}_{one.name}",
    )
    def _ingest(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
        days = [date.fromisoformat(each) for each in context.partition_keys]
        done, problems, may_pass = _read(context, lake.open(), one, days)
        changes = [change for each in done for change in each.changes]
        frozen = [str(each) for each in problems if isinstance(each, ColumnsChangedError)]
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=SAME_COLUMNS,
            passed=not changes and not frozen,
            severity=dg.AssetCheckSeverity.ERROR if frozen else dg.AssetCheckSeverity.WARN,
            description="; ".join(frozen or changes) or None,
        )
        for each in done:
            figures = _figures(each)
            if problems or len(done) < len(days):
                yield dg.AssetMaterialization(key, partition=str(each.day), metadata=figures)
            else:
                context.add_asset_metadata(figures, key, partition_key=str(each.day))
        if problems:
            told = "; ".join(dict.fromkeys(str(each) for each in problems))
            raise dg.Failure(description=told, allow_retries=may_pass)
        if len(done) == len(days):
            total = sum(each.rows for each in done)
            yield dg.MaterializeResult(asset_key=key, metadata={"rows": total})

    return _ingest


def _read(
    context: dg.AssetExecutionContext, lake: Lake, one: Ingest, days: Sequence[date]
) -> tuple[list[Ingested], list[DatamartError], bool]:
    """Reads days; one that cannot be read holds up no other, but where the server is away."""
    done: list[Ingested] = []
    problems: list[DatamartError] = []
    for day in days:
        if day > last_day(one):
            context.log.warning(f"ingest {one.name}: {day} is not over; it is left out")
            continue
        try:
            done.append(ingest(lake, one, day))
        except IngestError as error:
            problems.append(error)
            if error.may_pass:
                return done, problems, True
        except DatamartError as error:
            problems.append(error)
    return done, problems, False


def _figures(each: Ingested) -> dict[str, Any]:
    return {
        "dagster/partition_row_count": each.rows,
        "file": each.file,
        "bytes": each.size,
        "written": each.is_new,
    }
