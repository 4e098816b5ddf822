"""One log of a submission, judged once: what findings, scores and the comparison with descriptions need of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.compliance.findings import Verdict
from mlperf_logging.compliance.judged_run import JudgedRun, judge_run
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.compliance.unjudged import make_unjudged
from mlperf_logging.compliance.waivers import WaivedFinding, Waiver, apply_waivers
from mlperf_logging.errors import UsageError
from mlperf_logging.runs.run import SEED_KEYS, Run
from mlperf_logging.scoring.runs import ScoredRun, score_run

if TYPE_CHECKING:
    from mlperf_logging.analysis.reading import RunRows


class JudgedResult(NamedTuple):
    """One log of a submission; a small value that passes between processes.

    Attributes:
        run: what scores need to know of it; it counts by the verdict below.
        verdict: the judgment without what waivers cover.
        waived: what they cover.
        needs_seed: whether the rules of its kind of run ask for a seed.
        logged: what it says of who ran what, without times and figures; None where it could not be judged.
        rows: its rows in the tables of analyses, where these were asked for and it could be judged.
    """

    run: ScoredRun
    verdict: Verdict
    waived: tuple[WaivedFinding, ...] = ()
    needs_seed: bool = False
    logged: Run | None = None
    rows: RunRows | None = None


def judge_result(
    path: str,
    selection: RuleSelection,
    waivers: tuple[Waiver, ...] = (),
    *,
    with_rows: bool = False,
    target: str | None = None,
) -> JudgedResult:
    """Judge one log; what cannot be read or judged gives a verdict "error", not an exception.

    Args:
        path: the log.
        selection: the rules to judge by.
        waivers: known findings that do not count.
        with_rows: whether its rows in the tables of analyses are wanted, which come from the same reading.
        target: a formula in place of the rules' target, for these rows.

    Raises:
        UsageError: there is no such usage, ruleset, division or benchmark.
    """
    try:
        judged = judge_run(path, selection, target=target)
        verdict, waived = apply_waivers(judged.verdict._replace(path=path), waivers)
        return JudgedResult(
            score_run(judged._replace(verdict=verdict))._replace(path=path),
            verdict,
            waived,
            _needs_seed(judged),
            judged.run.without_figures()._replace(path=path),
            _make_rows(judged, path) if with_rows else None,
        )
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - one log must not end the judging of thousands
        verdict = make_unjudged(path, selection, error)
        return JudgedResult(ScoredRun(path, verdict.verdict, (verdict.findings[0].message,)), verdict)


def _make_rows(judged: JudgedRun, path: str) -> RunRows:
    from mlperf_logging.analysis.reading import make_rows

    return make_rows(judged, path)


def _needs_seed(judged: JudgedRun) -> bool:
    """Whether a rule asks for a seed; those of all rounds are strict ones, which the checks of packages test."""
    table = judged.ruleset.table(judged.division, judged.benchmark, judged.variants, strict=True)
    return not table.entries.keys().isdisjoint(SEED_KEYS)
