"""How well `mlperf watch` forecasts: real runs, replayed to a quarter, a half and three quarters of their time.

    python benchmarks/bench_forecast.py --corpus FOLDER [--json FILE] [--part all|first|second] [--replays N]

`--corpus` names a folder of rounds with result logs. Runs of the closed division count that reached their target and
whose round has reference points for their batch size. Each is read to the moment at which a share of its time has
passed, from ``run_start`` to the evaluation that reached the target, and what `mlperf watch` would show then is
compared with what came: the amount of training at convergence, and the time of it.

- *error*: median of the absolute relative errors of the forecast's median: of the amount, and of the minutes from the
  run's start.
- *held*: how often the 80 % interval held the truth.
- *no time*: runs whose log does not tell the pace by then, so that only the amount is forecast.

Runs are halved by a hash of their result folder. The numbers in `mlperf_logging/scoring/forecast.py` were chosen on
the first half; the figures are of the second, which `--part` changes.

With `--replays` so many runs are also written anew at 100 times their speed, beside the real command, which follows
them with ``--json``: what it said at a half of the run is counted by itself.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from forecast_tables import (
    SHARES,
    Chance,
    Forecast,
    describe_chances,
    show_benchmarks,
    show_overall,
    tabulate,
)
from harness import describe_machine, take_evenly

from mlperf_logging.compliance.judged_run import judge_run
from mlperf_logging.compliance.live import LiveJudge
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import MLPerfLoggingError
from mlperf_logging.events import Division, Event, minutes_between
from mlperf_logging.parsing import read_log
from mlperf_logging.runs.folders import find_result_folders
from mlperf_logging.scoring.live_runs import Expectation, FinishedRun, LiveRun, RunObserver, Times
from mlperf_logging.scoring.live_submissions import judge_live_submission
from mlperf_logging.scoring.quality import find_quality, list_quality_points
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.scoring.rcp.submissions import FindTable
from mlperf_logging.scoring.rcp.test import check_convergence, read_converged
from mlperf_logging.scoring.runs import score_run

SPEED = 100
LEAD_MS = 60_000
"""Of what was logged before a run's start, so much takes its time in a replay; what is older comes at once."""

ALONE, WITH_OTHERS = "alone", "with the other runs of its folder finished"
BY_CURVE = "by its own curve, without reference points"
FIND_TABLE: FindTable = open_reference_points()


class Replay(NamedTuple):
    """A run of the corpus.

    Attributes:
        path: its log.
        selection: the round that it is judged by.
        benchmark: its benchmark.
        start_ms: when it began.
        converged_ms: when it reached its target.
        converged_at: amount of training by then, in the reference's unit.
        counted_at: the same as the test of convergence counts it.
        curve_end: the same in the unit that is taken where there are no reference points; None if it is not known.
        expectation: what the reference says.
        events: of the log.
    """

    path: Path
    selection: RuleSelection
    benchmark: str
    start_ms: float
    converged_ms: float
    converged_at: float
    counted_at: float
    curve_end: float | None
    expectation: Expectation
    events: list[Event]

    @property
    def minutes(self) -> float:
        """From the start to the target."""
        return minutes_between(self.start_ms, self.converged_ms)


def list_folders(corpus: Path, part: str) -> Iterator[tuple[RuleSelection, tuple[str, ...]]]:
    """The round and the logs of each result folder of the corpus, or of one half of them."""
    for version in sorted(path for path in corpus.iterdir() if path.is_dir()):
        usage, _, name = version.name.rpartition("-")
        selection = RuleSelection(usage=usage or "training", ruleset=f"{name}.0")
        for folder in find_result_folders(version):
            mark = Path(folder.path).relative_to(corpus).as_posix()
            half = ("first", "second")[sha256(mark.encode()).digest()[0] % 2]
            if part in ("all", half):
                yield selection, folder.logs


