"""The life cycle of a run for Keras 3.

::

    from mlperf_logging.mllog.callbacks.keras import MLPerfCallback

    with MLPerfCallback(monitor="val_accuracy", target=0.9, submission={…}) as mlperf:
        model = build_model()
        model.fit(x, y, validation_data=(vx, vy), epochs=20, callbacks=[mlperf])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import keras

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.lifecycle import LifeCycle

if TYPE_CHECKING:
    from types import TracebackType


class MLPerfCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Logs a run that ``model.fit`` trains.

    The preparation begins when the callback is made, the run when ``fit`` begins to train. A validation
    closes the epoch that it belongs to. Used as a context manager it logs ``run_stop`` with ``"aborted"`` at
    once when ``fit`` raises or is interrupted; without, when the process ends.

    Args:
        monitor: the metric that is the quality, as ``fit`` names it (``"val_accuracy"``).
        stop_at_target: whether to end the training once the target is reached.
        samples_per_step: samples in a training step, where progress is counted in samples.
        **options: those of `LifeCycle`.

    Attributes:
        life: the life cycle.
    """

    def __init__(
        self,
        monitor: str = "val_accuracy",
        *,
        stop_at_target: bool = True,
        samples_per_step: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.life = LifeCycle(**options)
        self._monitor = monitor.removeprefix("val_")
        self._stop_at_target = stop_at_target
        self._samples_per_step = samples_per_step or int(
            options.get("hyperparameters", {}).get(constants.GLOBAL_BATCH_SIZE, 0)
        )
        self._samples = 0
        self._epoch = 1
        self.life.start_init()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.life.stop_run(constants.ABORTED if kind is not None else None)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the run."""
        self.life.start_run()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Open the epoch, or a block of samples."""
        self._epoch = epoch + 1
        self.life.start_block(self._progress())

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count samples."""
        self._samples += self._samples_per_step

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Close the epoch and open the evaluation."""
        self.life.start_eval(self._progress())

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Log the quality and close the evaluation."""
        if not self.life.is_running:
            return
        if (
            self.life.log_metric(logs or {}, self._monitor)
            and self._stop_at_target
            and self.model is not None
        ):
            self.model.stop_training = True
        self.life.stop_eval()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Close the epoch where no validation has."""
        self.life.stop_block(self._progress())

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Stop the run."""
        self.life.stop_run()

    def _progress(self) -> int:
        return self._epoch if self.life.unit == constants.EPOCH_NUM else self._samples
