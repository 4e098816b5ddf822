"""Logs that are watched while their runs go on: what comes into them, whatever happens to the files."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.cli.tailing import Beginning, Pace, TailedFile, compare_beginnings
from mlperf_logging.compliance.judged_run import judge_runs
from mlperf_logging.compliance.messages import describe_problem
from mlperf_logging.compliance.several_runs import EACH, RunFinder
from mlperf_logging.errors import MLPerfLoggingError, UnreadableLogError
from mlperf_logging.events import Event, Problem, Severity
from mlperf_logging.parsing.dialects import load_dialects
from mlperf_logging.parsing.reader import read_batches
from mlperf_logging.parsing.records import RecordReader
from mlperf_logging.parsing.scanner import Scanner
from mlperf_logging.parsing.sources import BLOCK_BYTES, STANDARD_INPUT, is_compressed
from mlperf_logging.runs.kept_events import EventBudget
from mlperf_logging.runs.summary import RUN_STOP
from mlperf_logging.scoring.live_runs import FinishedRun, LiveRun, RunObserver
from mlperf_logging.scoring.runs import ScoredRun, score_run

if TYPE_CHECKING:
    from mlperf_logging.cli.judging import LogJudge
    from mlperf_logging.compliance.findings import Finding
    from mlperf_logging.reports import FileResult

MOST_BYTES_AT_ONCE = 8 << 20
"""So much of a file is read before the others have their turn."""

MOST_FINDINGS = 1_000
"""Findings of a run that are kept; those beyond are counted."""


MOST_ANNOUNCED = 10_000
"""Findings of a log that are announced."""


class EndedRun(NamedTuple):
    """A run that has ended, judged once more as a whole.

    Attributes:
        result: its verdict.
        scored: what scores need to know of it.
    """

    result: FileResult
    scored: ScoredRun


class WatchedRun:
    """One run of a watched log.

    Attributes:
        number: of the run in its file, from 1 on.
        observer: takes in its events.
        findings: those that count, as they came.
        error_count: errors among all of them.
        warning_count: warnings among all of them.
        outcome: once it has ended: what judging the whole log gives; None before that, or where the file cannot be read
            once more.
        is_judged: all that its end tells is among the findings.
        shown: what was last made of it; None where there is something new.
        shown_with: the finished runs that this took into account.
    """

    def __init__(self, number: int, observer: RunObserver, *, keeps_events: bool) -> None:
        self.number = number
        self.observer = observer
        self.findings: list[Finding] = []
        self.error_count = self.warning_count = 0
        self.outcome: EndedRun | None = None
        self.is_judged = False
        self.shown: LiveRun | None = None
        self.shown_with: tuple[FinishedRun, ...] = ()
        self.events: list[Event] = []
        self._budget = EventBudget() if keeps_events else None

    def keep(self, event: Event) -> None:
        """Keep an event if it may turn out to be another run's."""
        if self._budget is not None:
            self.events += self._budget.take([event])

    @property
    def has_stopped(self) -> bool:
        """Whether its end was logged."""
        return self.observer.has_stopped