def read_replay(path: str, selection: RuleSelection) -> Replay | None:
    """A run that reached its target and has reference points; None for another."""
    try:
        judged = judge_run(path, selection)
    except MLPerfLoggingError:
        return None
    run, quality = judged.run, find_quality(judged, list_quality_points(judged))
    if (
        judged.division == Division.OPEN
        or not run.summary.succeeded
        or run.start_ms is None
        or quality is None
    ):
        return None
    events = read_log(path).events
    whole = observe(events, path, selection)
    acceptance = whole.expectation.acceptance
    if acceptance is None or acceptance.match.reference is None:
        return None
    converged_ms = run.stop_ms if math.isnan(quality.time_ms) else quality.time_ms
    # What evaluations that come after the run tell is no forecast; the last one within it says where it stopped.
    converged_at = whole.reached or whole.amount
    if converged_ms is None or converged_ms <= run.start_ms or not converged_at:
        return None
    scored, table = score_run(judged), whole.expectation.table
    counted_at = math.inf
    if table is not None and scored.batch_size:
        counted_at = read_converged(
            scored.converged_at, table.unit, scored.batch_size, scored.trained_samples
        )
    return Replay(
        Path(path),
        selection,
        str(judged.benchmark),
        run.start_ms,
        converged_ms,
        converged_at,
        counted_at,
        observe(events, path, selection, find_table=find_nothing).reached,
        whole.expectation,
        events,
    )


def find_nothing(ruleset: str, benchmark: str) -> None:
    """No reference points."""


def observe(
    events: Sequence[Event],
    path: str,
    selection: RuleSelection,
    finished: Sequence[FinishedRun] = (),
    find_table: FindTable = FIND_TABLE,
) -> LiveRun:
    """What `mlperf watch` shows once these events are logged."""
    observer = RunObserver(LiveJudge(selection, path))
    for event in events:
        observer.feed(event)
    return observer.observe(path, find_table, finished)


def look(
    replay: Replay, share: float, finished: Sequence[FinishedRun] = (), find_table: FindTable = FIND_TABLE
) -> LiveRun:
    """What is shown when a share of a run's time has passed."""
    now_ms = replay.start_ms + share * (replay.converged_ms - replay.start_ms)
    past = [event for event in replay.events if not event.time_ms > now_ms]
    return observe(past, str(replay.path), replay.selection, finished, find_table)


def forecast(replay: Replay, share: float, name: str, others: Sequence[FinishedRun]) -> Forecast | None:
    """What was forecast when a share of a run's time had passed; None if nothing was."""
    if name == BY_CURVE:
        if replay.curve_end is None:
            return None
        live = look(replay, share, find_table=find_nothing)
        replay = replay._replace(converged_at=replay.curve_end)
    elif name == WITH_OTHERS and not others:
        return None
    else:
        live = look(replay, share, others if name == WITH_OTHERS else ())
    if live.forecast is None:
        return None
    ends = live.forecast.low, live.forecast.median, live.forecast.high
    return compare(replay, share, ends, live.times)


def compare(replay: Replay, share: float, ends: tuple[float, float, float], times: Times | None) -> Forecast:
    """A forecast beside the truth: `ends` are low, median and high of the amount."""
    truth, (low, median, high) = replay.converged_at, ends
    time_error = time_held = None
    if times is not None:
        said = minutes_between(replay.start_ms, times.median_ms)
        time_error = abs(said - replay.minutes) / replay.minutes
        # A second is what a log's clock is good for.
        time_held = times.low_ms - 1_000 <= replay.converged_ms <= times.high_ms + 1_000
    return Forecast(
        replay.benchmark,
        share,
        abs(median - truth) / truth,
        low <= truth * (1 + 1e-9) and truth <= high * (1 + 1e-9),
        (high - low) / truth,
        time_error,
        time_held,
    )


def finish(replay: Replay) -> FinishedRun:
    """What a finished run tells others of its folder."""
    return FinishedRun(replay.converged_at, replay.converged_at / replay.minutes)


