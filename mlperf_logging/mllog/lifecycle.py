"""The life of a training run as events in the order that the rules require.

::

    cache_clear  init_start  submission_…  seed  hyperparameters  train_samples  eval_samples  init_stop
    run_start  ( block or epoch  ( eval_start  eval_accuracy  eval_stop ) )…  run_stop

The callbacks for frameworks and the helper for hand-written loops (see `callbacks`) all drive a `LifeCycle`.
It closes what is open before it opens the next thing, logs ``run_stop`` exactly once, and does so too when
the process is told to stop or exits in the middle of a run.
"""

from __future__ import annotations

import os
import sys

from mlperf_logging.mllog import constants, termination
from mlperf_logging.mllog.errors import ConfigError
from mlperf_logging.mllog.facts import name_facts
from mlperf_logging.mllog.notices import print_notice
from mlperf_logging.mllog.ranks import RankFilter
from mlperf_logging.mllog.settings import get_mllogger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Any, TypedDict

    from mlperf_logging.mllog.mllog import MLLogger

    class LifeCycleOptions(TypedDict, total=False):
        """The arguments of `LifeCycle` that callbacks pass on, with the meanings given there."""

        submission: Mapping[str, Any] | None
        seed: int | None
        hyperparameters: Mapping[str, object] | None
        train_samples: int | None
        eval_samples: int | None
        unit: str
        target: float | Mapping[str, float] | None
        mode: str
        quality_key: str
        logger: MLLogger | None
        clears_cache: bool


PACKAGE_FOLDER = os.path.dirname(__file__) + os.sep
FRAMEWORKS = frozenset(
    (
        *("accelerate", "composer", "contextlib", "functools", "keras", "lightning", "lightning_fabric"),
        *("megatron", "nemo", "nemo_run", "pytorch_lightning", "tensorflow", "torch", "transformers", "trl"),
    )
)
"""Packages whose lines are no call sites, because they call the script back, or a callback of it."""
UNITS = (constants.EPOCH_NUM, constants.SAMPLES_COUNT, constants.STEP_NUM)


