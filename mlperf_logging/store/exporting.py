"""Writing the tables of a store as files, one each.

A folder of Parquet is a snapshot: any number of processes, on any machine, may read it, and nobody writes it. A manifest
says what the files are, with a checksum of each. The folder is made beside its place and moved there when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlperf_logging.errors import StoreError, describe_reason
from mlperf_logging.store.opening import PATIENCE_S, connect_reading
from mlperf_logging.store.schema import SCHEMA_NAME, SCHEMA_VERSION, TABLES
from mlperf_logging.store.snapshots import MANIFEST, PARQUET
from mlperf_logging.store.statements import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMATS = {PARQUET: "FORMAT parquet, COMPRESSION zstd", "csv": "FORMAT csv, HEADER", "jsonl": "FORMAT json"}
"""What tables can be written as, and how DuckDB is told so."""

_BLOCK = 1 << 20


def export_store(
    store: str, folder: str, form: str = PARQUET, patience_s: float = PATIENCE_S
) -> dict[str, int]:
    """Write every table into a file of a folder, with a manifest.

    Args:
        store: the store.
        folder: where to; a folder of a former export is replaced.
        form: "parquet", "csv" or "jsonl".
        patience_s: seconds to wait while another process writes the store.

    Returns:
        Rows by name of the table.

    Raises:
        StoreError: the store cannot be read, or the folder cannot be written or is something else.
    """
    import duckdb

    folder = os.path.normpath(folder)
    if os.path.lexists(folder) and not os.path.isfile(os.path.join(folder, MANIFEST)):
        raise StoreError(f"{folder!r} exists and is not a folder of mlperf store export; name another one")
    draft = f"{folder}.{os.urandom(4).hex()}.part"
    connection = connect_reading(store, patience_s, is_confined=False)
    try:
        os.makedirs(draft)
        rows = {table.name: _write_table(connection, table.name, table.key, draft, form) for table in TABLES}
        _write_manifest(draft, rows, form)
        _settle(draft, folder)
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"cannot write {folder!r}: {describe_reason(error)}") from None
    finally:
        connection.close()
        shutil.rmtree(draft, ignore_errors=True)
    return rows


def _write_table(
    connection: DuckDBPyConnection, name: str, key: tuple[str, ...], folder: str, form: str
) -> int:
    target = quote(os.path.join(folder, f"{name}.{form}"))
    connection.execute(f"COPY (SELECT * FROM {name} ORDER BY {', '.join(key)}) TO {target} ({FORMATS[form]})")
    (count,) = connection.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,)
    return int(count)


def _write_manifest(folder: str, rows: Mapping[str, int], form: str) -> None:
    tables = {
        name: {
            "file": f"{name}.{form}",
            "rows": count,
            "sha256": sum_up_file(os.path.join(folder, f"{name}.{form}")),
        }
        for name, count in rows.items()
    }
    manifest = {"schema": f"{SCHEMA_NAME}/{SCHEMA_VERSION}", "format": form, "tables": tables}
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _settle(draft: str, folder: str) -> None:
    """Move a folder to its place; what was there is removed when the new one is."""
    if not os.path.lexists(folder):
        os.rename(draft, folder)
        return
    former = f"{draft}.former"
    os.rename(folder, former)
    os.rename(draft, folder)
    shutil.rmtree(former, ignore_errors=True)


def sum_up_file(path: str) -> str:
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
