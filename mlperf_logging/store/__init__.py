"""Many logs in one file of DuckDB: read once, judged once, asked many times."""

from mlperf_logging.store.asking import Store, open_store

__all__ = ["Store", "open_store"]
