"""The life cycle of a run for the Hugging Face Trainer.

::

    from mlperf_logging.mllog.callbacks.transformers import MLPerfCallback

    with MLPerfCallback(monitor="eval_accuracy", target=0.9, submission={…}) as mlperf:
        trainer = Trainer(model, args, …, callbacks=[mlperf])
        trainer.train()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from transformers import TrainerCallback

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.lifecycle import LifeCycle

if TYPE_CHECKING:
    from types import TracebackType


class MLPerfCallback(TrainerCallback):  # type: ignore[misc]
    """Logs a run that ``trainer.train`` trains; only the first process of the first node logs.

    The preparation begins when the callback is made, the run when training begins. Epochs count from 1; an
    evaluation in the middle of one leaves it open and says which part of it was trained. Blocks of samples
    are closed by evaluations. The Trainer tells its callbacks nothing of an exception, so use the callback as
    a context manager: then the run ends as ``"aborted"`` at once when ``train`` raises or is interrupted;
    without, when the process ends.

    Args:
        monitor: name of the metric that is the quality (``"eval_loss"``, ``"eval_accuracy"``).
        stop_at_target: whether to end the training once the target is reached.
        samples_per_step: samples in an optimizer step over all processes, where progress is counted in
            samples; default: what the Trainer's arguments say.
        **options: those of `LifeCycle`.

    Attributes:
        life: the life cycle.
    """

    def __init__(
        self,
        monitor: str = "eval_accuracy",
        *,
        stop_at_target: bool = True,
        samples_per_step: int | None = None,
        **options: Any,
    ) -> None:
        self.life = LifeCycle(**options)
        self._monitor = monitor
        self._stop_at_target = stop_at_target
        self._samples_per_step = samples_per_step

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.life.stop_run(constants.ABORTED if kind is not None else None)

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin the preparation."""
        if state.is_world_process_zero:
            self.life.start_init()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the run."""
        if state.is_world_process_zero:
            self.life.start_run()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open the epoch, or a block of samples, where none is open."""
        if not self.life.block_is_open:
            progress = self._progress(args, state)
            self.life.start_block(
                progress if self.life.unit == constants.SAMPLES_COUNT else int(progress) + 1
            )

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
        if not self.life.is_running:
            return
        if self.life.log_metric(metrics or {}, self._monitor) and self._stop_at_target:
            control.should_training_stop = True
        self.life.stop_eval()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the epoch, and open an evaluation that comes now."""
        progress = self._progress(args, state)
        self.life.stop_block(progress)
        if control.should_evaluate:
            self.life.start_eval(progress)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop the run."""
        self.life.stop_run()

    def _progress(self, args: Any, state: Any) -> float:
        """Epochs or samples trained so far."""
        if self.life.unit == constants.SAMPLES_COUNT:
            samples = self._samples_per_step or (
                args.train_batch_size * args.gradient_accumulation_steps * args.world_size
            )
            return int(state.global_step) * int(samples)
        return float(state.epoch or 0.0)
