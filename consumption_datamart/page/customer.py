"""What a customer's page says."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from consumption_datamart.page import charts, names
from consumption_datamart.page.commitment import Commitments
from consumption_datamart.page.plane import Chart
from consumption_datamart.page.reading import LINES, Material
from consumption_datamart.report.reading import Record, by, records
from consumption_datamart.schema.codes import SEPARATOR, WARNING_CODES

CHARTS, DEPLOYMENTS, MEMBERS = 12, 12, 50
"""That a page shows, at most; it counts the others."""
CUSTOMER = "customer_id"
Pair = tuple[str, str]


class Customers:
    """What all customers' pages are made of, by customer."""

    def __init__(self, material: Material) -> None:
        """Groups everything once."""
        self.material, self.report = material, material.report
        listings = material.report.listings
        self.customers = {row["customer_id"]: row for row in records(material.customers)}
        self.products = {row["product_id"]: row for row in records(material.products)}
        self.consumption = by(records(listings["customer"].rows), CUSTOMER)
        self.commitments = by(records(listings["commitment"].rows), CUSTOMER)
        renewals = material.renewals.sort_values(["ends_on", "product_id", "entitlement_id"])
        self.renewals = by(records(renewals), CUSTOMER)
        self.invoices = by(records(material.invoices), CUSTOMER)
        deployments = material.deployments.sort_values(
            ["last_seen_on", "deployment_id"], ascending=[False, True]
        )
        self.deployments = by(records(deployments), CUSTOMER)
        self.flagged = by(records(material.flagged), CUSTOMER)
        self.accounts = by(records(listings["account"].rows), "top_customer_id")
        self.actions = by([dict(vars(action)) for action in material.report.actions], CUSTOMER)
        self.drawn = Commitments(material)
        self.trees = by(list(self.customers.values()), "top_customer_id")

    @cached_property
    def pairs(self) -> Mapping[str, Sequence[Pair]]:
        """Pairs that there is anything to draw of, by customer."""
        found: dict[str, list[Pair]] = defaultdict(list)
        usage = self.material.usage
        for pair in sorted({*usage.used, *usage.entitled}):
            found[pair[0]].append(pair)
        return found

    def page(self, customer_id: str) -> dict[str, Any]:
        """The context of the template of a customer."""
        customer = self.customers[customer_id]
        rows = self.consumption[customer_id]
        now = [(row["customer_id"], row["product_id"]) for row in rows]
        pairs = [*now, *(pair for pair in self.pairs.get(customer_id, ()) if pair not in now)]
        invoices = self.invoices[customer_id]
        deployments = [
            row
            | {
                "unit": self._product(row["product_id"]).get("unit"),
                "product_name": self._name(row),
            }
            for row in self.deployments[customer_id]
        ]
        invoices = [row | {"product_name": self._name(row)} for row in invoices]
        drawn = [self.use(*pair) for pair in pairs[:CHARTS]]
        terms = [self.drawn.with_chart(row) for row in self.commitments[customer_id]]
        return {
            "customer": customer,
            "rows": rows,
            "charts": drawn,
            "legend": _legend(drawn),
            "charts_left": max(0, len(pairs) - CHARTS),
            "commitments": terms,
            "commitments_legend": _legend([row["chart"] for row in terms]),
            "renewals": self.renewals[customer_id],
            "actions": self.actions[customer_id],
            "deployments": deployments[:DEPLOYMENTS],
            "deployments_left": max(0, len(deployments) - DEPLOYMENTS),
            "tree": self._tree(customer),
            "account": self.accounts[customer_id],
            "invoices": invoices,
            "invoices_left": max(0, invoices[0]["lines"] - LINES) if invoices else 0,
            "warnings": self._warnings(customer, deployments),
        }

    def _product(self, product_id: str) -> Record:
        return self.products.get(product_id, {})

    def use(self, customer_id: str, product_id: str) -> Chart:
        """Use of a product over time, against what the customer is entitled to."""
        usage, last = self.material.usage, self.report.day
        points, values = usage.used.get((customer_id, product_id), ((), ()))
        used = {int(point): float(value) for point, value in zip(points, values, strict=True)}
        runs = usage.entitled.get((customer_id, product_id), ())
        days = (last - self.material.first_day).days
        # of what is younger than the mart only its own time
        begins = [(last - run.first).days for run in runs]
        oldest = min(days, max([*begins, *(int(each) * usage.step for each in used), 30]))
        positions = range(oldest // usage.step, -1, -1)
        product = self._product(product_id)
        return charts.use_over_time(
            product.get("product_name", product_id),
            product.get("unit"),
            [last - timedelta(days=each * usage.step) for each in positions],
            [used.get(each, 0.0) for each in positions],
            runs,
        )

    def _tree(self, customer: Record) -> Sequence[tuple[int, Record]]:
        """The customers of the account tree: how deep each is, and itself; nothing of one alone."""
        members = {row["customer_id"]: row for row in self.trees[customer["top_customer_id"]]}
        if len(members) < 2:
            return ()
        children: dict[str | None, list[str]] = defaultdict(list)
        for key, row in sorted(members.items()):
            parent = row["parent_customer_id"]
            children[parent if parent in members and parent != key else None].append(key)
        found: list[tuple[int, Record]] = []
        ahead = [(0, key) for key in reversed(children[None] or [customer["top_customer_id"]])]
        seen: set[str] = set()
        while ahead and len(found) < MEMBERS:
            depth, key = ahead.pop()
            if key not in seen:
                seen.add(key)
                page = names.of_customer(key)
                found.append((min(depth, 6), members[key] | {"page": page}))
                ahead += [(depth + 1, child) for child in reversed(children[key])]
        return found

    def _warnings(self, customer: Record, deployments: Sequence[Record]) -> list[Record]:
        """What is suspicious of the data behind the page: a code, its meaning, and where."""
        own = customer["customer_id"]
        found = [("customer", customer["meta__warnings"])]
        found += [(row["deployment_id"], row["meta__warnings"]) for row in deployments]
        for row in self.flagged[own]:
            where = f"{self._name(row)}, {row['days']} of the last 30 days"
            found.append((where, row["meta__warnings"]))
        found += [(row["entitlement_id"], row["meta__warnings"]) for row in self.commitments[own]]
        found += [(row["entitlement_id"], row["meta__warnings"]) for row in self.renewals[own]]
        for product in {row["product_id"]: row for row in self.consumption[own]}.values():
            told = self._product(product["product_id"]).get("meta__warnings")
            found.append((product["product_name"], told))
        places: dict[str, dict[str, None]] = defaultdict(dict)
        for where, codes in found:
            for code in (codes or "").split(SEPARATOR):
                if code and (self.material.is_priced or code != "no_exchange_rate"):
                    places[code][where] = None
        return [
            {"code": code, "meaning": WARNING_CODES[code], "where": [*places[code]]}
            for code in sorted(places)
        ]

    def _name(self, row: Record) -> str:
        return str(self._product(row["product_id"]).get("product_name", row["product_id"]))


def _legend(charts: Sequence[Chart]) -> list[tuple[str, str]]:
    """What the lines of several charts stand for, each once."""
    return list(dict.fromkeys(each for chart in charts for each in chart.legend))
