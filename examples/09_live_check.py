"""Judge a run while it logs: wrong and missing values are reported before the clock starts."""

from pathlib import Path

from mlperf_logging import mllog

mllog.config(check="training/5.1.0", stdout=False, root_dir=Path(__file__).parent)

mllog.event(mllog.constants.CACHE_CLEAR, True)
with mllog.interval("init"):
    mllog.submission(
        benchmark="llama31_8b", org="Example", division="closed", platform="laptop", status="research"
    )
    mllog.seed(7)
    mllog.hyperparameters({"opt_name": "adam", "train_samples": 1000})