class WatchedLog:
    """A log and the runs in it, as far as they were written.

    Attributes:
        path: the log as the user named it.
        runs: its runs, in the order of the file.
        trouble: what is wrong with the file at the moment, in a few words; empty if nothing is.
        has_ended: nothing more can come: it was a pipe, and its writer is gone.
        has_more: the last time not all was read that was there.
    """

    def __init__(
        self,
        path: str,
        judge: LogJudge,
        announce: Callable[[WatchedLog, Finding], None],
        pace: Pace | None = None,
    ) -> None:
        """Prepare; `poll` does the work."""
        self.path = path
        self.runs: list[WatchedRun] = []
        self.trouble = ""
        self.has_ended = self.has_more = False
        self._judge = judge
        self._announce = announce
        self._file = TailedFile(
            "/dev/stdin" if path == STANDARD_INPUT else path, RUN_STOP.encode(), pace or Pace()
        )
        self._scanner: Scanner | None = None
        self._first: Event | None = None
        self._begins = True
        self._is_continued = False
        self._announced: set[tuple[str, int | None, str]] = set()
        self._whole: os.stat_result | None = None
        self._start_over()

    @property
    def run(self) -> WatchedRun:
        """The run that is written now, or was last."""
        return self.runs[-1]

    def poll(self) -> bool:
        """Take in what came since the last time; returns whether something changed."""
        before = self.trouble, self.run.observer.event_count, self.run.outcome
        try:
            if self.has_ended:
                return False
            if self._whole is not None:
                self._look_at_whole()
            elif self._scanner is not None or self._open():
                self._read()
        except (OSError, UnreadableLogError) as error:
            self._file.close()
            self._scanner = None
            self.trouble = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        return before != (self.trouble, self.run.observer.event_count, self.run.outcome)

    def conclude(self, *, is_last: bool = False) -> bool:
        """Judge a run that has ended as a whole, once its file is silent; returns whether that was done.

        Args:
            is_last: it is not waited for silence, since nothing more is read.
        """
        if is_last and self._scanner is not None:
            # A record that is being written is no fault of the log.
            for item in self._scanner.finish():
                if isinstance(item, Event):
                    self._take(item)
            self._release()
        run = self.run
        is_whole = self._whole is not None or self.has_ended or self._file.is_over or is_last
        if run.is_judged or not run.has_stopped or not is_whole:
            return False
        run.is_judged = True
        if not self._can_be_read_again():
            self._note(run.observer.live.finish())
            return True
        try:
            judged = judge_runs(self.path, self._judge.selection._replace(run=EACH))
        except MLPerfLoggingError:
            return False
        if len(judged) != len(self.runs):
            judged = judged[-1:]
        for each, whole in zip(self.runs[-len(judged) :], judged, strict=True):
            each.outcome = EndedRun(self._judge.settle(whole.verdict), score_run(whole))
            each.is_judged, each.shown = True, None
            self._replace_findings(each)
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _start_over(self) -> None:
        """Forget all runs: the file holds others."""
        self.runs = [self._begin_run(1)]
        self._finder = RunFinder()
        self._held: list[Event] = []
        self._is_continued = False
        self._file.expect_more()

    def _begin_run(self, number: int) -> WatchedRun:
        keeps = number > 1 and not self.run.has_stopped
        return WatchedRun(number, RunObserver(self._judge.start(self.path)), keeps_events=keeps)

    def _open(self) -> bool:
        if not self._file.begin_again():
            self.trouble = "the file is gone" if self._first is not None else "waiting for the file"
            return False
        self.trouble = ""
        self._scanner = Scanner(RecordReader(load_dialects()))
        self._begins = True
        return True

    def _read(self) -> None:
        assert self._scanner is not None  # noqa: S101 - `poll` has opened the file
        size = 0
        self.has_more = False
        while not self.has_more:
            data = self._file.look(BLOCK_BYTES)
            if data is None:
                self._finish()
                return
            if not data:
                if self.run.has_stopped:  # it may be one of thousands
                    self._file.rest()
                break
            if not size and self._begins and is_compressed(data):
                self._look_at_whole()
                return
            size += len(data)
            self.has_more = size >= MOST_BYTES_AT_ONCE
            for item in self._scanner.feed(data):
                self._take(item)
        self.trouble = "the file is gone" if self._file.is_gone else ""

    def _finish(self) -> None:
        """Take the last line of a file that is at its end; another may come in its place."""
        assert self._scanner is not None  # noqa: S101 - as above
        for item in self._scanner.finish():
            self._take(item)
        self._scanner = None
        self._file.close()
        self.has_ended = self._file.has_ended
        if not self.has_ended:
            self._open()

    def _look_at_whole(self) -> None:
        """Read a compressed log, which grows at once if at all."""
        now = os.stat(self.path)
        former, self._whole = self._whole, now
        if former is not None and (former.st_mtime_ns, former.st_size) == (now.st_mtime_ns, now.st_size):
            return
        self._file.close()
        self._scanner, self.trouble = None, ""
        self._start_over()
        for batch in read_batches(self.path):
            for item in batch:
                self._take(item)
        self._release()

    def _take(self, item: Event | Problem) -> None:
        if not isinstance(item, Event):
            self._note([describe_problem(item)])
            return
        if self._begins:
            self._begin(item)
        finder, count = self._finder, len(self._finder.begins)
        finder.note(item)
        self._held.append(item)
        if len(finder.begins) > count:
            self.runs.append(self._begin_run(len(self.runs) + 1))
            self._file.expect_more()
        elif len(finder.begins) < count:  # it was a slow process of the job before
            self._held[:0] = self.runs.pop().events
        if finder.candidate is None or len(self._held) >= MOST_FINDINGS:
            self._release()

    def _release(self) -> None:
        """Give the run the events that were held back while they might have been another's."""
        held, self._held = self._held, []
        for event in held:
            self.run.keep(event)
            self.run.shown = self.run.outcome = None
            self.run.is_judged = False
            if event.key == RUN_STOP:
                self._file.end_soon()
            self._note(self.run.observer.feed(event))

    def _begin(self, event: Event) -> None:
        """Determine by a file's first event whether the log continues in it or was started over."""
        self._begins = False
        former, self._first = self._first, self._first or event
        if former is None:
            return
        beginning = compare_beginnings(former, event)
        if beginning is Beginning.CONTINUED:
            self._is_continued = True
            return
        if beginning is Beginning.ANOTHER:
            self._announced.clear()
        self._first = event
        self._start_over()

    def _note(self, findings: list[Finding]) -> None:
        for finding in findings:
            if self._judge.counts(self.path, finding):
                self._add(self.run, self._judge.grade(finding))

    def _add(self, run: WatchedRun, finding: Finding) -> None:
        """Count a finding, and announce it unless it was announced before."""
        run.shown = None
        is_error = finding.severity == Severity.ERROR
        run.error_count += is_error
        run.warning_count += not is_error
        if len(run.findings) < MOST_FINDINGS:
            run.findings.append(finding)
        mark = (finding.rule, finding.line, finding.message)
        if mark not in self._announced and len(self._announced) < MOST_ANNOUNCED:
            self._announced.add(mark)
            self._announce(self, finding)

    def _replace_findings(self, run: WatchedRun) -> None:
        """Put the findings on the whole run in the place of those that came while it went on."""
        assert run.outcome is not None  # noqa: S101 - who calls has set it
        run.findings, run.error_count, run.warning_count = [], 0, 0
        for finding in run.outcome.result.verdict.findings:
            self._add(run, finding)

    def _can_be_read_again(self) -> bool:
        return self._file.is_regular and self.path != STANDARD_INPUT and not self._is_continued
