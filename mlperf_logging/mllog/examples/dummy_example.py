"""Log a run that never was: ``python -m mlperf_logging.mllog.examples.dummy_example``.

The lines go to standard output and to ``example_simple.log`` in the working folder.
"""

from __future__ import annotations

from pathlib import Path

from mlperf_logging import mllog
from mlperf_logging.mllog import constants


def dummy_example() -> None:
    """Log the beginning, a hyperparameter, an evaluation and the end of a run."""
    mllog.config(filename="example_simple.log")
    root = Path(__file__).resolve().parents[2]
    mllog.config(default_namespace="worker1", root_dir=str(root))
    logger = mllog.get_mllogger()
    logger.start(constants.RUN_START)
    logger.event(constants.GLOBAL_BATCH_SIZE, 1024)
    logger.event(constants.EVAL_ACCURACY, 0.99, {constants.EPOCH_NUM: 1}, clear_line=True)
    logger.end(constants.RUN_STOP, metadata={constants.STATUS: constants.SUCCESS})


if __name__ == "__main__":
    dummy_example()
