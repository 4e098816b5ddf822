"""``python -m mlperf_logging.rcp_checker FOLDER``."""

import sys

from mlperf_logging.rcp_checker.rcp_checker import main

if __name__ == "__main__":
    sys.exit(main())
