"""What may stand for contract columns that no own column gives; somebody has to decide."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from consumption_datamart.guessing.expressions import BYTES, Line
from consumption_datamart.guessing.mapping import Match
from consumption_datamart.guessing.sample import Column
from consumption_datamart.guessing.sql import reference
from consumption_datamart.guessing.values import Kind
from consumption_datamart.guessing.words import UNITS, plain, words_of
from consumption_datamart.lake.formats import literal

TOTALS = {"amount", "total", "net", "netamount", "lineamount", "linetotal", "betrag", "netto",
          "nettobetrag", "summe", "gesamt", "gesamtpreis", "netwr"}  # fmt: skip


@dataclass
class Known:
    """What all sources of a folder tell of products.

    Attributes:
        products: ids.
        units: product → unit that it is sold in.
    """

    products: set[str] = field(default_factory=set)
    units: dict[str, str] = field(default_factory=dict)

    def learn(self, found: Mapping[str, Match]) -> None:
        """Takes in the columns of a source."""
        if "product_id" not in found:
            return
        products = found["product_id"].column.texts
        self.products |= set(products)
        units = found["unit"].column.texts if "unit" in found else []
        if "metering" in found and len(units) == len(products):
            self.units |= dict(zip(products, units, strict=True))

    def product_of(self, pattern: str) -> str | None:
        """The product that a folder is named after."""
        names = {plain(part) for part in pattern.split("/")} | set(words_of(pattern))
        return next((each for each in sorted(self.products) if plain(each) in names), None)

    def unit_of(self, found: Mapping[str, Match], pattern: str) -> str | None:
        """The unit that a source's products are sold in, if it is one."""
        if "product_id" in found:
            products: Iterable[str] = set(found["product_id"].column.texts)
        else:
            products = filter(None, [self.product_of(pattern)])
        units = {self.units.get(product) for product in products}
        return units.pop() if len(units) == 1 else None


def bytes_unit(found: Mapping[str, Match], pattern: str, known: Known) -> str:
    """The unit that bytes are converted to: that of the entitlements, or GiB."""
    unit = known.unit_of(found, pattern)
    return unit if unit in BYTES else "GiB"


def open_line(
    name: str,
    found: Mapping[str, Match],
    columns: Sequence[Column],
    pattern: str,
    known: Known,
) -> Line:
    """The line of a required contract column for which no own column was found."""
    sql, remark = _suggestion(name, found, columns, pattern, known)
    return Line(name, sql, f"no column was found; {remark}", is_open=True, is_doubtful=True)


def _suggestion(
    name: str,
    found: Mapping[str, Match],
    columns: Sequence[Column],
    pattern: str,
    known: Known,
) -> tuple[str, str]:
    own = {each: reference(match.column) for each, match in found.items()}
    folder = _folder(pattern)
    if name == "unit":
        return _unit(found, pattern, known)
    if name == "product_id":
        if product := known.product_of(pattern):
            return literal(product), "the folder is named as this product of another source"
        return literal(folder.upper()), "if all is of one product, its id"
    if name == "deployment_id":
        return literal(folder), "if it does not matter which deployment it is, a name for all"
    if name in {"product_name", "customer_name"} and (of := own.get(name.replace("_name", "_id"))):
        return of, "its id may do"
    if name == "unit_price" and "quantity" in own:
        totals = [each for each in columns if plain(each.name) in TOTALS]
        if totals:
            total, quantity = (_double(each) for each in (totals[0], found["quantity"].column))
            return f"{total} / nullif({quantity}, 0)", "what one costs, by the line's total"
    if name == "event_id":
        some = [reference(c) for c in columns if c.kind is not Kind.nested and c.texts]
        return f"md5(concat_ws('|', {', '.join(some)}))", "a hash, if no two readings are the same"
    constants = {
        "amendment": ("0", "if there are no amendments"),
        "line_number": ("1", "if an invoice has one line"),
        "term_months": ("12", "if all terms are alike"),
        "metering": ("'capacity'", "capacity, consumable or unlimited"),
        "currency": ("'EUR'", "if all invoices are in one"),
        "ends_on": ("DATE '9999-12-31'", "if entitlements do not end"),
        "customer_id": ("'CUST-…'", "which customer it is has to be said"),
    }
    return constants.get(name, ("…", "fill it in"))


def _unit(found: Mapping[str, Match], pattern: str, known: Known) -> tuple[str, str]:
    quantity = found["quantity"].column.name if "quantity" in found else ""
    words = words_of(quantity)
    if {"bytes", "byte"} & set(words):
        return literal(bytes_unit(found, pattern, known)), "bytes are converted to it"
    if unit := known.unit_of(found, pattern):
        return literal(unit), "the unit that its product is entitled in"
    named = next((UNITS[word] for word in words if word in UNITS), None)
    if named:
        return literal(named), f"the name of {quantity} says so"
    return "'…'", "the unit that the entitlements are in"


def _double(column: Column) -> str:
    own = reference(column)
    return f"TRY_CAST({own} AS DOUBLE)" if column.is_text else own


def _folder(pattern: str) -> str:
    """The last folder or file that is named alike everywhere."""
    *folders, file = re.sub(r"\{[^}]*\}", "*", pattern).split("/")
    names = [name for name in (*folders, file.partition(".")[0]) if "*" not in name]
    return names[-1] if names else "lake"
