"""The invoices: a line for each term and upgrade sold; a few lines are corrected later."""

from typing import Any

import numpy as np
import pyarrow as pa

from .arrays import Array, day_number, decimals, labels
from .market import Market, text
from .posted import Posted, posted
from .stories import CORRECTED
from .subscriptions import is_granted_anew

_CORRECTED = 0.01  # share of lines


def billed(market: Market, every: Array, better: Array) -> Array:
    """Lines for these terms and upgrades: in order, of the quantity that is to be paid for."""
    before = every[better["entitlement"] - 1]
    left = (better["ends_on"] - better["starts_on"]) / (before["ends_on"] - before["starts_on"])
    kept = before["quantity"] * np.where(is_granted_anew(market.of(better), market.what), 1.0, left)
    more = better.copy()
    more["quantity"] = np.maximum(1, np.rint(better["quantity"] - kept))
    lines = np.concatenate([every, more])
    lines = lines[market.of(lines)["invoiced"]]
    return lines[np.lexsort((lines["subscription"], market.of(lines)["customer"], lines["posted"]))]


def numbered(market: Market, lines: Array) -> tuple[Array, Array]:
    """The invoice of each line, one a customer and day, and its place on that invoice."""
    day, customer = lines["posted"], market.of(lines)["customer"]
    fresh = np.ones(len(lines), bool)
    fresh[1:] = (day[1:] != day[:-1]) | (customer[1:] != customer[:-1])
    invoice = np.cumsum(fresh)
    return invoice, np.arange(len(lines)) - np.flatnonzero(fresh)[invoice - 1] + 1


def invoices(random: np.random.Generator, market: Market, lines: Array) -> Posted:
    """The invoice lines, and some of them again, a few days later, with a lower price."""
    sold, (invoice, line) = market.of(lines), numbered(market, lines)
    months = np.rint((lines["ends_on"] - lines["starts_on"]).astype(int) / 30.4).astype(int)
    discount = random.choice([1.0, 0.95, 0.9, 0.8], len(market.who.name))[sold["customer"]]
    price = np.round(market.what.price[sold["product"]] * discount * months / 12, 4)
    rows = pa.table(
        {
            "invoice_id": labels("INV-", invoice, 6),
            "line_number": pa.array(line, pa.int64()),
            "invoice_date": pa.array(lines["posted"]),
            "customer_id": text(market.who.customer_id, sold["customer"]),
            "customer_name": _customer_name(market, lines),
            "product_id": text(market.what.product_id, sold["product"]),
            "product_name": text(market.what.product_name, sold["product"]),
            "quantity": decimals(lines["quantity"]),
            "unit_price": decimals(price),
            "currency": text(market.who.currency, sold["customer"]),
            "term_months": pa.array(months, pa.int64()),
        }
    )
    dumped = np.maximum(lines["posted"], day_number(market.start))
    again = dumped + random.integers(3, 15, len(lines)).astype("m8[D]")
    wrong = (random.random(len(lines)) < _CORRECTED) | (sold["customer"] == CORRECTED)
    wrong &= again <= day_number(market.end)
    place = rows.schema.get_field_index("unit_price")
    lower = rows.set_column(place, "unit_price", decimals(np.round(price * 0.9, 4)))
    rows = pa.concat_tables([rows, lower.filter(pa.array(wrong))])
    return posted(rows, np.concatenate([dumped, again[wrong]]), market.start)


def invoice_of_entitlement(market: Market, lines: Array, entitlements: int) -> Array:
    """The invoice of each entitlement, at the place of its number; 0 where it has none."""
    invoice, _ = numbered(market, lines)
    original = lines["amendment"] == 0
    found = np.zeros(entitlements + 1, int)
    found[lines["entitlement"][original]] = invoice[original]
    return found


def _customer_name(market: Market, lines: Array) -> Any:
    customer, who = market.of(lines)["customer"], market.who
    later = lines["posted"] >= who.renamed_on[customer]
    return text(who.name + who.later_name, customer + len(who.name) * later)
