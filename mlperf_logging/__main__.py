"""``python -m mlperf_logging``: the command `mlperf`."""

from mlperf_logging.cli.drop_in import leave
from mlperf_logging.cli.main import main

if __name__ == "__main__":
    leave(main())
