"""The statements of SQL that make the tables of a store, with what each table and column means."""

from __future__ import annotations

from mlperf_logging.store.schema import (
    SCHEMA_NAME,
    SCHEMA_VERSION,
    TABLES,
    VIEW_MEANING,
    VIEW_NAME,
    VIEW_SELECT,
    StoreTable,
)


def write_statements() -> list[str]:
    """The statements that make an empty store."""
    statements = ["CREATE TABLE about (name VARCHAR PRIMARY KEY, value VARCHAR)"]
    statements.append("COMMENT ON TABLE about IS 'what this file is: name and version of its tables'")
    statements.append(f"INSERT INTO about VALUES ('schema', '{SCHEMA_NAME}/{SCHEMA_VERSION}')")
    statements += [statement for table in TABLES for statement in write_table(table)]
    statements.append(f"CREATE VIEW {VIEW_NAME} AS {VIEW_SELECT}")
    statements.append(f"COMMENT ON VIEW {VIEW_NAME} IS {quote(VIEW_MEANING)}")
    return statements


def write_table(table: StoreTable, *, is_new: bool = True) -> list[str]:
    """The statements that make an empty table, or, where it need not be new, one that is there what it is said to be."""
    columns = [f'"{column.name}" {column.type}' for column in table.columns]
    if table.enforced:
        columns.append(f"PRIMARY KEY ({', '.join(table.key)})")
    create = "CREATE TABLE" if is_new else "CREATE TABLE IF NOT EXISTS"
    return [
        f"{create} {table.name} ({', '.join(columns)})",
        f"COMMENT ON TABLE {table.name} IS {quote(table.meaning)}",
        *[
            f'COMMENT ON COLUMN {table.name}."{column.name}" IS {quote(column.comment)}'
            for column in table.columns
        ],
    ]


def quote(text: str) -> str:
    """A text as SQL writes it."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
