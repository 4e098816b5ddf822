"""The page about the tables of a store, made of the schema and of nothing else."""

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

HEADER = "<!-- Generated from mlperf_logging/store/schema.py by `make docs`; edit the schema. -->"


def write_page() -> str:
    """The page as Markdown."""
    lines = [
        HEADER,
        "",
        "# Tables of a store",
        "",
        f"What [a store](store.md) holds: `{SCHEMA_NAME}/{SCHEMA_VERSION}`. The database says the same of itself",
        "(`SELECT * FROM duckdb_columns()`, column `comment`). A column without a value is NULL.",
        "",
        "| table | rows |",
        "|---|---|",
        *[f"| [{table.name}](#{table.name}) | {table.meaning} |" for table in TABLES],
        f"| [{VIEW_NAME}](#{VIEW_NAME}) (view) | {VIEW_MEANING} |",
        "",
    ]
    for table in TABLES:
        lines += _describe_table(table)
    lines += [f"## {VIEW_NAME}", "", f"{_begin(VIEW_MEANING)}. It is this statement:", ""]
    lines += ["```sql", VIEW_SELECT, "```"]
    return "\n".join(lines) + "\n"


def _describe_table(table: StoreTable) -> list[str]:
    facts = [f"Key: {_list(table.key)}."]
    facts += [f"{_list(columns)}: of `{target}`." for columns, target in table.references]
    lines = [f"## {table.name}", "", f"{_begin(table.meaning)}.", "", " ".join(facts)]
    lines += ["", "| column | type | unit | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{column.name}` | {column.type} | {column.unit} | {_escape(column.meaning)} |"
        for column in table.columns
    ]
    return [*lines, ""]


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _begin(text: str) -> str:
    return text[0].upper() + text[1:]


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("_", "\\_")
