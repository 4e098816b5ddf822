"""A typed view of one run: what scores, reference convergence points and analyses read from a log.

A log is looked at once. Identical records (several writers print every one) count once; nothing is
judged here, and what is not logged is None or empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, islice
from math import isnan
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import Log, rank_dialect, read_log
from mlperf_logging.parsing.sources import Source
from mlperf_logging.parsing.untimed import read_untimed
from mlperf_logging.runs.evaluations import (
    EVALUATION_KEYS,
    Evaluation,
    read_evaluations,
    read_number,
    read_text,
)
from mlperf_logging.runs.intervals import INTERVALS, Interval, Progress, pair_intervals, read_progress
from mlperf_logging.runs.kept_events import KEPT_EVENTS, EventBudget, EventByKey
from mlperf_logging.runs.series import NUMBERS, SeriesPoint, find_repeated, read_series
from mlperf_logging.runs.summary import RUN_START, RUN_STOP, RunSummary, make_summary

SEED_KEYS = ("seed", "run_set_random_seed")
STATS_KEY = "tracked_stats"
_IDENTITY = "submission_"

_EVALUATION_KEYS, _SEED_KEYS = frozenset(EVALUATION_KEYS), frozenset(SEED_KEYS)
_INTERVAL_KEYS = {f"{name}_{end}": name for name in INTERVALS for end in ("start", "stop")}
_NOTED_KEYS = frozenset({*EVALUATION_KEYS, *SEED_KEYS, STATS_KEY, *_INTERVAL_KEYS})
_MARKS = _NOTED_KEYS | {RUN_START, RUN_STOP}
_TRAINED_KEY = "train_samples"
NO_SERIES_KEYS = _MARKS | {_TRAINED_KEY}
_INIT = "init"
_KEY, _VALUE, _TIME = (itemgetter(Event._fields.index(name)) for name in ("key", "value", "time_ms"))


class Seed(NamedTuple):
    """A seed as logged, the source file and its line that logged it, where known, and the event."""

    value: Any
    file: str | None
    line: int | None
    event: Event


class TrackedStats(NamedTuple):
    """Statistics as logged in the course of the run, by name; how far training had come; and when, since the epoch."""

    stats: Mapping[str, Any]
    progress: Progress
    time_ms: float


class Run(NamedTuple):
    """One run, as its log shows it.

    Attributes:
        path: the log as the caller named it.
        dialect: the log's dialect; None where it contains no event.
        benchmark: as logged first, or None.
        division: "closed" or "open" as logged first, or None.
        org: organization that submits, as logged first, or None.
        platform: name of the system, as logged first, or None.
        availability: the ``submission_status`` ("onprem", "cloud", …) as logged first, or None.
        summary: run_start to run_stop, status and minutes.
        init: from ``init_start`` to ``init_stop``; None where it was not logged.
        evaluation_events: events that log what evaluations gave; see `evaluations`.
        hyperparameters: last logged value of every key other than run and interval marks, evaluations and identity.
        seeds: in the order of the log.
        interval_events: name of each kind of intervals to the events that start and stop them; see `intervals`.
        stats_events: events that log statistics in the course of the run; see `tracked_stats`.
        event_count: events of the log.
        stop_line: line of the last ``run_stop``, or None.
        trained_samples: samples that the run trained on in all: ``train_samples`` logged after ``run_start`` (before
            it, the key means the size of the training set); None where that was not logged.
        unkept_count: events of the log that were too many, or too long, to be kept; see `kept_events`.
        number_events: events that log a number, other than evaluations, seeds and marks, as many as are kept; see `series`.
        unkept_number_count: those that were not.
    """

    path: str
    dialect: str | None
    benchmark: str | None
    division: str | None
    org: str | None
    platform: str | None
    availability: str | None
    summary: RunSummary
    init: Interval | None
    evaluation_events: tuple[Event, ...]
    hyperparameters: Mapping[str, Any]
    seeds: tuple[Seed, ...]
    interval_events: Mapping[str, tuple[Event, ...]]
    stats_events: tuple[Event, ...]
    event_count: int
    stop_line: int | None
    trained_samples: float | None
    unkept_count: int = 0
    number_events: tuple[Event, ...] = ()
    unkept_number_count: int = 0

    def without_figures(self) -> Run:
        """What the log says of who ran what, without times, evaluations and seeds."""
        return self._replace(
            summary=RunSummary(),
            init=None,
            evaluation_events=(),
            seeds=(),
            interval_events=dict.fromkeys(self.interval_events, ()),
            stats_events=(),
            number_events=(),
            stop_line=None,
            trained_samples=None,
        )

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """What evaluations gave, one for each metric, in the order of the log."""
        return tuple(islice(read_evaluations(self.evaluation_events), KEPT_EVENTS))

    @property
    def tracked_stats(self) -> tuple[TrackedStats, ...]:
        """Statistics that were logged in the course of the run, in the order of the log."""
        events = [
            each for each in _once(self.stats_events, frozenset({STATS_KEY})) if isinstance(each.value, dict)
        ]
        return tuple([TrackedStats(each.value, read_progress(each), each.time_ms) for each in events])

    @property
    def series(self) -> tuple[SeriesPoint, ...]:
        """Numbers that were logged again and again in the course of the run, in the order of the log."""
        events = [*self.stats_events, *find_repeated(self.number_events)]
        return tuple(read_series(sorted(events, key=attrgetter("line"))))

    @property
    def is_timed(self) -> bool:
        """Whether all evaluations have a time; those of records that lack one have NaN."""
        return not any(isnan(event.time_ms) for event in self.evaluation_events)

    @property
    def start_ms(self) -> float | None:
        """Time of the first ``run_start`` in milliseconds since the epoch."""
        return self.summary.start_ms

    @property
    def stop_ms(self) -> float | None:
        """Time of the last ``run_stop`` in milliseconds since the epoch."""
        return self.summary.stop_ms

    @property
    def status(self) -> str | None:
        """The status that ``run_stop`` gives."""
        return self.summary.status

    @property
    def minutes(self) -> float | None:
        """From ``run_start`` to ``run_stop``, in minutes."""
        return self.summary.minutes

    @property
    def global_batch_size(self) -> float | None:
        """Samples in one step over all accelerators, as logged last."""
        return read_number(self.hyperparameters.get("global_batch_size"))

    @property
    def node_count(self) -> float | None:
        """``number_of_nodes``, as logged last."""
        return read_number(self.hyperparameters.get("number_of_nodes"))

    @property
    def accelerator_count(self) -> float | None:
        """Nodes × accelerators a node (at least 1 each), as far as the log says so itself."""
        nodes = self.node_count
        each = read_number(self.hyperparameters.get("accelerators_per_node"))
        return None if nodes is None or each is None else nodes * max(each, 1)

    @property
    def intervals(self) -> dict[str, tuple[Interval, ...]]:
        """Name ("epoch", "block", "eval", "staging") to its intervals, in the order of their starts."""
        return {name: pair_intervals(name, events) for name, events in self.interval_events.items()}

    @property
    def epochs(self) -> tuple[Interval, ...]:
        """Epochs, in the order of their starts."""
        return self.intervals["epoch"]

    @property
    def blocks(self) -> tuple[Interval, ...]:
        """Blocks of training between evaluations, in the order of their starts."""
        return self.intervals["block"]

    @property
    def evals(self) -> tuple[Interval, ...]:
        """The time that evaluations took, in the order of their starts."""
        return self.intervals["eval"]


class RunNotes:
    """Takes in a log's items as they are read and makes the run of them.

    Memory is bounded by what a run shows, not by the length of its log.
    """

    def __init__(self) -> None:
        self._noted: dict[str, list[Event]] = {}
        self._budget = EventBudget()
        self._numbers: dict[str, list[Event]] = {}
        self._number_budget = EventBudget()
        self._last: dict[str, EventByKey] = {}
        self._counts: dict[str, int] = {}

    def note(self, items: Iterable[Event | Problem], most_bytes: int | None = None) -> None:
        """Take in items of the log, in their order; see `EventBudget.take` for what their records have at most."""
        by_dialect: dict[str, list[Event]] = {}
        for item in items:
            if type(item) is Event:
                by_dialect.setdefault(item.dialect, []).append(item)
        for dialect, events in by_dialect.items():
            self._counts[dialect] = self._counts.get(dialect, 0) + len(events)
            wanted = list(compress(events, map(_NOTED_KEYS.__contains__, map(_KEY, events))))
            self._noted.setdefault(dialect, []).extend(self._budget.take(wanted, most_bytes))
            numeric = compress(events, map(NUMBERS.__contains__, map(type, map(_VALUE, events))))
            numbers = [each for each in numeric if each[0] not in NO_SERIES_KEYS]
            self._numbers.setdefault(dialect, []).extend(self._number_budget.take(numbers, most_bytes))
            last = self._last.setdefault(dialect, EventByKey())
            last.keep(dict(zip(map(_KEY, events), events, strict=True)))

    @property
    def unkept_count(self) -> int:
        """Events that were too many, or too long, to be kept."""
        return self._budget.refused + sum([each.refused for each in self._last.values()])

    def last_events(self, dialect: str) -> Mapping[str, Event]:
        """The last event of each key in one dialect."""
        return self._last.get(dialect, {})

    def make_run(self, path: str, dialect: str | None, first: Mapping[str, Event]) -> Run:
        """The run noted in a dialect (None: the newest that has events); `first` maps each key to its first event."""
        if dialect is None:
            dialect = max(self._counts, key=rank_dialect, default="")
        events, last = self._noted.get(dialect, []), self.last_events(dialect)
        by_name: dict[str, list[Event]] = {}
        timed = events  # intervals and statistics are nothing without a time
        if any(map(isnan, map(_TIME, events))):
            timed = [each for each in events if not isnan(each.time_ms)]
        for event in timed:
            by_name.setdefault(_INTERVAL_KEYS.get(event[0], event[0]), []).append(event)
        start, last_start, stop = first.get(RUN_START), last.get(RUN_START), last.get(RUN_STOP)
        identity = {key: read_text(event.value) for key, event in first.items() if key.startswith(_IDENTITY)}
        named = next((event.benchmark for event in last.values() if event.benchmark), None)
        return Run(
            path=path,
            dialect=dialect if dialect in self._counts else None,
            benchmark=identity.get("submission_benchmark") or named,
            division=identity.get("submission_division"),
            org=identity.get("submission_org"),
            platform=identity.get("submission_platform"),
            availability=identity.get("submission_status"),
            summary=make_summary(start.time_ms if start else None, stop),
            init=_join_init(by_name.get(_INIT, ())),
            evaluation_events=tuple(_once(events, _EVALUATION_KEYS)),
            hyperparameters={
                key: event.value
                for key, event in last.items()
                if key not in _MARKS and not key.startswith(_IDENTITY) and event.value is not None
            },
            seeds=tuple([_read_seed(event) for event in _once(events, _SEED_KEYS)]),
            interval_events={name: tuple(by_name.get(name, ())) for name in INTERVALS if name != _INIT},
            stats_events=tuple(by_name.get(STATS_KEY, ())),
            event_count=self._counts.get(dialect, 0),
            stop_line=stop.line if stop else None,
            trained_samples=_read_trained(last.get(_TRAINED_KEY), last_start),
            unkept_count=self.unkept_count,
            number_events=tuple(self._numbers.get(dialect, ())),
            unkept_number_count=self._number_budget.refused,
        )


def make_run(log: Log) -> Run:
    """The typed view of a log, as `read_log` gives it."""
    events = log.events
    untimed = [each for each in read_untimed(log.problems) if isinstance(each, Event)]
    if untimed:
        events = sorted([*events, *untimed], key=lambda event: event.position)
    notes = RunNotes()
    notes.note(events)
    return notes.make_run(log.path, log.dialect, {event.key: event for event in reversed(events)})


def read_run(source: Source) -> Run:
    """Read a log and give its typed view.

    Args:
        source: path, "-" for standard input, bytes, or a file object opened for reading bytes.

    Raises:
        UnreadableLogError: the file cannot be opened or its compression is broken.
    """
    return make_run(read_log(source))


def _read_trained(event: Event | None, start: Event | None) -> float | None:
    return read_number(event.value) if event and start and event.line > start.line else None


def _once(events: Iterable[Event], keys: frozenset[str]) -> list[Event]:
    """Those events of some keys, identical records once."""
    once: dict[bytes, Event] = {}
    for event in [each for each in events if each[0] in keys]:
        once.setdefault(event[6].rstrip(), event)
    return list(once.values())


def _join_init(events: Sequence[Event]) -> Interval | None:
    """From the first ``init_start`` to the last ``init_stop``: each of many processes may log its own."""
    starts = [event for event in events if event[0] == f"{_INIT}_start"]
    if not starts:
        return None
    start = read_progress(starts[0])
    stops = [event for event in events if event[0] == f"{_INIT}_stop" and event.line > starts[0].line]
    if not stops:
        return Interval(_INIT, starts[0].time_ms, None, start, Progress())
    last = max(stops, key=lambda event: event.time_ms)
    return Interval(_INIT, starts[0].time_ms, last.time_ms, start, read_progress(last))


def _read_seed(event: Event) -> Seed:
    file, line = read_text(event.metadata.get("file")), event.metadata.get("lineno")
    return Seed(event.value, file, line if isinstance(line, int) else None, event)
