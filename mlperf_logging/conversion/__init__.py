"""Conversion: the events of a log of any dialect as records of the newest one, as JSON lines, and as a table."""
