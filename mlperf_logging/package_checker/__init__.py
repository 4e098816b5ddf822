"""The public package's check of submissions: ``python -m mlperf_logging.package_checker``, over `mlperf package`."""
