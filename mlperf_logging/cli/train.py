"""`mlperf train`: seeded runs of a reference trainer, written into a folder laid out as a submission."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlperf_logging.bundled import HOME
from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.running import COMPLIANT, VIOLATION, run_guarded, write_note
from mlperf_logging.errors import UsageError
from mlperf_logging.events import DIVISIONS, Outcome
from mlperf_logging.installation import explain_missing
from mlperf_logging.reports.tables import list_table_formats
from mlperf_logging.tables import pick

if TYPE_CHECKING:
    from mlperf_logging.compliance.findings import Verdict
    from mlperf_logging.tables import Document

TRAINERS = "reference_impls"
"""The package of the trainers; what it needs comes with the extra ``reference``."""

DATA, ALL = "data", "all"
"""The words after which a trainer's data, and every trainer, are meant."""

_EXAMPLES = """\
examples:
  {program} --list                                   the trainers
  {program} data recommendation                      get its data; --help behind it shows how
  {program} recommendation --runs 5                  five runs with seeds 1 to 5, at mini scale
  {program} recommendation --show                    the settings and their values
  {program} recommendation --set learning_rate=0.001 --division open
  {program} recommendation --runs 5 --resume         finish a series that was interrupted
  {program} recommendation --workers 2               two processes on this machine train together
  {program} data all                                 get the data of every trainer
  {program} all --runs 5                             five runs of each trainer, as one submission
  {program} all --profile --plot profile.png         where the time of each trainer goes
  {program} --evaluate out/closed-mini/.work/SYSTEM/BENCHMARK/result_0/weights

exit codes: 0 every log is compliant, or the weights reach the target; 1 a run or the weights did not reach it, or a log
breaks a rule; 2 a run could not start or continue. An interrupted run leaves a log that says so, and a checkpoint that
--resume continues from.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf train") -> int:
    """Train and judge: 0 every log is compliant, 1 one is not, 2 a run could not start or continue."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == [DATA]:
        return run_guarded(program, lambda: _get_data(arguments[1:], f"{program} {DATA}"))
    return run_guarded(program, lambda: _run(arguments, program))


