"""Reporting: the log, what people see meanwhile, and the description of the system."""
