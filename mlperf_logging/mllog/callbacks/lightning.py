"""The life cycle of a run for PyTorch Lightning (the package ``lightning`` or ``pytorch_lightning``).

::

    from mlperf_logging.mllog.callbacks.lightning import MLPerfCallback

    mlperf = MLPerfCallback(monitor="val_accuracy", target=0.9, submission={…})
    trainer = lightning.Trainer(max_epochs=20, callbacks=[mlperf])
    trainer.fit(model, train_loader, val_loader)
"""

from __future__ import annotations

from typing import Any

try:
    from lightning.pytorch import Callback
except ImportError:  # the same code under its former name
    from pytorch_lightning import Callback

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.callbacks.base import RunCallback


class MLPerfCallback(RunCallback, Callback):  # type: ignore[misc]
    """Logs a run that ``trainer.fit`` trains; see `RunCallback` for the arguments.

    Only the process of global rank 0 logs, and its quality ends the training of all. The preparation begins when
    the callback is made, the run when training begins. Epochs count from 1; a validation in the middle of one
    leaves it open and says which part of it was trained. Blocks of samples are closed by validations.
    ``monitor`` is the name under which the module logs the quality (``self.log("val_accuracy", …)``). An
    exception and an interrupt end the run as ``"aborted"``, without a context manager too.
    """

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Begin the preparation."""
        if stage == "fit":
            self._begin_in(trainer.is_global_zero)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Start the run."""
        self.life.start_run()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Open the epoch, or a block of samples."""
        self.life.start_block(self._progress(trainer))

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Resume an epoch that a validation interrupted."""
        if not self.life.block_is_open:
            self.life.start_block(self._progress(trainer))

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Close the epoch or block and open the evaluation."""
        if not trainer.sanity_checking:
            self.life.start_eval(self._eval_progress(trainer))

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Log the quality and close the evaluation."""
        if trainer.sanity_checking:
            return
        stops = self._end_eval(trainer.callback_metrics) and trainer.is_global_zero
        if trainer.strategy.reduce_boolean_decision(stops, all=False):
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Close the epoch where no validation has."""
        self.life.stop_block(self._progress(trainer))

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Stop the run as aborted."""
        self.life.stop_run(constants.ABORTED)

    def _progress(self, trainer: Any) -> int:
        if self.life.unit == constants.EPOCH_NUM:
            return int(trainer.current_epoch) + 1
        return self._count_samples(int(trainer.global_step))

    def _eval_progress(self, trainer: Any) -> float:
        """As `_progress`, with the part of the epoch that was trained where it is not over."""
        progress: float = self._progress(trainer)
        batches = trainer.num_training_batches
        if self.life.unit == constants.SAMPLES_COUNT or trainer.is_last_batch or batches == float("inf"):
            return progress
        return float(progress - 1 + (trainer.fit_loop.batch_idx + 1) / batches)
