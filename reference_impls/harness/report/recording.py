"""The only emitter of events: turns what happens in the loop into the log, checkpoints, and progress for people."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mlperf_logging import mllog
from mlperf_logging.mllog import constants
from mlperf_logging.mllog.callbacks.loop import TrainingRun
from reference_impls.harness.errors import DivergenceError
from reference_impls.harness.report.display import Display
from reference_impls.harness.report.header import check_header
from reference_impls.harness.run.checkpoints import Checkpoint, CheckpointKeeper
from reference_impls.harness.workload import Evaluation, Quality, Share, Workload

if TYPE_CHECKING:
    from typing_extensions import Self

RESUMED = "training_resumed"
STATS = "tracked_stats"
DATA_CHECKSUM = "data_checksum"
WEIGHTS_CHECKSUM = "weights_checksum"
ENVIRONMENT = "run_environment"
PACKAGES = Path(__file__).resolve().parents[3]
"""The folder of the packages, left out of call sites: it says nothing about a run."""

UNITS = {
    "epoch": constants.EPOCH_NUM,
    "generation": constants.EPOCH_NUM,
    "samples": constants.SAMPLES_COUNT,
    "steps": constants.STEP_NUM,
}
"""What progress is logged as, by `Workload.unit`."""

_numbers = count()


class LogRecorder:
    """Logs a run: a context manager that starts with the initialization and ends with ``run_stop``, whatever happens.

    Args:
        path: the log.
        workload: provides hyperparameters, samples, target and metric.
        submission: who submits what, see `mllog.submission`.
        display: shows progress.
        share: which process this is; only the first of several logs. Default: the only one.
        resumed: the checkpoint that the run resumes from, or None.
        request: identity of the run, for checkpoints.
        environment: what the run computes with, see `environment.describe_environment`.
        clears_cache: whether the data have been dropped from the page cache.

    Attributes:
        keeper: writes checkpoints; None: none are written. Set it once the workload is built.
        quality: result of the latest evaluation, or None.
        epoch: the latest epoch.
    """

    def __init__(
        self,
        path: Path,
        workload: Workload[Any],
        submission: Mapping[str, str],
        display: Display,
        *,
        share: Share | None = None,
        resumed: Checkpoint | None = None,
        request: Mapping[str, Any] | None = None,
        environment: Mapping[str, object] | None = None,
        clears_cache: bool = True,
    ) -> None:
        self.path = path
        self.keeper: CheckpointKeeper | None = None
        self.quality: Quality | None = None
        self.epoch = 0
        self._workload = workload
        self._display = display
        share = share or Share()
        self._is_first = share.index == 0
        self._submission = dict(submission)
        self._environment = dict(environment or {})
        self._resumed = resumed
        self._request = dict(request or {})
        self._losses: Mapping[str, float] = {}
        self._epoch_started = 0.0
        self._former_root: str | None = None
        self._run = TrainingRun(
            submission=self._submission,
            seed=workload.seed,
            hyperparameters={
                **workload.hyperparameters(share),
                **({DATA_CHECKSUM: checksum} if (checksum := workload.data_checksum()) else {}),
                **({ENVIRONMENT: self._environment} if self._environment else {}),
            },
            clears_cache=clears_cache,
            train_samples=workload.train_samples,
            eval_samples=workload.eval_samples,
            unit=UNITS[workload.unit],
            target=workload.target,
            mode=workload.mode,
            quality_key=workload.quality_key,
        )

    @property
    def is_reached(self) -> bool:
        """Whether an evaluation has reached the target."""
        return self._run.is_reached

    def __enter__(self) -> Self:
        # A logger of the run's own: the shared one may hold the file of an earlier run of this process.
        self._former_root = mllog.get_mllogger().root_dir
        mllog.config(
            logger=_make_silent_logger(), ranks="all" if self._is_first else (), root_dir=str(PACKAGES)
        )
        if self._resumed is None:
            self._open_file()
        self._run.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DivergenceError):
            self._run.life.stop_run(constants.ABORTED, reason=str(error))
        self._run.__exit__(kind, error, trace)
        mllog.config(logger=_make_silent_logger())
        mllog.get_mllogger().root_dir = self._former_root

    def start(self) -> None:
        """Judge the header of the log, then start the clock.

        Raises:
            SettingError: a rule does not allow a value of the header.
        """
        if self._is_first and self._resumed is None:
            check_header(self.path, self._submission)
        self._run.start()
        if self._resumed is not None:
            # Up to here the life cycle repeated, silently, what the log contains already.
            self.epoch = self._resumed.epoch
            self._run.life.progress = self._count(self.epoch, self._resumed.total_steps)
            if self._resumed.is_open:
                self._start_block(self.epoch + 1)
            self._open_file()
            # The header describes the devices and versions before the break; these may be others.
            metadata = {"step": self._resumed.step, ENVIRONMENT: self._environment}
            mllog.event(RESUMED, self._resumed.epoch, metadata=metadata)

    def start_epoch(self, epoch: int) -> None:
        """An epoch begins."""
        self.epoch = epoch
        self._start_block(epoch)
        self._display.start_epoch(epoch)
        self._epoch_started = time.monotonic()

    def _start_block(self, epoch: int) -> None:
        """Open the epoch, or a block, unless it is open: it may have begun before the break."""
        if not self._run.life.block_is_open:
            self._run.life.start_block(epoch if self._counts_epochs else self._run.life.progress)

    @property
    def _counts_epochs(self) -> bool:
        return self._run.life.unit == constants.EPOCH_NUM

    def _count(self, epochs: float, steps: int) -> float:
        """Progress in the unit of the log."""
        if self._counts_epochs:
            return epochs
        samples = self._workload.config.global_batch_size
        return steps * samples if self._run.life.unit == constants.SAMPLES_COUNT else steps

    def show_step(self, step: int, steps: int | None, losses: Mapping[str, float]) -> None:
        """Some steps are done."""
        self._display.show_step(step, steps, losses)

    def finish_epoch(self, epoch: int, steps: int, part: float, losses: Mapping[str, float]) -> None:
        """The epoch's training is done."""
        seconds = max(time.monotonic() - self._epoch_started, 1e-9)
        self._losses = losses
        progress = {constants.EPOCH_NUM: epoch}
        work = dict(self._workload.measure_work(epoch, part))
        stats = {"throughput": work.pop("samples") / seconds, "steps": steps, **losses, **work}
        mllog.event(STATS, stats, metadata=progress)
        if self._counts_epochs:
            self._run.life.stop_block(epoch)

    def start_eval(self, progress: float, total_steps: int) -> None:
        """An evaluation begins."""
        self._run.life.start_eval(self._count(progress, total_steps))
        self._display.start_eval()

    def finish_eval(self, evaluation: Evaluation) -> bool:
        """An evaluation is done; returns whether the target is reached."""
        self.quality = evaluation.quality
        reached = self._run.life.log_quality(evaluation.quality, **evaluation.metrics)
        self._run.life.stop_eval()
        if not reached and not self._counts_epochs:
            self._start_block(self.epoch)
        self._display.show_quality(evaluation.quality, self._losses)
        return reached

    def save(self, epoch: int, step: int = 0, total_steps: int = 0, part: int = 0) -> None:
        """Take a checkpoint."""
        if self.keeper is not None:
            length = self.path.stat().st_size if self._is_first else 0
            is_open = self._run.life.block_is_open
            self.keeper.save(Checkpoint(epoch, length, self._request, step, total_steps, part, is_open))

    def stop(self) -> None:
        """The last epoch is done: stop the clock."""
        self._run.life.stop_run()

    def log_weights(self, checksum: str) -> None:
        """The final weights have been kept; the clock has stopped."""
        mllog.event(WEIGHTS_CHECKSUM, checksum, metadata={constants.EPOCH_NUM: self.epoch})

    def _open_file(self) -> None:
        if self._is_first:
            mllog.config(filename=self.path, mode="append" if self._resumed else None)


def truncate_log(path: Path, log_bytes: int, aside: Path) -> None:
    """Truncate an interrupted log to its length at a checkpoint, keeping a copy of the whole.

    Args:
        path: the log.
        log_bytes: its length afterwards.
        aside: folder of the copy, whose name does not match that of a result.
    """
    aside.mkdir(parents=True, exist_ok=True)
    number = next(n for n in count() if not (aside / f"{path.stem}.{n}.interrupted").exists())
    whole = aside / f"{path.stem}.{number}.interrupted"
    shutil.copy2(path, whole)
    draft = path.with_suffix(".part")
    draft.write_bytes(whole.read_bytes()[:log_bytes])
    draft.replace(path)


def _make_silent_logger() -> logging.Logger:
    """A logger that prints nothing; files are added later."""
    logger = logging.getLogger(f"{__name__}.{next(_numbers)}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger
