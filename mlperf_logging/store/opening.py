"""Opening a store: for one batch of writing, or for reading, with patience while another process has the file.

DuckDB lets one process write or several read. Who writes opens the file for one short transaction at a time, so that
others get their turn in between; who finds it taken tries again.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlperf_logging.errors import StoreError, describe_reason
from mlperf_logging.installation import require_libraries
from mlperf_logging.store.schema import SCHEMA_NAME, SCHEMA_VERSION
from mlperf_logging.store.snapshots import attach_snapshot
from mlperf_logging.store.statements import write_statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PATIENCE_S = 60.0
"""How long to try to open a file that another process has."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.005, 0.1
_BUSY = ("lock on file", "different configuration", "used by another process", "being used by")
"""What DuckDB's messages hold where another process, or another part of this one, has the file."""

_SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
_CONFINED = {"enable_external_access": "false", "lock_configuration": "true"}
"""A query sees the tables of the store and nothing else: no files, no network, and no setting that changes this."""


def require_duckdb(purpose: str = "a store") -> None:
    """Check that what stores need is installed; `UsageError` says how to install it."""
    require_libraries(purpose, ["duckdb", "pyarrow"], "store")


@contextmanager
def opened_for_reading(path: str, patience_s: float = PATIENCE_S) -> Iterator[DuckDBPyConnection]:
    """A connection that reads a store, closed at the end; see `connect_reading`."""
    connection = connect_reading(path, patience_s)
    try:
        yield connection
    finally:
        connection.close()


def connect_reading(
    path: str, patience_s: float = PATIENCE_S, *, is_confined: bool = True
) -> DuckDBPyConnection:
    """Open a store for reading.

    Args:
        path: the store, or a folder of Parquet that was exported from one.
        patience_s: seconds to wait while another process writes it.
        is_confined: whether statements see the store and nothing else, as those that a person writes must.

    Raises:
        StoreError: there is none, it is not one that this version can read, or it stays busy.
        UsageError: DuckDB or pyarrow is not installed.
    """
    require_duckdb()
    if not os.path.exists(path):
        raise StoreError(f"there is no store {path!r}; make one with: mlperf store ingest PATH --into STORE")
    is_folder = os.path.isdir(path)
    connection = _connect(":memory:" if is_folder else path, patience_s, read_only=not is_folder)
    try:
        if is_folder:
            attach_snapshot(connection, path)
        else:
            _check_schema(connection, path)
        for name, value in _CONFINED.items() if is_confined else ():
            connection.execute(f"SET {name} = {value}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def opened_for_writing(path: str, patience_s: float = PATIENCE_S) -> Iterator[DuckDBPyConnection]:
    """A connection within one transaction, which is kept if nothing is raised; the store is made where there is none.

    Raises:
        StoreError: it cannot be made or written, is not one that this version can write, or it stays busy.
    """
    require_duckdb()
    import duckdb

    refuse_folder(path)
    if not os.path.exists(path):
        _create(path)
    connection = _connect(path, patience_s, read_only=False)
    try:
        _check_schema(connection, path)
        connection.execute("BEGIN TRANSACTION")
        yield connection
        connection.execute("COMMIT")
    except duckdb.Error as error:
        raise StoreError(f"cannot write the store {path}: {describe_reason(error)}") from None
    finally:
        connection.close()  # what was not committed is undone


def refuse_folder(path: str) -> None:
    """`StoreError` where a folder is named as a store to write."""
    if os.path.isdir(path):
        raise StoreError(
            f"{path!r} is a folder; ingest into a file such as results.duckdb, and write Parquet with mlperf store export"
        )


def _create(path: str) -> None:
    """Make an empty store beside its place and move it there: at no moment is there half of one."""
    import duckdb

    draft = f"{path}.{os.urandom(4).hex()}.part"
    try:
        connection = duckdb.connect(draft, config=dict(_SETTINGS))
        try:
            connection.execute("BEGIN TRANSACTION")
            for statement in write_statements():
                connection.execute(statement)
            connection.execute("COMMIT")
            connection.execute("CHECKPOINT")  # closing would, too, but without a word where it fails
        finally:
            connection.close()
        with open(draft, "rb") as file:
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a move, it replaces nothing that another process has made since
        except FileExistsError:
            pass
        except OSError:  # no links here
            if not os.path.exists(path):
                os.rename(draft, path)
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"cannot make the store {path}: {describe_reason(error)}") from None
    finally:
        for name in (draft, f"{draft}.wal"):
            if os.path.exists(name):
                os.unlink(name)


def _connect(path: str, patience_s: float, *, read_only: bool) -> DuckDBPyConnection:
    import duckdb

    until = time.monotonic() + patience_s
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            connection = duckdb.connect(path, read_only=read_only, config=dict(_SETTINGS))
        except duckdb.Error as error:
            text = str(error)
            if not any(word in text for word in _BUSY):
                raise StoreError(_explain(path, error)) from None
        else:
            connection.execute("SET enable_progress_bar = false")  # it would stand among the answers
            return connection
        if time.monotonic() >= until:
            raise StoreError(
                f"{path} has been in use by another process for {patience_s:.0f} s; a query or a notebook that keeps it "
                "open keeps others from writing: close it, and try again"
            )
        time.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311 - so that those who wait do not move in step
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _explain(path: str, error: Exception) -> str:
    if "not a valid DuckDB database" in str(error):
        return f"{path} is not a DuckDB file; name another one, or remove it"
    return f"cannot open the store {path}: {describe_reason(error)}"


def _check_schema(connection: DuckDBPyConnection, path: str) -> None:
    import duckdb

    try:
        row = connection.execute("SELECT value FROM about WHERE name = 'schema'").fetchone()
        name, _, version = str(row[0] if row else "").partition("/")
        number = int(version)
    except (duckdb.Error, ValueError):
        name, number = "", 0
    if name != SCHEMA_NAME:
        raise StoreError(f"{path} is a DuckDB file, but not a store of mlperf store ingest; name another one")
    if number > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was made by a newer version of the toolkit (its tables have version {number}, this one knows "
            f"{SCHEMA_VERSION}); update mlperf-log-toolkit"
        )
    if number < SCHEMA_VERSION:
        raise StoreError(
            f"{path} was made by an older version of the toolkit (its tables have version {number}, this one makes "
            f"{SCHEMA_VERSION}); ingest its logs into a new store"
        )
