"""What commands keep of a log: the kinds of outcomes, and everything but the log that they depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from mlperf_logging.analysis.places import place_log
from mlperf_logging.analysis.reading import RunRows
from mlperf_logging.compliance.clues import find_named_round
from mlperf_logging.compliance.findings import Verdict, decide_outcome
from mlperf_logging.compliance.ruleset_selection import AUTO, RuleSelection
from mlperf_logging.compliance.waivers import Waiver, match_path
from mlperf_logging.events import Outcome
from mlperf_logging.store.outcome_codec import UNKEPT, OutcomeCodec
from mlperf_logging.submission.judging import JudgedResult

Result = TypeVar("Result")


class OutcomeSettings(NamedTuple):
    """What a command judges logs by; the rule files themselves are compared by their contents.

    Attributes:
        selection: by which rules.
        waivers: known findings that do not count, where they are part of the outcome.
        with_rows: whether rows for analyses are.
        target: a formula in place of the rules' target.
    """

    selection: RuleSelection
    waivers: tuple[Waiver, ...] = ()
    with_rows: bool = False
    target: str | None = None

    def describe(self, path: str) -> list[Any]:
        """All that one log's outcome depends on beside its bytes, the rules and the version, as JSON values.

        Its path is not among them, but what its folders say.
        """
        selection = self.selection
        return [
            selection._replace(rules=None),
            [waiver for waiver in self.waivers if match_path(waiver.path, path)],
            self.with_rows,
            self.target,
            find_named_round(path) if selection.ruleset == AUTO else None,
            place_log(path) if self.with_rows else None,
        ]


@dataclass(frozen=True)
class OutcomeKind(Generic[Result]):
    """One kind of outcome.

    Attributes:
        name: its name in the store.
        type: of the outcome.
        move: the outcome of a log at one path as that of the same log at another.
        is_final: whether the log was judged at all: what could not be done this time may be done the next.
        find_ruleset: the one ruleset that it depends on, ``usage/round``; None where it may be any.
    """

    name: str
    type: Any
    move: Callable[[Result, str, str], Result]
    is_final: Callable[[Result], bool]
    find_ruleset: Callable[[Result, RuleSelection], str | None]

    @cached_property
    def codec(self) -> OutcomeCodec:
        """Writes and reads the outcome."""
        return OutcomeCodec(self.type, {"RunRows": RunRows, "pd": UNKEPT})


def _move_verdicts(verdicts: list[Verdict], _old: str, new: str) -> list[Verdict]:
    return [verdict._replace(path=new) for verdict in verdicts]


def _move_rows(rows: RunRows, old: str, new: str) -> RunRows:
    path = (
        new + rows.run["path"][len(old) :]
    )  # behind it stands the number of the run, where a file holds several
    return rows._replace(
        run={**rows.run, "path": path},
        evaluations=[{**each, "path": path} for each in rows.evaluations],
        seeds=rows.seeds
        if rows.ruleset is None
        else rows.seeds._replace(path=new),  # None: a log without events
    )


def _move_all_rows(rows: list[RunRows], old: str, new: str) -> list[RunRows]:
    return [_move_rows(each, old, new) for each in rows]


def _move_result(result: JudgedResult, old: str, new: str) -> JudgedResult:
    run = result.run
    return result._replace(
        run=run._replace(path=new, logged_seeds=run.logged_seeds._replace(path=new)),
        verdict=result.verdict._replace(path=new),
        logged=None if result.logged is None else result.logged._replace(path=new),
        rows=None if result.rows is None else _move_rows(result.rows, old, new),
    )


def _find_ruleset_of_verdict(verdict: Verdict, selection: RuleSelection) -> str | None:
    """The verdict's; any, where others were tried since the log fails, or where each run of it chooses its own."""
    has_chosen = selection.ruleset == AUTO and decide_outcome(verdict.findings) == Outcome.FAILED
    if has_chosen or verdict.compliant_under or verdict.runs or verdict.ruleset is None:
        return None
    return f"{verdict.usage}/{verdict.ruleset}"


def _find_ruleset_of_verdicts(verdicts: list[Verdict], selection: RuleSelection) -> str | None:
    return _find_ruleset_of_verdict(verdicts[0], selection) if len(verdicts) == 1 else None


def _find_ruleset_of_result(result: JudgedResult, selection: RuleSelection) -> str | None:
    return None if result.waived else _find_ruleset_of_verdict(result.verdict, selection)


def _find_ruleset_of_rows(rows: list[RunRows], selection: RuleSelection) -> str | None:
    return rows[0].ruleset if len(rows) == 1 and selection.run is None else None


VERDICTS: OutcomeKind[list[Verdict]] = OutcomeKind(
    "verdicts",
    list[Verdict],
    _move_verdicts,
    lambda verdicts: all(each.verdict != Outcome.UNJUDGED for each in verdicts),
    _find_ruleset_of_verdicts,
)
"""What `mlperf-check` keeps: the verdicts before waivers and selection."""

RESULT: OutcomeKind[JudgedResult] = OutcomeKind(
    "result",
    JudgedResult,
    _move_result,
    lambda result: result.verdict.verdict != Outcome.UNJUDGED,
    _find_ruleset_of_result,
)
"""What `mlperf package` and `mlperf report` keep."""

ROWS: OutcomeKind[list[RunRows]] = OutcomeKind(
    "rows",
    list[RunRows],
    _move_all_rows,
    lambda rows: all("events" in each.run for each in rows),
    _find_ruleset_of_rows,
)
"""What `mlperf analyze` keeps."""

KINDS: dict[str, OutcomeKind[Any]] = {kind.name: kind for kind in (VERDICTS, RESULT, ROWS)}
"""All kinds, by name."""
