"""Checking a log: choose the ruleset, tell what kind of run it is, judge every event, give the verdict."""

import gc
from collections.abc import Iterator, Sequence
from operator import itemgetter
from os import PathLike, fspath, stat
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from mlperf_logging.compliance.findings import Finding, Verdict
from mlperf_logging.compliance.judge import Judge
from mlperf_logging.compliance.ruleset_selection import Choice, choose_ruleset
from mlperf_logging.events import Event, Outcome, Problem, Severity
from mlperf_logging.parsing import read_batches
from mlperf_logging.parsing.sources import name_of
from mlperf_logging.rules.closures import TROUBLES, Memory
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rulesets import Ruleset
from mlperf_logging.runs.summary import RUN_START, RUN_STOP, RunSummary, make_summary

if TYPE_CHECKING:
    from mlperf_logging.runs.run import Run, RunNotes

Source = str | PathLike[str] | bytes | IO[bytes]

HELD_EVENTS = 50_000
"""Events that are held in memory; a longer log is read twice, first for its identity, then to be judged."""

_KEY = itemgetter(Event._fields.index("key"))
_DIALECT = itemgetter(Event._fields.index("dialect"))

KEPT_KEYS = 10_000
"""Different keys of a log that are remembered; real logs hold some hundred."""

BENCHMARK, DIVISION = "submission_benchmark", "submission_division"


def is_uniform(items: Sequence[Event | Problem]) -> bool:
    """Whether the items are events, and all of one dialect."""
    return set(map(type, items)) == {Event} and len(set(map(_DIALECT, items))) == 1


class Identity(NamedTuple):
    """What kind of run a log is of, as far as it says so itself.

    Attributes:
        dialects: first line at which records of each dialect stand.
        first: for each dialect, the first event of each key.
    """

    dialects: dict[str, int]
    first: dict[str, dict[str, Event]]

    def note(self, items: Sequence[Event | Problem]) -> None:
        """Take in items of the log, in their order."""
        dialects, first = self.dialects, self.first
        if is_uniform(items):  # nearly always; then a few calls do for all
            known = first.setdefault(items[0].dialect, {})
            dialects.setdefault(items[0].dialect, items[0].line)
            if len(known) < KEPT_KEYS:
                firsts = dict(zip(map(_KEY, reversed(items)), reversed(items), strict=True))
                first[items[0].dialect] = {**firsts, **known}
            return
        for item in items:
            dialect = item.dialect
            if dialect not in dialects and dialect:
                dialects[dialect] = item.line
                first[dialect] = {}
            if type(item) is Event:
                known = first[dialect]
                if item[0] not in known and len(known) < KEPT_KEYS:
                    known[item[0]] = item

    def events(self, dialect: str) -> dict[str, Event]:
        """The first event of each key in one dialect."""
        return self.first.get(dialect, {})

    def value(self, dialect: str, key: str) -> Any:
        """The first logged value of a key in one dialect, or None."""
        event = self.events(dialect).get(key)
        return event.value if event is not None else None

    def benchmark(self, dialect: str) -> str | None:
        """The benchmark that the log names: as a key's value, or in each record."""
        value = self.value(dialect, BENCHMARK)
        if isinstance(value, str):
            return value
        named = next((event.benchmark for event in self.events(dialect).values() if event.benchmark), None)
        return named or (None if value is None else str(value))


def check_log(
    source: Source,
    *,
    usage: str | None = None,
    ruleset: str = "auto",
    division: str | None = None,
    benchmark: str | None = None,
    strict: bool = False,
    level: int | None = None,
    rules: str | PathLike[str] | None = None,
) -> Verdict:
    """Judge one log.

    Args:
        source: path, ``"-"`` for standard input, the log's bytes, or a binary file.
        usage: ``"training"``, ``"hpc"`` …; None lets the log choose where the ruleset is ``"auto"``.
        ruleset: a round's numbers, or ``"auto"``: the newest round that knows the log's dialect and
            benchmark.
        division: judge by this division instead of the one that the log names.
        benchmark: judge as this benchmark instead of the one that the log names.
        strict: also apply what the written rules say and no public check tests.
        level: in rounds that grade, the highest level to apply; None for all.
        rules: folder of other rule files; None means those that ship with the package.

    Returns:
        The verdict with all findings, ordered by line; findings about what is missing come last.

    Raises:
        UnreadableLogError: the log cannot be opened or its compression is broken.
        UsageError: there is no such usage, ruleset, division or benchmark.
        RuleError: a rule file is wrong.
    """
    asked = _Asked(usage, ruleset, division, benchmark, strict, level, rules)
    with _no_collecting():
        verdict, _, _ = _judge_log(_HeldLog(source), asked)
    return verdict


