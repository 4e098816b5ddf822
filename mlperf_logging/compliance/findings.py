"""What judging a log gives: findings and, for a whole log, a verdict. Values only."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.events import Outcome, Severity
from mlperf_logging.runs.summary import RunSummary

if TYPE_CHECKING:
    from mlperf_logging.frames import DataFrame

SEVERAL_RUNS = "several-runs"
"""Id of the finding that stands in place of all others where a file holds several runs."""
OTHER_ROUND = "other-round"
"""Id of the finding that says under which other rounds a log is compliant; it stands before all others."""


class Finding(NamedTuple):
    """One thing that a log does against the rules, or that deserves a look.

    Attributes:
        code: ``MLPxxx``, the kind of finding.
        rule: stable id of the rule that was broken.
        severity: ``"error"`` or ``"warning"``.
        key: the log key that is blamed, or None.
        line: line number counted from 1, or None where the finding has no place (something is missing).
        column: byte offset in the line counted from 1, or None.
        message: one sentence: what was expected, what was found.
        expected: what the rule requires, in short ("== 0.9", "exactly one").
        found: what the log contains, in short.
        source: where the rule comes from (a chapter of the written rules, a round's public check).
        hint: how to fix it; empty where there is nothing to add.
        excerpt: text of the record that is blamed, from its marker on; empty if there is none.
    """

    code: str
    rule: str
    severity: Severity
    key: str | None
    line: int | None
    column: int | None
    message: str
    expected: str = ""
    found: str = ""
    source: str = ""
    hint: str = ""
    excerpt: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding under the field names of the ``mlperf-check/1`` document."""
        return {name: value for name, value in self._asdict().items() if name != "excerpt"}


class RunPart(NamedTuple):
    """One of several runs in a file, judged alone.

    Attributes:
        number: counted from 1, in the order of the file.
        line: line of the event that begins it, counted from 1.
        verdict: of this run.
        errors: its findings of severity "error".
    """

    number: int
    line: int
    verdict: Outcome
    errors: int


class Verdict(NamedTuple):
    """The judgment of one log file.

    Attributes:
        path: the file as the caller named it; "-" for standard input, "<bytes>" for bytes.
        dialect: name of the log dialect, or None when the file contains no event.
        usage: "training", "hpc" or "original".
        ruleset: the round that judged; None when none could be chosen.
        ruleset_reason: why that round ("asked for", "newest round that knows …").
        division: "closed" or "open" as logged or given, or None.
        benchmark: as logged or given, or None.
        verdict: "pass", "fail", or "error" (the tool could not judge; see the findings).
        findings: ordered by line, those without a line last; before all, where another round fits better, that.
        run: the run's frame.
        event_count: events that were read.
        runs: where a file holds several runs: all of them, or the one that this is the judgment of; else empty.
        compliant_under: where the log failed under a round that was chosen automatically, the others under which it is
            compliant, newest first.
    """

    path: str
    dialect: str | None
    usage: str
    ruleset: str | None
    ruleset_reason: str
    division: str | None
    benchmark: str | None
    verdict: Outcome
    findings: tuple[Finding, ...]
    run: RunSummary
    event_count: int
    runs: tuple[RunPart, ...] = ()
    compliant_under: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The path, and the number of the run where this is the judgment of one of several in the file."""
        return f"{self.path} (run {self.runs[0].number})" if len(self.runs) == 1 else self.path

    def as_json(self) -> dict[str, Any]:
        """The verdict as one entry of ``files`` in the ``mlperf-check/1`` document."""
        fields = self._asdict()
        del fields["event_count"], fields["runs"], fields["compliant_under"]
        return {
            **fields,
            "findings": [finding.as_json() for finding in self.findings],
            "run": self.run._asdict(),
            **({"runs": [run._asdict() for run in self.runs]} if self.runs else {}),
            **({"compliant_under": list(self.compliant_under)} if self.compliant_under else {}),
        }

    def to_frame(self) -> "DataFrame":
        """The findings as a table of pandas: the path, and the fields of each finding but its excerpt.

        Raises:
            UsageError: pandas is not installed.
        """
        from mlperf_logging.frames import make_frame

        names = [name for name in Finding._fields if name != "excerpt"]
        kinds = {name: "count" if name in {"line", "column"} else "text" for name in names}
        rows = [(self.name, *(getattr(finding, name) for name in names)) for finding in self.findings]
        return make_frame({"path": "text", **kinds}, rows)

    def _repr_html_(self) -> str:
        """The verdict for notebooks: what was judged by what, and the first findings."""
        from mlperf_logging.markup import write_facts, write_grid, write_title

        facts = [
            ("judged by", self.ruleset),
            ("benchmark", self.benchmark),
            ("division", self.division),
            ("minutes", None if self.run.minutes is None else f"{self.run.minutes:,.2f}"),
        ]
        shown = write_title(self.name, self.verdict) + write_facts(facts)
        if not self.findings:
            return shown
        rows = [
            (each.line or "", each.code, each.severity, each.key or "", each.message, each.hint)
            for each in self.findings
        ]
        return shown + write_grid(
            ("line", "code", "severity", "key", "what is wrong", "how to fix it"), rows, [0]
        )


def decide_outcome(findings: Iterable[Finding]) -> Outcome:
    """Failed where one of the findings is an error, else passed."""
    failed = any(finding.severity == Severity.ERROR for finding in findings)
    return Outcome.FAILED if failed else Outcome.PASSED
