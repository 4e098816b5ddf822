"""The public package's test of convergence: ``python -m mlperf_logging.rcp_checker``, over that of `mlperf rcp`."""
