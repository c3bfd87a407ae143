"""Bringing a warehouse of an earlier version up to date, before anything is published."""

import hashlib
from collections.abc import Callable, Collection

from ibis.backends.sql import SQLBackend

from consumption_datamart.errors import WarehouseError
from consumption_datamart.schema.monitoring import SchemaVersion, TableVersion
from consumption_datamart.schema.table import Table
from consumption_datamart.schema.versions import Change, breaches, version_of
from consumption_datamart.warehouse.base import Warehouse
from consumption_datamart.warehouse.ledger import forget, require_ledger
from consumption_datamart.warehouse.sql import rows_of
from consumption_datamart.warehouse.transaction import Transaction
from consumption_datamart.warehouse.versions import note_versions, read_versions, refused

SCHEMA_VERSION = 4
"""Goes up where what a later version writes must not be touched by an earlier one; 1 had none."""
DROPPED = ("monitoring.built", "mart.product_unit_daily")
"""Tables of earlier versions that no version from now on has."""


def losses(warehouse: Warehouse, models: Collection[type[Table]]) -> list[str]:
    """What an upgrade cannot keep, a line each; nothing is changed.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    if not warehouse.is_there():
        return []
    frozen = _frozen(warehouse, models)
    with warehouse.reader() as backend:
        there = warehouse.tables(backend)
        found = [f"{name}: is no longer part of the mart; it is dropped" for name in DROPPED]
        found = [line for line in found if line.split(":")[0] in there]
        for model in models:
            if wrong := frozen.get(model.full_name()):
                told = "; ".join(map(str, wrong))
                found.append(f"{model.full_name()}: is frozen, and stays as it is: {told}")
            elif model.full_name() in there:
                change = warehouse.difference(backend, model)
                if change.retyped:
                    found.append(f"{model.full_name()}: {change}; it is built anew")
                found += [
                    f"{model.full_name()}: column {name} is dropped" for name in change.dropped
                ]
    return found


def upgrade(
    warehouse: Warehouse,
    models: Collection[type[Table]],
    tell: Callable[[str], None] = lambda _: None,
) -> bool:
    """Gives all tables that are there the columns of this version, in one transaction.

    Tables that are begun anew are struck out of the ledger, so that they are built again. A frozen
    table does not get a breaking change. A warehouse that has the columns of this version already
    is not written to.

    Args:
        warehouse: of this version or an earlier one.
        models: of all tables.
        tell: is told what cannot be kept, before anything is changed.

    Returns:
        Whether anything had to be done.

    Raises:
        WarehouseError: the warehouse is of a later version, or cannot be opened.
    """
    fingerprint = _fingerprint(models)
    if warehouse.is_there():
        with warehouse.reader() as backend:
            if (stored := stored_version(warehouse, backend)) and stored[1] == fingerprint:
                return False
    for line in losses(warehouse, models):
        tell(line)
    with warehouse.transaction() as transaction:
        require_ledger(transaction)
        _upgrade(transaction, models)
        transaction.clear(SchemaVersion)
        transaction.append(SchemaVersion, [(SCHEMA_VERSION, fingerprint)])
    return True


def stored_version(warehouse: Warehouse, backend: SQLBackend) -> tuple[int, str] | None:
    """Number and fingerprint of the version that a warehouse says it is of; None: it does not say.

    Raises:
        WarehouseError: it is of a later version.
    """
    if SchemaVersion.full_name() not in warehouse.tables(backend):
        return None
    rows = rows_of(backend, warehouse.table(SchemaVersion))
    if rows and rows[0][0] > SCHEMA_VERSION:
        raise WarehouseError(
            f"warehouse {warehouse.url}: it is of schema version {rows[0][0]}, this program"
            f" knows {SCHEMA_VERSION}; upgrade consumption-datamart, or name another"
        )
    return (int(rows[0][0]), str(rows[0][1])) if rows else None


def _upgrade(transaction: Transaction, models: Collection[type[Table]]) -> None:
    for name in DROPPED:
        transaction.drop(*name.split("."))
    transaction.upgrade(TableVersion)
    there = [model for model in models if not transaction.lacks(model)]
    # a frozen table stays as it is: its publication is stopped by the check `frozen`
    changed = [model for model in there if not refused(transaction, model)]
    for model in changed:
        if transaction.upgrade(model):
            forget(transaction, model)
    # its own tables are made by whoever first writes to them
    own = [model for model in models if model.schema_name() == TableVersion.schema_name()]
    note_versions(transaction, {*changed, *own})


def _frozen(warehouse: Warehouse, models: Collection[type[Table]]) -> dict[str, list[Change]]:
    """Breaking changes of frozen tables, by full name."""
    found = {}
    known = read_versions(warehouse) if any(model.frozen() for model in models) else {}
    for model in models:
        if model.full_name() in known:
            before = known[model.full_name()][-1].version
            found[model.full_name()] = breaches(before, version_of(model))
    return found


def _fingerprint(models: Collection[type[Table]]) -> str:
    """A hash of the columns of all tables."""
    schemas = sorted(
        f"{model.full_name()} {model.stored_schema()} {model.frozen() or ''}".rstrip()
        for model in models
    )
    return hashlib.blake2b("\n".join(schemas).encode(), digest_size=8).hexdigest()