class CheckedRun(NamedTuple):
    """A run's verdict and what its log shows, both from one reading of the log.

    Attributes:
        verdict: the judgement of the log.
        run: the typed view of the log.
        reached: the event that met the quality target first, or None; a joined one where metrics are joined.
        join: how the benchmark's events are joined (see `joining`), or None.
        required: what the rules ask of how often a benchmark is run; None where the benchmark is not known.
    """

    verdict: Verdict
    run: "Run"
    reached: Event | None
    join: dict[str, str] | None
    required: dict[str, Any] | None


def check_run(
    source: Source,
    *,
    usage: str | None = None,
    ruleset: str = "auto",
    division: str | None = None,
    benchmark: str | None = None,
    strict: bool = False,
    level: int | None = None,
    rules: str | PathLike[str] | None = None,
) -> CheckedRun:
    """Judge one log and give the typed view of its run, from one reading. The arguments are `check_log`'s.

    Raises:
        UnreadableLogError: the log cannot be opened or its compression is broken.
        UsageError: there is no such usage, ruleset, division or benchmark.
        RuleError: a rule file is wrong.
    """
    from mlperf_logging.runs.run import RunNotes

    notes = RunNotes(notes_identity=False)
    asked = _Asked(usage, ruleset, division, benchmark, strict, level, rules)
    with _no_collecting():
        log = _HeldLog(source, notes)
        verdict, judge, choice = _judge_log(log, asked)
    known = choice.benchmark if choice.benchmark in choice.ruleset.benchmarks else None
    dialect = choice.ruleset.dialect if verdict.event_count else None
    return CheckedRun(
        verdict,
        notes.make_run(log.path, dialect, log.identity.events(dialect or "")),
        judge.reached,
        choice.ruleset.join(known),
        choice.ruleset.facts(known).get("runs") if known is not None else None,
    )


class _no_collecting:  # noqa: N801 - a context, named for what it does; contextlib costs a cold start
    """What is made of a log is no garbage, and there is much of it to look through."""

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            gc.enable()


class _Asked(NamedTuple):
    usage: str | None
    ruleset: str
    division: str | None
    benchmark: str | None
    strict: bool
    level: int | None
    rules: str | PathLike[str] | None


def _judge_log(log: "_HeldLog", asked: _Asked) -> tuple[Verdict, Judge, Choice]:
    book = open_rules(asked.rules)
    choice = choose_ruleset(book, asked.usage, asked.ruleset, asked.division, asked.benchmark, log.identity)
    chosen = choice.ruleset
    table = chosen.table(
        choice.division,
        choice.benchmark,
        find_variants(chosen, choice.benchmark, log.identity),
        strict=asked.strict,
        level=asked.level,
    )
    judge = Judge(chosen, table)
    findings: list[Finding] = []
    foreign: dict[str, int] = {}
    count = 0
    feed, dialect = judge.feed, chosen.dialect
    plain = log.plain_events(dialect) if not chosen.reading else []
    for event in plain:
        feed(event)
    count += len(plain)
    for item in _arrange(log, chosen) if not plain else ():
        if item.dialect != dialect and item.dialect:  # a fault of the file itself is of no dialect
            foreign[item.dialect] = foreign.get(item.dialect, 0) + 1
        elif type(item) is Event:
            count += 1
            feed(item)
        elif isinstance(item, Problem):
            findings.append(describe_problem(item))
    judge.finish()
    findings += _describe_foreign(foreign, log.identity, chosen, count)
    findings += choice.findings
    findings += judge.findings
    findings.sort(key=_place)
    verdict = Verdict(
        path=log.path,
        dialect=chosen.dialect if count else _any_dialect(log.identity),
        usage=chosen.usage,
        ruleset=chosen.round,
        ruleset_reason=choice.reason,
        division=choice.division,
        benchmark=choice.benchmark,
        verdict=Outcome.FAILED
        if any(finding.severity == Severity.ERROR for finding in findings)
        else Outcome.PASSED,
        findings=tuple(findings),
        run=summarize_run(judge.memory),
        event_count=count,
    )
    return verdict, judge, choice


class _HeldLog:
    """A log's items, held where they are few and read a second time where they are many."""

    def __init__(self, source: Source, notes: "RunNotes | None" = None) -> None:
        self._source: Any = fspath(source) if isinstance(source, PathLike) else source
        self.path = name_of(self._source)
        self.identity = Identity({}, {})
        self._items: list[Event | Problem] | None = []
        self._spool: Any = None
        self._uniform = True
        if _can_be_read_once_only(self._source):
            self._source = self._spool = _open_spool(self._source)
        for batch in read_batches(self._source):
            uniform = is_uniform(batch)
            self._uniform = self._uniform and uniform
            self.identity.note(batch)
            if notes is not None and uniform:
                notes.note_events(batch[0].dialect, cast("list[Event]", batch))
            elif notes is not None:
                notes.note(batch)
            if self._items is not None:
                self._items += batch
                if len(self._items) > HELD_EVENTS:
                    self._items = None

    def plain_events(self, dialect: str) -> Sequence[Event]:
        """The items, if they are held and all are events of one dialect; else nothing."""
        if self._items and self._uniform and list(self.identity.dialects) == [dialect]:
            return cast("list[Event]", self._items)
        return ()

    def items(self) -> Iterator[Event | Problem]:
        """All items in the order of the file."""
        if self._items is not None:
            yield from self._items
            return
        if self._spool is not None:
            self._spool.seek(0)
        for batch in read_batches(self._source):
            yield from batch


