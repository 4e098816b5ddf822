"""Read logs: from bytes to events and problems, in every dialect, whatever the bytes."""

from mlperf_logging.parsing.dialects import rank_dialect
from mlperf_logging.parsing.reader import Log, read_batches, read_log

__all__ = ["Log", "rank_dialect", "read_batches", "read_log"]
