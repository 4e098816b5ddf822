"""``python -m mlperf_logging.system_desc_checker FILE USAGE RULESET``."""

from mlperf_logging.cli.drop_in import leave
from mlperf_logging.system_desc_checker.system_desc_checker import main

if __name__ == "__main__":
    leave(main())