class LifeCycle:
    """Logs one run from ``cache_clear`` to ``run_stop``.

    Args:
        submission: who submits what: ``benchmark``, ``org``, ``division``, ``platform``, ``status`` and more;
            see `mllog.submission`.
        seed: the seed of the random numbers.
        hyperparameters: values by log key, logged once before the run.
        train_samples: number of samples in the training data.
        eval_samples: number of samples in the evaluation data.
        unit: what progress is counted in: ``"epoch_num"``, ``"samples_count"`` or ``"step_num"``, as the benchmark's
            rules say.
        target: quality at which the run is a success; without one every run that ends normally is. Where there are
            several qualities, the target of each by name; one evaluation must reach all of them.
        mode: ``"max"`` where more is better, ``"min"`` where less is.
        quality_key: log key of the quality.
        logger: the logger to use; default: the shared one.
        clears_cache: whether the caches have been cleared, which is logged.

    Attributes:
        target: as given.
        unit: as given.
        is_reached: whether an evaluation has reached the target.
        is_running: whether the run has started and not stopped.
        progress: the latest progress, in epochs, samples or steps.
    """

    def __init__(
        self,
        *,
        submission: Mapping[str, Any] | None = None,
        seed: int | None = None,
        hyperparameters: Mapping[str, object] | None = None,
        train_samples: int | None = None,
        eval_samples: int | None = None,
        unit: str = constants.EPOCH_NUM,
        target: float | Mapping[str, float] | None = None,
        mode: str = "max",
        quality_key: str = constants.EVAL_ACCURACY,
        logger: MLLogger | None = None,
        clears_cache: bool = True,
    ) -> None:
        if unit not in UNITS:
            raise ConfigError(f"unit must be one of {', '.join(UNITS)}, not {unit!r}")
        if mode not in ("max", "min"):
            raise ConfigError(f"mode must be 'max' or 'min', not {mode!r}")
        self.unit = unit
        self.target = target
        self.is_reached = self.is_running = False
        self.progress: float = 0
        self._mode = mode
        self._quality_key = quality_key
        self._submission = dict(submission or {})
        self._seed = seed
        self._values = dict(hyperparameters or {})
        for key, value in ((constants.TRAIN_SAMPLES, train_samples), (constants.EVAL_SAMPLES, eval_samples)):
            if value is not None:
                self._values.setdefault(key, value)
        self._logger = logger
        self._clears_cache = clears_cache
        self._is_begun = self._is_over = self._is_told = self._eval_is_open = False
        self._block = ""
        self._epoch: float = 0
        self._watch: termination.EndWatch | None = None

    def mute(self) -> None:
        """Log nothing from now on, as becomes all processes of a training but one; barriers are met all the same."""
        self._logger = (self._logger or get_mllogger()).bind()
        self._logger.ranks = RankFilter(())

    @property
    def block_is_open(self) -> bool:
        """Whether an epoch or a block of training is open."""
        return bool(self._block)

    def start_init(self) -> None:
        """Log that caches are cleared, that the preparation begins, and all that is known before the run."""
        if self._is_begun:
            return
        self._is_begun = True
        if self._clears_cache:
            self._log("event", constants.CACHE_CLEAR, True)
        self._log("start", constants.INIT_START)
        facts = name_facts(self._submission) if self._submission else {}
        seed = {} if self._seed is None else {constants.SEED: self._seed}
        for key, value in (*facts.items(), *seed.items(), *self._values.items()):
            self._log("event", key, value)

    def start_run(self) -> None:
        """End the preparation and start the clock. Data must not be touched before."""
        if self.is_running or self._is_over:
            return
        self.start_init()
        self._log("end", constants.INIT_STOP)
        self._log("start", constants.RUN_START)
        self.is_running = True
        self._watch = termination.EndWatch(lambda: self.stop_run(constants.ABORTED))

    def start_block(self, progress: float) -> None:
        """Open an epoch, given its number, or a block, given the samples or steps trained so far."""
        if not self.is_running:
            return
        self.stop_eval()
        self.stop_block(progress)
        self.progress = self._epoch = progress
        self._block = "epoch" if self.unit == constants.EPOCH_NUM else "block"
        self._log("start", f"{self._block}_start", None, {self.unit: progress})

    def stop_block(self, progress: float | None = None) -> None:
        """Close the open epoch, which keeps its number, or the open block, at the samples or steps trained so far."""
        if not self._block:
            return
        if self.unit == constants.EPOCH_NUM:
            self.progress = self._epoch
        elif progress is not None:
            self.progress = progress
        block, self._block = self._block, ""
        self._log("end", f"{block}_stop", None, {self.unit: self.progress})

    def start_eval(self, progress: float | None = None) -> None:
        """Open an evaluation after so many epochs, samples or steps; default: as the stretch of training said.

        It closes the open stretch, unless only a part of an epoch is trained: then the epoch continues afterwards.
        """
        if not self.is_running or self._eval_is_open:
            return
        if progress is None or self.unit != constants.EPOCH_NUM or progress == int(progress):
            self.stop_block(progress)
        if progress is not None:
            self.progress = int(progress) if progress == int(progress) else progress
        self._eval_is_open = True
        self._log("start", constants.EVAL_START, None, {self.unit: self.progress})

    def log_quality(self, value: Any, **metadata: Any) -> bool:
        """Log the quality that an evaluation found.

        Args:
            value: a number where there is one target; where there are several, numbers by the targets' names.
            **metadata: of the event.

        Returns:
            Whether the target has been reached, now or before.
        """
        if self.is_running:
            self.start_eval()
            self._log("event", self._quality_key, value, {self.unit: self.progress, **metadata})
            if self.target is not None:
                self.is_reached = self.is_reached or reaches_target(value, self.target, self._mode)
        return self.is_reached

    def log_metric(self, metrics: Mapping[str, Any], name: str) -> bool:
        """Log the metric that is the quality, as `log_quality` does, or say once that there is none."""
        if name in metrics:
            return self.log_quality(float(metrics[name]))
        if not self._is_told:
            self._is_told = True
            print_notice(
                f"mllog: the evaluation has no metric {name!r}, so no quality is logged; it has "
                f"{', '.join(sorted(metrics)) or 'none'}"
            )
        return self.is_reached

    def stop_eval(self) -> None:
        """Close the open evaluation, if there is one."""
        if self._eval_is_open:
            self._eval_is_open = False
            self._log("end", constants.EVAL_STOP, None, {self.unit: self.progress})

    def stop_run(self, status: str | None = None, **metadata: Any) -> None:
        """Stop the clock; without a status it is a success if the target was reached or there is none.

        A run that is stopped as ``"aborted"`` does not wait for other processes: they may be gone.
        """
        with termination.held_back:
            watch, self._watch = self._watch, None
            if watch is None or not watch.is_own:  # a forked process does not speak for its parent
                return
            watch.cancel()
            self.stop_eval()
            self.stop_block()
            self.is_running, self._is_over = False, True
            sync = False if status == constants.ABORTED else None
            if status is None:
                good = self.is_reached or self.target is None
                status = constants.SUCCESS if good else constants.ABORTED
            fields = {constants.STATUS: status, self.unit: self.progress, **metadata}
            self._log("end", constants.RUN_STOP, None, fields, sync)

    def _log(
        self, method: str, key: str, value: object = None, metadata: Any = None, sync: bool | None = None
    ) -> None:
        """Log an event whose call site is the script's line that leads to it, by way of a framework or not."""
        frame, offset = sys._getframe(1), 2
        while _is_library(frame) and frame.f_back is not None:
            frame, offset = frame.f_back, offset + 1
        log = getattr(self._logger or get_mllogger(), method)
        log(key, value, metadata, stack_offset=offset, sync=sync)


def reaches_target(quality: Any, target: float | Mapping[str, float], mode: str = "max") -> bool:
    """Whether a quality is as good as its target or better; where there are several, whether all of them are.

    Args:
        quality: a number, or numbers by name; those without a target do not matter.
        target: likewise.
        mode: ``"max"`` where more is better, ``"min"`` where less is.

    Raises:
        KeyError: one of several qualities is missing.
    """
    if not isinstance(target, float | int):
        return all(reaches_target(quality[name], each, mode) for name, each in target.items())
    return float(quality) >= target if mode == "max" else float(quality) <= target


def _is_library(frame: FrameType) -> bool:
    """Whether a frame is of this package or of a framework that calls it back."""
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return package in FRAMEWORKS or frame.f_code.co_filename.startswith(PACKAGE_FOLDER)
