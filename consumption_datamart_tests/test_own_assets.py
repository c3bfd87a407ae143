"""A team's own assets beside the mart: loaded, audited and published as the mart's tables are."""

import re
import runpy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import ClassVar

import dagster as dg
import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest
from dagster_duckdb_pandas import DuckDBPandasIOManager

from consumption_datamart.automation import eager
from consumption_datamart.definitions import build_definitions
from consumption_datamart.partitions import partitions, range_tags
from consumption_datamart.schema.days import Days
from consumption_datamart.schema.facts import FactConsumptionDaily
from consumption_datamart.schema.grain import Grain
from consumption_datamart.schema.table import Field, MartTable
from consumption_datamart.schema.types import Day, Integer, Real, Text
from consumption_datamart_tests.lakes import day, entitlement, noon, usage, write_dump
from consumption_datamart_tests.mart import as_written, build_tables, tables_of
from consumption_datamart_tests.ticks import Automation

GUIDE = Path(__file__).parent.parent / "docs" / "extending.md"
pytestmark = pytest.mark.filterwarnings("ignore:.*in beta:dagster.BetaWarning")
KEY = dg.AssetKey(["mart", "target_daily"])


class TargetDaily(MartTable):
    """How much of what a customer is meant to use it uses on a day."""

    _day = "day"
    day: Day
    customer_id: Text
    share: Real = Field(ge=0, description="Used quantity by the quantity that is meant to be.")

    class Config:
        """One row a day and customer."""

        unique: ClassVar[list[str]] = ["day", "customer_id"]


class TargetMet(MartTable):
    """How many days a customer has met its target."""

    customer_id: Text
    days: Integer = Field(ge=0, description="On which it used as much as it was meant to.")

    class Config:
        """One row a customer."""

        unique: ClassVar[list[str]] = ["customer_id"]


@dg.asset(
    key=["mart", "target_met"],
    ins={"found": dg.AssetIn(KEY)},
    automation_condition=eager(),
)
def target_met(found: pd.DataFrame) -> pd.DataFrame:
    """Over all days."""
    met = found.assign(days=(found.share >= 1).astype(int))
    return met.groupby("customer_id", as_index=False).days.sum()


def in_pandas(fact: pd.DataFrame) -> pd.DataFrame:
    """In memory."""
    found = fact.assign(share=fact.used_quantity / 2.0)
    return found[["share", "day", "customer_id"]]


def in_the_warehouse(fact: ir.Table) -> ir.Table:
    """In SQL, with what is meant to be from elsewhere."""
    meant = ibis.memtable({"customer_id": ["CUST-1", "CUST-2"], "meant": [2.0, 5.0]})
    found = fact.join(meant, "customer_id")
    return found.select("day", "customer_id", share=found.used_quantity / found.meant)


def wrong(fact: pd.DataFrame) -> pd.DataFrame:
    """Breaks a rule of the model."""
    return in_pandas(fact).assign(share=-1.0)


FIRST = day(1)


def definitions(
    compute: Callable[..., object],
    lake: Path,
    url: str,
    *more: dg.AssetsDefinition,
    start: date = FIRST,
) -> dg.Definitions:
    """The mart's with the function as a further asset, by day, and perhaps others."""
    asset = dg.asset(
        compute,
        key=KEY,
        ins={"fact": dg.AssetIn(["mart", "fact_consumption_daily"])},
        partitions_def=partitions(start)[Grain.DAY],
        backfill_policy=dg.BackfillPolicy.single_run(),
        automation_condition=eager(),
    )
    return build_definitions(
        own_assets=[asset, *more],
        own_models=[TargetDaily, TargetMet],
        lake=str(lake),
        warehouse=url,
        start_day=FIRST,
    )


def refresh(found: dg.Definitions, first: int, last: int) -> dg.ExecuteInProcessResult:
    """Build the asset alone, for these days."""
    return (
        found.resolve_job_def("build")
        .get_subset(asset_selection={KEY})
        .execute_in_process(tags=range_tags(Days(day(first), day(last))), raise_on_error=False)
    )


@pytest.fixture
def days(lake: Path) -> None:
    """Three days of usage, of one customer."""
    write_dump(lake, "entitlements", day(1), [entitlement()])
    for number in (1, 2, 3):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number), quantity=number)])


@pytest.fixture
def mart(lake: Path, days: None, warehouse: str) -> str:
    """URL of the warehouse of those days."""
    build_tables(lake, warehouse, [FactConsumptionDaily.full_name()])
    return warehouse


def shares(url: str) -> dict[int, float]:
    """By the number of the day."""
    rows = tables_of(as_written(url), TargetDaily, TargetMet)["mart.target_daily"]
    return {(row["day"] - day(1)).days + 1: row["share"] for row in rows}


@pytest.mark.parametrize("compute", [in_pandas, in_the_warehouse])
def test_it_takes_and_returns_the_days_of_its_run(
    compute: Callable[..., object], lake: Path, mart: str
) -> None:
    found = definitions(compute, lake, mart)
    assert refresh(found, 1, 2).success
    assert shares(mart) == {1: 0.5, 2: 1.0}
    assert refresh(found, 3, 3).success
    result = refresh(found, 2, 3)
    assert shares(mart) == {1: 0.5, 2: 1.0, 3: 1.5}
    (made,) = result.asset_materializations_for_node(KEY.to_python_identifier())[:1]
    assert made.metadata["dagster/partition_row_count"].value == 2
    assert "sample" in made.metadata


