"""Whether a store is whole: keys, references, counts, the files that its logs came from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.store.exporting import sum_up_file
from mlperf_logging.store.opening import PATIENCE_S, opened_for_reading
from mlperf_logging.store.provenance import describe_maker
from mlperf_logging.store.reading import hash_log
from mlperf_logging.store.schema import TABLES, StoreTable
from mlperf_logging.store.snapshots import read_manifest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COUNTS = (
    (
        "logs",
        "logs do not have as many events as they say",
        "SELECT log_id FROM logs LEFT JOIN (SELECT log_id, count(*) AS held FROM events GROUP BY log_id) USING (log_id) "
        "WHERE events - unstored_events <> coalesce(held, 0)",
    ),
    (
        "runs",
        "runs do not have as many findings as they say",
        "SELECT log_id FROM runs LEFT JOIN (SELECT log_id, run, ruleset, count(*) AS held FROM findings GROUP BY ALL) "
        "USING (log_id, run, ruleset) WHERE errors + warnings <> coalesce(held, 0)",
    ),
    ("logs", "logs are at no place", "SELECT log_id FROM logs ANTI JOIN places USING (log_id)"),
    (
        "logs",
        "logs do not have as many runs as they say",
        "SELECT log_id FROM logs JOIN (SELECT log_id, count(*) AS held FROM runs WHERE run > 0 GROUP BY log_id, ruleset) "
        "USING (log_id) WHERE greatest(runs, 1) <> held",
    ),
    (
        "scores",
        "folders have more logs than runs in their score",
        "SELECT folder FROM scores JOIN (SELECT folder, count(*) AS held FROM places GROUP BY folder) USING (folder) "
        "WHERE held > runs",
    ),
    (
        "logs",
        "ids are no checksums",
        "SELECT log_id FROM logs WHERE NOT regexp_full_match(log_id, '[0-9a-f]{64}')",
    ),
)
"""A table, what is wrong where rows are found, and what finds them."""


class Fault(NamedTuple):
    """Something in a store that cannot be.

    Attributes:
        table: the table.
        rows: number of rows that are wrong.
        message: what is wrong with them.
        example: the first one.
    """

    table: str
    rows: int
    message: str
    example: str


class CheckedStore(NamedTuple):
    """What a check of a store found.

    Attributes:
        rows: rows by name of the table.
        faults: what cannot be; none where the store is whole.
        notes: what is worth knowing, such as logs that have changed on disk since.
    """

    rows: dict[str, int]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def check_store(path: str, *, files: bool = False, patience_s: float = PATIENCE_S) -> CheckedStore:
    """Look whether a store is whole.

    Args:
        path: the store, or a folder of Parquet that was exported from one.
        files: whether to read the logs again, where they are files, and to compare their checksums.
        patience_s: seconds to wait while another process writes it.

    Raises:
        StoreError: it cannot be opened or read; DuckDB compares the checksum of each block that it reads.
    """
    faults: list[Fault] = []
    if os.path.isdir(path):
        faults += _check_files(path)
    with opened_for_reading(path, patience_s) as connection:
        rows = {table.name: _read_whole(connection, table) for table in TABLES}
        for table in TABLES:
            faults += _check_table(connection, table)
        for name, message, sql in _COUNTS:
            faults += _find(connection, name, message, sql)
        notes = [*_compare_makers(connection), *_find_unfinished(connection)]
        places = (
            connection.execute("SELECT place, log_id FROM places ORDER BY place").fetchall() if files else []
        )
    return CheckedStore(rows, tuple(faults), (*notes, *_compare_places(places)))


def _check_files(folder: str) -> Iterator[Fault]:
    """Files of an export that are not those that were written."""
    for name, told in read_manifest(folder)["tables"].items():
        path = os.path.join(folder, os.path.basename(str(told["file"])))
        if not os.path.isfile(path) or sum_up_file(path) != told["sha256"]:
            yield Fault(name, 1, "the file is missing, or not the one that was exported", path)


def _read_whole(connection: DuckDBPyConnection, table: StoreTable) -> int:
    """The number of rows, after every value was read."""
    (count, *_) = connection.execute(
        f"SELECT count(*), bit_xor(hash(COLUMNS(*))) FROM {table.name}"
    ).fetchone() or (0,)
    return int(count)


def _check_table(connection: DuckDBPyConnection, table: StoreTable) -> Iterator[Fault]:
    key = ", ".join(table.key)
    sql = f"SELECT concat_ws(' ', {key}) FROM {table.name} GROUP BY {key} HAVING count(*) > 1"
    yield from _find(connection, table.name, f"rows have the same {key}", sql)
    for columns, target in table.references:
        names = ", ".join(columns)
        given = " AND ".join(f"{name} IS NOT NULL" for name in columns)
        sql = (
            f"SELECT concat_ws(' ', {names}) FROM (SELECT {names} FROM {table.name} WHERE {given}) "
            f"ANTI JOIN {target} USING ({names})"
        )
        yield from _find(connection, table.name, f"rows name {names} that {target} does not have", sql)


def _find(connection: DuckDBPyConnection, table: str, message: str, sql: str) -> Iterator[Fault]:
    found = connection.execute(f"SELECT count(*), min(COLUMNS(*)) FROM ({sql})").fetchone()
    if found is not None and found[0]:
        yield Fault(table, int(found[0]), message, str(found[1]))


def _compare_makers(connection: DuckDBPyConnection) -> Iterator[str]:
    """Logs that another version has read."""
    now = describe_maker()
    rows = connection.execute(
        "SELECT made_by, count(*) FROM places WHERE made_by <> ? GROUP BY made_by ORDER BY made_by", [now]
    ).fetchall()
    for made_by, count in rows:
        yield (
            f"{count:,} places were judged by {made_by}, which is another version or other rules than {now}; ingest them "
            "again to judge them anew"
        )


def _find_unfinished(connection: DuckDBPyConnection) -> Iterator[str]:
    """Folders without a score: their ingest was stopped."""
    (count,) = connection.execute(
        "SELECT count(DISTINCT folder) FROM places ANTI JOIN scores USING (folder) WHERE folder IS NOT NULL"
    ).fetchone() or (0,)
    if count:
        yield f"{count:,} result folders have no score yet: their ingest was stopped; start it again"


def _compare_places(places: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """Logs on disk that are not those of the store any more."""
    elsewhere = 0
    for place, log_id in places:
        if not os.path.isfile(place):
            elsewhere += 1
        elif (now := hash_log(place)).log_id != log_id:
            yield now.complaint or f"{place}: has changed since it was ingested"
    if elsewhere:
        yield (
            f"{elsewhere:,} places are no files of this machine, and were not read: they are gone, or within archives, "
            "repositories or addresses"
        )
