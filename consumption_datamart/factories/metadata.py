"""What Dagster's UI shows of a table: columns, and figures and samples of what was published."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd

from consumption_datamart.checks import Inspection, asset_key
from consumption_datamart.lake.sources import Source
from consumption_datamart.partitions import DAYS_BUILT
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.table import Table
from consumption_datamart.warehouse.audit import TOTAL, Profile, Samples

TABLE_KINDS = {"delta": "deltalake", "iceberg": "iceberg"}
"""What Dagster's UI calls sources that are tables of a lake, not files."""


def source_key(source: Source) -> dg.AssetKey:
    """Of a source's asset: `lake/telemetry`, or `lake/telemetry/storage` of one that has a name."""
    key = asset_key(source.contract)
    return key if source.entry is None else dg.AssetKey([*key.path, source.name])


def source_spec(source: Source, owners: Iterable[str], **more: Any) -> dg.AssetSpec:
    """The asset that is a source: what is delivered, as the contract describes it."""
    kind = TABLE_KINDS.get(source.entry.format or "", "file") if source.entry else "file"
    spec = asset_spec(source.contract, "lake", owners, kinds=(kind,), **more)
    if source.entry is None:
        return spec
    owned = [source.entry.owner] if source.entry.owner else list(owners)
    told = f"{source.contract.title()} Source {source.name}: `{source.entry.files}`."
    return spec.replace_attributes(key=source_key(source), owners=owned, description=told)


def asset_spec(
    model: type[Table],
    group: str,
    owners: Iterable[str] = ("team:data",),
    kinds: Iterable[str] = ("table",),
    **more: Any,
) -> dg.AssetSpec:
    """The asset that is the model's table, described as the model describes it.

    Args:
        model: the table.
        group: in which the UI shows it.
        owners: who answers for it.
        kinds: what the UI says it is.
        more: all else that `dg.AssetSpec` takes.
    """
    return dg.AssetSpec(
        key=asset_key(model),
        description=model.title(),
        metadata=_definition_metadata(model),
        group_name=group,
        owners=list(owners),
        kinds=set(kinds),
        **more,
    )


def described(
    assets: Iterable[dg.AssetsDefinition], models: Iterable[type[Table]]
) -> list[dg.AssetsDefinition]:
    """A team's own assets, with what their models say of their tables."""
    by_key = {asset_key(model): model for model in models}

    def told(spec: dg.AssetSpec) -> dg.AssetSpec:
        model = by_key.get(spec.key)
        if model is None:
            return spec
        about = {**_definition_metadata(model), **spec.metadata}
        kinds = {*spec.kinds, "table"}
        return spec.replace_attributes(
            metadata=about, kinds=kinds, description=spec.description or model.title()
        )

    found: Iterable[Any] = dg.map_asset_specs(told, assets)
    return list(found)


def _definition_metadata(model: type[Table]) -> dict[str, Any]:
    """Column schema with types, descriptions and units, and the table's name and key."""
    schema, required = model.ibis_schema(), model.required()
    columns = [
        dg.TableColumn(
            name=name,
            type=str(schema[name]),
            description=meaning.description + (f" [{meaning.unit}]" if meaning.unit else ""),
            constraints=dg.TableColumnConstraints(
                nullable=name not in required, unique=model.key() == [name]
            ),
        )
        for name, meaning in model.meanings().items()
    ]
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/table_name": model.full_name(),
        **({"key": ", ".join(model.key())} if model.key() else {}),
    }


def materialization_metadata(
    profile: Profile, days: Days | None, samples: Samples, seconds: float | None = None
) -> dict[str, Any]:
    """What to attach to a materialization: samples, and figures over all days.

    Args:
        profile: of what was published.
        days: that were published; None for a table without days.
        samples: of its rows.
        seconds: that it took.
    """
    metadata: dict[str, Any] = {
        label: dg.MetadataValue.md(frame.to_markdown(index=False) if len(frame) else "no rows")
        for label, frame in samples.items()
    }
    metadata |= {} if seconds is None else {"seconds": seconds}
    if days is None:
        return metadata | _figures(profile.figures, TOTAL, "dagster/row_count")
    total = profile.figures.sum().to_frame(TOTAL).T
    number = {DAYS_BUILT: len(list(days.each()))}
    return metadata | number | _figures(total, TOTAL, "dagster/partition_row_count")


def metadata_of_step(
    context: dg.AssetExecutionContext,
    model: type[Table],
    profile: Profile,
    days: Days | None,
    inspection: Inspection,
) -> dict[str, Any]:
    """The same, of what a step has published; each partition gets its own figures.

    Args:
        context: of the step.
        model: the table.
        profile: of what was published.
        days: that were published; None for a table without days.
        inspection: of the step, of whose seconds each partition is given an even share.
    """
    seconds, key = inspection.seconds(), asset_key(model)
    samples = inspection.samples.get(model, {})
    metadata = materialization_metadata(profile, days, samples, seconds)
    if days is not None and context.assets_def.get_asset_spec(key).partitions_def is not None:
        periods = [day.isoformat() for day in model.periods(days) if day]
        share = {"seconds": seconds / len(periods)}
        for period in periods:
            own = metadata_of_day(profile, period) | share
            context.add_asset_metadata(own, asset_key=key, partition_key=period)
    return metadata


def metadata_of_day(profile: Profile, day: str) -> dict[str, int]:
    """The figures of one day (ISO) of a table that has days."""
    return {DAYS_BUILT: 1} | _figures(profile.figures, day, "dagster/partition_row_count")


def column_lineage(rows: ir.Table, models: Mapping[str, type[Table]]) -> dg.TableColumnLineage:
    """Which columns of which tables each column is made of, read off the expression.

    Args:
        rows: what is published.
        models: by the name that their tables have in the expression.
    """
    return dg.TableColumnLineage(
        {
            name: [
                dg.TableColumnDep(asset_key(models[table]), column)
                for table, column in sorted(_origins(rows.op(), name))
                if table in models
            ]
            for name in rows.columns
        }
    )


def _origins(relation: ops.Relation, column: str) -> set[tuple[str, str]]:
    """The columns of tables that a column of an expression is computed from."""
    if isinstance(relation, ops.UnboundTable):
        return {(relation.name, column)}
    if isinstance(relation, ops.Set):
        return _origins(relation.left, column) | _origins(relation.right, column)
    value = relation.values.get(column)
    if value is None:
        return set()
    fields = value.find(ops.Field, filter=ops.Value)
    return set().union(*(_origins(field.rel, field.name) for field in fields))


def _figures(figures: pd.DataFrame, day: str, row_count: str) -> dict[str, int]:
    """The figures of a day, all 0 for a day without rows."""
    row = figures.loc[day] if day in figures.index else dict.fromkeys(figures.columns, 0)
    return {row_count if name == "rows" else str(name): int(row[name]) for name in figures.columns}
