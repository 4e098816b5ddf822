"""``python -m mlperf_logging.result_summarizer FOLDER USAGE RULESET``."""

from mlperf_logging.cli.drop_in import leave
from mlperf_logging.result_summarizer.result_summarizer import main

if __name__ == "__main__":
    leave(main())
