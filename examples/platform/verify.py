"""Sees the platform work: an edit in the ERP reaches everything by policy alone; with times."""

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import psycopg

from consumption_datamart.page import names
from consumption_datamart_tests import postgres_server
from consumption_datamart_tests.dagster_dev import Dagster
from examples.platform.fakes.server import Fake
from examples.platform.platform import Platform

PATIENCE = 1200.0
STEP, FACTOR, AWAY = 2.0, 3.0, 30.0
EDIT = """INSERT INTO readings SELECT %s, event_ts, customer_id, deployment_id, product_id,
    infrastructure, quantity * %s, unit FROM readings
    WHERE customer_id = %s AND product_id = %s
    ORDER BY event_ts::date DESC, quantity DESC LIMIT 1"""
"""More than ever on the last day: of a capacity only the largest readings count."""
RENEWAL = """SELECT source, entitlement_id, customer_id, product_id FROM mart.report_renewals
    JOIN mart.fact_usage_daily USING (customer_id, product_id)
    WHERE consumption_30d > 0 ORDER BY entitlement_id LIMIT 1"""


OPEN = """SELECT summary FROM monitoring.alert WHERE state IN ('warning', 'alarm')
    AND signal || ' ' || subject || ' ' || summary ~ %s"""
ALL = "fivetran|reverse_etl"
MOMENT = re.compile(r"\d\d:\d\d(:\d\d)? UTC")
"""On a page: it is another although nothing else is."""


@dataclass
class Harm:
    """A way in which a part misbehaves.

    Attributes:
        told: what it does.
        does: makes it so, for an account of the CRM.
        alert: pattern of the alert on which somebody would mend it; none: it mends by itself.
    """

    told: str
    does: Callable[[str], object]
    alert: str | None = None


@dataclass
class Watch:
    """What is awaited after an edit, and when each came."""

    platform: Platform
    source: str
    entitlement: str
    customer: str
    product: str

    @property
    def account(self) -> str:
        """Of the CRM."""
        return f"{self.source}/{self.entitlement}/{self.product}"

    def seen(self) -> dict[str, Any]:
        """What each part shows of the renewal now; None: nothing."""
        product = "customer_id = %s AND product_id = %s", (self.customer, self.product)
        of = "customer_id = %s", (self.customer,)
        queries = {
            "fivetran_erp.readings": ("SELECT sum(quantity) FROM fivetran_erp.readings", product),
            "lake.raw_telemetry": ("SELECT sum(quantity) FROM lake.raw_telemetry", product),
            "mart.report_renewals": (
                "SELECT max(consumption_30d) FROM mart.report_renewals",
                product,
            ),
            "product_analytics.last_day": (
                "SELECT max(consumption_30d) FROM product_analytics.last_day",
                product,
            ),
            "product_analytics.customer_summary": (
                "SELECT max(mean_consumption) FROM product_analytics.customer_summary",
                of,
            ),
        }
        found = {
            name: self._value(f"{query} WHERE {where}", values)
            for name, (query, (where, values)) in queries.items()
        }
        page = self.platform.site / names.of_customer(self.customer)
        found["page"] = MOMENT.sub("", page.read_text()) if page.exists() else None
        account = self.platform.crm.accounts().get(self.account)
        found["CRM"] = None if account is None else account["consumption_30d"]
        return found

    def wait(self, parts: Callable[[dict[str, Any]], set[str]]) -> dict[str, float]:
        """Waits until all parts are as wanted; seconds from now to each."""
        begun, came = time.monotonic(), dict[str, float]()
        while len(came) < len(seen := self.seen()):
            for name in parts(seen) - came.keys():
                came[name] = time.monotonic() - begun
                print(f"  {came[name]:6.0f} s  {name}", flush=True)
            if time.monotonic() - begun > PATIENCE:
                missing = ", ".join(sorted(seen.keys() - came.keys()))
                raise AssertionError(f"not within {PATIENCE:.0f} s: {missing}")
            time.sleep(STEP)
        return came

    def _value(self, query: str, values: tuple[str, ...]) -> Any:
        try:
            with psycopg.connect(self.platform.warehouse) as connection:
                row = connection.execute(query, values).fetchone()
                return row[0] if row else None
        except psycopg.Error:
            return None


def verify(platform: Platform, only: str = "") -> int:
    """Tells what works, and how long it took; gives the exit code.

    Args:
        platform: not started yet.
        only: pattern of the harms that are done; by default all.
    """
    begun = time.monotonic()
    with platform.running() as dagster:
        print(
            f"code location loaded after {time.monotonic() - begun:.0f} s; first build", flush=True
        )
        try:
            watch = _first(platform, begun)
            _arrives(watch, _edit(platform, watch, "an edit in the ERP"))
            for harms in _harms(platform):
                if asked := [harm for harm in harms if re.search(only, harm.told)]:
                    _suffer(platform, watch, asked)
            _require_once(platform)
            _require_no_click(dagster)
        except AssertionError as error:
            print(f"FAILED: {error}")
            print("\n".join(dagster.log.read_text().splitlines()[-60:]))
            return 1
    print("all is as it should be")
    return 0


def _first(platform: Platform, begun: float) -> Watch:
    """All is built from nothing."""
    found = None
    while found is None and time.monotonic() - begun < PATIENCE:
        time.sleep(STEP)
        try:
            with psycopg.connect(platform.warehouse) as connection:
                found = connection.execute(RENEWAL).fetchone()
        except psycopg.Error:
            continue
    if found is None:
        raise AssertionError(f"mart.report_renewals is not there after {PATIENCE:.0f} s")
    watch = Watch(platform, *found)
    watch.wait(lambda seen: {name for name, value in seen.items() if value is not None})
    print(f"everything is built after {time.monotonic() - begun:.0f} s", flush=True)
    return watch


