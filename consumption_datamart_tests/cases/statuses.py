"""Section 8: every status of report_commitments, and what is narrowly another."""

from consumption_datamart_tests.cases.base import Case, dump, lake, settings, span, table_of
from consumption_datamart_tests.cases.commitments import consumable, used_by
from consumption_datamart_tests.lakes import day, entitlement

STATUS = "customer_id status"
SILENT = settings('[silence]\nunknown = ["db"]\n')
# Half of 100 days have passed; who used u on the last of them is to use u × 8 ÷ 3 of 100.
USED = {
    "all": 100,
    "nearly all": 99.9,
    "overrunning": 37.5,
    "below": 37.4,
    "on track": 26.25,
    "below that": 26.2,
    "underused": 11.25,
    "below even that": 11.2,
    "hardly any": 0.000000001,
    "nothing": 0,
    "covered": 100,
    "covered before": 26.25,
}


CASES = [
    Case(
        "the status of what will have been used of a consumable",
        lake(
            span(1, 50),
            dump(
                "entitlements",
                1,
                [
                    *(consumable(name, 1, 101, 100) for name in [*USED, "silent"]),
                    entitlement(
                        entitlement_id="1", customer_id="covered", metering="unlimited", quantity=0
                    ),
                    entitlement(
                        entitlement_id="2",
                        customer_id="covered before",
                        metering="unlimited",
                        ends_on=day(50),
                    ),
                ],
            ),
            dump("telemetry", 50, used_by(50, USED)),
        ),
        {
            "mart.report_commitments": table_of(
                STATUS,
                ("all", "exhausted"),
                ("nearly all", "overrunning"),
                ("overrunning", "overrunning"),
                ("below", "on_track"),
                ("on track", "on_track"),
                ("below that", "underused"),
                ("underused", "underused"),
                ("below even that", "at_risk"),
                ("hardly any", "at_risk"),
                ("nothing", "unused"),
                ("silent", "unused"),
                ("covered", "covered"),
                ("covered before", "on_track"),
            )
        },
    ),
    Case(
        "the status of what is used of a capacity, which is never exhausted",
        lake(
            span(1, 50),
            dump(
                "entitlements",
                1,
                [
                    entitlement(entitlement_id=name, customer_id=name, quantity=1, ends_on=day(101))
                    for name in ("over", "on track", "underused", "at risk", "unused")
                ],
            ),
            dump("telemetry", 20, used_by(20, {"unused": 4})),
            dump(
                "telemetry",
                50,
                used_by(50, {"over": 30, "on track": 21, "underused": 9, "at risk": 8.9}),
            ),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id used_to_date projected_pct pace status",
                ("over", 30.0, 1.0, 0.6, "overrunning"),
                ("on track", 21.0, 0.7, 0.42, "on_track"),
                ("underused", 9.0, 0.3, 0.18, "underused"),
                ("at risk", 8.9, 8.9 / 30, 0.178, "at_risk"),
                ("unused", 4.0, 0.0, 0.08, "unused"),
            )
        },
    ),
    Case(
        "nothing was heard for 30 days of a product whose silence is unknown",
        lake(
            SILENT,
            span(1, 50),
            dump(
                "entitlements",
                1,
                [
                    *(
                        consumable(name, 1, 101, 100)
                        for name in ("never", "31 days ago", "30 days ago", "exhausted", "covered")
                    ),
                    consumable("never", 1, 101, 100, entitlement_id="other", product_id="cache"),
                    consumable("covered", 1, 101, 0, entitlement_id="u", metering="unlimited"),
                ],
            ),
            dump("telemetry", 20, used_by(20, {"31 days ago": 10, "exhausted": 100})),
            dump("telemetry", 21, used_by(21, {"30 days ago": 0})),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id product_id status",
                ("never", "db", "no_telemetry"),
                ("never", "cache", "unused"),
                ("31 days ago", "db", "no_telemetry"),
                ("30 days ago", "db", "unused"),
                ("exhausted", "db", "exhausted"),
                ("covered", "db", "covered"),
            )
        },
    ),
    Case(
        "nothing was heard since it began, which was later than the telemetry",
        lake(
            SILENT,
            span(1, 20),
            dump(
                "entitlements",
                1,
                [consumable("A", 11, 31, 100), consumable("B", 10, 31, 100)],
            ),
            dump("telemetry", 10, used_by(10, {"A": 0, "B": 0})),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id observed_days status",
                ("A", 10, "no_telemetry"),
                ("B", 11, "unused"),
            )
        },
    ),
    Case(
        "too early to tell: less than 30 days and less than a third of the term",
        lake(
            span(1, 5),
            dump(
                "entitlements",
                1,
                [
                    consumable("15 of 16", 1, 17, 10),
                    consumable("15 of 15", 1, 16, 10),
                    consumable("29 days", -23, 77, 10),
                    consumable("30 days", -24, 76, 10),
                    consumable("exhausted", 1, 101, 10),
                    consumable("overrunning", 1, 101, 10),
                ],
            ),
            dump("telemetry", 5, used_by(5, {"exhausted": 10, "overrunning": 9.99})),
        ),
        {
            "mart.report_commitments": table_of(
                "customer_id elapsed_days term_days status meta__warnings",
                ("15 of 16", 5, 16, "too_early", ""),
                ("15 of 15", 5, 15, "unused", ""),
                ("29 days", 29, 100, "too_early", "before_history"),
                ("30 days", 30, 100, "unused", "before_history"),
                ("exhausted", 5, 100, "exhausted", ""),
                ("overrunning", 5, 100, "too_early", ""),
            )
        },
    ),
]
