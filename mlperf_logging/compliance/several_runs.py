"""Several runs in one file: where each begins, when a relaunched job has gone on writing to the same log.

Many processes of one job may log one life cycle each. They are told from several runs by their times: what belongs to
another run comes after everything that the run before it has logged, and a run stops no more often than it starts.
"""

from collections.abc import Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING

from mlperf_logging.compliance.held_log import HeldLog
from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.events import MS_PER_MINUTE, Event, Position, Problem
from mlperf_logging.parsing.sources import Source
from mlperf_logging.runs.evaluations import EVALUATION_KEYS
from mlperf_logging.runs.progress import to_float
from mlperf_logging.runs.summary import INIT_START, RUN_START, RUN_STOP

EACH, LAST = 0, -1
"""Numbers that stand for all runs of a log, each alone, and for the last one."""

MOST_JUDGED_RUNS = 100
"""Runs of one file that are judged alone, to say which are compliant."""

if TYPE_CHECKING:
    from mlperf_logging.runs.run import RunNotes

RELAUNCH_PAUSE_MS = 5 * MS_PER_MINUTE
"""A job that failed before it trained is told from a slow process of the same job by this pause; in the real logs of
one run, a process begins up to 105 seconds after all that the others have logged before."""

_PREPARING = frozenset({"cache_clear", "run_clear_caches", INIT_START, RUN_START})
_TRAINING = frozenset({"block_start", "epoch_start", "eval_start", "eval_stop", *EVALUATION_KEYS})
_IDENTITY = "submission_"


class RunFinder:
    """Takes in the events of a log, in their order, and notes where another run begins.

    Attributes:
        begins: where runs begin, the first excepted. The last one is taken back where it turns out to be a slow process
            of the job before.
        candidate: where another run may have begun, which what follows will tell; None where nothing suggests it.
    """

    def __init__(self) -> None:
        self.begins: list[Position] = []
        self.candidate: Position | None = None
        self._open: list[_OpenRun] = [_OpenRun()]
        self._seen_since: set[str] = set()

    def note(self, event: Event) -> None:
        """Take in one event."""
        key, time_ms, run = event.key, to_float(event.time_ms), self._open[-1]
        if key in _PREPARING or key.startswith(_IDENTITY):
            pause_ms = time_ms - run.latest_ms
            is_over = run.stops or run.trains or pause_ms >= RELAUNCH_PAUSE_MS
            if self.candidate is None and key in run.seen and pause_ms > 0 and is_over:
                self.candidate, self._seen_since = event.position, set()
            self._seen_since.add(key)
            if self.candidate is not None and key in (INIT_START, RUN_START):
                self.begins.append(self.candidate)
                self.candidate = None
                run = _OpenRun(self._seen_since)
                self._open.append(run)
            run.seen.add(key)
            run.starts += key == RUN_START
        elif (
            key == RUN_STOP or key in _TRAINING
        ):  # the run goes on: what looked like another's beginning was not
            self.candidate = None
            run.trains = run.trains or run.starts > 0
            run.stops += key == RUN_STOP
            while (
                len(self._open) > 1
                and self._open[-1].stops > self._open[-1].starts
                and not self._open[-2].stops
            ):
                # It stops more often than it starts: a slow process of the job that has begun before.
                self.begins.pop()
                run = self._open.pop()
                self._open[-1].stops += run.stops
                self._open[-1].starts += run.starts
        self._open[-1].latest_ms = max(self._open[-1].latest_ms, time_ms)


class _OpenRun:
    """What is known of a run: the keys that prepare it, its last time, and how often it was started and stopped."""

    def __init__(self, seen: Iterable[str] = ()) -> None:
        self.seen = set(seen)
        self.latest_ms = -inf
        self.trains = False
        self.starts = self.stops = 0


def find_runs(items: Iterable[Event | Problem], dialect: str | None) -> list[Position]:
    """Where the runs of a log begin; empty where it holds one run only.

    A run begins with the identity, cache or life-cycle event that is logged again after the run before it has stopped
    or trained (or after a long pause), if ``init_start`` or ``run_start`` follows.

    Args:
        items: of the log, in file order.
        dialect: the dialect whose events count.
    """
    finder = RunFinder()
    first: Position | None = None
    for item in items:
        if type(item) is Event and item.dialect == dialect:
            first = first or item.position
            finder.note(item)
    return [first, *finder.begins] if first is not None and finder.begins else []


def open_runs(source: Source, run: int, notes: "RunNotes | None" = None) -> Iterator[HeldLog]:
    """Read a log as the runs that are asked for.

    Args:
        source: path, ``"-"`` for standard input, the log's bytes, or a binary file.
        run: the number of one of its runs from 1 on, `LAST`, or `EACH`.
        notes: for the typed view of the run; each run of several gets its own.

    Raises:
        UnreadableLogError: the log cannot be opened, its compression is broken, or there is no run of the number.
    """
    log = HeldLog(source, notes)
    begins = find_runs(log.items(), log.identity.find_newest_dialect())
    if not begins and run in (EACH, LAST, 1):
        yield log
        return
    count = max(len(begins), 1)
    wanted = count if run == LAST else run
    if wanted > count:
        held = f"{count} runs" if begins else "one run"
        raise UnreadableLogError(log.path, f"{log.path}: holds {held}, so there is no run {run}")
    for number, each in enumerate(log.split(begins), 1):
        if wanted in (number, EACH):
            yield each