def _edit(platform: Platform, watch: Watch, told: str) -> dict[str, Any]:
    """A reading more in the ERP; what each part has shown before."""
    before = watch.seen()
    number = f"edit-{time.time_ns()}"
    print(f"{told}: a reading more of {watch.customer}, {watch.product}", flush=True)
    with psycopg.connect(platform.erp) as connection:
        connection.execute(EDIT, (number, FACTOR, watch.customer, watch.product))
    return before


def _arrives(watch: Watch, before: dict[str, Any], parts: Collection[str] = ()) -> None:
    """Waits until these parts show what is new, or all do."""
    watch.wait(
        lambda seen: {
            name
            for name, value in seen.items()
            if value != before[name] or (parts and name not in parts)
        }
    )


def _suffer(platform: Platform, watch: Watch, harms: list[Harm]) -> None:
    """An edit under each harm in turn; those that an alert tells of are mended then."""
    begun = time.monotonic()
    first = None
    for harm in harms:
        harm.does(watch.account)
        before = _edit(platform, watch, harm.told)
        first = first or before
        if harm.alert is not None:
            for each in _until(lambda of=harm.alert: _alerts(platform, of)):
                print(f"  {time.monotonic() - begun:6.0f} s  alert: {each}", flush=True)
            _mend(platform, watch)
            _until(lambda: not _alerts(platform, ALL))
            print(f"  {time.monotonic() - begun:6.0f} s  no alert is open", flush=True)
    _mend(platform, watch)
    if first is not None:
        _arrives(watch, first, ("CRM",))
    _until(lambda: not _alerts(platform, ALL))
    print(f"  {time.monotonic() - begun:6.0f} s  all is well", flush=True)


def _mend(platform: Platform, watch: Watch) -> None:
    """No part misbehaves any more; and there is something to do."""
    for fake in (platform.fivetran, platform.census):
        fake.faults.clear()
    platform.fivetran.fails = False
    platform.census.rejects.clear()
    _edit(platform, watch, "all is mended")


def _until(found: Callable[[], Any]) -> Any:
    """Waits for it.

    Raises:
        AssertionError: it does not come.
    """
    begun = time.monotonic()
    while not (it := found()):
        if time.monotonic() - begun > PATIENCE:
            raise AssertionError(f"an alert, or its end, did not come within {PATIENCE:.0f} s")
        time.sleep(STEP)
    return it


def _alerts(platform: Platform, pattern: str) -> set[str]:
    """What alerts tell that are open; PostgreSQL may be away.

    Raises:
        psycopg.Error: it cannot be asked.
    """
    with psycopg.connect(platform.warehouse) as connection:
        return {row[0] for row in connection.execute(OPEN, (pattern,)).fetchall()}


def _harms(platform: Platform) -> list[list[Harm]]:
    """What each part can do wrong; those of a list are mended together."""
    fivetran, census = platform.fivetran, platform.census

    def answers(fake: Fake, kind: str, times: int = 10**6) -> Callable[[str], None]:
        def does(_: str) -> None:
            fake.faults.clear()
            fake.fault(kind, times=times)

        return does

    return [
        [Harm(f"PostgreSQL is away for {AWAY:.0f} s", lambda _: postgres_server.restart(AWAY))],
        [
            Harm("Fivetran does not know the key", answers(fivetran, "401"), "fivetran"),
            Harm("Fivetran answers 500", answers(fivetran, "500"), "fivetran"),
            Harm("Fivetran answers nonsense", answers(fivetran, "nonsense"), "fivetran"),
        ],
        [Harm("Fivetran's syncs fail", lambda _: setattr(fivetran, "fails", True), "fivetran")],
        [
            Harm("Census takes three seconds an answer", answers(census, "slow", 20)),
            Harm("Census loses its answer", lambda _: census.fault("lost", "trigger")),
        ],
        [
            Harm("Census does not know the token", answers(census, "401"), "reverse_etl"),
            Harm("Census answers nonsense", answers(census, "nonsense"), "reverse_etl"),
            Harm("the CRM rejects the account", census.rejects.add, "reverse_etl"),
        ],
    ]


def _require_once(platform: Platform) -> None:
    """Nothing was sent twice: each write to the CRM is of another state of the account."""
    operations = platform.crm.states()
    if len(operations) != len(set(operations)):
        raise AssertionError("a state of an account was sent twice")
    with psycopg.connect(platform.warehouse) as connection:
        rows = connection.execute(
            "SELECT publication, count(*) FROM outbox.sent WHERE status = 'completed' GROUP BY 1"
            " HAVING count(*) > 1"
        ).fetchall()
    if rows:
        raise AssertionError(f"publications that were sent twice: {rows}")
    print(f"{len(platform.census.runs)} runs of Census, {len(operations)} writes, none twice")


def _require_no_click(dagster: Dagster) -> None:
    """All runs were launched by sensors and schedules."""
    by_hand = [
        run["runId"]
        for run in dagster.runs()
        if not {"dagster/sensor_name", "dagster/schedule_name"} & {t["key"] for t in run["tags"]}
    ]
    if by_hand:
        raise AssertionError(f"runs that nobody's policy has asked for: {by_hand}")
    states = [run["status"] for run in dagster.runs()]
    print(f"{len(states)} runs, {states.count('FAILURE')} failed, none by hand")
