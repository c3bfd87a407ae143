"""What starts runs: the look at the lake, and the policies' requests, range by range."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumption_datamart.automation.sensor import in_ranges, together
from consumption_datamart.automation.under_way import under_way
from consumption_datamart.definitions import build_definitions
from consumption_datamart.factories import OBSERVE_JOB
from consumption_datamart.factories.observation import MANY
from consumption_datamart.partitions import days_of_tags, range_tags
from consumption_datamart.schema.days import Days
from consumption_datamart_tests.lakes import day, noon, usage, write_dump

OBSERVED, RUNNING, REQUESTED = "the lake is as it was", "the lake is being observed", None


class Watch:
    """The schedule that looks at a lake, and the job that it starts."""

    def __init__(self, lake: Path, instance: dg.DagsterInstance) -> None:
        """Of a lake that was never observed."""
        self.lake, self.instance = lake, instance
        definitions = build_definitions(lake=str(lake), start_day=day(1))
        self.job = definitions.resolve_job_def(OBSERVE_JOB)
        self.schedule = definitions.resolve_schedule_def("observe_lake_every_minute")

    def look(self) -> str | None:
        """Why the schedule starts no run; None: it starts one."""
        with dg.build_schedule_context(instance=self.instance) as context:
            found = self.schedule.evaluate_tick(context)
        assert bool(found.run_requests) == (found.skip_message is None)
        return found.skip_message

    def observe(self) -> list[str | None]:
        """Runs the job; the days of telemetry that it tells of, None for more than it names."""
        done = self.job.execute_in_process(instance=self.instance)
        assert done.success
        found = [event.asset_observation_data for event in done.get_asset_observation_events()]
        telemetry = dg.AssetKey(["lake", "telemetry"])
        told = [each.asset_observation for each in found]
        return [each.partition for each in told if each.asset_key.has_prefix(telemetry.path)]


@pytest.fixture
def watch(lake: Path, tmp_path: Path) -> Iterator[Watch]:
    """Of a lake with two days of telemetry."""
    for number in (1, 2):
        write_dump(lake, "telemetry", day(number), [usage(event_ts=noon(number))])
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield Watch(lake, instance)


def test_a_lake_is_observed_once_and_then_when_a_dump_is_new_changed_or_gone(watch: Watch) -> None:
    dump = watch.lake / "telemetry" / f"{day(2)}.csv"
    assert watch.look() is REQUESTED
    watch.observe()
    assert watch.look() == OBSERVED
    write_dump(watch.lake, "invoices", day(2), [])
    assert watch.look() is REQUESTED
    watch.observe()
    dump.write_bytes(dump.read_bytes() + b"\n")
    assert watch.look() is REQUESTED
    watch.observe()
    dump.unlink()
    assert watch.look() is REQUESTED
    watch.observe()
    assert watch.look() == OBSERVED


def test_days_are_told_one_by_one_unless_they_are_many(watch: Watch) -> None:
    assert watch.observe() == [str(day(1)), str(day(2))]
    days = [day(3) + timedelta(days=number) for number in range(MANY + 1)]
    for each in days:
        (watch.lake / "telemetry" / f"{each}.csv").touch()
    assert watch.observe() == [None]
    (watch.lake / "telemetry" / f"{days[-1]}.csv").unlink()
    assert watch.observe() == [str(days[-1])]
    assert watch.observe() == []


def test_the_days_of_many_sources_are_few_of_each(watch: Watch) -> None:
    names = [f"product_{number}" for number in range(MANY // 2)]
    entry = '[[telemetry]]\nname = "{0}"\nfiles = "{0}/{{day:%Y-%m-%d}}.csv"\n'
    (watch.lake / "lake.toml").write_text("".join(entry.format(name) for name in names))
    for name, days in zip(names, (2, 3, *[0] * MANY), strict=False):
        (watch.lake / name).mkdir()
        for number in range(days):
            (watch.lake / name / f"{day(1 + number)}.csv").touch()
    observed = Watch(watch.lake, watch.instance).observe()
    assert sorted(observed, key=str) == [str(day(1)), str(day(2)), None]


def test_one_that_is_being_observed_is_left_alone(watch: Watch) -> None:
    run = watch.instance.create_run_for_job(watch.job, status=dg.DagsterRunStatus.STARTED)
    assert watch.look() == RUNNING
    watch.instance.report_run_canceled(run)
    assert watch.look() is REQUESTED


def test_a_table_without_a_folder_hides_no_news_of_others(watch: Watch) -> None:
    watch.observe()
    (watch.lake / "entitlements").write_text("no folder")
    assert watch.look() is not REQUESTED
    write_dump(watch.lake, "telemetry", day(3), [])
    assert watch.look() is REQUESTED


Asked = set[tuple[str, date | None]]

ASKED = st.sets(
    st.tuples(
        st.sampled_from(["a", "b", "a b"]),
        st.none() | st.integers(0, 9).map(lambda number: day(1) + timedelta(days=number)),
    )
)


def asked(requests: list[dg.RunRequest]) -> list[tuple[str, date | None]]:
    """The assets and the days of each request, day by day."""
    found: list[tuple[str, date | None]] = []
    for request in requests:
        names = " ".join(sorted(key.path[-1] for key in request.asset_selection or []))
        days = days_of_tags(request.tags) if request.partition_key is None else None
        if days is not None:
            found += [(names, each) for each in days.each()]
        else:
            only = request.partition_key and date.fromisoformat(request.partition_key)
            found.append((names, only))
    return found


@given(ASKED)
def test_days_are_asked_for_once_in_as_few_runs_as_there_are_gaps(wanted: Asked) -> None:
    requests = [
        dg.RunRequest(
            asset_selection=[dg.AssetKey(name) for name in names.split()],
            partition_key=each and each.isoformat(),
            tags={"why": "policy"} | ({"dagster/partition": each.isoformat()} if each else {}),
        )
        for names, each in sorted(wanted, key=repr)
    ]
    merged = in_ranges(requests)
    assert sorted(asked(merged), key=repr) == sorted(wanted, key=repr)
    begins = {
        (names, each)
        for names, each in wanted
        if each is None or (names, each - timedelta(days=1)) not in wanted
    }
    assert len(merged) == len(begins)
    assert all(request.tags["why"] == "policy" for request in merged)
    several = [request for request in merged if request.partition_key is None]
    assert not any("dagster/partition" in request.tags for request in several)


RAW, DIMENSION, FACT, OTHER = (dg.AssetKey(name) for name in ("raw", "dimension", "fact", "other"))
MADE_OF = {DIMENSION: {RAW}, FACT: {RAW, DIMENSION}, OTHER: set()}
DAYS_OF_RUN = range_tags(Days(date(2026, 3, 1), date(2026, 3, 9)))


def test_a_range_of_days_and_what_it_is_made_of_go_in_one_run() -> None:
    ranged = dg.RunRequest(asset_selection=[RAW, FACT], tags=DAYS_OF_RUN)
    whole = dg.RunRequest(asset_selection=[DIMENSION], tags={"why": "policy"})
    apart = dg.RunRequest(asset_selection=[OTHER])
    others = dg.RunRequest(asset_selection=[OTHER], tags=DAYS_OF_RUN)
    (left, days, both) = together([whole, ranged, apart, others], MADE_OF, {RAW, FACT})
    assert (left, days) == (apart, others)
    assert set(both.asset_selection or []) == {RAW, DIMENSION, FACT}
    assert both.tags == {"why": "policy", **DAYS_OF_RUN}


def test_several_ranges_of_days_stay_apart_from_what_has_none() -> None:
    tags = range_tags(Days(date(2026, 4, 1), date(2026, 4, 9)))
    requests = [
        dg.RunRequest(asset_selection=[RAW], tags=DAYS_OF_RUN),
        dg.RunRequest(asset_selection=[RAW], tags=tags),
        dg.RunRequest(asset_selection=[DIMENSION]),
    ]
    assert together(requests, MADE_OF, {RAW, FACT}) == requests


@pytest.mark.parametrize(
    ("tags", "days"),
    [
        ({}, set()),
        ({"dagster/partition": "2026-03-01"}, {date(2026, 3, 1)}),
        (
            range_tags(Days(date(2026, 3, 1), date(2026, 3, 2))),
            {date(2026, 3, 1), date(2026, 3, 2)},
        ),
        ({"dagster/partition": "blue"}, set()),
    ],
)
def test_what_runs_are_about_is_told_until_they_have_ended(
    tags: dict[str, str], days: set[date]
) -> None:
    @dg.asset(key=["mart", "fact"])
    def fact() -> None:
        pass

    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions([fact]).resolve_implicit_global_asset_job_def()
        run = instance.create_run_for_job(job, tags=tags, asset_selection={fact.key})
        assert under_way(instance) == {"mart.fact": days}
        later = datetime.now(UTC) + timedelta(seconds=1)
        assert under_way(instance, began=later) == {}, "the code server was started again"
        instance.report_run_canceled(run)
        assert under_way(instance) == {}
