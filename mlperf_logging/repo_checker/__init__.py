"""The public package's check of what a repository can hold: ``python -m mlperf_logging.repo_checker``, over `mlperf package`."""
