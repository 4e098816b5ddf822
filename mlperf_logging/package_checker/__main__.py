"""``python -m mlperf_logging.package_checker FOLDER USAGE RULESET``."""

from mlperf_logging.cli.drop_in import leave
from mlperf_logging.package_checker.package_checker import main

if __name__ == "__main__":
    leave(main())
