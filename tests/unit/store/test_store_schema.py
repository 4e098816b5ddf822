"""The tables of a store and the page about them."""

from __future__ import annotations

from pathlib import Path

from stores import ask

from mlperf_logging.store.ingest import ingest_logs
from mlperf_logging.store.pages import write_page
from mlperf_logging.store.schema import BY_NAME, TABLES, VIEW_NAME


def test_the_page_is_that_of_the_schema(project: Path) -> None:
    """`make docs` has been run since the schema changed."""
    assert (project / "docs" / "store_tables.md").read_text("utf-8") == write_page()


def test_the_database_says_what_its_columns_mean(submission: Path, store: Path) -> None:
    """Tables, columns, types, keys and comments of a store are those of the schema."""
    ingest_logs([str(next(submission.rglob("result_0.txt")))], str(store))
    columns = ask(
        store, "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal"
    )
    expected = {
        (table.name, each.name, each.type, each.comment) for table in TABLES for each in table.columns
    }
    assert {row for row in columns if row[0] in BY_NAME} == expected
    comments = ask(store, "SELECT table_name, comment FROM duckdb_tables()")
    assert {(table.name, table.meaning) for table in TABLES} <= set(comments)
    keys = dict(
        ask(
            store,
            "SELECT table_name, constraint_column_names FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'",
        )
    )
    assert {name: keys.get(name) for name, table in BY_NAME.items() if table.enforced} == {
        name: list(table.key) for name, table in BY_NAME.items() if table.enforced
    }


def test_every_name_is_explained() -> None:
    """Keys and references name columns that exist, and every column has a meaning."""
    for table in TABLES:
        assert set(table.key) <= set(table.names)
        assert all(column.meaning for column in table.columns)
        for columns, target in table.references:
            assert set(columns) <= set(table.names) & set(BY_NAME[target].names)
    assert VIEW_NAME not in BY_NAME
