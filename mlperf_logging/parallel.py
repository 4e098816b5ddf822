"""The local engine as a function, until all callers take an engine."""

from collections.abc import Callable, Iterator, Sequence

from mlperf_logging.engines.engine import Result
from mlperf_logging.engines.local import LocalEngine


def map_logs(work: Callable[[str], Result], paths: Sequence[str], jobs: int = 1) -> Iterator[Result]:
    """See `LocalEngine.map_logs`."""
    return LocalEngine(jobs).map_logs(work, paths)
