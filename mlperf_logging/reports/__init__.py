"""Reports: verdicts as text for people and for tools. One module per format, found by its name.

A format is one file in this folder, ``<name>.py``, that holds a class `Report` derived from
`mlperf_logging.reports.BaseReport`. Nothing else lists the formats. Modules whose name begins with an
underscore are shared parts. Reports return text; only the command line writes it. Other installed packages offer formats
by entry points of the group ``mlperf_logging.reports``, which name such a class or its module.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports._modules import find_installed, list_modules, load_module

if TYPE_CHECKING:
    from mlperf_logging.compliance.findings import Finding, Verdict
    from mlperf_logging.compliance.waivers import WaivedFinding
    from mlperf_logging.tables import Document

FILE, RULE = "file", "rule"


class FileResult(NamedTuple):
    """What a report says about one log: the judgment without the findings that waivers cover, and these."""

    verdict: "Verdict"
    waived: "tuple[WaivedFinding, ...]" = ()

    @property
    def error_count(self) -> int:
        """Findings of severity "error"."""
        return sum(finding.severity == Severity.ERROR for finding in self.verdict.findings)

    @property
    def warning_count(self) -> int:
        """Findings of severity "warning"."""
        return len(self.verdict.findings) - self.error_count

    def as_json(self) -> dict[str, Any]:
        """One entry of ``files`` in the ``mlperf-check/1`` document; waived findings come last."""
        entry = self.verdict.as_json()
        if self.waived:
            entry["findings"] = entry["findings"] + [waived.as_json() for waived in self.waived]
        return entry


class Totals(NamedTuple):
    """Counts over all logs of one call.

    Attributes:
        files: logs that were looked at.
        passed: compliant logs.
        failed: logs with at least one violation.
        unjudged: logs that could not be judged.
        errors: findings of severity "error".
        warnings: findings of severity "warning".
        waived: findings that waivers cover.
    """

    files: int = 0
    passed: int = 0
    failed: int = 0
    unjudged: int = 0
    errors: int = 0
    warnings: int = 0
    waived: int = 0

    def plus(self, result: FileResult) -> "Totals":
        """The counts with one more log."""
        outcome = result.verdict.verdict
        of_this = [int(outcome == each) for each in (Outcome.PASSED, Outcome.FAILED, Outcome.UNJUDGED)]
        of_this += [result.error_count, result.warning_count, len(result.waived)]
        return Totals(*[count + more for count, more in zip(self, [1, *of_this], strict=True)])

    def as_json(self) -> dict[str, int]:
        """The counts under the field names of the ``mlperf-check/1`` document."""
        return {"files": self.files, "pass": self.passed, "fail": self.failed, "error": self.unjudged}


class ReportOptions(NamedTuple):
    """How a report is to look; a format uses what means something to it.

    Attributes:
        color: write colors for a terminal.
        width: columns of the terminal.
        verbose: show every finding, however many there are of one rule.
        quiet: totals only.
        group_by: "file" or "rule": what makes the blocks of the report for people.
        folder: people read paths below this folder as seen from there; "" to leave paths as they are.
        workspace: folder that a CI job checks its repository out to; "" outside such jobs.
    """

    color: bool = False
    width: int = 120
    verbose: bool = False
    quiet: bool = False
    group_by: str = FILE
    folder: str = ""
    workspace: str = ""


class BaseReport:
    """One output format: text for the beginning, for each log, and for the end.

    Attributes:
        description: one line for the help page.
        for_people: the text is meant for a terminal (colors, totals, and statistics may accompany it).
    """

    description: str
    for_people = False

    def __init__(self, options: ReportOptions) -> None:
        self.options = options

    def begin(self) -> str:
        """Text before the first log."""
        return ""

    def sum_up(self, document: "Document") -> str:
        """Text for a table of what the files are parts of, before the first of them; empty where a format has no place."""
        return ""

    def announce(self, path: str, finding: "Finding") -> str:
        """Text for one finding of a log that is still being written; empty where a format waits for its end.

        What was announced does not come again when the log is added.
        """
        return ""

    def add(self, result: FileResult) -> str:
        """Text for one log, to be written at once; formats that need all logs first keep it."""
        raise NotImplementedError

    def end(self, totals: Totals) -> str:
        """Text after the last log."""
        raise NotImplementedError

    def remark(self) -> str:
        """A sentence for the error stream on what the report had to leave out; empty if it is whole."""
        return ""

    def summarize_job(self, totals: Totals) -> str:
        """Markdown for the page of the CI job that ran the check; empty where a format has none."""
        return ""


def list_formats() -> list[str]:
    """Names of the output formats, sorted."""
    return list_modules(__name__)


def list_installed_formats() -> dict[str, str]:
    """Formats that other installed packages offer: name to what it stands for. None of them is loaded."""
    return {name: entry.value for name, entry in find_installed(__name__).items()}


def load_format(name: str) -> type[BaseReport]:
    """The report class of a format, of this or another installed package; `UsageError` if none has that name."""
    found: Any = load_module(__name__, name)
    report = getattr(found, "Report", found)
    if not (isinstance(report, type) and issubclass(report, BaseReport)):
        raise UsageError(f"--format {name}: {found!r} is no report; derive it from {__name__}.BaseReport")
    return report
