"""Rows that are older than they are to be kept are pruned; what was made of them stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from consumption_datamart.definitions import build_definitions
from consumption_datamart.retention import prune_instance
from consumption_datamart.retention.job import PRUNE_JOB
from consumption_datamart.settings import Settings, load_settings
from consumption_datamart_tests import cli
from consumption_datamart_tests.compare import Tables
from consumption_datamart_tests.lakes import day, entitlement, invoice, noon, usage, write_dump
from consumption_datamart_tests.mart import Built, Mart, tables_of, without_monitoring

DAYS = 40
KEPT = 30
FIRST_KEPT = day(DAYS - KEPT + 1)
RAW, ASIDE = "lake.raw_telemetry", "lake.quarantine_telemetry"


def write_lake(lake: Path) -> None:
    """A reading, and one that is set aside, a day."""
    write_dump(lake, "invoices", day(1), [invoice(invoice_date=day(1))])
    write_dump(lake, "entitlements", day(1), [entitlement()])
    for number in range(1, DAYS + 1):
        write_telemetry(lake, number)


def write_telemetry(lake: Path, number: int, quantity: float = 4.0) -> None:
    """The dump of a day."""
    rows = [
        usage(event_id=f"{number}-{n}", event_ts=noon(number), quantity=each)
        for n, each in enumerate([quantity, -1])
    ]
    write_dump(lake, "telemetry", day(number), rows)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The mart of forty days."""
    return Built(tmp_path_factory.mktemp("retention"), write_lake)


