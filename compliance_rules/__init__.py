"""The rules of all rounds, as data. `mlperf_logging.compliance` reads them."""
