"""The table of outcomes: what commands made of logs, kept so that unchanged logs need not be read again.

Connections are open for a moment only, so that many commands can share a store.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.errors import MLPerfLoggingError, describe_reason

if TYPE_CHECKING:
    import duckdb

PATIENCE_S = 5.0
"""How long to wait for another process that has the store open to write."""

_LOOK_EVERY_S = 0.05
_TABLE = "outcomes"
_CREATE = """\
CREATE TABLE IF NOT EXISTS outcomes (
    content VARCHAR, kind VARCHAR, settings VARCHAR, version VARCHAR, rules VARCHAR, ruleset VARCHAR,
    ruleset_fingerprint VARCHAR, payload VARCHAR, checksum VARCHAR, PRIMARY KEY (content, kind, settings)
)"""

_SELECT = """\
SELECT * REPLACE (CASE WHEN ? THEN payload ELSE '' END AS payload) FROM outcomes
WHERE content IN (SELECT unnest(?)) AND kind IN (SELECT unnest(?))"""


class UnusableStoreError(MLPerfLoggingError):
    """A store cannot be read or written; what uses it goes on without."""


class OutcomeKey(NamedTuple):
    """What an outcome is looked up by: checksum of the log's bytes, name of the kind, and checksum of the settings."""

    content: str
    kind: str
    settings: str


class KeptOutcome(NamedTuple):
    """One row.

    Attributes:
        key: what it is looked up by.
        version: of the toolkit that made it.
        rules: fingerprint of all rule files at that time.
        ruleset: the one ruleset that it depends on, as usage/round; None where it may depend on any.
        ruleset_fingerprint: of that ruleset, or of all.
        payload: the outcome as text.
    """

    key: OutcomeKey
    version: str
    rules: str
    ruleset: str | None
    ruleset_fingerprint: str
    payload: str

    @property
    def checksum(self) -> str:
        """Of all that the row says; a row with another one is damaged."""
        said = [*self.key, *[part or "" for part in self[1:]]]
        return sha256("\0".join(said).encode("utf-8", "backslashreplace")).hexdigest()


class FoundOutcomes(NamedTuple):
    """What was looked up: the rows by their keys, and how many are damaged."""

    rows: dict[OutcomeKey, KeptOutcome]
    damaged: int


class OutcomeTable:
    """The outcomes of one store, a file of DuckDB."""

    def __init__(self, path: str) -> None:
        self.path = path

    def look_up(self, keys: Sequence[OutcomeKey], *, with_payloads: bool = True) -> FoundOutcomes:
        """The rows of some keys; none where the file does not exist yet.

        Args:
            keys: what is looked up.
            with_payloads: whether payloads are wanted; without them they are empty, and no damage is noticed.

        Raises:
            UnusableStoreError: the file is locked for longer than `PATIENCE_S`, cannot be read, or is none of DuckDB's.
        """
        import duckdb

        if not os.path.exists(self.path):
            return FoundOutcomes({}, 0)
        columns = [list({key[place] for key in keys}) for place in (0, 1)]
        try:
            with _open(self.path, read_only=True) as connection:
                known = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
                found = (
                    connection.execute(_SELECT, [with_payloads, *columns]).fetchall()
                    if (_TABLE,) in known
                    else []
                )
        except (duckdb.Error, OSError) as error:
            raise UnusableStoreError(describe_reason(error)) from None
        wanted, rows, damaged = set(keys), dict[OutcomeKey, KeptOutcome](), 0
        for *key, version, rules, ruleset, fingerprint, payload, checksum in found:
            kept = KeptOutcome(OutcomeKey(*key), version, rules, ruleset, fingerprint, payload)
            if kept.key in wanted:
                if not with_payloads or kept.checksum == checksum:
                    rows[kept.key] = kept
                else:
                    damaged += 1
        return FoundOutcomes(rows, damaged)

    def write(self, rows: Sequence[KeptOutcome]) -> None:
        """Add rows, all or none, in place of those with the same keys; the file is created where there is none.

        Raises:
            UnusableStoreError: the file is locked for longer than `PATIENCE_S`, or cannot be written.
        """
        import duckdb

        held = {row.key: row for row in rows}  # a log may be there twice
        values = [(*row.key, *row[1:], row.checksum) for row in held.values()]
        columns = [list(column) for column in zip(*values, strict=True)]
        marks = ", ".join(["unnest(?)"] * len(columns))
        try:
            with _open(self.path, read_only=False) as connection:
                connection.begin()
                connection.execute(_CREATE)
                connection.execute(f"INSERT OR REPLACE INTO outcomes SELECT {marks}", columns)
                connection.commit()
        except (duckdb.Error, OSError) as error:
            raise UnusableStoreError(describe_reason(error)) from None


def _open(path: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection; waits for another process to be done with the file. A stranger's store cannot reach other files."""
    import duckdb

    deadline = time.monotonic() + PATIENCE_S
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "enable_external_access": "false",
    }
    while True:
        try:
            return duckdb.connect(path, read_only=read_only, config=config)
        except duckdb.IOException as error:
            if "lock" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_EVERY_S)
