"""Choosing what a log is judged by: the round, the division and the benchmark."""

from collections.abc import Iterable
from os import PathLike
from typing import NamedTuple, TypedDict

from mlperf_logging.compliance.clues import find_clue
from mlperf_logging.compliance.findings import Finding, Verdict, decide_outcome
from mlperf_logging.compliance.identity import DIVISION, Identity, find_variants
from mlperf_logging.errors import UsageError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.rules.rounds import RoundIndex, refuse_unknown
from mlperf_logging.rules.rulesets import Ruleset, Table
from mlperf_logging.runs.summary import RunSummary

AUTO = "auto"
RULESET = "submission_ruleset"
"""Key by which a log names the usage and round that its run was made for."""


class RuleOptions(TypedDict, total=False):
    """The fields of a `RuleSelection` as keyword arguments."""

    usage: str | None
    ruleset: str
    division: str | None
    benchmark: str | None
    strict: bool
    level: int | None
    rules: str | PathLike[str] | None
    run: int | None


class RuleSelection(NamedTuple):
    """By which rules logs are judged.

    Attributes:
        usage: ``"training"``, ``"hpc"`` …; None lets the log choose where the ruleset is ``"auto"``.
        ruleset: a round's numbers or ``usage/round`` (see `find_round`); ``"auto"`` for the newest round that knows
            the log's dialect and benchmark.
        division: judge by this division instead of the one that the log names.
        benchmark: judge as this benchmark instead of the one that the log names.
        strict: also apply what the written rules say and no public check tests.
        level: in rounds that grade, the highest level to apply; None for all.
        rules: folder of other rule files; None for those of the package.
        run: of a file that holds several runs, the one to judge: its number from 1 on, -1 for the last, 0 for each.
            None: all as one, which is a finding, see `several_runs`.
    """

    usage: str | None = None
    ruleset: str = AUTO
    division: str | None = None
    benchmark: str | None = None
    strict: bool = False
    level: int | None = None
    rules: str | PathLike[str] | None = None
    run: int | None = None

    def override(self, options: RuleOptions) -> "RuleSelection":
        """The same selection with other values of some fields.

        Args:
            options: field to value.

        Raises:
            TypeError: there is no such field.
        """
        return RuleSelection(**{**self._asdict(), **options}) if options else self


AUTOMATIC = RuleSelection()
"""Lets each log choose."""


class Choice(NamedTuple):
    """What a log is judged by.

    Attributes:
        ruleset: the round's rules.
        reason: why that round.
        division: ``"closed"``, ``"open"``, or None where the log does not say.
        benchmark: as requested or logged, or None.
        variants: the benchmark's variants of the log.
        findings: what the choosing itself has to say.
        alternatives: other rounds that know the log's dialect and benchmark, newest first; none where the round was
            asked for or named by the log.
    """

    ruleset: Ruleset
    reason: str
    division: str | None
    benchmark: str | None
    variants: tuple[str, ...]
    findings: tuple[Finding, ...]
    alternatives: tuple[str, ...] = ()

    def table(self, *, strict: bool, level: int | None, strict_codes: frozenset[str] | None = None) -> Table:
        """The rules for the log's kind of run, see `Ruleset.table`."""
        return self.ruleset.table(
            self.division,
            self.benchmark,
            self.variants,
            strict=strict,
            level=level,
            strict_codes=strict_codes,
        )

    def make_verdict(
        self, path: str, dialect: str | None, findings: Iterable[Finding], run: RunSummary, event_count: int
    ) -> Verdict:
        """The verdict on a log that was judged by this choice, as its findings have it."""
        held, ruleset = tuple(findings), self.ruleset
        return Verdict(
            path,
            dialect,
            ruleset.usage,
            ruleset.round,
            self.reason,
            self.division,
            self.benchmark,
            decide_outcome(held),
            held,
            run,
            event_count,
        )


def choose_ruleset(
    selection: RuleSelection,
    identity: Identity,
    book: RuleRepository | None = None,
    *,
    path: str | None = None,
) -> Choice:
    """Choose the round, the division and the benchmark for a log; `UsageError` names ones near an unknown one.

    The path of the log's file, if it has one, is a clue to an automatic round.
    """
    book = book or open_rules(selection.rules)
    usage, ruleset, division, benchmark, *_ = selection
    index = book.index()
    refuse_unknown("usage", usage, book.usages)
    refuse_unknown("division", division, DIVISIONS)
    if benchmark is not None:
        refuse_unknown("benchmark", benchmark, sorted([name for entry in index for name in entry.benchmarks]))
    others: list[RoundIndex] = []
    if ruleset == AUTO:
        entry, reason, others = _choose_round(index, usage, benchmark, identity, path)
    else:
        entry, reason = book.find(ruleset, usage), "as requested"
    chosen = book.load(entry.name)
    if benchmark is not None and benchmark not in chosen.benchmarks:
        known = ", ".join(chosen.benchmarks)
        raise UsageError(f"{entry.name} does not know the benchmark {benchmark!r}; it knows {known}")
    logged = identity.value(chosen.dialect, DIVISION)
    judged_division = division or (logged if isinstance(logged, str) else None)
    judged_benchmark = benchmark or identity.benchmark(chosen.dialect)
    findings = _describe_unknown(chosen, judged_division, judged_benchmark)
    variants = find_variants(chosen, judged_benchmark, identity)
    alternatives = tuple([each.name for each in others if each.usage == entry.usage and each != entry])
    return Choice(chosen, reason, judged_division, judged_benchmark, variants, findings, alternatives)


def _choose_round(
    index: list[RoundIndex], usage: str | None, benchmark: str | None, identity: Identity, path: str | None
) -> tuple[RoundIndex, str, list[RoundIndex]]:
    """The round that a log chooses, why that one, and those that could judge it as well, newest first."""
    index = [entry for entry in index if usage in (None, entry.usage)]
    usages = [entry.usage for entry in index]
    sizes = {each: usages.count(each) for each in set(usages)}
    by_size = sorted(index, key=lambda entry: sizes[entry.usage])
    dialect = identity.find_newest_dialect()
    if dialect is None:
        return by_size[-1], "the newest round, since the file contains no event", []
    named_rules = identity.value(dialect, RULESET)
    for entry in index:
        if entry.name == named_rules and entry.dialect == dialect:
            return entry, "the round that the log names", []
    speaking = [entry for entry in by_size if entry.dialect == dialect]
    if not speaking:
        return by_size[-1], f"the newest round, since none reads the {dialect} dialect", []
    named = benchmark or identity.benchmark(dialect)
    knowing = [entry for entry in speaking if named in entry.benchmarks]
    if not knowing:
        said = f"none knows the benchmark {named!r}" if named else "no benchmark can be read from the log"
        return speaking[-1], f"the newest round of the {dialect} dialect, since {said}", []
    clue = find_clue(knowing, identity, dialect, path)
    if clue is not None:
        return *clue, knowing[::-1]
    return knowing[-1], f"the newest round that knows {named} in the {dialect} dialect", knowing[::-1]


def _describe_unknown(ruleset: Ruleset, division: str | None, benchmark: str | None) -> tuple[Finding, ...]:
    found = []
    if benchmark is not None and benchmark not in ruleset.benchmarks:
        from mlperf_logging.compliance.messages import describe_unknown_benchmark

        found.append(describe_unknown_benchmark(benchmark, ruleset))
    if division not in DIVISIONS and ruleset.has_divisions:
        from mlperf_logging.compliance.messages import describe_unknown_division

        found.append(describe_unknown_division(division, ruleset))
    return tuple(found)
