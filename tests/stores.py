"""What a store holds, to compare with what another holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlperf_logging.store import open_store
from mlperf_logging.store.schema import BY_NAME

UNCOMPARED = {"made_by", "stored_at"}
"""When a row was written, and by which version, is not what it says."""


def dump_store(path: Path) -> dict[str, list[tuple[str, ...]]]:
    """Every row of every table, in the order of its key, but for when and by whom it was written; NaN is equal to itself."""
    dumped = {}
    with open_store(path) as opened, opened.reading() as connection:
        for name, table in BY_NAME.items():
            columns = ", ".join(f'"{column}"' for column in table.names if column not in UNCOMPARED)
            rows = connection.execute(f"SELECT {columns} FROM {name} ORDER BY {', '.join(table.key)}")
            dumped[name] = [tuple(map(repr, row)) for row in rows.fetchall()]
    return dumped


def ask(path: Path, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """The rows that a query gives."""
    with open_store(path) as opened, opened.reading() as connection:
        return connection.execute(sql, list(parameters) or None).fetchall()
