"""Asking a store: its tables as data frames, as relations of DuckDB, and by SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from mlperf_logging.errors import StoreError, UsageError
from mlperf_logging.installation import require_libraries
from mlperf_logging.store.opening import PATIENCE_S, connect_reading
from mlperf_logging.store.schema import BY_NAME, VIEW_NAME

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from typing_extensions import Self

    from mlperf_logging.frames import DataFrame

_LONGEST_ERROR = 400
"""Longest text of an error of DuckDB that is shown, in characters."""


def open_store(path: str | PathLike[str], *, patience_s: float = PATIENCE_S) -> Store:
    """A store to read.

    Args:
        path: the file that `mlperf store ingest` wrote, or a folder of Parquet that `mlperf store export` did.
        patience_s: seconds to wait while another process writes it.

    Raises:
        StoreError: there is none, it is not one that this version can read, or it stays busy.
        UsageError: DuckDB or pyarrow is not installed.
    """
    store = Store(path, patience_s=patience_s)
    with store.reading():
        return store


class Store:
    """A store to read from Python; see `open_store`.

    Each call opens the file, reads, and closes it, so that others can write in between. Within ``with``, and as soon as
    `relation` was called, it stays open until `close`; nobody can write then.

    Attributes:
        path: the file.
    """

    def __init__(self, path: str | PathLike[str], *, patience_s: float = PATIENCE_S) -> None:
        self.path = fspath(path)
        self._patience_s = patience_s
        self._connection: DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, if it is open; relations that were given out are of no use afterwards."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> DuckDBPyConnection:
        if self._connection is None:
            self._connection = connect_reading(self.path, self._patience_s)
        return self._connection

    @contextmanager
    def reading(self) -> Iterator[DuckDBPyConnection]:
        """A connection that reads, closed at the end unless the store is kept open.

        Raises:
            StoreError: the store cannot be opened, or what is done with the connection is wrong.
        """
        import duckdb

        connection = self._connection or connect_reading(self.path, self._patience_s)
        try:
            yield connection
        except duckdb.Error as error:
            raise StoreError(f"{self.path}: {_explain(error)}") from None
        finally:
            if connection is not self._connection:
                connection.close()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """What a statement gives, as an Arrow table; see `query`."""
        with self.reading() as connection:
            if len(connection.extract_statements(sql)) != 1:
                raise UsageError("ask with one statement")
            relation = connection.sql(sql, params=list(parameters) or None)
            if relation is None:
                raise UsageError("the statement gives no rows; ask with SELECT")
            return relation.to_arrow_table()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> DataFrame:
        """What a statement gives, as a table of pandas.

        Args:
            sql: a statement that gives rows; it sees the tables of the store, and no files.
            parameters: values of the ``?`` in it, in their order.

        Raises:
            StoreError: the statement is wrong, or the store cannot be opened.
            UsageError: it gives no rows, or pandas is not installed.
        """
        require_libraries("a table in pandas", ("pandas",), "store")
        return _to_frame(self.read(sql, parameters))

    def relation(self, name: str) -> DuckDBPyRelation:
        """A table or view as a relation of DuckDB, to filter, join and aggregate; keeps the store open until `close`.

        Raises:
            UsageError: there is no table or view of this name.
            StoreError: the store cannot be opened.
        """
        _refuse_unknown(name)
        return self._open().table(name)

    def table(self, name: str) -> DataFrame:
        """A whole table or view, see `query`; `UsageError` where there is none of this name."""
        _refuse_unknown(name)
        keys = BY_NAME[name].key if name in BY_NAME else ("path", "run")
        return self.query(f"SELECT * FROM {name} ORDER BY {', '.join(keys)}")

    def logs(self) -> DataFrame:
        """One row per log."""
        return self.table("logs")

    def places(self) -> DataFrame:
        """One row per place where a log was seen."""
        return self.table("places")

    def runs(self) -> DataFrame:
        """One row per run and round that judged it."""
        return self.table("runs")

    def events(self) -> DataFrame:
        """One row per record of a log; of many logs it is long: ask `query` for a part."""
        return self.table("events")

    def evaluations(self) -> DataFrame:
        """One row per metric of each evaluation."""
        return self.table("evaluations")

    def findings(self) -> DataFrame:
        """One row per finding."""
        return self.table("findings")

    def scores(self) -> DataFrame:
        """One row per result folder: its score."""
        return self.table("scores")

    def rcp(self) -> DataFrame:
        """One row per result folder: its test of convergence."""
        return self.table("rcp")

    def systems(self) -> DataFrame:
        """One row per system description."""
        return self.table("systems")

    def submitted_runs(self) -> DataFrame:
        """One row per run and place, with submitter and system, under the names of `mlperf analyze`."""
        return self.table(VIEW_NAME)


def _refuse_unknown(name: str) -> None:
    known = (*BY_NAME, VIEW_NAME)
    if name not in known:
        from mlperf_logging.suggestions import did_you_mean

        meant = did_you_mean(name, known, f"there are {', '.join(known)}")
        raise UsageError(f"there is no table {name!r}; {meant}")


def _explain(error: Exception) -> str:
    """What DuckDB says of a statement, in one line without the statement."""
    text = str(error).partition("\nLINE ")[0]
    said = "; ".join(line.strip() for line in text.splitlines() if line.strip())
    return said if len(said) <= _LONGEST_ERROR else f"{said[:_LONGEST_ERROR]}…"


def _to_frame(table: pa.Table) -> DataFrame:
    import pandas as pd
    import pyarrow as pa

    kinds = {
        pa.int64(): pd.Int64Dtype(),
        pa.int32(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
        pa.string(): pd.StringDtype(),
    }
    return table.to_pandas(types_mapper=kinds.get)