@pytest.mark.usefixtures("days")
@pytest.mark.parametrize("start", [FIRST, day(-30)], ids=["days of the mart", "other days"])
def test_they_follow_by_the_policies_of_the_mart(lake: Path, tmp_path: Path, start: date) -> None:
    url = f"sqlite://{tmp_path}/warehouse.sqlite"
    with dg.DagsterInstance.ephemeral() as instance:
        found = definitions(in_pandas, lake, url, target_met, start=start)
        automation = Automation(found, instance)
        automation.observe()
        first = automation.settle()
        assert (first["target_daily"], first["target_met"]) == ([day(1), day(2), day(3)], [None])
        write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1), quantity=9.0)])
        automation.observe()
        then = automation.settle()
    assert (then["target_daily"], then["target_met"]) == ([day(1)], [None])
    assert automation.failures == []
    assert shares(url) == {1: 4.5, 2: 1.0, 3: 1.5}
    met = tables_of(url, TargetDaily, TargetMet)["mart.target_met"]
    assert met == [{"customer_id": "CUST-1", "days": 3}]


def test_what_breaks_its_model_is_not_published(lake: Path, mart: str) -> None:
    assert refresh(definitions(in_pandas, lake, mart), 1, 3).success
    result = refresh(definitions(wrong, lake, mart), 1, 3)
    (failure,) = result.get_step_failure_events()
    told = failure.step_failure_data.user_failure_data.description
    assert told.startswith("mart.target_daily: 3 rows break 'share greater_than_or_equal_to(0)'")
    assert shares(mart) == {1: 0.5, 2: 1.0, 3: 1.5}


def test_a_frozen_table_keeps_its_columns_and_its_rows(
    lake: Path, mart: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TargetDaily, "_frozen", 1)
    assert refresh(definitions(in_pandas, lake, mart, target_met), 1, 3).success
    monkeypatch.setattr(TargetDaily, "key", lambda: ["day"])
    result = refresh(definitions(in_pandas, lake, mart, target_met), 1, 3)
    (failure,) = result.get_step_failure_events()
    told = failure.step_failure_data.user_failure_data.description
    assert told.startswith(
        "mart.target_daily: frozen: key was customer_id + day, is day, but the table is frozen as"
        " 1; it concerns mart.target_met (by which columns is not known)."
    )
    assert told.endswith("write _frozen = 2 in TargetDaily; nothing was published")
    assert shares(mart) == {1: 0.5, 2: 1.0, 3: 1.5}
    monkeypatch.setattr(TargetDaily, "_frozen", 2)
    assert refresh(definitions(in_pandas, lake, mart, target_met), 1, 3).success


def test_the_lineage_of_their_columns_is_kept_where_they_return_an_expression(
    lake: Path, mart: str
) -> None:
    result = refresh(definitions(in_the_warehouse, lake, mart), 1, 2)
    (made,) = result.asset_materializations_for_node(KEY.to_python_identifier())[:1]
    lineage = made.metadata["dagster/column_lineage"].value.deps_by_column
    fact = dg.AssetKey(["mart", "fact_consumption_daily"])
    assert lineage["share"] == [dg.TableColumnDep(fact, "used_quantity")]
    assert lineage["day"] == [dg.TableColumnDep(fact, "day")]


def test_one_without_a_model_is_refused() -> None:
    @dg.asset(key=["mart", "without"])
    def without() -> None:
        pass

    with pytest.raises(TypeError, match="asset mart/without: it has no model; write one"):
        build_definitions(own_assets=[without])


def test_the_example_of_the_guide_is_built_with_the_mart(
    lake: Path, warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dump(lake, "entitlements", day(1), [entitlement()])
    write_dump(lake, "telemetry", day(1), [usage(event_ts=noon(1), quantity=5.0)])
    monkeypatch.setenv("CONSUMPTION_DATAMART_LAKE", str(lake))
    monkeypatch.setenv("CONSUMPTION_DATAMART_WAREHOUSE", warehouse)
    (example,) = re.findall(r"## With a model.*?```python\n(.*?)```", GUIDE.read_text(), re.S)
    (tmp_path / "own.py").write_text(example)
    found = runpy.run_path(str(tmp_path / "own.py"))
    job = found["defs"].resolve_job_def("build")
    assert job.execute_in_process(tags=range_tags(Days(day(1), day(1)))).success
    rows = tables_of(warehouse, found["Scorecard"])["mart.scorecard"]
    assert rows == [{"product_id": "db", "mean_consumption": pytest.approx(0.5)}]


def test_one_may_keep_tables_without_a_model_in_a_file_of_its_own(
    lake: Path, mart: str, tmp_path: Path
) -> None:
    report = dg.AssetIn(["mart", "fact_consumption_daily"], input_manager_key="io_manager")

    @dg.asset(key=["scratch", "usage"], io_manager_key="frames", ins={"report": report})
    def used(report: pd.DataFrame) -> pd.DataFrame:
        return report.groupby("customer_id", as_index=False).used_quantity.sum()

    @dg.asset(key=["scratch", "most"], io_manager_key="frames", ins={"used": dg.AssetIn(used.key)})
    def most(used: pd.DataFrame) -> pd.DataFrame:
        return used.nlargest(1, "used_quantity")

    frames = DuckDBPandasIOManager(database=str(tmp_path / "team.duckdb"))
    found = dg.Definitions.merge(
        build_definitions(lake=str(lake), warehouse=mart, start_day=day(1)),
        dg.Definitions(assets=[used, most], resources={"frames": frames}),
    )
    job = found.resolve_implicit_global_asset_job_def()
    assert job.get_subset(asset_selection={used.key, most.key}).execute_in_process().success
    with duckdb.connect(tmp_path / "team.duckdb") as connection:
        assert connection.execute("FROM scratch.most").fetchall() == [("CUST-1", 6.0)]
