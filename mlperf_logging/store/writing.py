"""Writing rows into a store: one batch in one transaction, with the same outcome however often it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.store.schema import BY_NAME

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

_OF_A_LOG = ("logs", "events")
_OF_A_JUDGMENT = ("runs", "evaluations", "findings")
_OF_A_PLACE = ("places", "systems", "scores", "rcp")

Rows = Mapping[str, "pa.Table"]
"""Rows by name of the table, each with the columns of its table."""


def write_batch(connection: DuckDBPyConnection, rows: Rows, departed: Sequence[str] = ()) -> int:
    """Put rows in the place of those of the same logs, judgments, places and folders, within an open transaction.

    A log that is at no place any more leaves the store. What the same toolkit with the same rules has already made of a log
    stays as it is.

    Args:
        connection: of `opened_for_writing`.
        rows: no key twice; of each log and each judgment either all rows or none.
        departed: places that hold no log any more.

    Returns:
        Number of logs that the store did not hold before.
    """
    added = 0
    for name, table in rows.items():
        connection.register(f"given_{name}", table)
    try:
        former = _find_former(connection, departed, given="places" in rows)
        for owner, by, names in (
            ("logs", ("log_id",), _OF_A_LOG),
            ("runs", ("log_id", "ruleset"), _OF_A_JUDGMENT),
        ):
            if owner in rows:
                more = _replace_outdated(connection, owner, by, [name for name in names if name in rows])
                added += more if owner == "logs" else 0
        for name in _OF_A_PLACE:
            if name in rows:
                _delete(
                    connection,
                    name,
                    BY_NAME[name].key,
                    f"SELECT {_list(BY_NAME[name].key)} FROM given_{name}",
                )
                connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM given_{name}")
        if departed:
            connection.execute("DELETE FROM places WHERE place IN (SELECT unnest(?))", [list(departed)])
        _remove_abandoned(connection, former)
        return added
    finally:
        for name in rows:
            connection.unregister(f"given_{name}")


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _delete(
    connection: DuckDBPyConnection, name: str, by: Sequence[str], keys: str, parameters: Sequence[Any] = ()
) -> None:
    connection.execute(f"DELETE FROM {name} WHERE ({_list(by)}) IN ({keys})", list(parameters) or None)


def _replace_outdated(
    connection: DuckDBPyConnection, owner: str, by: Sequence[str], names: Sequence[str]
) -> int:
    """Write the rows of what the store does not hold, or holds as another version made it; the number of the former."""
    keys = _list(by)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh AS "
        f"SELECT DISTINCT {keys} FROM given_{owner} ANTI JOIN {owner} USING ({keys}, made_by)"
    )
    fresh = _count(connection, "FROM fresh")
    outdated = _count(connection, f"FROM fresh SEMI JOIN {owner} USING ({keys})")
    for name in names:
        if outdated:  # looking through all rows for those to delete would take longer than all else
            _delete(connection, name, by, "FROM fresh")
        connection.execute(
            f"INSERT INTO {name} BY NAME SELECT given.* FROM given_{name} AS given SEMI JOIN fresh USING ({keys})"
        )
    return fresh - outdated


def _count(connection: DuckDBPyConnection, rows: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) {rows}").fetchone() or (0,)
    return int(count)


def _find_former(
    connection: DuckDBPyConnection, departed: Sequence[str], *, given: bool
) -> list[tuple[str, str]]:
    """Log and round of what is at the places now that are about to change."""
    places = "SELECT place FROM given_places UNION ALL SELECT unnest(?)" if given else "SELECT unnest(?)"
    found = connection.execute(
        f"SELECT DISTINCT log_id, ruleset FROM places WHERE place IN ({places})", [list(departed)]
    ).fetchall()
    return [(str(log_id), str(ruleset)) for log_id, ruleset in found]


def _remove_abandoned(connection: DuckDBPyConnection, former: Sequence[tuple[str, str]]) -> None:
    """Remove what is at no place any more."""
    if not former:
        return
    ids, rulesets = [list(each) for each in zip(*former, strict=True)]
    there = connection.execute(
        "SELECT log_id, ruleset FROM places WHERE log_id IN (SELECT unnest(?))", [ids]
    ).fetchall()
    judged, kept = set(there), {log_id for log_id, _ in there}
    gone = [each for each in zip(ids, rulesets, strict=True) if each not in judged]
    if not gone:
        return
    keys = "SELECT unnest(?), unnest(?)"
    for name in _OF_A_JUDGMENT:
        _delete(
            connection, name, ("log_id", "ruleset"), keys, [list(each) for each in zip(*gone, strict=True)]
        )
    lost = [log_id for log_id, _ in gone if log_id not in kept]
    for name in _OF_A_LOG if lost else ():
        _delete(connection, name, ("log_id",), "SELECT unnest(?)", [lost])