def tell_chance(runs: Sequence[Replay]) -> Chance | None:
    """The chance with the first half of a submission's runs finished and the others half-way; None of one too small."""
    expectation = runs[0].expectation if runs else None
    if expectation is None or expectation.requirement is None or expectation.table is None:
        return None
    requirement = expectation.requirement
    batch_size = (
        expectation.acceptance.match.reference.batch_size
        if expectation.acceptance and expectation.acceptance.match.reference
        else 0.0
    )
    if len(runs) < requirement.required or not batch_size:
        return None
    ended, going = runs[: len(runs) // 2], runs[len(runs) // 2 :]
    others = [finish(each) for each in ended]
    forecasts = [live.forecast for each in going if (live := look(each, 0.5, others)).forecast is not None]
    told = judge_live_submission(
        "", runs[0].benchmark, "", batch_size, expectation, [each.counted_at for each in ended], forecasts
    )
    check = check_convergence([each.counted_at for each in runs], batch_size, expectation.table, requirement)
    return None if told.chance is None else Chance(runs[0].benchmark, told.chance.probability, check.passed)


def measure(corpus: Path, part: str) -> tuple[dict[str, list[Forecast]], list[Replay], list[Chance]]:
    """All forecasts, the runs, and the chances of whole submissions."""
    found: dict[str, list[Forecast]] = {ALONE: [], WITH_OTHERS: [], BY_CURVE: []}
    replays: list[Replay] = []
    chances = []
    for selection, logs in list_folders(corpus, part):
        runs = [each for log in logs if (each := read_replay(log, selection)) is not None]
        for replay in runs:
            others = [finish(other) for other in runs if other is not replay]
            for share in SHARES:
                for name, forecasts in found.items():
                    made = forecast(replay, share, name, others)
                    if made is not None:
                        forecasts.append(made)
            replays.append(replay._replace(events=[]))
        chance = tell_chance(runs)
        chances += [chance] if chance is not None else []
    return found, replays, chances


def replay_live(replay: Replay, folder: Path) -> Forecast | None:
    """Write a run's log at `SPEED` times its pace beside the command; what that forecast at a half of the run."""
    log = folder / "replayed.log"
    log.touch()
    options = ["--usage", str(replay.selection.usage), "--ruleset", replay.selection.ruleset]
    command = [
        sys.executable,
        "-m",
        "mlperf_logging.cli.main",
        "watch",
        str(log),
        "--json",
        "--until-end",
        "--every",
        "0.2",
    ]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        lines = replay.path.read_bytes().splitlines(keepends=True)
        begin = time.monotonic()
        clock = dict[int, float]()
        for event in read_log(str(replay.path)).events:
            clock.setdefault(event.line, event.time_ms)
        first = replay.start_ms - LEAD_MS
        with log.open("ab", buffering=0) as file:
            for number, line in enumerate(lines, 1):
                due = begin + (clock.get(number, first) - first) / 1_000 / SPEED
                time.sleep(max(0.0, due - time.monotonic()))
                file.write(line)
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        said = [json.loads(line) for line in process.stdout]
    half_ms = (replay.start_ms + replay.converged_ms) / 2
    past = [each for each in said if (each["latest_ms"] or 0) <= half_ms and each["forecast"] is not None]
    print(f"{replay.path}: {len(said)} updates in {time.monotonic() - begin:.1f} s", file=sys.stderr)
    if not past:
        return None
    told = past[-1]["forecast"]
    times = Times(told["low_ms"], told["median_ms"], told["high_ms"]) if told["median_ms"] else None
    return compare(replay, 0.5, (told["low"], told["median"], told["high"]), times)


def main() -> int:
    """Measure, print the tables, and write them where asked."""
    parser = argparse.ArgumentParser(description="How well mlperf watch forecasts.")
    parser.add_argument("--corpus", type=Path, help="folder of rounds; without it nothing is measured")
    parser.add_argument("--part", choices=("all", "first", "second"), default="second")
    parser.add_argument("--replays", type=int, default=0, help="runs that are replayed to the command itself")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peer", help="not used: the public package forecasts nothing")
    options = parser.parse_args()
    if options.corpus is None:
        print("forecasts are measured on real result logs: name a folder of rounds with --corpus")
        return 0
    found, replays, chances = measure(options.corpus, options.part)
    overall = {name: tabulate(forecasts, by_benchmark=False) for name, forecasts in found.items()}
    single = tabulate(found[ALONE], by_benchmark=True)
    print(
        f"{len(replays)} runs, {len(Counter(each.benchmark for each in replays))} benchmarks; {describe_machine()}\n"
    )
    for row in overall[ALONE]:
        missing = len(replays) - row["runs"]
        print(f"at {row['share']:.0%}, {missing} runs have no forecast: their logs name the benchmark later")
    print(f"\n{show_overall(overall)}")
    print(f"\n{show_benchmarks(single)}")
    print(f"\n{describe_chances(chances)}", flush=True)
    live = []
    short = [each for each in replays if 10 <= each.minutes <= 60]
    for replay in take_evenly(short, options.replays):
        with tempfile.TemporaryDirectory() as folder:
            made = replay_live(replay, Path(folder))
        live += [made] if made is not None else []
    if live:
        print(
            f"\n{show_overall({f'replayed at {SPEED} times the speed': tabulate(live, by_benchmark=False)})}"
        )
    if options.json:
        answer = {
            "part": options.part,
            "overall": overall,
            "benchmarks": single,
            "chances": [each._asdict() for each in chances],
            "replayed": [each._asdict() for each in live],
        }
        options.json.write_text(json.dumps(answer, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
