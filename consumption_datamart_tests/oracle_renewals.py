"""Section 7 of the spec, renewals: what ends soon, and whether something follows it."""

from dataclasses import dataclass
from datetime import date, timedelta

from consumption_datamart_tests.oracle_entitlements import in_force
from consumption_datamart_tests.oracle_tables import Raw, Row, customer_on, grouped


@dataclass(frozen=True)
class Held:
    """What one entitlement gives a customer of a product on any day: its amendments, in order."""

    amendments: list[Row]

    @property
    def entitlement_id(self) -> str:
        """The entitlement."""
        return self.amendments[0]["entitlement_id"]

    @property
    def first_day(self) -> date:
        """The first day on which any amendment is in force."""
        return min(row["first_day"] for row in self.amendments)

    @property
    def effective_end(self) -> date:
        """The greatest day until which any amendment is in force."""
        return max(row["end_day"] for row in self.amendments)

    def on(self, day: date) -> Row | None:
        """The amendment in force on a day."""
        valid = [row for row in self.amendments if row["first_day"] <= day < row["end_day"]]
        return valid[0] if valid else None


def held(raw: Raw) -> dict[tuple, list[Held]]:
    """What each customer has of each product by entitlement, with quantity > 0 or unlimited."""
    entitling = [
        row for row in in_force(raw) if row["quantity"] > 0 or row["metering"] == "unlimited"
    ]
    entitling.sort(key=lambda row: row["amendment"])
    of_both: dict[tuple, list[Held]] = {}
    for (*both, _), rows in grouped(
        entitling, "customer_id", "product_id", "entitlement_id"
    ).items():
        of_both.setdefault(tuple(both), []).append(Held(rows))
    return of_both


def renewal_of(one: Held, others: list[Held]) -> Held | None:
    """Section 7: the other entitlement that follows this one, if any does."""
    last_start = one.effective_end + timedelta(days=30)
    following = [
        other
        for other in others
        if one.first_day < other.first_day <= last_start and other.effective_end > one.effective_end
    ]
    latest = max((other.effective_end for other in following), default=None)
    return min(
        (other for other in following if other.effective_end == latest),
        key=lambda other: other.entitlement_id,
        default=None,
    )


def report_renewals(
    raw: Raw,
    report: list[Row],
    values: list[Row],
    customers: list[Row],
    products: dict[str, Row],
    last_day: date,
) -> list[Row]:
    """Section 7: what is in force on the last day and whose effective end is within 90 days."""
    key = ("entitlement_id", "amendment", "product_id")
    value = {tuple(row[name] for name in key): row for row in values}
    on_last_day = [row for row in report if row["day"] == last_day]
    consumption = {(row["customer_id"], row["product_id"]): row for row in on_last_day}
    rows = []
    for (customer_id, product_id), all_held in held(raw).items():
        for one in all_held:
            amendment = one.on(last_day)
            days_left = (one.effective_end - last_day).days
            if amendment is None or days_left > 90:
                continue
            used = consumption[customer_id, product_id]
            worth = value[tuple(amendment[name] for name in key)]
            renewal = renewal_of(one, all_held)
            rows.append(
                {
                    "source": amendment["source"],
                    "entitlement_id": one.entitlement_id,
                    "customer_id": customer_id,
                    "customer_name": customer_on(customers, customer_id, last_day)["customer_name"],
                    "product_id": product_id,
                    "product_name": products[product_id]["product_name"],
                    "quantity": amendment["quantity"],
                    "unit": amendment["unit"],
                    "ends_on": one.effective_end,
                    "days_left": days_left,
                    "consumption_30d": used["consumption_30d"],
                    "band": used["band"],
                    "annual_value": worth["annual_value"],
                    "currency": worth["currency"],
                    "annual_value_reporting": worth["annual_value_reporting"],
                    **renewed(amendment, renewal, used["band"]),
                    "meta__warnings": worth["meta__warnings"],
                }
            )
    return rows


def renewed(amendment: Row, renewal: Held | None, band: str) -> Row:
    """Section 7: by what an amendment in force is renewed, and whether it is at risk."""
    endangered = band in ("unused", "at_risk")
    if renewal is None:
        return {"renewed_by": None, "renewed_quantity": None, "at_risk": endangered}
    last = renewal.amendments[-1]
    unlimited = last["metering"] == "unlimited"
    enough = unlimited or 2 * last["quantity"] >= amendment["quantity"]
    return {
        "renewed_by": renewal.entitlement_id,
        "renewed_quantity": None if unlimited else last["quantity"],
        "at_risk": endangered and not enough,
    }
