"""Keeps what commands make of logs, and gives it back where nothing that it depends on has changed.

An outcome depends on the log's bytes, on what its command judges by (`OutcomeSettings`), on the version of the toolkit,
and on the rules: those of the ruleset that judged, or of all rulesets where several had a say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from typing import Generic, TypeVar

from mlperf_logging.engines.keeping import DigestedLog
from mlperf_logging.errors import MLPerfLoggingError, StoreError
from mlperf_logging.rules.fingerprints import fingerprint_files, fingerprint_ruleset
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.store.outcome_kinds import OutcomeKind, OutcomeSettings
from mlperf_logging.store.outcomes import FoundOutcomes, KeptOutcome, OutcomeKey, OutcomeTable
from mlperf_logging.store.provenance import describe_version

FORMAT = 1
"""Grows with every change of what outcomes are written as, or of what they hold."""

LONGEST_PAYLOAD = 16 << 20
"""In characters; a log that gives more is read each time."""

Result = TypeVar("Result")


class OutcomeKeeper(Generic[Result]):
    """A `Keeper` of one kind of outcome in a store.

    Attributes:
        found: logs of which the outcome was known.
        read: logs that were read.
    """

    def __init__(
        self, path: str, kind: OutcomeKind[Result], settings: OutcomeSettings, complain: Callable[[str], None]
    ) -> None:
        """Prepare; the store is opened when logs are looked up.

        Args:
            path: the store, a file of DuckDB, which need not exist.
            kind: what is kept.
            settings: what logs are judged by.
            complain: takes a sentence on why the store is of no use, or a part of it, once.
        """
        self.found = self.read = 0
        self._path, self._kind, self._settings, self._complain = path, kind, settings, complain
        self._table = OutcomeTable(path)
        self._rules = open_rules(settings.selection.rules)
        self._rule_files = fingerprint_files(self._rules)
        self._fingerprint = cache(lambda name: fingerprint_ruleset(self._rules, name))
        self._version = f"{describe_version()} {FORMAT}"
        self._is_usable, self._has_complained = True, False
        self._renewed: list[KeptOutcome] = []

    def list_known(self, logs: Sequence[DigestedLog]) -> list[bool]:
        """For each log, whether there is an outcome that holds as everything is now."""
        keys = [self._make_key(log) for log in logs]
        rows = self._look_up(keys, with_payloads=False).rows
        return [key is not None and key in rows and self._is_valid(rows[key]) for key in keys]

    def find(self, logs: Sequence[DigestedLog]) -> list[Result | None]:
        """The outcomes of logs; None for those that must be read."""
        keys = [self._make_key(log) for log in logs]
        rows, damaged = self._look_up(keys, with_payloads=True)
        found: list[Result | None] = []
        for log, key in zip(logs, keys, strict=True):
            row = rows.get(key) if key is not None else None
            result = None
            if row is not None and self._is_valid(row):
                if row.rules != self._rule_files:
                    self._renewed.append(row._replace(rules=self._rule_files))
                try:
                    result = self._kind.move(self._kind.codec.read(row.payload), "", log.path)
                except (ValueError, TypeError, LookupError, AttributeError):
                    damaged += 1
            found.append(result)
        self.found += sum(result is not None for result in found)
        if damaged and not self._has_complained:
            self._has_complained = True
            self._complain(f"{self._path}: some of what is kept there is damaged; those logs are read again")
        return found

    def keep(self, read: Sequence[tuple[DigestedLog, Result]]) -> None:
        """Remember what logs gave that were read."""
        self.read += len(read)
        rows, self._renewed = self._renewed, []
        rows += [row for log, result in read if (row := self._make_row(log, result)) is not None]
        # what was edited while logs were judged may have judged some of them
        if not rows or not self._is_usable or fingerprint_files(self._rules) != self._rule_files:
            return
        try:
            self._table.write(rows)
        except StoreError as error:
            self._is_usable = False
            self._complain(f"{error}; what logs give is not kept")

    def _look_up(self, keys: Sequence[OutcomeKey | None], *, with_payloads: bool) -> FoundOutcomes:
        wanted = [key for key in keys if key is not None]
        if self._is_usable and wanted:
            try:
                return self._table.look_up(wanted, with_payloads=with_payloads)
            except StoreError as error:
                self._is_usable = False
                self._complain(f"{error}; all logs are read, and what they give is not kept")
        return FoundOutcomes({}, 0)

    def _make_key(self, log: DigestedLog) -> OutcomeKey | None:
        if log.digest is None:
            return None
        settings = json.dumps(self._settings.describe(log.path)).encode()
        return OutcomeKey(log.digest, self._kind.name, sha256(settings).hexdigest())

    def _is_valid(self, row: KeptOutcome) -> bool:
        if row.version != self._version:
            return False
        if row.rules == self._rule_files:
            return True
        try:
            return row.ruleset_fingerprint == self._fingerprint(row.ruleset)
        except MLPerfLoggingError:  # the ruleset is gone, or wrong; who judges by it says so
            return False

    def _make_row(self, log: DigestedLog, result: Result) -> KeptOutcome | None:
        key = self._make_key(log)
        if key is None or not self._kind.is_final(result):
            return None
        ruleset = self._kind.find_ruleset(result, self._settings.selection)
        try:
            payload = self._kind.codec.write(self._kind.move(result, log.path, ""))
            fingerprint = self._fingerprint(ruleset)
        except (ValueError, MLPerfLoggingError):  # it holds what cannot be written, or other rules are wrong
            return None
        if len(payload) > LONGEST_PAYLOAD:
            return None
        return KeptOutcome(key, self._version, self._rule_files, ruleset, fingerprint, payload)
