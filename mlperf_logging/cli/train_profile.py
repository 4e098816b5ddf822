"""`mlperf train --profile`: where the time of a training goes, for one trainer or all."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlperf_logging.cli.output import Output
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, print_error, write_note
from mlperf_logging.errors import UsageError
from mlperf_logging.installation import require_libraries
from mlperf_logging.reports._escape import show_text

if TYPE_CHECKING:
    from mlperf_logging.tables import Document

PICTURES = (".png", ".svg", ".pdf")
Load = Callable[[str], Any]
Write = Callable[["Document", str], None]


def profile_tasks(
    options: argparse.Namespace, tasks: Mapping[str, Sequence[str]], program: str, load: Load, write: Write
) -> int:
    """Profile tasks one after the other, and show one row per task; a task that fails does not stop the others.

    Args:
        options: of the command line.
        tasks: settings by name of the task.
        program: name of the command.
        load: gives a module of the trainers.
        write: writes the answer in a format.

    Returns:
        Exit code: 0 every task was profiled; 2 one was not.

    Raises:
        UsageError: an option does not go with a profile.
        TrainerError: the only task cannot be profiled.
    """
    from mlperf_logging.analysis.profiles import measure_distance
    from mlperf_logging.reports.documents.profiles import describe_profiles
    from mlperf_logging.reports.tables import load_table_format

    _check(options)
    requests, process = load("harness.profiling.requests"), load("harness.profiling.process")
    find_task, error = load("harness.tasks").find_task, load("harness.errors").TrainerError
    profiles: list[dict[str, Any]] = []
    for name, settings in tasks.items():
        data = Path(options.data or "data") / name / options.scale
        request = requests.ProfileRequest(
            task=name,
            scale=options.scale,
            division=options.division,
            settings=tuple(settings),
            seed=options.seed,
            data=str(data),
            data_command=find_task(name).data_command(options.scale, data),
            steps=options.profile_steps,
            deterministic=not options.nondeterministic,
        )
        started = time.monotonic()
        try:
            profiles.append(asdict(process.profile_task(request)))
        except error as problem:
            if len(tasks) == 1:
                raise
            print_error(program, f"{name}: {problem}")
        else:
            told = f"{name}: profiled in {time.monotonic() - started:.0f} s"
            write_note(f"{show_text(told)}\n")
    if not profiles:
        raise UsageError("no trainer was profiled")
    distances = [
        {
            "trainer": each["trainer"],
            **{other["trainer"]: measure_distance(each["classes"], other["classes"]) for other in profiles},
        }
        for each in profiles
    ]
    is_single = load_table_format(options.format).single
    write(describe_profiles(profiles, distances, is_single=is_single), options.format)
    if options.plot is not None:
        draw_profiles(profiles, options.plot)
    return COMPLIANT if len(profiles) == len(tasks) else CANNOT_WORK


def _check(options: argparse.Namespace) -> None:
    """Refuse options that a profile does not know; `UsageError` says which."""
    given = [
        ("--workers", options.workers > 1),
        ("--strategy", options.strategy not in ("auto", "single")),
        ("--jit-compile", options.jit_compile),
        ("--steps-per-call", options.steps_per_call > 1),
        ("--runs", options.runs > 1),
        ("--resume", options.resume),
    ]
    for name, is_given in given:
        if is_given:
            raise UsageError(f"{name} does not go with --profile, which is of one process on one device")
    if options.plot is not None:
        if not options.plot.lower().endswith(PICTURES):
            raise UsageError(f"--plot {options.plot!r}: name a file that ends in {', '.join(PICTURES)}")
        require_libraries("--plot", ["matplotlib", "scipy"], "analysis")


def draw_profiles(profiles: Sequence[Mapping[str, Any]], path: str) -> None:
    """Draw phases and classes of operations of some tasks, and of several how alike they are.

    Args:
        profiles: a record for each task.
        path: the picture's file.
    """
    from matplotlib.figure import Figure

    from mlperf_logging.analysis.plots.profiles import draw_shares, draw_tree
    from mlperf_logging.analysis.profiles import join_tasks, order_tasks

    tree = join_tasks([each["classes"] for each in profiles]) if len(profiles) > 1 else None
    ordered = [profiles[place] for place in order_tasks(tree)] if tree is not None else profiles
    names = [str(each["trainer"]).replace("_", " ") for each in ordered]
    height = 1.7 + 0.3 * len(profiles)
    figure = Figure(figsize=(10.0, 2 * height), layout="constrained")
    phases, operations = figure.subfigures(2, 1, squeeze=False)[:, 0]
    draw_shares(
        phases.subplots(), [each["phases"] for each in ordered], names, "share of the time of an epoch (%)"
    )
    if tree is None:
        bars = operations.subplots()
    else:
        bars, branches = operations.subplots(1, 2, width_ratios=(3, 1))
        draw_tree(branches, tree)
    draw_shares(
        bars,
        [each["classes"] for each in ordered],
        names,
        "share of the time of operations in training steps (%)",
    )
    picture = BytesIO()
    figure.savefig(picture, dpi=130, format=path.lower().rpartition(".")[2])
    with Output(path) as output:
        output.write_bytes(picture.getvalue())