def _run(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    trainers = _load("harness.tasks")
    if options.list:
        return _show_trainers(trainers.list_tasks().values(), options.format)
    if options.evaluate:
        return _evaluate(options)
    if options.benchmark is None:
        names = ", ".join((*trainers.list_tasks(), ALL))
        raise UsageError(f"name a trainer: {names} ({program} --help says more)")
    if options.profile:
        return _profile(options, program)
    if options.plot is not None:
        raise UsageError("--plot draws a profile; add --profile")
    if options.benchmark == ALL:
        return _train_all(options)
    runner = _make_runner(options)
    if options.show:
        return _show_config(runner, options.format)
    return _train(runner, options)


def _get_data(arguments: Sequence[str], program: str) -> int:
    """Get, prepare or check the data of a trainer, as its own script does."""
    names = [each for each in arguments[:1] if not each.startswith("-")]
    if not names:
        raise UsageError(f"name a trainer first: {program} BENCHMARK --help shows the options")
    if names == [ALL]:
        found: int = _load("harness.data.all_tasks").main(arguments[1:])
        return found
    task = _load("harness.tasks").find_task(names[0])
    script = _load(task.scripts.removeprefix(f"{TRAINERS}."))
    code: int = script.main(arguments[1:])
    return code


def build_parser(program: str) -> Parser:
    """The parser of `mlperf train`."""
    about = "Train a reference model to its target, several times, and log it compliantly."
    parser = Parser(program, about, _EXAMPLES)
    parser.add_group()(
        "benchmark BENCHMARK", "name of a trainer or of its benchmark; all for every trainer", nargs="?"
    )
    count: dict[str, Any] = {"type": _read_positive, "default": 1}
    add = parser.add_group("what is trained")
    scales = ("mini", "full")
    add("--scale", "small data and model (default), or the real ones", choices=scales, default="mini")
    add("--division", "closed (default), or the open variant", choices=DIVISIONS, default="closed")
    add(
        "--set KEY=VALUE",
        "change a setting (of all: TRAINER.KEY=VALUE); may be repeated",
        action="append",
        default=[],
    )
    add("--seed N", "seed of the first run; each further run has the next one (default: 1)", default=1)
    add("--runs N", "number of runs (default: 1)", **count)
    add = parser.add_group("where")
    add("--data DIR", "folder of all data sets (default: data)")
    add("--output -o DIR", "where results go (default: out/DIVISION-SCALE)")
    add("--resume", "keep finished runs of the series and resume interrupted ones")
    add(
        "--checkpoint-steps N",
        "take checkpoints also after every N steps of an epoch",
        type=_read_positive,
        default=0,
    )
    add("--submitter NAME", "who submits (default: reference)", default="reference")
    add(
        "--system NAME",
        "name of the system (default: as the output folder describes this machine, else made from the processor's)",
        default="",
    )
    status = "availability of the system, as logged (default: research)"
    add("--status", status, choices=("onprem", "cloud", "research", "preview"), default="research")
    add = parser.add_group("how it computes")
    strategies = ("auto", "single", "mirrored", "workers", "tpu")
    strategy = (
        "one device, those of this machine, the machines of TF_CONFIG, or a TPU; auto (default) chooses"
    )
    add("--strategy", strategy, choices=strategies, default="auto")
    add("--replicas N", "virtual devices for --strategy mirrored", type=_read_positive, default=0)
    add("--workers N", "train in N processes on this machine", **count)
    add("--jit-compile", "compile training and evaluation steps with XLA; on one device only")
    add("--steps-per-call N", "do N training steps by one call of TensorFlow", **count)
    add("--nondeterministic", "allow nondeterministic operations; can be faster")
    add = parser.add_group("instead of training")
    add("--evaluate FOLDER", "evaluate the final weights that a run has kept")
    add("--profile", "do a few steps and one evaluation, and tell where the time goes")
    add("--profile-steps N", "steps of a profile (default: 10)", type=_read_positive, default=10)
    add("--plot FILE", "of a profile, draw phases and operations, too: .png, .svg or .pdf")
    add = parser.add_group("about")
    add("--format", "text (default), json, csv, …", choices=list_table_formats(), default="text")
    add("--list", "list the trainers")
    add("--show", "show the settings, and train nothing")
    return parser


def _read_positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def _load(module: str) -> Any:
    """A module of the trainers; `UsageError` where they, or what they need, are not installed."""
    if HOME not in sys.path:
        sys.path.insert(0, HOME)
    try:
        return import_module(f"{TRAINERS}.{module}")
    except ModuleNotFoundError as missing:
        raise UsageError(
            explain_missing("training a reference model", [str(missing.name)], "reference")
        ) from None


def _make_runner(options: argparse.Namespace) -> Any:
    from pathlib import Path

    series = _load("harness.run.series")
    output = options.output or f"out/{options.division}-{options.scale}"
    same = [
        "scale",
        "division",
        "runs",
        "strategy",
        "replicas",
        "workers",
        "resume",
        "checkpoint_steps",
        "jit_compile",
        "steps_per_call",
        "submitter",
        "system",
        "status",
    ]
    return series.SeriesRunner(
        series.Series(
            task=options.benchmark,
            settings=tuple(options.set),
            first_seed=options.seed,
            data=Path(options.data or "data"),
            output=Path(output),
            deterministic=not options.nondeterministic,
            **pick(options, *same),
        )
    )


def _train_all(options: argparse.Namespace) -> int:
    from mlperf_logging.cli.train_all import train_all

    if options.show:
        raise UsageError("--show shows the settings of one trainer; name it in place of all")
    _require_tensorflow()
    return train_all(options, _load, _make_runner, _do_runs, _write)


def _train(runner: Any, options: argparse.Namespace) -> int:
    from mlperf_logging.reports._lines import count_of
    from mlperf_logging.reports.documents.train import describe_training

    _require_tensorflow()
    rows = list(_do_runs(runner, options))
    title = (
        f"{runner.task.summary}, {options.scale}, {options.division}: "
        f"{count_of(len(rows), 'run')} in {runner.results}"
    )
    _write(describe_training(rows, runner.task.benchmark, str(runner.results), title), options.format)
    return COMPLIANT if all(row["verdict"] == "pass" for row in rows) else VIOLATION


def _profile(options: argparse.Namespace, program: str) -> int:
    from mlperf_logging.cli.train_all import split_settings
    from mlperf_logging.cli.train_profile import profile_tasks

    trainers = _load("harness.tasks")
    if options.benchmark == ALL:
        settings = split_settings(options.set, trainers.find_task)
        tasks = {name: settings.get(name, []) for name in trainers.list_tasks()}
    else:
        tasks = {trainers.find_task(options.benchmark).name: options.set}
    _require_tensorflow()
    return profile_tasks(options, tasks, program, _load, _write)


def _require_tensorflow() -> None:
    from importlib.util import find_spec

    if find_spec("tensorflow") is None:
        _load("harness.run.training")  # names what is missing


def _do_runs(runner: Any, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Do the runs of a series and judge each; yields what is told of it."""
    from mlperf_logging.compliance.judged_run import judge_run
    from mlperf_logging.scoring.runs import score_run

    for run in runner.run():
        judged = judge_run(run.log)
        if judged.verdict.verdict != Outcome.PASSED and options.format == "text":
            _show_findings(judged.verdict)
        scored = score_run(judged)
        yield {**_describe_run(run, judged.verdict), **pick(scored, "counts", "quality_minutes")}


def _evaluate(options: argparse.Namespace) -> int:
    import os
    from pathlib import Path

    from mlperf_logging.reports.documents.train import describe_audit

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notices about the processor
    with _load("harness.run.process").without_notices():
        weights = _load("harness.run.weights")
    audit = weights.evaluate_weights(Path(options.evaluate), Path(options.data) if options.data else None)
    _write(describe_audit(audit._asdict(), is_confirmed=audit.is_confirmed), options.format)
    return COMPLIANT if audit.is_confirmed else VIOLATION


def _describe_run(run: Any, verdict: Verdict) -> dict[str, Any]:
    return {
        "log": run.log.name,
        "seed": run.seed,
        "verdict": verdict.verdict,
        "status": verdict.run.status,
        **pick(run.result, "epochs", "quality"),
        "minutes": verdict.run.minutes,
        "is_new": run.is_new,
    }


def _show_findings(verdict: Verdict) -> None:
    from mlperf_logging.reports._escape import show_text

    for finding in verdict.findings:
        place = f"{verdict.path}:{finding.line}" if finding.line else verdict.path
        line = f"{place}: {finding.severity} {finding.code} {finding.message}"
        write_note(f"{show_text(line)}\n")


def _show_trainers(tasks: Any, form: str) -> int:
    from mlperf_logging.reports.documents.train import describe_trainers

    rows = [
        {
            **pick(task, "name", "benchmark", "summary"),
            "scales": list(dict.fromkeys(scale for scale, _ in task.configs)),
        }
        for task in tasks
    ]
    _write(describe_trainers(rows), form)
    return COMPLIANT


def _show_config(runner: Any, form: str) -> int:
    from dataclasses import asdict

    from mlperf_logging.reports.documents.train import describe_settings

    _write(describe_settings(runner.task.benchmark, asdict(runner.config)), form)
    return COMPLIANT


def _write(document: Document, form: str) -> None:
    from mlperf_logging.cli.output import write_document
    from mlperf_logging.reports.tables import load_table_format

    write_document(document, load_table_format(form)())
