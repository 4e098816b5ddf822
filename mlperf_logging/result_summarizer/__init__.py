"""The public package's results tables: ``python -m mlperf_logging.result_summarizer``, over `mlperf summary`."""
