"""Alerts in the code location: a sensor that looks, a job that tells, a command that lists."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
import time_machine

from consumption_datamart.alerts.sensor import ALERT_JOB
from consumption_datamart.alerts.store import AlertStore
from consumption_datamart.definitions import build_definitions
from consumption_datamart.schema.reports import ReportConsumptionDaily
from consumption_datamart.warehouse import open_warehouse, publish
from consumption_datamart_tests import cli

DOWN = """
[[route]]
kind = "slack"
name = "oncall"
url = "${CHAT}"

[delivery]
attempts = 1
"""


class Location:
    """The code location, with a mart of one report."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance, url: str) -> None:
        """Nothing is built yet."""
        self.file, self.instance, self.url = folder / "alerts.toml", instance, url
        self.definitions = build_definitions(
            lake=str(folder / "lake"), warehouse=url, alerts_file=str(self.file)
        )

    def consume(self, share: float) -> None:
        """A customer uses so much of what it is entitled to."""
        row = {"day": datetime.now(UTC).date(), "customer_id": "CUST-1", "customer_name": "Acme"}
        row |= {"product_id": "db", "product_name": "Database", "entitled_30d": 10.0}
        row |= {"used_30d": 10 * share, "consumption_30d": share, "band": "over"}
        row |= {"used_limited_30d": 10 * share, "is_unlimited": False, "days_reported": 1}
        warehouse = open_warehouse(self.url)
        publish(warehouse, ReportConsumptionDaily, pd.DataFrame([row]))
        warehouse.release()

    def tick(self) -> str:
        """What the sensor says: why it starts nothing, or `starts alert`; then that job runs."""
        sensor = self.definitions.get_repository_def().get_sensor_def("alerts")
        with dg.build_sensor_context(self.instance) as context:
            found = sensor.evaluate_tick(context)
        if not found.run_requests:
            return str(found.skip_message)
        job = self.definitions.resolve_job_def(ALERT_JOB)
        assert job.execute_in_process(instance=self.instance).success
        return f"starts {sensor.job_name}"


@pytest.fixture
def location(warehouse: str, tmp_path: Path) -> Location:
    """One for each engine."""
    return Location(tmp_path, dg.DagsterInstance.ephemeral(), warehouse)


def test_the_sensor_starts_a_run_only_if_there_is_something_to_tell(location: Location) -> None:
    assert location.tick() == "nothing is built yet"
    location.consume(0.5)
    assert location.tick() == "no line is crossed"
    location.consume(1.05)
    assert location.tick() == "starts alert"
    assert location.tick() == "no line is crossed"
    location.consume(0.5)
    assert location.tick() == "starts alert"
    history = AlertStore(open_warehouse(location.url)).history()
    assert list(history.state) == ["recovered", "alarm"]
    assert location.instance.get_runs_count() == 2


def test_a_route_that_is_down_is_tried_again_every_five_minutes(location: Location) -> None:
    location.file.write_text(DOWN)
    location.consume(1.05)
    assert location.tick() == "starts alert"
    assert location.tick() == "no line is crossed"
    location.file.unlink()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        assert location.tick() == "starts alert"
        assert location.tick() == "no line is crossed"
    assert list(AlertStore(open_warehouse(location.url)).history().undelivered) == [""]


def test_the_command_lists_open_alerts_and_the_history(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    arguments = ["alerts", "--warehouse", location.url]
    location.file.write_text(DOWN)
    location.consume(1.05)
    location.tick()
    (line,) = [line for line in cli.run(*arguments).out.splitlines() if "CUST-1" in line]
    assert line.split()[0] == "alarm"
    assert "consumption CUST-1 db: Acme uses 105% of what it is entitled to" in line
    location.consume(0.5)
    location.tick()
    assert cli.run(*arguments).out.startswith("No alert is open, as of 20")
    history = cli.run(*arguments, "--all").out
    assert history.index("alarm → recovered") < history.index("ok → alarm")
    assert history.count("oncall") == 2


@pytest.mark.parametrize("what", [[], ["--all"]], ids=["open", "all"])
def test_the_command_says_as_of_when_nothing_is_wrong(what: list[str], location: Location) -> None:
    arguments = ["alerts", "--warehouse", location.url, *what]
    ended = cli.run(*arguments)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("the mart is not built; run consumption-datamart build\n")
    location.consume(0.5)
    ended = cli.run(*arguments)
    assert (ended.code, ended.out) == (1, "")
    assert "alerts were never evaluated; run consumption-datamart build, or" in ended.err
    nothing = "No line was ever crossed" if what else "No alert is open"
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1)):
        at = f"{nothing}, as of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.\n"
        assert location.tick() == "no line is crossed"
        ended = cli.run(*arguments)
        assert (ended.code, ended.out, ended.err) == (0, at, "")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        ended = cli.run(*arguments)
        late = "Alerts have not been evaluated since: run consumption-datamart build, or Dagster's"
        assert ended.out == f"{at}{late} daemon.\n"
        assert location.tick() == "no line is crossed"
        assert "since" not in cli.run(*arguments).out


def test_a_settings_file_that_is_wrong_is_told(location: Location) -> None:
    location.file.write_text("[[route]]\nkind = 'pager'\nname = 'x'\n")
    location.consume(1.05)
    sensor = location.definitions.get_repository_def().get_sensor_def("alerts")
    with (
        dg.build_sensor_context(location.instance) as context,
        pytest.raises(Exception, match=f"{location.file}: route.0"),
    ):
        sensor.evaluate_tick(context)
