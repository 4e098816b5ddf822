"""``python -m mlperf_logging.result_summarizer FOLDER USAGE RULESET``."""

import sys

from mlperf_logging.result_summarizer.result_summarizer import main

if __name__ == "__main__":
    sys.exit(main())
