"""``python -m mlperf_logging.rcp_checker FOLDER``."""

from mlperf_logging.cli.drop_in import leave
from mlperf_logging.rcp_checker.rcp_checker import main

if __name__ == "__main__":
    leave(main())
