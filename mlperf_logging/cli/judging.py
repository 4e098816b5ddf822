"""Judging many logs, in one process or in several, with the results in the order of the logs."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from mlperf_logging.cli.files import STANDARD_INPUT
from mlperf_logging.compliance.findings import Finding, Verdict
from mlperf_logging.errors import MLPerfLoggingError, RuleError, UnreadableLogError, UsageError
from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports import FileResult
from mlperf_logging.runs.summary import RunSummary

if TYPE_CHECKING:
    from concurrent.futures import Future
    from concurrent.futures.process import ProcessPoolExecutor

    from mlperf_logging.compliance.finding_filter import Selection
    from mlperf_logging.compliance.live import LiveJudge
    from mlperf_logging.compliance.waivers import WaivedFinding, Waiver

UNJUDGED_CODE = "MLP000"
_BATCHES_PER_WORKER = 8
_LARGEST_BATCH = 64
_FEWEST_A_WORKER = 2
_COST_OF_OPENING = (
    50_000  # in bytes of log: opening, choosing rules and reporting take as long as reading these
)


Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class Judging(Protocol[Result_co]):
    """What makes a result of a log; sent to worker processes with the logs."""

    def judge(self, path: str) -> Result_co:
        """The result of one log.

        Args:
            path: the log as the user named it; "-" for standard input.
        """


class LogJudge(NamedTuple):
    """Everything that tells how a log is judged; the same for all logs of one call.

    Attributes:
        usage: "training", "hpc" or "original"; None to go by the log.
        ruleset: name of a round, or "auto".
        division: "closed", "open", or None to go by the log.
        benchmark: name of a benchmark, or None to go by the log.
        strict: also judge what no public check tests.
        level: highest level of rules in rounds that grade, or None for all.
        rules: folder of other rule files, or None.
        waivers: known findings that do not count.
        selection: which findings count, or None for all.
    """

    usage: str | None = None
    ruleset: str = "auto"
    division: str | None = None
    benchmark: str | None = None
    strict: bool = False
    level: int | None = None
    rules: str | None = None
    waivers: "tuple[Waiver, ...]" = ()
    selection: "Selection | None" = None

    def judge(self, path: str) -> FileResult:
        """Judge one log; what cannot be read or judged gives a verdict "error", not an exception.

        Args:
            path: the log as the user named it; "-" for standard input.

        Raises:
            UsageError: the arguments themselves are wrong, whatever the log.
        """
        from mlperf_logging.compliance import check_log

        try:
            verdict = check_log(
                path,
                usage=self.usage,
                ruleset=self.ruleset,
                division=self.division,
                benchmark=self.benchmark,
                strict=self.strict,
                level=self.level,
                rules=self.rules,
            )
        except UsageError:
            raise
        except UnreadableLogError as error:
            return self._give_up(path, "unreadable-log", str(error), "Check the file, or leave it out.")
        except RuleError as error:
            return self._give_up(
                path, "broken-rules", str(error), "Mend the rule file; the log is not to blame."
            )
        except MLPerfLoggingError as error:
            return self._give_up(path, "not-judged", str(error), "")
        except Exception as error:  # noqa: BLE001 - one log must not end the judging of thousands
            return self._give_up(
                path, "internal-fault", _describe_fault(error), "Please report it with the log."
            )
        return self.settle(verdict._replace(path=path))

    def start(self) -> "LiveJudge":
        """Begin to judge a run whose events are still to come.

        Raises:
            UsageError: the arguments themselves are wrong.
        """
        from mlperf_logging.compliance import start_judge

        return start_judge(
            self.ruleset,
            usage=self.usage,
            division=self.division,
            benchmark=self.benchmark,
            strict=self.strict,
            rules=self.rules,
        )

    def counts(self, path: str, finding: Finding) -> bool:
        """Tell whether a finding is one of those that count: selected and not waived.

        Args:
            path: the log as the user named it.
            finding: what was found in it.
        """
        if any(waiver.covers(path, finding) for waiver in self.waivers):
            return False
        return self.selection is None or self.selection.keeps(finding)

    def settle(self, verdict: Verdict) -> FileResult:
        """What a report says of a log: the verdict after waivers and selection, and what was waived.

        Args:
            verdict: the judgment with all findings.
        """
        waived: tuple[WaivedFinding, ...] = ()
        if self.waivers:
            from mlperf_logging.compliance.waivers import apply_waivers

            verdict, waived = apply_waivers(verdict, self.waivers)
        if self.selection is not None:
            from mlperf_logging.compliance.finding_filter import apply_selection

            keeps = self.selection.keeps
            verdict = apply_selection(verdict, self.selection)
            waived = tuple(each for each in waived if keeps(each.finding))
        return FileResult(verdict, waived)

    def _give_up(self, path: str, rule: str, message: str, hint: str) -> FileResult:
        finding = Finding(UNJUDGED_CODE, rule, Severity.ERROR, None, None, None, message, hint=hint)
        frame = (None, self.usage or "", None, "", self.division, self.benchmark)
        return FileResult(Verdict(path, *frame, Outcome.UNJUDGED, (finding,), RunSummary(), 0))


def start_judging(paths: Sequence[str], judge: Judging[Result], jobs: int) -> Iterator[Result]:
    """Begin to judge the logs; worker processes are running when this returns.

    Args:
        paths: the logs as the user named them.
        judge: how they are judged.
        jobs: number of processes; 0 for one a processor core.

    Returns:
        The results in the order of the paths, each as soon as it and those before it are there.

    Raises:
        UsageError: the arguments themselves are wrong; raised here or while iterating.
    """
    workers = min(jobs or os.cpu_count() or 1, len(paths) // _FEWEST_A_WORKER)
    if workers <= 1:
        return map(judge.judge, paths)
    # One log is judged here first: the workers are copies of this process and then have its rules at hand.
    first = judge.judge(paths[0])
    pool, batches = _start_workers(paths[1:], judge, workers)
    return _collect(first, pool, batches, judge)


def plan_batches(costs: Sequence[int], workers: int) -> list[range]:
    """Cut a row of logs into batches of neighbors that cost about the same.

    Args:
        costs: cost of each log, in order; any unit.
        workers: number of processes that will share the batches.
    """
    wanted = max(sum(costs) // (workers * _BATCHES_PER_WORKER), 1)
    batches, start, held = [], 0, 0
    for index, cost in enumerate(costs):
        held += cost
        if held >= wanted or index + 1 - start >= _LARGEST_BATCH:
            batches.append(range(start, index + 1))
            start, held = index + 1, 0
    if start < len(costs):
        batches.append(range(start, len(costs)))
    return batches


class _Batch(NamedTuple):
    paths: list[str]
    results: "Future[list[Any]] | None"  # None: to be judged in this process


def _start_workers(
    paths: Sequence[str], judge: Judging[Any], workers: int
) -> "tuple[ProcessPoolExecutor, list[_Batch]]":
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    context = get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupts)
    costs = [_cost_of(path) for path in paths]
    plans = plan_batches(costs, workers)
    # A batch is heavy when it holds one very large log; such a batch must not be begun last.
    heavy = 2 * sum(costs) // max(len(plans), 1)
    order = sorted(range(len(plans)), key=lambda index: (sum(costs[i] for i in plans[index]) <= heavy, index))
    batches = [_Batch([paths[i] for i in plan], None) for plan in plans]
    for index in order:
        batch = batches[index]
        if STANDARD_INPUT not in batch.paths:  # workers have no standard input
            batches[index] = batch._replace(results=pool.submit(_judge_batch, judge, batch.paths))
    return pool, batches


def _collect(
    first: Result, pool: "ProcessPoolExecutor", batches: list[_Batch], judge: Judging[Result]
) -> Iterator[Result]:
    from concurrent.futures.process import BrokenProcessPool

    finished = False
    try:
        yield first
        while batches:
            paths, results = batches.pop(0)
            yield from _judge_batch(judge, paths) if results is None else results.result()
        finished = True
    except BrokenProcessPool:
        raise MLPerfLoggingError(
            "a worker process was ended from outside, perhaps for want of memory; try fewer --jobs"
        ) from None
    finally:
        if not finished:
            _end_workers()
        pool.shutdown(wait=finished, cancel_futures=True)


def _judge_batch(judge: Judging[Result], paths: Sequence[str]) -> list[Result]:
    return [judge.judge(path) for path in paths]


def _ignore_interrupts() -> None:
    from signal import SIG_IGN, SIGINT, signal

    signal(SIGINT, SIG_IGN)


def _end_workers() -> None:
    from multiprocessing import active_children

    for child in active_children():
        child.terminate()


def _cost_of(path: str) -> int:
    try:
        return _COST_OF_OPENING + os.stat(path).st_size
    except OSError:
        return _COST_OF_OPENING


def _describe_fault(error: Exception) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code if last is not None else None
    place = f"{code.co_filename.rpartition(os.sep)[2]}:{last.tb_lineno}" if code and last else "unknown place"
    return f"the checker itself failed on this log: {type(error).__name__}: {error} ({place})"
