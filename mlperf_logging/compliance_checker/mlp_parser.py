"""Reading a log, under the public package's names."""

from __future__ import annotations

from mlperf_logging.cli.drop_in import LogLine, read_lines

__all__ = ["LogLine", "parse_file"]


def parse_file(filename: str, ruleset: str | None = None) -> tuple[list[LogLine], list[tuple[str, str]]]:
    """The records of a log in a round's dialect, and those that cannot be read, each with the reason."""
    return read_lines(filename, ruleset)
