"""The engine that `--engine`, `--scheduler` and `--jobs` choose."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING

from mlperf_logging.cli.configuration import DEFAULT
from mlperf_logging.cli.options import DASK, LOCAL
from mlperf_logging.cli.running import print_error
from mlperf_logging.engines.local import LocalEngine
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    from mlperf_logging.engines.engine import Engine


def open_engine(options: Namespace, program: str) -> Engine:
    """What works on the logs of a command.

    Args:
        options: as `add_engine_options` has them.
        program: name of the command, for what the engine has to say while it works.

    Raises:
        UsageError: the options contradict each other, or a library is missing.
    """
    if options.engine == LOCAL:
        if options.scheduler is not None:
            raise UsageError("--scheduler names that of a Dask cluster; add --engine dask, or leave it out")
        return LocalEngine(options.jobs)
    from mlperf_logging.engines.dask import DaskEngine, require_dask

    require_dask(f"--engine {DASK}")
    # One process alone is what nobody wants of a cluster, so the default is a process per core here.
    jobs = 0 if options.setting_sources["jobs"] == DEFAULT else options.jobs
    return DaskEngine(options.scheduler, jobs, partial(print_error, program))
