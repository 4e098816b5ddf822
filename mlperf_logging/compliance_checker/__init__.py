"""The public package's compliance checker: ``python -m mlperf_logging.compliance_checker``, over `mlperf-check`'s judge."""
