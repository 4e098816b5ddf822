"""The table of outcomes: what commands made of logs, kept so that unchanged logs need not be read again.

Connections are open for a moment only, so that many commands can share a store.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from mlperf_logging.errors import StoreError, describe_reason
from mlperf_logging.store.opening import opened_for_reading, opened_for_writing
from mlperf_logging.store.schema import StoreColumn, StoreTable
from mlperf_logging.store.statements import write_table

PATIENCE_S = 5.0
"""How long to wait for another process that has the store; whoever waits can also do without."""

OUTCOMES = StoreTable(
    "outcomes",
    "one row per log, command and settings: what the command made of the log, so that it need not be read again",
    (
        StoreColumn("content", "VARCHAR", "SHA-256 of the file's bytes, as they are"),
        StoreColumn("kind", "VARCHAR", "verdicts (check), result (package, report) or rows (analyze)"),
        StoreColumn(
            "settings", "VARCHAR", "SHA-256 of what else the outcome depends on: options, waivers, folders"
        ),
        StoreColumn("version", "VARCHAR", "version of the toolkit, and of what payloads hold"),
        StoreColumn("rules", "VARCHAR", "SHA-256 of all rule files"),
        StoreColumn(
            "ruleset", "VARCHAR", "the one round that judged, as usage/round; NULL where others had a say"
        ),
        StoreColumn(
            "ruleset_fingerprint", "VARCHAR", "SHA-256 of that round's rules; of all where others had a say"
        ),
        StoreColumn("payload", "VARCHAR", "the outcome: JSON lists of the fields of named tuples"),
        StoreColumn("checksum", "VARCHAR", "SHA-256 of the row; one with another checksum is not used"),
    ),
    ("content", "kind", "settings"),
)
"""What `--store` of other commands keeps; it is made with the first outcome, and is no table to ask."""

_SELECT = """\
SELECT * REPLACE (CASE WHEN ? THEN payload ELSE '' END AS payload) FROM outcomes
WHERE content IN (SELECT unnest(?)) AND kind IN (SELECT unnest(?))"""
_INSERT = f"INSERT OR REPLACE INTO outcomes SELECT {', '.join(['unnest(?)'] * len(OUTCOMES.columns))}"


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
            StoreError: the store stays busy for longer than `PATIENCE_S`, cannot be read, or is none.
        """
        import duckdb

        if not os.path.exists(self.path):
            return FoundOutcomes({}, 0)
        columns = [list({key[place] for key in keys}) for place in (0, 1)]
        try:
            with opened_for_reading(self.path, PATIENCE_S) as connection:
                known = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
                is_there = (OUTCOMES.name,) in known
                found = connection.execute(_SELECT, [with_payloads, *columns]).fetchall() if is_there else []
        except duckdb.Error as error:
            raise StoreError(f"cannot read the store {self.path}: {describe_reason(error)}") from None
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
            StoreError: the store stays busy for longer than `PATIENCE_S`, or cannot be written.
        """
        held = {row.key: row for row in rows}  # a log may be there twice
        values = [(*row.key, *row[1:], row.checksum) for row in held.values()]
        columns = [list(column) for column in zip(*values, strict=True)]
        with opened_for_writing(self.path, PATIENCE_S) as connection:
            for statement in write_table(OUTCOMES, is_new=False):
                connection.execute(statement)
            connection.execute(_INSERT, columns)
