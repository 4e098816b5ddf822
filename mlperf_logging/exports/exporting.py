"""Exporting runs: each once, however often it is asked for."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from mlperf_logging.exports.run_export import RunExport, Stamp
from mlperf_logging.exports.writers import BaseWriter, Kept

NEW, UPDATED, UNCHANGED, EMPTY, FAILED = "new", "updated", "unchanged", "empty", "failed"
"""What became of a run: it was written; written again, because its log or its verdict is another than before; it is
there already; there is nothing to export; it could not be read or written."""


class Exported(NamedTuple):
    """What became of one run.

    Attributes:
        path: the log as named, with the number of the run where it holds several.
        outcome: one of the outcomes above.
        name: name of the run in the tool; None where it is not there.
        metrics: number of its metrics.
        values: number of its values.
        note: what is to be said about it, or None.
    """

    path: str
    outcome: str
    name: str | None = None
    metrics: int = 0
    values: int = 0
    note: str | None = None


class Exporter:
    """Puts runs into a place and knows which are there.

    A run is there already if the same log was exported with the same verdict, from wherever. An export of the same log
    with another verdict, of another content of the same file, and one that was not completed are replaced; nothing else
    is ever removed.
    """

    def __init__(self, writer: BaseWriter) -> None:
        self._writer = writer
        self._kept: dict[str, Kept] = dict(writer.list_kept())
        self._by_log: dict[str, list[str]] = {}
        self._by_source: dict[str, list[str]] = {}
        for handle, (_, stamp) in self._kept.items():
            self._by_log.setdefault(stamp.log, []).append(handle)
            self._by_source.setdefault(stamp.source, []).append(handle)
        self._written: dict[str, str] = {}

    def export(self, run: RunExport) -> Exported:
        """Export one run; what goes wrong raises the tool's own errors."""
        if not run.points and not run.head.params:
            return Exported(run.path, EMPTY, note=run.note)
        metrics = len({point.name for point in run.points})
        done = Exported(run.path, UNCHANGED, self._find_name(run.stamp), metrics, len(run.points), run.note)
        if done.name is not None:
            return done
        stale = self._find_stale(run.stamp)
        for handle in stale:
            self._writer.remove(handle)
            del self._kept[handle]
        session = self._writer.open(run.head, run.stamp)
        try:
            session.log(run.points)
            session.finish(run.end)
        except BaseException:
            with suppress(Exception):  # what went wrong before is what the user is to know
                session.abandon()
            raise
        self._written[run.stamp.log] = session.name
        return done._replace(outcome=UPDATED if stale else NEW, name=session.name)

    def _find_name(self, stamp: Stamp) -> str | None:
        """The name of a run that is there already, or None; what this exporter has written is not written again."""
        handles = [each for each in self._by_log.get(stamp.log, ()) if each in self._kept]
        same = [each for each in handles if self._kept[each].stamp.content == stamp.content]
        return self._kept[same[0]].name if same else self._written.get(stamp.log)

    def _find_stale(self, stamp: Stamp) -> list[str]:
        handles = dict.fromkeys([*self._by_log.get(stamp.log, ()), *self._by_source.get(stamp.source, ())])
        return [each for each in handles if each in self._kept]
