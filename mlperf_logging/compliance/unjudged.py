"""Logs that could not be judged: the verdict that says so, instead of an exception."""

from __future__ import annotations

from mlperf_logging.compliance.findings import Finding, Verdict
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import MLPerfLoggingError, RuleError, UnreadableLogError, describe_fault
from mlperf_logging.events import Outcome, Severity
from mlperf_logging.runs.summary import RunSummary

UNJUDGED_CODE = "MLP000"
FAILED_ON_LOG = "the checker itself failed on this log"

_CAUSES: dict[type[Exception], tuple[str, str]] = {
    UnreadableLogError: ("unreadable-log", "Check the file, or leave it out."),
    RuleError: ("broken-rules", "Fix the rule file; the log is not to blame."),
    MLPerfLoggingError: ("not-judged", ""),
    Exception: ("internal-fault", "Please report it with the log."),
}
"""Id and fix of the finding for an error that keeps a log from being judged; the first kind that fits."""


def make_unjudged(path: str, selection: RuleSelection, error: Exception) -> Verdict:
    """The verdict on a log that an error kept from being judged."""
    rule, hint = next(cause for kind, cause in _CAUSES.items() if isinstance(error, kind))
    known = isinstance(error, MLPerfLoggingError)
    message = str(error) if known else describe_fault(error, FAILED_ON_LOG)
    finding = Finding(UNJUDGED_CODE, rule, Severity.ERROR, None, None, None, message, hint=hint)
    frame = (None, selection.usage or "", None, "", selection.division, selection.benchmark)
    return Verdict(path, *frame, Outcome.UNJUDGED, (finding,), RunSummary(), 0)
