"""The life cycle of a run for loops written by hand.

::

    with TrainingRun(submission=…, hyperparameters=…, target=0.9) as run:
        model = build_model()                     # the preparation
        for epoch in run.epochs(20):              # the clock starts here; ends when the target is reached
            train_one_epoch(model)
            run.evaluate(lambda: accuracy(model))
"""

from __future__ import annotations

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.lifecycle import LifeCycle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeVar

    from typing_extensions import Self, Unpack

    from mlperf_logging.mllog.lifecycle import LifeCycleOptions

    Quality = TypeVar("Quality", float, Mapping[str, float])


class TrainingRun:
    """Logs a run around a ``with`` block; generators give the steps and end when the target is reached.

    ``run_stop`` is logged in any case: with ``"success"`` when the target was reached (or none was set), with
    ``"aborted"`` otherwise, on an exception, on an interrupt, and when the process is told to stop.

    Args:
        **options: those of `LifeCycle`.

    Attributes:
        life: the life cycle; for what these methods do not offer.
    """

    def __init__(self, **options: Unpack[LifeCycleOptions]) -> None:
        self.life = LifeCycle(**options)

    def __enter__(self) -> Self:
        self.life.start_init()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.life.stop_run(constants.ABORTED if kind is not None else None)

    @property
    def is_reached(self) -> bool:
        """Whether an evaluation has reached the target."""
        return self.life.is_reached

    def start(self) -> None:
        """End the preparation and start the clock; `epochs` and `blocks` do so themselves."""
        self.life.start_run()

    def epochs(self, count: int, first: int = 1) -> Iterator[int]:
        """Give the numbers of the epochs, logging begin and end of each.

        Args:
            count: greatest number of epochs.
            first: number of the first one.

        Yields:
            The epoch's number, until the target is reached.
        """
        self.life.start_run()
        for epoch in range(first, first + count):
            self.life.start_block(epoch)
            yield epoch
            self.life.stop_eval()
            self.life.stop_block()
            if self.life.is_reached:
                return

    def blocks(self, samples: int, limit: int) -> Iterator[int]:
        """Give stretches of training between evaluations, for progress counted in samples (or in steps).

        Args:
            samples: how many samples each stretch trains on.
            limit: greatest number of samples in all.

        Yields:
            How many samples to train on now, until the target is reached.
        """
        self.life.start_run()
        done = 0
        while done < limit and not self.life.is_reached:
            now = min(samples, limit - done)
            self.life.start_block(done)
            self._block_end = done + now
            yield now
            done += now
            self.life.stop_eval()
            self.life.stop_block(done)

    def evaluate(self, measure: Callable[[], Quality], **metadata: Any) -> Quality:
        """Evaluate: log begin, quality and end.

        Args:
            measure: called without arguments; gives the quality: a number, or several by name.
            **metadata: further metadata of the quality's event.

        Returns:
            The quality.
        """
        self.life.start_eval(self._progress())
        quality = measure()
        self.life.log_quality(quality, **metadata)
        self.life.stop_eval()
        return quality

    _block_end: int | None = None

    def _progress(self) -> float | None:
        return self._block_end if self.life.unit != constants.EPOCH_NUM else None
