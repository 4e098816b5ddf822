"""All watched logs together: which there are, what each run shows, and the chances of their submissions."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.cli.tailing import Pace
from mlperf_logging.cli.watching import WatchedLog, WatchedRun
from mlperf_logging.events import minutes_between
from mlperf_logging.parsing.sources import STANDARD_INPUT
from mlperf_logging.runs.folders import sort_key
from mlperf_logging.runs.paths import find_logs, is_pattern
from mlperf_logging.scoring.live_runs import STOPPED, FinishedRun, LiveRun
from mlperf_logging.scoring.live_submissions import LiveSubmission, judge_live_submission
from mlperf_logging.scoring.rcp.submissions import FindTable
from mlperf_logging.scoring.rcp.test import read_converged

if TYPE_CHECKING:
    from mlperf_logging.cli.judging import LogJudge
    from mlperf_logging.compliance.findings import Finding

SEARCH_EVERY_S = 2.0
"""Pause between looks for new logs in folders."""

Key = tuple[str, str, str, float, str | None]
"""What runs of one submission share: folder, ruleset, benchmark, batch size, division."""


class WatchedView(NamedTuple):
    """A run and what it shows.

    Attributes:
        log: the log that it is in.
        run: the run.
        live: what it shows.
        submission: the runs of its folder; None for one that another run of its file has replaced, and where nothing is
            known of it.
    """

    log: WatchedLog
    run: WatchedRun
    live: LiveRun
    submission: LiveSubmission | None

    @property
    def is_last(self) -> bool:
        """Whether no other run came after it in its file."""
        return self.run is self.log.run


class Overview:
    """The watched logs.

    Attributes:
        logs: by name, numbers in the order of their value.
    """

    def __init__(
        self,
        names: Sequence[str],
        judge: LogJudge,
        find_table: FindTable,
        announce: Callable[[WatchedLog, Finding], None],
        pace: Pace | None = None,
    ) -> None:
        """Prepare; `poll` does the work."""
        self.logs: list[WatchedLog] = []
        self._names = names
        self._judge = judge
        self._find_table = find_table
        self._announce = announce
        self._pace = pace
        self._known: set[str] = set()
        self._searched_at = -math.inf
        self._submissions: dict[Key, tuple[object, LiveSubmission]] = {}

    def poll(self) -> bool:
        """Take in what came since the last time, new logs too; returns whether something changed."""
        is_new = self._search()
        changed = [log.poll() for log in self.logs]
        concluded = [log.conclude() for log in self.logs]
        return is_new or any(changed) or any(concluded)

    def finish(self) -> None:
        """Take in all that is there and judge the runs that have ended; nothing more is read after that."""
        self._search()
        for log in self.logs:
            log.poll()
            while log.has_more:
                log.poll()
            log.conclude(is_last=True)
            log.close()

    @property
    def is_over(self) -> bool:
        """Whether every log's run has ended and was judged."""
        return bool(self.logs) and all(log.run.is_judged or log.has_ended for log in self.logs)

    def close(self) -> None:
        """Close all files."""
        for log in self.logs:
            log.close()

    def list_views(self) -> list[WatchedView]:
        """What the runs show, those of one file one after another."""
        lives = {run: self._observe(log, run, ()) for log in self.logs for run in log.runs}
        by_submission: dict[Key, list[WatchedLog]] = {}
        for log in self.logs:
            key = _find_key(log, lives[log.run])
            if key is not None:
                by_submission.setdefault(key, []).append(log)
        submissions: dict[WatchedLog, LiveSubmission] = {}
        for key, logs in by_submission.items():
            finished = tuple(_list_finished(lives[log.run] for log in logs))
            for log in logs:
                if lives[log.run].phase != STOPPED:
                    lives[log.run] = self._observe(log, log.run, finished)
            submission = self._judge_submission(key, [(log.run, lives[log.run]) for log in logs])
            submissions |= dict.fromkeys(logs, submission)
        return [
            WatchedView(log, run, lives[run], submissions.get(log) if run is log.run else None)
            for log in self.logs
            for run in log.runs
        ]

    def _observe(self, log: WatchedLog, run: WatchedRun, finished: tuple[FinishedRun, ...]) -> LiveRun:
        """What a run shows; with no finished ones, those that were known last count."""
        finished = finished or run.shown_with
        if run.shown is None or run.shown_with != finished:
            run.shown = run.observer.observe(log.path, self._find_table, finished)
            run.shown_with = finished
        return run.shown

    def _search(self) -> bool:
        """Look for new logs, from time to time."""
        if time.monotonic() - self._searched_at < SEARCH_EVERY_S:
            return False
        self._searched_at = time.monotonic()
        coming = [name for name in self._names if name != STANDARD_INPUT and not is_pattern(name)]
        waited = [name for name in coming if not os.path.isdir(name)]
        found = find_logs([name for name in self._names if name not in waited]).paths
        new = [path for path in dict.fromkeys([*waited, *found]) if os.path.normpath(path) not in self._known]
        self._known |= set(map(os.path.normpath, new))
        self.logs += [WatchedLog(path, self._judge, self._announce, self._pace) for path in new]
        self.logs.sort(key=lambda log: sort_key(log.path))
        return bool(new)

    def _judge_submission(self, key: Key, runs: list[tuple[WatchedRun, LiveRun]]) -> LiveSubmission:
        folder, ruleset, benchmark, batch_size, _ = key
        converged = [_read_converged(run, live) for run, live in runs if live.phase == STOPPED]
        forecasts = [live.forecast for _, live in runs if live.forecast is not None]
        known, submission = self._submissions.get(key, (None, None))
        if submission is None or known != (converged, forecasts):
            submission = judge_live_submission(
                folder, benchmark, ruleset, batch_size, runs[0][1].expectation, converged, forecasts
            )
            self._submissions[key] = (converged, forecasts), submission
        return submission


def _find_key(log: WatchedLog, live: LiveRun) -> Key | None:
    choice, batch_size = live.choice, live.run.global_batch_size
    if choice is None or choice.benchmark is None or not batch_size:
        return None
    return os.path.dirname(log.path), choice.ruleset.name, choice.benchmark, batch_size, choice.division


def _list_finished(lives: Iterator[LiveRun]) -> Iterator[FinishedRun]:
    """What finished runs that reached their target tell the others."""
    for live in lives:
        amount = live.reached or live.amount
        if live.phase == STOPPED and live.run.summary.succeeded and amount:
            start, stop = live.run.start_ms, live.run.stop_ms
            minutes = minutes_between(start, stop) if start is not None and stop is not None else 0.0
            yield FinishedRun(amount, amount / minutes if minutes > 0 else None)


def _read_converged(run: WatchedRun, live: LiveRun) -> float:
    """Where a run that has ended converged, as the test of convergence counts it; infinite where it did not."""
    table = live.expectation.table
    if not live.run.summary.succeeded:
        return math.inf
    if run.outcome is None or table is None:
        return live.reached or live.amount or math.inf
    scored = run.outcome.scored
    return read_converged(scored.converged_at, table.unit, scored.batch_size or 0.0, scored.trained_samples)
