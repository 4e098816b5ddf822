"""The rules of all rounds, as data: rule files, or what the build compiles from them. `mlperf_logging.rules` reads them."""
