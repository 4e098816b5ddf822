"""The life cycle of a run for Keras 3.

::

    from mlperf_logging.mllog.callbacks.keras import MLPerfCallback

    with MLPerfCallback(monitor="val_accuracy", target=0.9, submission={…}) as mlperf:
        model = build_model()
        model.fit(x, y, validation_data=(vx, vy), epochs=20, callbacks=[mlperf])
"""

from __future__ import annotations

from typing import Any

import keras

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.callbacks.base import RunCallback


class MLPerfCallback(RunCallback, keras.callbacks.Callback):  # type: ignore[misc]
    """Logs a run that ``model.fit`` trains; see `RunCallback` for the arguments.

    The preparation begins when the callback is made, the run when ``fit`` begins to train. A validation
    closes the epoch that it belongs to. ``monitor`` is named as ``fit`` names it (``"val_accuracy"``). Keras
    does not tell its callbacks of an exception, so use the callback as a context manager.
    """

    _steps = 0
    _epoch = 1

    def _begin(self) -> None:
        self._monitor = self._monitor.removeprefix("val_")
        self.life.start_init()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the run."""
        self.life.start_run()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Open the epoch, or a block of samples."""
        self._epoch = epoch + 1
        self.life.start_block(self._progress())

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count training steps."""
        self._steps += 1

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Close the epoch and open the evaluation."""
        self.life.start_eval(self._progress())

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Log the quality and close the evaluation."""
        if self._end_eval(logs or {}) and self.model is not None:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Close the epoch where no validation has."""
        self.life.stop_block(self._progress())

    def _progress(self) -> int:
        return self._epoch if self.life.unit == constants.EPOCH_NUM else self._count_samples(self._steps)
