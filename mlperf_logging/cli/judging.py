"""How `mlperf-check` judges one log: the verdict after waivers and selection, whatever goes wrong."""

from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.compliance.findings import OTHER_ROUND, Finding
from mlperf_logging.compliance.ruleset_selection import AUTOMATIC, RuleSelection
from mlperf_logging.errors import UsageError
from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports import FileResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlperf_logging.compliance.finding_filter import FindingFilter
    from mlperf_logging.compliance.findings import Verdict
    from mlperf_logging.compliance.live import LiveJudge
    from mlperf_logging.compliance.waivers import WaivedFinding, Waiver


class LogJudge(NamedTuple):
    """Everything that determines how a log is judged; the same for all logs of one call.

    `waivers` are known findings that do not count; `findings` says which others do, None for all.
    """

    selection: RuleSelection = AUTOMATIC
    waivers: "tuple[Waiver, ...]" = ()
    findings: "FindingFilter | None" = None
    werror: bool = False

    def judge(self, path: str) -> list[FileResult]:
        """Judge one log, or the runs of it that are selected, and settle the verdicts."""
        return self.settle_all(self.reach_verdicts(path))

    def reach_verdicts(self, path: str) -> "list[Verdict]":
        """The verdicts on one log, or on the runs of it that are selected, before waivers and selection.

        What cannot be read or judged gives a verdict "error", not an exception.
        """
        from mlperf_logging.compliance.checking import check_runs

        try:
            verdicts = check_runs(path, self.selection)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - one log must not end the judging of thousands
            from mlperf_logging.compliance.unjudged import make_unjudged

            return [make_unjudged(path, self.selection, error)]
        return [verdict._replace(path=path) for verdict in verdicts]

    def settle_all(self, verdicts: "Iterable[Verdict]") -> list[FileResult]:
        """What a report says about the runs of a log; nothing takes back that one could not be judged."""
        return [
            FileResult(each) if each.verdict == Outcome.UNJUDGED else self.settle(each) for each in verdicts
        ]

    def start(self, path: str) -> "LiveJudge":
        """Begin to judge a run whose events are still to come into a log."""
        from mlperf_logging.compliance.live import LiveJudge

        return LiveJudge(self.selection, path)

    def counts(self, path: str, finding: Finding) -> bool:
        """Return whether a finding is one of those that count: selected and not waived."""
        if any(waiver.covers(path, finding) for waiver in self.waivers):
            return False
        return self.findings is None or self.findings.keeps(finding)

    def grade(self, finding: Finding) -> Finding:
        """The finding with the severity that it has here: where warnings count as errors, that."""
        return finding._replace(severity=Severity.ERROR) if self.werror else finding

    def settle(self, verdict: "Verdict", waived: "tuple[WaivedFinding, ...]" = ()) -> FileResult:
        """What a report says about a log: the verdict after waivers and selection, and what was waived, here or before."""
        if self.waivers:
            from mlperf_logging.compliance.waivers import apply_waivers

            verdict, more = apply_waivers(verdict, self.waivers)
            waived += more
        if self.findings is not None:
            from mlperf_logging.compliance.finding_filter import apply_filter

            keeps = self.findings.keeps
            verdict = apply_filter(verdict, self.findings)
            waived = tuple(each for each in waived if keeps(each.finding))
        if self.werror:
            from mlperf_logging.compliance.finding_filter import replace_findings

            verdict = replace_findings(verdict, map(self.grade, verdict.findings))
        if verdict.compliant_under and verdict.verdict == Outcome.PASSED:
            kept = tuple(each for each in verdict.findings if each.rule != OTHER_ROUND)
            verdict = verdict._replace(findings=kept, compliant_under=())
        return FileResult(verdict, waived)
