"""Exceptions of the logging API. Only its set-up and a live check that was asked to may raise them."""

from __future__ import annotations

from mlperf_logging.errors import MLPerfLoggingError, UsageError


class ConfigError(UsageError, ValueError):
    """A setting of the logger has a wrong type or value; a `ValueError` too, as scripts expect it."""


class ViolationError(MLPerfLoggingError):
    """The live check found that the run breaks a rule and was asked to raise.

    Attributes:
        findings: the findings that were made for one event.
    """

    def __init__(self, message: str, findings: tuple[object, ...]) -> None:
        super().__init__(message)
        self.findings = findings