def _can_be_read_once_only(source: Any) -> bool:
    """True for standard input, an open file, and a path that names a pipe or a device."""
    if isinstance(source, bytes):
        return False
    if not isinstance(source, str) or source == "-":
        return True
    try:
        mode = stat(source).st_mode
    except (OSError, ValueError):  # the reader says what is wrong with it
        return False
    return (mode & 0o170000) in {0o010000, 0o020000}


def _open_spool(source: Any) -> Any:
    import shutil
    import sys
    from contextlib import ExitStack
    from tempfile import SpooledTemporaryFile

    spool = SpooledTemporaryFile(max_size=16 << 20)  # noqa: SIM115 - lives as long as the log is judged
    with ExitStack() as opened:
        if source == "-":
            source = sys.stdin.buffer
        elif isinstance(source, str):
            source = opened.enter_context(open(source, "rb"))
        shutil.copyfileobj(source, spool, 1 << 20)
    spool.seek(0)
    return spool


def _arrange(log: _HeldLog, ruleset: Ruleset) -> Iterator[Event | Problem]:
    """The items as the round reads them: in file order, or each record once and sorted by its text."""
    reading = ruleset.reading
    if not reading:
        return log.items()
    kept: dict[bytes, Event | Problem] = {}
    others: list[Event | Problem] = []
    for item in log.items():
        if type(item) is Event and reading.get("once"):
            kept.setdefault(item.raw.strip(), item)
        else:
            others.append(item)
    events = list(kept.values())
    if reading.get("order") == "text":
        events.sort(key=lambda item: item.raw.strip())
    return iter([*events, *others])


def find_variants(ruleset: Ruleset, benchmark: str | None, identity: Identity) -> tuple[str, ...]:
    """The benchmark's variants that a log is of, by the first events of the keys that choose them."""
    memory = Memory({})
    memory.last = identity.events(ruleset.dialect)
    found = []
    for name, applies in ruleset.variants(benchmark).items():
        try:
            if applies(next(iter(memory.last.values())), memory):
                found.append(name)
        except (*TROUBLES, StopIteration):  # the choosing key is not logged: a rule asks for it
            continue
    return tuple(found)


def describe_problem(problem: Problem) -> Finding:
    """The finding for a record that could not be read as written."""
    from mlperf_logging.parsing.diagnostics import KINDS

    mend = next((kind.fix for kind in KINDS if kind.label == problem.label), "")
    return Finding(
        code=problem.code,
        rule=problem.label,
        severity=problem.severity,
        key=problem.key,
        line=problem.line,
        column=problem.column,
        message=problem.message,
        hint=mend,
        excerpt=problem.raw[:2000].decode("utf-8", "replace").rstrip(),
    )


def _describe_foreign(
    foreign: dict[str, int], identity: Identity, ruleset: Ruleset, count: int
) -> list[Finding]:
    found = []
    for dialect, number in foreign.items():
        records = f"{number} record{'s' * (number != 1)} in the {dialect} dialect"
        verb = "does" if number == 1 else "do"
        message = f"{records} {verb} not count: {ruleset.name} reads the {ruleset.dialect} dialect"
        found.append(
            Finding(
                code="MLP109",
                rule="other-dialect",
                severity=Severity.WARNING if count else Severity.ERROR,
                key=None,
                line=identity.dialects[dialect],
                column=1,
                message=message,
                expected=ruleset.dialect,
                found=dialect,
                hint="Judge by a ruleset of the log's own dialect, or let --ruleset auto choose.",
            )
        )
    if not count:
        message = (
            "the file holds no event of a known log dialect" if not foreign else "no event is left to judge"
        )
        found.append(
            Finding(
                "MLP105",
                "no-events",
                Severity.ERROR,
                None,
                None,
                None,
                message,
                "events",
                "none",
                hint="Check that this is a result log, and that the run wrote its events to this file.",
            )
        )
    return found


def summarize_run(memory: Memory) -> RunSummary:
    """The run from the first ``run_start`` to the last ``run_stop``."""
    return make_summary(memory.first_ms.get(RUN_START), memory.last.get(RUN_STOP))


def _any_dialect(identity: Identity) -> str | None:
    return next(iter(identity.dialects), None)


def _place(finding: Finding) -> tuple[float, int]:
    return (finding.line if finding.line is not None else float("inf"), finding.column or 0)
