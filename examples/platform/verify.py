"""Sees the platform work: an edit in the ERP reaches everything by policy alone; with times."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from consumption_datamart.page import names
from consumption_datamart_tests.dagster_dev import Dagster
from examples.platform.platform import Platform

PATIENCE = 1200.0
STEP, MENDED, FACTOR = 2.0, 45.0, 3.0
EDIT = """INSERT INTO readings SELECT %s, event_ts, customer_id, deployment_id, product_id,
    infrastructure, quantity * %s, unit FROM readings
    WHERE customer_id = %s AND product_id = %s
    ORDER BY event_ts::date DESC, quantity DESC LIMIT 1"""
"""More than ever on the last day: of a capacity only the largest readings count."""
RENEWAL = """SELECT source, entitlement_id, customer_id, product_id FROM mart.report_renewals
    JOIN mart.fact_usage_daily USING (customer_id, product_id)
    WHERE consumption_30d > 0 ORDER BY entitlement_id LIMIT 1"""


MOMENT = re.compile(r"\d\d:\d\d(:\d\d)? UTC")
"""On a page: it is another although nothing else is."""


@dataclass
class Watch:
    """What is awaited after an edit, and when each came."""

    platform: Platform
    source: str
    entitlement: str
    customer: str
    product: str
    before: dict[str, Any] = field(default_factory=dict)

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
        account = self.platform.crm.accounts().get(
            f"{self.source}/{self.entitlement}/{self.product}"
        )
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


def verify(platform: Platform) -> int:
    """Tells what works, and how long it took; gives the exit code."""
    begun = time.monotonic()
    with platform.running() as dagster:
        print(
            f"code location loaded after {time.monotonic() - begun:.0f} s; first build", flush=True
        )
        try:
            watch = _first(platform, begun)
            _edit(platform, watch, "an edit in the ERP")
            for told, harm, mend in _harms(platform):
                harm()
                _edit(platform, watch, told, mend)
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


def _edit(
    platform: Platform,
    watch: Watch,
    told: str,
    mend: Callable[[], None] | None = None,
) -> None:
    """A reading more, and until it is everywhere."""
    before = watch.seen()
    number = f"edit-{time.time():.0f}"
    print(f"{told}: a reading more of {watch.customer}, {watch.product}", flush=True)
    with psycopg.connect(platform.erp) as connection:
        connection.execute(EDIT, (number, FACTOR, watch.customer, watch.product))
    if mend is not None:
        time.sleep(MENDED)
        mend()
        print(f"  {MENDED:6.0f} s  mended", flush=True)
    watch.wait(lambda seen: {name for name, value in seen.items() if value != before[name]})


def _harms(platform: Platform) -> list[tuple[str, Callable[[], None], Callable[[], None]]]:
    """Ways in which a part misbehaves, and how each is mended."""
    fivetran, census = platform.fivetran, platform.census

    def both(kind: str, pattern: str = ".*") -> Callable[[], None]:
        return lambda: [fake.fault(kind, pattern, 10**6) for fake in (fivetran, census)] and None

    def mend() -> None:
        for fake in (fivetran, census):
            fake.faults.clear()
        fivetran.fails = False

    return [
        ("Fivetran and Census answer 500", both("500"), mend),
        ("both answer nonsense", both("nonsense"), mend),
        ("Census loses the answer to a trigger", lambda: census.fault("lost", "trigger"), mend),
        ("Fivetran's syncs fail", lambda: setattr(fivetran, "fails", True), mend),
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
