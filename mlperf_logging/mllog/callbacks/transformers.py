"""The life cycle of a run for the Hugging Face Trainer.

::

    from mlperf_logging.mllog.callbacks.transformers import MLPerfCallback

    with MLPerfCallback(monitor="eval_accuracy", target=0.9, submission={…}) as mlperf:
        trainer = Trainer(model, args, …, callbacks=[mlperf])
        trainer.train()
"""

from __future__ import annotations

from typing import Any, ClassVar

from transformers import TrainerCallback

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.callbacks.base import RunCallback


class MLPerfCallback(RunCallback, TrainerCallback):  # type: ignore[misc]
    """Logs a run that ``trainer.train`` trains; see `RunCallback` for the arguments.

    Only the first process of the first node logs. The preparation begins when the callback is made, the run
    when training begins. Epochs count from 1; an evaluation in the middle of one leaves it open and says
    which part of it was trained. Blocks of samples are closed by evaluations. The Trainer tells its callbacks
    nothing of an exception, so use the callback as a context manager.
    """

    default_monitor: ClassVar[str] = "eval_accuracy"

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin the preparation."""
        self._begin_in(state.is_world_process_zero)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the run."""
        self._begin_in(state.is_world_process_zero)
        self.life.start_run()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open the epoch, or a block of samples, where none is open."""
        if not self.life.block_is_open:
            progress = self._progress(args, state)
            is_samples = self.life.unit == constants.SAMPLES_COUNT
            self.life.start_block(progress if is_samples else int(progress) + 1)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open an evaluation that comes now."""
        if control.should_evaluate:
            self.life.start_eval(self._progress(args, state))

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open an evaluation that another callback asked for."""
        self.life.start_eval(self._progress(args, state))

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Log the quality and close the evaluation."""
        if self._end_eval(metrics or {}):
            control.should_training_stop = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the epoch, and open an evaluation that comes now."""
        progress = self._progress(args, state)
        self.life.stop_block(progress)
        if control.should_evaluate:
            self.life.start_eval(progress)

    def _progress(self, args: Any, state: Any) -> float:
        """Epochs or samples trained so far."""
        if self.life.unit == constants.SAMPLES_COUNT:
            known = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
            return self._count_samples(int(state.global_step), known)
        return float(state.epoch or 0.0)
