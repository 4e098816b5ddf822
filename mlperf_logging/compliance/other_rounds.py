"""Other rounds than the one that was chosen automatically: under which of them a log is compliant."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging.compliance.findings import OTHER_ROUND, Finding, Verdict
from mlperf_logging.compliance.held_log import HeldLog
from mlperf_logging.compliance.judge import Judge
from mlperf_logging.compliance.ruleset_selection import Choice, RuleSelection, choose_ruleset
from mlperf_logging.compliance.violations import MISSING, Violation
from mlperf_logging.events import Event, Severity
from mlperf_logging.rules.rulesets import Table

_SHOWN_ROUNDS = 3


def note_other_rounds(
    verdict: Verdict,
    log: HeldLog,
    rounds: Sequence[str],
    violations: Sequence[Violation],
    selection: RuleSelection,
) -> Verdict:
    """The verdict on a log that fails, and under which other rounds it is compliant; the outcome stays.

    They stand in `Verdict.compliant_under` and, in words, in a warning before all other findings.

    Args:
        verdict: the verdict under the round that was chosen automatically.
        log: the log.
        rounds: names of the other rounds, newest first. Of those under which the log is compliant, the newest count,
            up to the first under which it is not.
        violations: what the verdict counts.
        selection: by which rules.
    """
    errors = [each for each in violations if each.severity == Severity.ERROR]
    if sum(finding.severity == Severity.ERROR for finding in verdict.findings) > len(errors):
        return verdict  # a record cannot be read, say, which is an error in every round
    fits: list[str] = []
    for name in rounds:
        choice = choose_ruleset(selection._replace(ruleset=name), log.identity)
        table = choice.table(strict=selection.strict, level=selection.level)
        if _is_compliant(log, choice, table):
            fits.append(choice.ruleset.round)
        elif fits:
            break
    if not fits:
        return verdict
    finding = _describe_fits(fits, verdict, errors)
    return verdict._replace(findings=(finding, *verdict.findings), compliant_under=tuple(fits))


def _is_compliant(log: HeldLog, choice: Choice, table: Table) -> bool:
    """Whether a log breaks no rule; its events are judged up to the first error only."""
    if any(finding.severity == Severity.ERROR for finding in choice.findings):
        return False
    judge, ruleset = Judge(table), choice.ruleset
    looked_at = 0
    for item in log.arrange(ruleset.reading):
        if type(item) is Event and item.dialect == ruleset.dialect:
            judge.feed(item)
            if len(judge.violations) > looked_at:
                if _has_error(judge.violations[looked_at:]):
                    return False
                looked_at = len(judge.violations)
    judge.finish()
    return not _has_error(judge.violations)


def _has_error(violations: Sequence[Violation]) -> bool:
    return any(each.severity == Severity.ERROR for each in violations)


def _describe_fits(names: Sequence[str], verdict: Verdict, errors: Sequence[Violation]) -> Finding:
    broken = {each.rule.id: each.kind for each in errors}
    # Compliant without them, so these rounds do not require the keys.
    missing = sum(kind == MISSING for kind in broken.values())
    parts = [
        (missing, "key", f"that {names[0]} does not require"),
        (
            len(broken) - missing,
            "other rule" if missing else "rule",
            "that differ" if len(broken) - missing != 1 else "that differs",
        ),
    ]
    why = " and ".join([f"{count} {noun}{'s' * (count != 1)} {what}" for count, noun, what in parts if count])
    return Finding(
        code="MLP112",
        rule=OTHER_ROUND,
        severity=Severity.WARNING,
        key=None,
        line=None,
        column=None,
        message=f"compliant under {_list_rounds(names)}, but not under {verdict.ruleset} ({why})",
        expected="",
        found="",
        hint=f"Name your round, for example with --ruleset {names[0]}.",
    )


def _list_rounds(names: Sequence[str]) -> str:
    """``D``, ``D and C``, ``D, C, B and 2 older rounds``."""
    *shown, last = names[:_SHOWN_ROUNDS]
    more = len(names) - _SHOWN_ROUNDS
    if more > 0:
        shown, last = [*shown, last], f"{more} older round{'s' * (more != 1)}"
    return f"{', '.join(shown)} and {last}" if shown else last
