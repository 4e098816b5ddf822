"""Ingest: logs into a store. What is there already is not read again.

Three steps, apart from each other: `opened_source` lists what there is, `read_log_rows` makes rows of a log in any process,
and `write_batch` writes rows, in this process only. Each batch is one transaction. A folder's score is written with the last
of its logs and says what it was computed from, so an ingest that was killed reads little again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from mlperf_logging.compliance.ruleset_selection import AUTOMATIC, RuleSelection
from mlperf_logging.engines.engine import Engine
from mlperf_logging.engines.local import LocalEngine
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.store.batches import Batch
from mlperf_logging.store.folders import sum_up_inputs
from mlperf_logging.store.opening import (
    PATIENCE_S,
    opened_for_reading,
    opened_for_writing,
    refuse_folder,
    require_duckdb,
)
from mlperf_logging.store.provenance import describe_maker, describe_options
from mlperf_logging.store.reading import HashedLog, hash_log, read_log_rows
from mlperf_logging.store.sources import FoundSource, Group, opened_source
from mlperf_logging.store.writing import write_batch

LOGS_AT_ONCE = 512
"""So many logs are looked up in the store, and read, before the next ones: memory is bounded by what they give."""

_TORN = 4
"""A folder is written in one transaction unless it has so many times as much as a batch."""

_TURN_S = 0.01
"""Between two transactions the file is free for others for at least so long."""

Advance = Callable[[int], None]
"""Called with the number of logs that are done."""


class IngestSummary(NamedTuple):
    """What an ingest came to.

    Attributes:
        logs: logs that were found.
        unchanged: those that the store held already, as this version makes them: hashed, and not read.
        read: those that were read.
        added: logs that the store did not hold before, each once.
        folders: result folders that were scored.
        complaints: one sentence for each log or source that could not be read.
    """

    logs: int = 0
    unchanged: int = 0
    read: int = 0
    added: int = 0
    folders: int = 0
    complaints: tuple[str, ...] = ()

    def plus(self, other: IngestSummary) -> IngestSummary:
        """Both together."""
        return IngestSummary(
            self.logs + other.logs,
            self.unchanged + other.unchanged,
            self.read + other.read,
            self.added + other.added,
            self.folders + other.folders,
            self.complaints + other.complaints,
        )


class IngestParameters(NamedTuple):
    """How logs are ingested.

    Attributes:
        selection: the rules to judge by; by default each log chooses.
        again: read what the store holds already, too.
        patience_s: seconds to wait while another process has the store.
    """

    selection: RuleSelection = AUTOMATIC
    again: bool = False
    patience_s: float = PATIENCE_S


def ingest_logs(
    names: Iterable[str],
    store: str,
    parameters: IngestParameters | None = None,
    *,
    engine: Engine | None = None,
    announce: Callable[[int], Advance] | None = None,
) -> IngestSummary:
    """Put logs into a store.

    Args:
        names: files, folders, patterns, archives, ``REPOSITORY@REVISION:PATH``, URLs.
        store: the store; it is made where there is none.
        parameters: how; by default each log chooses its rules.
        engine: what works on the logs; None for this process.
        announce: called with the number of logs of each source; what it gives is called as they are done.

    Raises:
        StoreError: the store cannot be made or written, or stays busy.
        UsageError: there is no such usage or ruleset, or DuckDB is not installed.
        RuleError: a rule file is wrong.
    """
    require_duckdb()
    refuse_folder(store)
    engine = engine or LocalEngine()
    ingest = _Ingest(store, parameters or IngestParameters(), engine)
    summary = IngestSummary()
    for name in names:
        with engine.kept_open(), opened_source(name) as source:
            summary = summary.plus(IngestSummary(complaints=tuple(source.complaints)))
            count = sum(len(group.logs) for group in source.groups)
            advance = announce(count) if announce is not None else lambda _: None
            for groups in _cut(source.groups):
                summary = summary.plus(ingest.take(groups, source, advance))
    return summary


def _cut(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """The groups in parts of about `LOGS_AT_ONCE` logs."""
    part: list[Group] = []
    count = 0
    for group in groups:
        if part and count + len(group.logs) > LOGS_AT_ONCE:
            yield part
            part, count = [], 0
        part.append(group)
        count += len(group.logs)
    if part:
        yield part


class _Ingest:
    """Puts groups of logs into one store."""

    def __init__(self, store: str, parameters: IngestParameters, engine: Engine) -> None:
        self._store = store
        self._engine = engine
        self._parameters = parameters
        self._made_by = describe_maker(parameters.selection.rules)
        self._asked = describe_options(parameters.selection)
        self._find_table = open_reference_points(parameters.selection.rules)
        self._written_at = 0.0

    def take(self, groups: Sequence[Group], source: FoundSource, advance: Advance) -> IngestSummary:
        """Read what is new or has changed in some groups, and write it."""
        parameters = self._parameters
        paths = [path for group in groups for path in group.logs]
        hashed = {each.path: each for each in self._engine.map_logs(hash_log, paths)}
        known = self._look_up(groups, source)
        changed = []
        for group in groups:
            inputs = None
            if group.folder is not None:
                inputs = sum_up_inputs(group.folder, [hashed[path] for path in group.logs])
            if parameters.again or not known.holds(group, hashed, inputs):
                changed.append((group, inputs))
            else:
                advance(len(group.logs))
        wanted = [path for group, _ in changed for path in group.logs]
        is_wanted = frozenset(wanted)
        unread = [
            source.name_places(hashed[path].complaint)
            for path in paths
            if path not in is_wanted and hashed[path].complaint
        ]
        read = partial(read_log_rows, selection=parameters.selection, made_by=self._made_by)
        rows = self._engine.map_logs(read, wanted) if wanted else iter(())
        summary = IngestSummary(len(paths), len(paths) - len(wanted), len(wanted), complaints=tuple(unread))
        batch = Batch(source, self._find_table, self._made_by, self._asked)
        for group, inputs in changed:
            for _ in group.logs:
                found = next(rows)
                batch.add_log(found, group.folder)
                if found.complaint:
                    summary = summary.plus(IngestSummary(complaints=(source.name_places(found.complaint),)))
                advance(1)
                if batch.is_full(most=_TORN):
                    summary = summary.plus(self._write(batch))
            if group.folder is not None and inputs is not None:
                batch.add_folder(group.folder, inputs, known.list_departed(group))
                summary = summary.plus(IngestSummary(folders=1))
            if batch.is_full():
                summary = summary.plus(self._write(batch))
        return summary.plus(self._write(batch))

    def _look_up(self, groups: Sequence[Group], source: FoundSource) -> _Known:
        """What the store holds of some groups."""
        known = _Known(source, self._made_by, self._asked)
        if not os.path.exists(self._store):
            return known
        places = [source.name_place(path) for group in groups for path in group.logs]
        folders = [source.name_place(group.folder.path) for group in groups if group.folder is not None]
        with opened_for_reading(self._store, self._parameters.patience_s) as connection:
            rows = connection.execute(
                "SELECT place, folder, log_id, made_by, asked FROM places "
                "WHERE place IN (SELECT unnest(?)) OR folder IN (SELECT unnest(?))",
                [places, folders],
            ).fetchall()
            known.places = {str(place): more for place, *more in rows}
            rows = connection.execute(
                "SELECT folder, inputs, made_by FROM scores WHERE folder IN (SELECT unnest(?))", [folders]
            ).fetchall()
            known.folders = {str(folder): more for folder, *more in rows}
        return known

    def _write(self, batch: Batch) -> IngestSummary:
        """Write a batch in one transaction; gives the number of logs that the store did not hold."""
        departed, rows = batch.departed, batch.take_rows()
        if not rows and not departed:
            return IngestSummary()
        time.sleep(max(0.0, self._written_at + _TURN_S - time.monotonic()))
        with opened_for_writing(self._store, self._parameters.patience_s) as connection:
            added = write_batch(connection, rows, departed)
        self._written_at = time.monotonic()
        return IngestSummary(added=added)


class _Known:
    """What a store holds of some places and folders.

    Attributes:
        places: place to its folder, its log, who made the rows, and what was asked.
        folders: folder to the checksum of what its score was computed from, and who made it.
    """

    def __init__(self, source: FoundSource, made_by: str, asked: str) -> None:
        self.places: dict[str, list[Any]] = {}
        self.folders: dict[str, list[Any]] = {}
        self._name_place = source.name_place
        self._made_by = made_by
        self._asked = asked

    def holds(self, group: Group, hashed: Mapping[str, HashedLog], inputs: str | None) -> bool:
        """Whether all logs of a group are in the store as they are now, and so is the score of its folder."""
        folder = None if group.folder is None else self._name_place(group.folder.path)
        if folder is not None and self.folders.get(folder) != [inputs, self._made_by]:
            return False
        for path in group.logs:
            log_id = hashed[path].log_id
            wanted = [folder, log_id, self._made_by, self._asked]
            if log_id and self.places.get(self._name_place(path)) != wanted:
                return False
        return not self.list_departed(group)

    def list_departed(self, group: Group) -> list[str]:
        """Places in a folder where there was a log and is none now."""
        if group.folder is None:
            return []
        folder, now = self._name_place(group.folder.path), {self._name_place(path) for path in group.logs}
        return [place for place, known in self.places.items() if known[0] == folder and place not in now]
