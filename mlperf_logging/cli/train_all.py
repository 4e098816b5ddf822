"""`mlperf train all`: a series of every trainer, one after another, in one submission."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, VIOLATION, print_error, write_note
from mlperf_logging.errors import MLPerfLoggingError, UsageError
from mlperf_logging.events import Outcome
from mlperf_logging.reports._escape import show_text
from mlperf_logging.reports._lines import count_of
from mlperf_logging.scoring.means import median

if TYPE_CHECKING:
    from mlperf_logging.tables import Document

MakeRunner = Callable[[argparse.Namespace], Any]
DoRuns = Callable[[Any, argparse.Namespace], Iterator[dict[str, Any]]]
Write = Callable[["Document", str], None]
Load = Callable[[str], Any]
_PROGRAM = "mlperf train"


def train_all(
    options: argparse.Namespace, load: Load, make_runner: MakeRunner, do_runs: DoRuns, write: Write
) -> int:
    """Train every task, and show one row per task; a task that fails does not stop the others.

    Args:
        options: of the command line.
        load: gives a module of the trainers.
        make_runner: makes the runner of a series from the options of a single trainer.
        do_runs: does the runs of a series, and yields a record of each.
        write: writes the answer in a format.

    Returns:
        Exit code: 0 every run of every task is compliant, 1 one is not, 2 a task could not start or continue.

    Raises:
        UsageError: a setting is wrong or does not name its trainer, there is no data at all, or the output folder holds
            results already; nothing was trained.
    """
    from mlperf_logging.reports.documents.train import describe_trained_tasks

    trainers = load("harness.tasks")
    names = [
        name
        for name, task in trainers.list_tasks().items()
        if (options.scale, options.division) in task.configs
    ]
    settings = split_settings(options.set, trainers.find_task)
    runners = []
    for name in names:
        given = {**vars(options), "benchmark": name, "set": settings.get(name, [])}
        with _naming(name):
            runners.append(make_runner(argparse.Namespace(**given)))
    unprepared = _check(runners, options, load("harness.errors").DataError)
    started = time.monotonic()
    tasks = []
    for number, runner in enumerate(runners, 1):
        record: dict[str, Any] = {"task": runner.task.name, "benchmark": runner.task.benchmark}
        if runner.task.name in unprepared:
            tasks.append({**record, **_sum_up([], unprepared[runner.task.name])})
            continue
        about = f"{number} of {len(runners)}: {count_of(options.runs, 'run')} in {runner.results}"
        write_note(f"{show_text(f'{runner.task.name}, {about}')}\n")
        tasks.append({**record, **_train_task(do_runs(runner, options), runner.task.name)})
    title = f"{count_of(len(runners), 'trainer')}, {options.scale}, {options.division}: {count_of(options.runs, 'run')} each"
    minutes = (time.monotonic() - started) / 60
    write(describe_trained_tasks(tasks, str(runners[0].submission), minutes, title), options.format)
    verdicts = {task["verdict"] for task in tasks}
    if Outcome.UNJUDGED in verdicts:
        return CANNOT_WORK
    return VIOLATION if Outcome.FAILED in verdicts else COMPLIANT


def split_settings(settings: Iterable[str], find_task: Callable[[str], Any]) -> Mapping[str, list[str]]:
    """The settings of each task, from ``TRAINER.KEY=VALUE``.

    Args:
        settings: as given.
        find_task: the task of a name.

    Raises:
        UsageError: one does not name its trainer.
    """
    by_task: dict[str, list[str]] = {}
    for setting in settings:
        name, dot, rest = setting.partition(".")
        if not dot or "=" in name:
            raise UsageError(
                f"--set {setting}: of all trainers, say whose setting it is: --set TRAINER.KEY=VALUE"
            )
        by_task.setdefault(find_task(name).name, []).append(rest)
    return by_task


@contextmanager
def _naming(task: str) -> Iterator[None]:
    """Say whose mistake it is that something in the block finds."""
    try:
        yield
    except MLPerfLoggingError as error:
        raise UsageError(f"{task}: {error}") from None


def _check(
    runners: Sequence[Any], options: argparse.Namespace, missing: type[MLPerfLoggingError]
) -> dict[str, str]:
    """Why tasks have no data, by their names; says so at once. What else keeps a series from starting is raised."""
    unprepared = {}
    for runner in runners:
        with _naming(runner.task.name):
            try:
                runner.check()
            except missing as error:
                unprepared[runner.task.name] = str(error)
    command = f"mlperf train data all --scale {options.scale} --data {options.data or 'data'}"
    if len(unprepared) == len(runners):
        raise UsageError(
            f"there is no data of any trainer in {options.data or 'data'}; get it with: {command}"
        )
    for reason in unprepared.values():
        print_error(_PROGRAM, reason)
    if unprepared:
        print_error(_PROGRAM, f"the others are trained; {command} gets what is missing")
    return unprepared


def _train_task(runs: Iterator[dict[str, Any]], name: str) -> dict[str, Any]:
    """Do the runs of a task, as far as they can be done."""
    done: list[dict[str, Any]] = []
    problem = None
    try:
        for run in runs:
            done.append(run)  # noqa: PERF402 - those before a failure stay
    except (MLPerfLoggingError, OSError) as error:
        problem = str(error)
        print_error(_PROGRAM, f"{name}: {problem}")
    return _sum_up(done, problem)


def _sum_up(runs: Sequence[dict[str, Any]], problem: str | None) -> dict[str, Any]:
    """A row of the table of tasks, without the task's names."""
    compliant = sum(run["verdict"] == Outcome.PASSED for run in runs)
    verdict = Outcome.PASSED if compliant == len(runs) else Outcome.FAILED
    minutes = [run["quality_minutes"] for run in runs if run["counts"] and run["quality_minutes"] is not None]
    return {
        "runs": len(runs),
        "compliant": compliant,
        "quality_minutes": median(minutes),
        "verdict": verdict if problem is None else Outcome.UNJUDGED,
        "problem": problem,
        "results": list(runs),
    }