@pytest.fixture(autouse=True)
def _limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raw rows are kept for thirty days."""
    monkeypatch.setenv("CONSUMPTION_DATAMART_KEEP_RAW_DAYS", str(KEPT))
    monkeypatch.setenv("CONSUMPTION_DATAMART_KEEP_QUARANTINE_DAYS", str(KEPT + 5))


@pytest.fixture
def mart(built: Built, engine: str, tmp_path: Path) -> Mart:
    """A copy of it."""
    return built.copy(tmp_path, engine)


def run(mart: Mart, *arguments: object) -> cli.Ended:
    """A command on the mart."""
    return cli.run(*arguments, "--lake", mart.lake, "--warehouse", mart.url)


def computed(mart: Mart) -> Tables:
    """The tables of the star and the reports."""
    found = without_monitoring(tables_of(mart.url))
    return {n: sorted(rows, key=str) for n, rows in found.items() if n.startswith("mart.")}


def days_of(mart: Mart, table: str) -> set[object]:
    """The days of which a table has rows."""
    return {row["dump_day"] for row in tables_of(mart.url)[table]}


def test_old_rows_are_pruned_and_what_was_made_of_them_stays(
    built: Built, warehouse: str, tmp_path: Path
) -> None:
    mart = Mart(built.copy(tmp_path, "duckdb").lake, warehouse)
    assert run(mart, "build").code == 0
    before = computed(mart)
    ended = run(mart, "prune")
    assert (ended.code, ended.err) == (0, "")
    assert f"{RAW}: 10 rows of {day(1)} … {day(10)}" in ended.out
    assert f"{ASIDE}: 5 rows of {day(1)} … {day(5)}" in ended.out
    assert min(map(str, days_of(mart, RAW))) == str(FIRST_KEPT)
    assert min(map(str, days_of(mart, ASIDE))) == str(day(6))
    assert "Nothing to build" in run(mart, "build").out
    assert computed(mart) == before
    assert "No rows are older" in run(mart, "prune").out


def test_a_pruned_day_is_not_loaded_again_whatever_becomes_of_its_dump(mart: Mart) -> None:
    run(mart, "prune")
    before = computed(mart)
    write_telemetry(mart.lake, 2, quantity=9.0)
    for number in (3, 4, 5):
        (mart.lake / "telemetry" / f"{day(number)}.csv").unlink()
    ended = run(mart, "build")
    assert ended.code == 0
    assert f"dumps of {day(2)} have changed, and are not loaded" in ended.err + ended.out
    assert computed(mart) == before
    # neither when all is built anew, nor when a new day moves the limit
    assert run(mart, "build", "--full").code == 0
    assert computed(mart) == before
    assert min(map(str, days_of(mart, RAW))) == str(FIRST_KEPT)
    write_telemetry(mart.lake, DAYS + 1)
    assert run(mart, "build").code == 0
    run(mart, "prune")
    assert min(map(str, days_of(mart, RAW))) == str(FIRST_KEPT + timedelta(days=1))
    usages = {row["day"]: row["peak_quantity"] for row in computed(mart)["mart.fact_usage_daily"]}
    assert set(usages) == {day(number) for number in range(1, DAYS + 2)}
    assert set(usages.values()) == {4.0}


def test_what_is_not_raw_is_refreshed_on_closed_days_too(mart: Mart) -> None:
    run(mart, "prune")
    write_dump(mart.lake, "entitlements", day(1), [entitlement(quantity=8)])
    assert run(mart, "build").code == 0
    rows = computed(mart)["mart.fact_consumption_daily"]
    found = {row["day"]: row["entitled_quantity"] for row in rows}
    assert {found[day(1)], found[day(DAYS)]} == {8}


def test_pruned_days_are_opened_again_where_their_dumps_are_there(mart: Mart) -> None:
    run(mart, "prune")
    write_telemetry(mart.lake, 2, quantity=9.0)
    (mart.lake / "telemetry" / f"{day(3)}.csv").unlink()
    ended = run(mart, "prune", "--reopen", day(2), "--to", day(3))
    assert ended.code == 1
    assert f"the dump of {day(3)} is gone" in ended.err
    ended = run(mart, "prune", "--reopen", day(2))
    assert "1 days of raw tables are open again" in ended.out
    assert run(mart, "build").code == 0
    usages = {row["day"]: row["peak_quantity"] for row in computed(mart)["mart.fact_usage_daily"]}
    assert (usages[day(2)], usages[day(3)]) == (9.0, 4.0)
    assert day(2) in days_of(mart, RAW)


def test_days_that_open_nothing_are_told_and_prune_nothing(mart: Mart) -> None:
    ended = run(mart, "prune", "--to", day(3))
    assert ended.code == 2
    assert "--to goes with --reopen" in ended.err
    assert day(1) in days_of(mart, RAW)
    ended = run(mart, "prune", "--reopen", day(3), "--to", day(2))
    assert ended.code == 2
    assert "exchange them" in ended.err
    assert "nothing to open" in run(mart, "prune", "--reopen", day(2)).out


def test_raw_rows_wait_for_what_is_made_of_them(mart: Mart) -> None:
    file = mart.lake / "telemetry" / f"{day(2)}.csv"
    file.write_text("event_id")
    assert run(mart, "build").code == 1
    run(mart, "prune")
    assert day(2) in days_of(mart, RAW)
    assert day(1) not in days_of(mart, RAW)


def test_fewer_days_than_checks_look_at_cannot_be_kept(
    mart: Mart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSUMPTION_DATAMART_KEEP_RAW_DAYS", "20")
    ended = run(mart, "prune")
    assert ended.code == 1
    assert "keep_raw_days = 20: checks look at the last 28 days" in ended.err
    assert "keep at least as many" in ended.err


@dg.asset
def whole() -> None:
    """Without partitions."""


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
def daily() -> None:
    """With some."""


def test_runs_are_kept_that_say_what_is_built(tmp_path: Path) -> None:
    settings = Settings(keep_runs_days=30, keep_compute_logs_days=10)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        first, last = (dg.materialize([whole], instance=instance).run_id for _ in range(2))
        of_day = dg.materialize([daily], instance=instance, partition_key="2026-01-01").run_id
        logs = tmp_path / "storage"
        now = datetime.now(UTC)
        assert prune_instance(settings, instance, now) == 0
        assert {first, last, of_day} <= {file.name for file in logs.iterdir()}
        assert prune_instance(settings, instance, now + timedelta(days=20)) == 0
        assert not {first, last, of_day} & {file.name for file in logs.iterdir()}
        assert prune_instance(settings, instance, now + timedelta(days=40)) == 1
        left = {record.dagster_run.run_id for record in instance.get_run_records()}
        assert left == {last, of_day}
        partition = dg.AssetKey("daily")
        assert instance.get_materialized_partitions(partition) == {"2026-01-01"}


def test_a_job_prunes_every_night_where_a_limit_is_set(mart: Mart) -> None:
    settings = load_settings(lake=str(mart.lake), warehouse=mart.url)
    definitions = build_definitions(settings)
    assert "prune_every_night" in {each.name for each in definitions.schedules or ()}
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def(PRUNE_JOB)
        assert job.execute_in_process(instance=instance).success
    assert min(map(str, days_of(mart, RAW))) == str(FIRST_KEPT)
    forever = settings.model_copy(update={"keep_raw_days": None, "keep_quarantine_days": None})
    names = {each.name for each in build_definitions(forever).schedules or ()}
    assert "prune_every_night" not in names
