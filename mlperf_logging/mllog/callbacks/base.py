"""What the callbacks for all frameworks have in common."""

from __future__ import annotations

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.lifecycle import LifeCycle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from typing_extensions import Self, Unpack

    from mlperf_logging.mllog.lifecycle import LifeCycleOptions


class RunCallback:
    """Drives a `LifeCycle` from the hooks of a framework.

    Used as a context manager it logs ``run_stop`` with ``"aborted"`` at once when the block raises or is
    interrupted; without, when the process ends.

    Args:
        monitor: name of the metric that is the quality; default: `default_monitor`.
        stop_at_target: whether to end the training once the target is reached.
        samples_per_step: samples in a training step over all processes, where progress is counted in
            samples; default: what the framework says, else the hyperparameter ``global_batch_size``.
        **options: those of `LifeCycle`.

    Attributes:
        life: the life cycle.
    """

    default_monitor: ClassVar[str] = "val_accuracy"

    def __init__(
        self,
        monitor: str | None = None,
        *,
        stop_at_target: bool = True,
        samples_per_step: int | None = None,
        **options: Unpack[LifeCycleOptions],
    ) -> None:
        super().__init__()
        self.life = LifeCycle(**options)
        self._monitor = monitor or self.default_monitor
        self._stop_at_target = stop_at_target
        self._samples_per_step = samples_per_step
        self._hyperparameters = options.get("hyperparameters") or {}
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.life.stop_run(constants.ABORTED if kind is not None else None)

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Stop the run."""
        self.life.stop_run()

    def _begin(self) -> None:
        """Do what a framework needs when its callback is made."""

    def _begin_in(self, logs: bool) -> None:
        """Begin the preparation in a process that logs, or only meets those that do."""
        if not logs:
            self.life.mute()
        self.life.start_init()

    def _count_samples(self, steps: int, known: int = 0) -> int:
        """Samples of so many training steps; ``known``: those of a step as the framework knows it, or 0."""
        given: Any = self._hyperparameters.get(constants.GLOBAL_BATCH_SIZE, 0)
        return steps * int(self._samples_per_step or known or given)

    def _end_eval(self, metrics: Mapping[str, Any]) -> bool:
        """Log the quality among the metrics and close the evaluation; True: the training is to end."""
        if not self.life.is_running:
            return False
        reached = self.life.log_metric(metrics, self._monitor)
        self.life.stop_eval()
        return reached and self._stop_at_target
