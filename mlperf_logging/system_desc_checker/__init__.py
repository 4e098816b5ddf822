"""The public package's check of system descriptions: ``python -m mlperf_logging.system_desc_checker``."""
