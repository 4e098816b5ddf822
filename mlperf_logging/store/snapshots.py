"""A folder of Parquet that an export has written, opened as a store that is only read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mlperf_logging.errors import StoreError, describe_reason
from mlperf_logging.runs.side_files import read_side_json
from mlperf_logging.store.schema import SCHEMA_NAME, SCHEMA_VERSION, TABLES, VIEW_NAME, VIEW_SELECT
from mlperf_logging.store.statements import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MANIFEST, PARQUET = "manifest.json", "parquet"


def read_manifest(folder: str) -> dict[str, Any]:
    """What the manifest of a folder says.

    Raises:
        StoreError: there is none, or it is not one that this version can read.
    """
    try:
        manifest: dict[str, Any] = read_side_json(os.path.join(folder, MANIFEST))
        name, _, version = manifest["schema"].partition("/")
        form, tables = manifest["format"], set(manifest["tables"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        name = version = form = ""
        manifest, tables = {}, set[str]()
    if name != SCHEMA_NAME:
        raise StoreError(f"{folder!r} is a folder, but not one that mlperf store export has written")
    if version != str(SCHEMA_VERSION):
        raise StoreError(
            f"{folder!r} has tables of version {version}, and this toolkit reads version {SCHEMA_VERSION}; export it again"
        )
    if form != PARQUET or tables != {table.name for table in TABLES}:
        raise StoreError(
            f"{folder!r} does not hold all tables as Parquet; export it again with --format {PARQUET}"
        )
    return manifest


def attach_snapshot(connection: DuckDBPyConnection, folder: str) -> None:
    """Make the tables of a folder visible to a connection that has nothing else open, and no other file.

    Raises:
        StoreError: it is not such a folder, or a file of it cannot be read.
    """
    import duckdb

    read_manifest(folder)
    whole = os.path.abspath(folder)
    try:
        for table in TABLES:
            place = quote(os.path.join(whole, f"{table.name}.{PARQUET}"))
            connection.execute(f"CREATE VIEW {table.name} AS FROM read_parquet({place})")
        connection.execute(f"CREATE VIEW {VIEW_NAME} AS {VIEW_SELECT}")
        connection.execute(f"SET allowed_directories = [{quote(whole + os.sep)}]")
    except duckdb.Error as error:
        raise StoreError(f"cannot read {folder!r}: {describe_reason(error)}") from None
