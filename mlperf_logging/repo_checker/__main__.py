"""``python -m mlperf_logging.repo_checker FOLDER USAGE RULESET``."""

from mlperf_logging.cli.drop_in import leave
from mlperf_logging.repo_checker.repo_checker import main

if __name__ == "__main__":
    leave(main())
