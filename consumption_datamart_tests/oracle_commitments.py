"""Section 8 of the spec: report_commitments, sentence by sentence."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from consumption_datamart_tests.oracle_entitlements import daily
from consumption_datamart_tests.oracle_tables import Row, codes, customer_on, days_between, grouped

ONE_DAY = timedelta(days=1)
PERIOD = (
    *("entitlement_id", "customer_id", "product_id", "metering", "period"),
    "period_starts_on",
)


@dataclass(frozen=True)
class Days:
    """The days of a commitment up to the last one: how many they are, and what was used of it."""

    starts_on: date
    ends_on: date
    first_day: date
    last_day: date
    used: dict[date, Fraction]

    @property
    def term(self) -> int:
        """The days of the whole term."""
        return (self.ends_on - self.starts_on).days

    @property
    def elapsed(self) -> int:
        """The days since its start, the last day included."""
        return (self.last_day - self.starts_on).days + 1

    @property
    def remaining(self) -> int:
        """The days after the last day."""
        return self.term - self.elapsed

    @property
    def observed(self) -> int:
        """The days of which the lake could know."""
        return (self.last_day - max(self.starts_on, self.first_day)).days + 1

    @property
    def recent(self) -> list[date]:
        """The last days, at most 30."""
        count = min(30, self.observed)
        return list(days_between(self.last_day - (count - 1) * ONE_DAY, self.last_day))


def report_commitments(
    entitlements: list[Row],
    consumption: list[Row],
    values: list[Row],
    customers: list[Row],
    products: dict[str, Row],
    days: list[date],
) -> list[Row]:
    """Section 8: a row for each entitlement, product and period in force on the last day."""
    last_day = days[-1]
    of_both = grouped(entitlements, "customer_id", "product_id")
    of_period = grouped(entitlements, *PERIOD)
    of_day = {(row["customer_id"], row["product_id"], row["day"]): row for row in consumption}
    value = {(row["entitlement_id"], row["amendment"], row["product_id"]): row for row in values}
    rows = []
    for row in entitlements:
        limited = row["quantity"] > 0 and row["metering"] != "unlimited"
        if not limited or not row["valid_from"] <= last_day < row["valid_to"]:
            continue
        customer_id, product_id = both = (row["customer_id"], row["product_id"])
        own = [row]
        if row["metering"] == "consumable" and row["period"]:
            own = of_period[tuple(row[name] for name in PERIOD)]
        of_both_by_day = {day: of_day[(*both, day)] for day in days if (*both, day) in of_day}
        counted = Days(
            row["period_starts_on"],
            max(each["valid_to"] for each in own),
            days[0],
            last_day,
            used_by_day(own, of_both[both], of_both_by_day, days),
        )
        worth = value[row["entitlement_id"], row["amendment"], product_id]
        figures = figures_of(row, own, counted)
        product = products[product_id]
        status = status_of(
            figures,
            counted,
            covered=of_both_by_day[last_day]["is_unlimited"],
            silent=product["silence_unknown"] and not reported(of_both_by_day, counted.recent),
        )
        rows.append(
            {
                "source": row["source"],
                "entitlement_id": row["entitlement_id"],
                "amendment": row["amendment"],
                "customer_id": customer_id,
                "customer_name": customer_on(customers, customer_id, last_day)["customer_name"],
                "product_id": product_id,
                "product_name": product["product_name"],
                "period": row["period"],
                "unit": row["unit"],
                **{name: as_number(figure) for name, figure in figures.items()},
                **{name: worth[name] for name in WORTH},
                **worth_of_the_rest(worth["annual_value_reporting"], figures["projected_pct"]),
                "status": status,
                "meta__warnings": codes(
                    before_history=counted.observed < counted.elapsed,
                    no_exchange_rate=worth["meta__warnings"] == "no_exchange_rate",
                ),
            }
        )
    return rows


WORTH = ("annual_value", "currency", "annual_value_reporting")


def as_number(figure: object) -> object:
    """An exact figure as the number that a table holds; anything else as it is."""
    return float(figure) if isinstance(figure, Fraction) else figure


def valid_on(rows: list[Row], day: date) -> list[Row]:
    """The rows of dim_entitlement that are in force on a day."""
    return [row for row in rows if row["valid_from"] <= day < row["valid_to"]]


def used_by_day(
    own: list[Row], of_both: list[Row], consumption: dict[date, Row], days: list[date]
) -> dict[date, Fraction]:
    """Section 8: used(d), the share of a day's use in proportion to what each row entitles to.

    0 on days without a row in force or on which nothing is entitled.
    """
    used = {}
    for day in days:
        entitled = sum(daily(row) or 0 for row in valid_on(of_both, day))
        entitled_by_own = sum(daily(row) or 0 for row in valid_on(own, day))
        used[day] = Fraction(0)
        if entitled > 0 and day in consumption:
            whole = Fraction(consumption[day]["used_quantity"])
            used[day] = whole * entitled_by_own / entitled
    return used


def reported(consumption: dict[date, Row], days: list[date]) -> bool:
    """Whether there is a usage row on any of the days."""
    return any(consumption[day]["deployment_count"] > 0 for day in days if day in consumption)


def quantity_of(row: Row, own: list[Row]) -> Fraction:
    """Section 8: of a consumable what all its rows entitle to together, else that of the row."""
    if row["metering"] == "capacity":
        return Fraction(row["quantity"])
    return sum(daily(each) * (each["valid_to"] - each["valid_from"]).days for each in own)


def figures_of(row: Row, own: list[Row], days: Days) -> Row:
    """Section 8: every figure of a commitment but its value."""
    consumable = row["metering"] == "consumable"
    quantity = quantity_of(row, own)
    used_to_date = sum(days.used.values())
    elapsed_pct = Fraction(days.elapsed, days.term)
    used_estimated = used_to_date * days.elapsed / days.observed
    of_quantity = used_estimated if consumable else used_to_date / days.observed
    used_pct = of_quantity / quantity
    burn = sum(days.used[day] for day in days.recent) / len(days.recent)
    projected = used_estimated + burn * days.remaining if consumable else burn
    left = quantity - used_estimated
    return {
        "metering": row["metering"],
        "starts_on": days.starts_on,
        "ends_on": days.ends_on,
        "quantity": quantity,
        "term_days": days.term,
        "elapsed_days": days.elapsed,
        "remaining_days": days.remaining,
        "elapsed_pct": elapsed_pct,
        "observed_days": days.observed,
        "used_to_date": used_to_date,
        "peak_used": max(days.used.values()),
        "used_estimated": used_estimated,
        "used_pct": used_pct,
        "burn_30d": burn,
        "projected": projected,
        "projected_pct": projected / quantity,
        "pace": used_pct / elapsed_pct if consumable else used_pct,
        "exhausts_on": exhausts_on(days, quantity, left, burn) if consumable else None,
        "target_daily": (
            max(Fraction(0), left / days.remaining) if consumable and days.remaining else None
        ),
        "overage": max(Fraction(0), projected - quantity),
        "unused": max(Fraction(0), quantity - projected),
    }


def exhausts_on(days: Days, quantity: Fraction, left: Fraction, burn: Fraction) -> date | None:
    """Section 8: the day on which all was used, or on which it will be at the present rate."""
    running = Fraction(0)
    for day in sorted(days.used):
        running += days.used[day]
        if round(running / quantity, 9) >= 1:
            return day
    if burn == 0:
        return None
    count = max(1, math.ceil(round(left / burn, 9)))
    return days.last_day + count * ONE_DAY if count <= days.remaining else None


def worth_of_the_rest(annual_value: float | None, projected_pct: Fraction) -> Row:
    """Section 8: what is paid a year for what stays unused, and for what is used beyond."""
    if annual_value is None:
        return {"unused_value": None, "overage_value": None}
    return {
        "unused_value": annual_value * float(max(Fraction(0), 1 - projected_pct)),
        "overage_value": annual_value * float(max(Fraction(0), projected_pct - 1)),
    }


def status_of(figures: Row, days: Days, covered: bool, silent: bool) -> str:
    """Section 8: the first status that holds."""
    projected_pct = figures["projected_pct"]
    is_consumable = figures["metering"] == "consumable"
    used_up = round(figures["used_to_date"] / figures["quantity"], 9) >= 1
    in_order: list[tuple[str, Callable[[], bool]]] = [
        ("covered", lambda: covered),
        ("exhausted", lambda: is_consumable and used_up),
        ("no_telemetry", lambda: silent),
        ("too_early", lambda: days.elapsed < 30 and 3 * days.elapsed < days.term),
        ("overrunning", lambda: round(projected_pct, 9) >= 1),
        ("on_track", lambda: round(projected_pct, 9) >= Fraction(7, 10)),
        ("underused", lambda: round(projected_pct, 9) >= Fraction(3, 10)),
        ("at_risk", lambda: projected_pct > 0),
    ]
    return next((status for status, holds in in_order if holds()), "unused")
