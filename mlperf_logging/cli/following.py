"""Judging a log while its run writes it: each finding once, as soon as it is certain."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlperf_logging.cli.tailing import Beginning, Pace, TailedFile, compare_beginnings
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.messages import describe_problem
from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.events import Event, Outcome, Problem
from mlperf_logging.parsing.sources import STANDARD_INPUT, open_standard_input
from mlperf_logging.reports import FileResult
from mlperf_logging.runs.summary import RUN_STOP

if TYPE_CHECKING:
    from mlperf_logging.cli.judging import LogJudge


class Follower:
    """Follows one log, `path` as the user named it, to the end of its run."""

    def __init__(
        self,
        path: str,
        judge: LogJudge,
        announce: Callable[[Finding], None],
        note: Callable[[str], None],
        pace: Pace | None = None,
    ) -> None:
        """Prepare; `follow` does the work."""
        self.path = path
        self._judge = judge
        self._announce = announce
        self._note = note
        self._pace = pace or Pace()
        self._file = TailedFile(
            "/dev/stdin" if path == STANDARD_INPUT else path, RUN_STOP.encode(), self._pace
        )
        self._live = judge.start(path)
        self._found: list[Finding] = []
        self._announced: set[tuple[str, int | None, str]] = set()
        self._event_count = 0
        self._dialect: str | None = None
        self._first: Event | None = None
        self._begins = True
        self._is_continued = False

    def follow(self) -> FileResult:
        """Read to the end of the run.

        Returns:
            The verdict; of a complete file, the one that judging it again gives.

        Raises:
            UnreadableLogError: the log cannot be read.
        """
        from mlperf_logging.parsing import read_batches

        try:
            self._wait()
            while True:
                for batch in read_batches(self._file):  # type: ignore[arg-type] # all it does is read
                    for item in batch:
                        self._take(item)
                if self._file.has_ended:
                    break
                self._note(f"{self.path} was truncated or replaced; reading it from its beginning")
                self._begins = True
                self._wait()
        finally:
            self._file.close()
        return self._conclude(self._live.finish())

    def _wait(self) -> None:
        if self.path == STANDARD_INPUT:
            open_standard_input()  # a closed one would be waited for without end
        waited = False
        while not self._file.begin_again():
            if not waited:
                self._note(f"waiting for {self.path}")
                waited = True
            time.sleep(self._pace.look_every_s)

    def _take(self, item: Event | Problem) -> None:
        if not isinstance(item, Event):
            self._add([describe_problem(item)])
            return
        if self._begins:
            self._begin(item)
        self._event_count += 1
        self._dialect = item.dialect
        self._add(self._live.feed(item))
        if item.key == RUN_STOP:
            self._file.end_soon()

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
            self._note(f"{self.path} holds another run now; the previous one is discarded")
            self._announced.clear()
        self._first = event
        self._file.expect_more()
        self._live, self._found, self._event_count = self._judge.start(self.path), [], 0
        self._is_continued = False

    def _add(self, findings: list[Finding]) -> None:
        self._found += findings
        for finding in findings:
            if self._judge.counts(self.path, finding):
                self._tell(finding)

    def _tell(self, finding: Finding) -> None:
        mark = (finding.rule, finding.line, finding.message)
        if mark not in self._announced:
            self._announced.add(mark)
            self._announce(self._judge.grade(finding))

    def _conclude(self, last: list[Finding]) -> FileResult:
        if self._file.is_regular and self.path != STANDARD_INPUT and not self._is_continued:
            (whole,) = self._judge.judge(self.path)
            if whole.verdict.verdict != Outcome.UNJUDGED:
                for finding in whole.verdict.findings:
                    self._tell(finding)
                return whole
        self._add(
            last
        )  # a whole file's verdict knows better, as it leaves out what follows from damaged records
        choice = self._live.choice
        if choice is None:
            raise UnreadableLogError(self.path, f"{self.path}: nothing could be judged")
        return self._judge.settle(
            choice.make_verdict(self.path, self._dialect, self._found, self._live.run, self._event_count)
        )
