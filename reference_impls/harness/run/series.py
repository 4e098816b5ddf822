"""A series of seeded runs, written into a folder laid out as a submission.

::

    OUTPUT/SUBMITTER/results/SYSTEM/BENCHMARK/result_0.txt …
    OUTPUT/SUBMITTER/systems/SYSTEM.json
    OUTPUT/SUBMITTER/benchmarks/BENCHMARK/implementations/SYSTEM/{README.md, config.json, packages.json}
    OUTPUT/.work/SYSTEM/BENCHMARK/result_0/            checkpoint and result of a run
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from mlperf_logging import __version__
from mlperf_logging.events import DIVISIONS
from reference_impls.harness.configs import TaskConfig, change_config
from reference_impls.harness.errors import DataError, SettingError, TrainerError
from reference_impls.harness.report.header import check_settings
from reference_impls.harness.report.systems import (
    SOURCES,
    STATUSES,
    describe_system,
    find_system_name,
    list_packages,
    name_system,
    read_commit,
)
from reference_impls.harness.run.launching import launch_run
from reference_impls.harness.run.requests import RunRequest, RunResult, identify_run, list_differences
from reference_impls.harness.tasks import SCALES, Task, find_task

WORK = ".work"
RULESETS = {"mini": "mini/1.0.0", "full": "original/1.0.0"}
"""The rules that judge a run of a scale; the log names them."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """The request for a series.

    Attributes:
        task: name of the task, its benchmark or an alias.
        scale: ``mini`` or ``full``.
        division: ``closed`` or ``open``.
        settings: changes of the configuration, ``key=value``.
        first_seed: seed of the first run; each further run has the next one.
        runs: number of runs.
        data: folder of all data; the task's is ``TASK/SCALE`` below it.
        output: where results go.
        strategy: see `devices.make_strategy`.
        replicas: virtual devices of the strategy ``mirrored``.
        workers: number of processes on this machine that train together; 1: the run is one process, or one of
            those that ``TF_CONFIG`` names.
        resume: keep finished runs and resume interrupted ones.
        checkpoint_steps: steps from one checkpoint within an epoch to the next; 0: none.
        jit_compile: whether XLA compiles the steps of training and evaluation; one device only.
        steps_per_call: training steps that one call of TensorFlow does.
        deterministic: whether operations must be deterministic.
        submitter: the submitter.
        system: name of the system; empty: that of its description in the output folder, else made from the processor's.
        status: availability of the system, as logged.
    """

    task: str
    scale: str = "mini"
    division: str = "closed"
    settings: tuple[str, ...] = ()
    first_seed: int = 1
    runs: int = 1
    data: Path = Path("data")
    output: Path = Path("out")
    strategy: str = "auto"
    replicas: int = 0
    workers: int = 1
    resume: bool = False
    checkpoint_steps: int = 0
    jit_compile: bool = False
    steps_per_call: int = 1
    deterministic: bool = True
    submitter: str = "reference"
    system: str = ""
    status: str = "research"


@dataclass(frozen=True)
class FinishedRun:
    """One run of a series.

    Attributes:
        log: its log.
        seed: its seed.
        result: how it ended.
        is_new: whether it was done by this call.
    """

    log: Path
    seed: int
    result: RunResult
    is_new: bool


class SeriesRunner:
    """Runs a series, one run at a time.

    Args:
        series: the request.

    Attributes:
        task: the task.
        config: its configuration, with the settings applied.
        data: folder of its data.
        submission: the submitter's folder.
        results: folder of the logs.

    Raises:
        TrainerError: the task, scale, division or a setting does not exist.
    """

    def __init__(self, series: Series) -> None:
        for what, given, known in (
            ("scale", series.scale, SCALES),
            ("division", series.division, DIVISIONS),
            ("status", series.status, tuple(STATUSES)),
        ):
            if given not in known:
                raise SettingError(f"unknown {what} {given!r}; choose from {', '.join(known)}")
        self.series = series
        self.task: Task = find_task(series.task)
        self.config: TaskConfig = change_config(
            self.task.config(series.scale, series.division), series.settings
        )
        self.data = series.data / self.task.name / series.scale
        self.submission = home = series.output / series.submitter
        self.system = series.system or find_system_name(home / "systems") or name_system()
        self.results = home / "results" / self.system / self.task.benchmark
        self._system_file = home / "systems" / f"{self.system}.json"
        self._implementation = home / "benchmarks" / self.task.benchmark / "implementations" / self.system
        self._work = series.output / WORK / self.system / self.task.benchmark

    def check(self) -> None:
        """Find what would keep the series from starting, before anything is written.

        Raises:
            SettingError: the rules of the division do not allow a setting.
            TrainerError: another series is in the way, or a finished run of it.
            DataError: there is no data.
        """
        check_settings(self.config, self._request(0).submission)
        self._refuse_to_overwrite()
        self._refuse_others()
        if not self.data.is_dir():
            command = self.task.data_command(self.series.scale, self.data)
            raise DataError(f"there is no data at {self.data}; get it with: {command}")

    def run(self) -> Iterator[FinishedRun]:
        """Do the missing runs.

        Yields:
            Each run, as soon as it has ended.

        Raises:
            TrainerError: it cannot start, see `check`; or a run failed, and its message is on standard error.
        """
        self.check()
        self._describe()
        for number in range(self.series.runs):
            request = self._request(number)
            log, result_file = Path(request.log), _find_result(request)
            if self.series.resume and (kept := _read_kept(request)) is not None:
                yield FinishedRun(log, request.seed, kept, is_new=False)
                continue
            if not self.series.resume:
                shutil.rmtree(request.work, ignore_errors=True)
            launch_run(request, result_file, self.series.workers)
            result = read_result(result_file)
            shutil.rmtree(Path(request.work) / "checkpoint", ignore_errors=True)
            yield FinishedRun(log, request.seed, result, is_new=True)

    def _request(self, number: int) -> RunRequest:
        series = self.series
        several = series.workers > 1 or (series.strategy == "auto" and "TF_CONFIG" in os.environ)
        return RunRequest(
            task=self.task.name,
            benchmark=self.task.benchmark,
            scale=series.scale,
            division=series.division,
            settings=series.settings,
            seed=series.first_seed + number,
            data=str(self.data),
            data_command=self.task.data_command(series.scale, self.data),
            log=str(self.results / f"result_{number}.txt"),
            work=str(self._work / f"result_{number}"),
            strategy="workers" if several else series.strategy,
            replicas=series.replicas,
            deterministic=series.deterministic,
            resume=series.resume,
            checkpoint_steps=series.checkpoint_steps,
            jit_compile=series.jit_compile,
            steps_per_call=series.steps_per_call,
            org=series.submitter,
            platform=self.system,
            status=series.status,
            ruleset=RULESETS[series.scale],
        )

    def _refuse_to_overwrite(self) -> None:
        there = sorted(self.results.glob("result_*.txt"))
        if there and not self.series.resume:
            raise TrainerError(
                f"{self.results} holds {there[0].name} already; "
                "add --resume to finish that series, or give another --output"
            )

    def _refuse_others(self) -> None:
        for number in range(self.series.runs if self.series.resume else 0):
            request = self._request(number)
            kept = _read_kept(request)
            if kept is None or not kept.identity:
                continue
            if names := list_differences(identify_run(request, self.config), kept.identity):
                raise TrainerError(
                    f"{request.log} is a finished run with a different {' and '.join(names)}; "
                    "give the options of that series, or another --output"
                )

    def _describe(self) -> None:
        """Write the description of the system, unless there is one, and of the implementation."""
        series = self.series
        self.results.mkdir(parents=True, exist_ok=True)
        self._implementation.mkdir(parents=True, exist_ok=True)
        if not self._system_file.exists():
            self._system_file.parent.mkdir(parents=True, exist_ok=True)
            facts = describe_system(
                series.submitter, self.system, series.division, series.status, series.workers
            )
            self._system_file.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
        config = {"scale": series.scale, "division": series.division, **asdict(self.config)}
        (self._implementation / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
        (self._implementation / "packages.json").write_text(
            json.dumps(list_packages(), indent=2) + "\n", "utf-8"
        )
        settings = "".join(f" --set {setting}" for setting in series.settings)
        (self._implementation / "README.md").write_text(
            f"# {self.task.summary}\n\nMade with\n\n```sh\n"
            f"mlperf train {self.task.name} --scale {series.scale} --division {series.division} "
            f"--seed {series.first_seed} --runs {series.runs}{settings}\n```\n\n"
            f"and the settings in `config.json`. {self._point_to_code()}\n",
            "utf-8",
        )

    def _point_to_code(self) -> str:
        """Where the code is that made the results, in a sentence."""
        package = self.task.workload.partition(":")[0].rpartition(".")[0]
        commit = read_commit(SOURCES)
        return (
            f"The code is the package `{package}` of mlperf-log-toolkit {__version__}"
            f"{f', commit `{commit}`' if commit else ''}; the installed packages are in `packages.json`."
        )


def _find_result(request: RunRequest) -> Path:
    return Path(request.work) / "result.json"


def _read_kept(request: RunRequest) -> RunResult | None:
    """How a finished run ended; None if the run is still to be done."""
    result = _find_result(request)
    return read_result(result) if Path(request.log).is_file() and result.is_file() else None


def read_result(path: Path) -> RunResult:
    """How a run ended, from the file that its process wrote."""
    return RunResult(**json.loads(path.read_text("utf-8")))
