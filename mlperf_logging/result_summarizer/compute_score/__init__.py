"""The public package's score of one folder: ``python -m mlperf_logging.result_summarizer.compute_score``."""
