"""Schemas of a PostgreSQL database: made, copied for a preview, dropped, and let to readers."""

from collections.abc import Collection

from psycopg import Connection, IsolationLevel
from psycopg.sql import SQL, Identifier

from consumption_datamart.warehouse.server import PREVIEW

GRANTS = (
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}",
)

READABLE = (
    "SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
    " WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND nspname NOT IN ('pg_catalog', 'information_schema')"
    " AND has_schema_privilege(relnamespace, 'USAGE')"
    " AND has_table_privilege(pg_class.oid, 'SELECT')"
)
"""Tables that one may read: for who may not, a table is not there."""


def readable_tables(connection: Connection, prefix: str) -> set[str]:
    """Full names of the tables that one may read, in schemas that begin with a prefix."""
    return {
        f"{schema.removeprefix(prefix)}.{table}"
        for schema, table in connection.execute(READABLE).fetchall()
        if schema.startswith(prefix)
    }


def require_schema(connection: Connection, schema: str) -> None:
    """Creates a schema that is not there; one that is may be another's."""
    # even where it is there, CREATE SCHEMA IF NOT EXISTS asks whether one may
    found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,))
    if found.fetchone() is None:
        connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))


def copy_tables(
    connection: Connection, names: Collection[tuple[str, str]], before: str, after: str
) -> None:
    """Copies tables as they are at one moment, with their indexes.

    Args:
        connection: with no transaction yet.
        names: schema and name of each table, without a prefix.
        before: prefix of the schemas to copy from.
        after: prefix of the schemas to copy into.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    for schema, table in sorted(names):
        old, new = (Identifier(prefix + schema, table) for prefix in (before, after))
        require_schema(connection, after + schema)
        connection.execute(SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(new, old))
        connection.execute(SQL("INSERT INTO {} TABLE {}").format(new, old))


def drop_copies(connection: Connection, prefix: str) -> None:
    """Drops all schemas that begin with a prefix, which ends as those of copies do."""
    if not prefix.endswith(PREVIEW):
        raise ValueError(f"{prefix} is no prefix of copies")
    find = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)"
    for (schema,) in connection.execute(find, (prefix,)).fetchall():
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


def grant_reading(connection: Connection, schema: str, role: str) -> None:
    """Lets a role read a schema, also tables that this user is to create; creates the role."""
    names = {"schema": Identifier(schema), "role": Identifier(role)}
    if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchall():
        connection.execute(SQL("CREATE ROLE {role} NOLOGIN").format(**names))
    require_schema(connection, schema)
    for grant in GRANTS:
        connection.execute(SQL(grant).format(**names))
