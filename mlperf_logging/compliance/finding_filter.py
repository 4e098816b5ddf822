"""Choosing findings: which codes, rule ids and patterns count, and what a verdict is without the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from mlperf_logging.compliance.findings import SEVERAL_RUNS, Finding, Verdict, decide_outcome
from mlperf_logging.errors import UsageError
from mlperf_logging.events import Outcome

_CODE_LETTERS = "MLP"
_CODE_DIGITS = 3


class FindingFilter(NamedTuple):
    """Patterns of the findings to keep (none keeps all), and of those to drop, which win."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def keeps(self, finding: Finding) -> bool:
        """Return whether a finding counts; one that replaces all others of a log does unless it is ignored by name."""
        if finding.rule == SEVERAL_RUNS:
            return not {finding.rule, finding.code} & set(self.ignore)
        if self.select and not any(match_finding(pattern, finding) for pattern in self.select):
            return False
        return not any(match_finding(pattern, finding) for pattern in self.ignore)


def is_code_prefix(pattern: str) -> bool:
    """Return whether a pattern is a finding code or the beginning of one: ``MLP``, ``MLP3``, ``MLP301``."""
    digits = pattern[len(_CODE_LETTERS) :]
    return (
        pattern[: len(_CODE_LETTERS)].upper() == _CODE_LETTERS
        and len(digits) <= _CODE_DIGITS
        and (not digits or (digits.isascii() and digits.isdigit()))
    )


def match_finding(pattern: str, finding: Finding) -> bool:
    """Return whether a pattern means a finding: by code or its beginning, rule id, or shell pattern of rule ids."""
    return _match(pattern, (finding.code,), (finding.rule,))


def _match(pattern: str, codes: Collection[str], rules: Collection[str]) -> bool:
    if is_code_prefix(pattern):
        return any(code.startswith(pattern.upper()) for code in codes)
    if pattern in rules or not any(character in pattern for character in "*?["):
        return pattern in rules
    from fnmatch import fnmatchcase

    return any(fnmatchcase(rule, pattern) for rule in rules)


def parse_filter(
    select: Iterable[str],
    ignore: Iterable[str],
    *,
    known_codes: Collection[str] = (),
    known_rules: Collection[str] = (),
) -> FindingFilter:
    """Read the patterns of ``--select`` and ``--ignore``, which commas may separate.

    Raises:
        UsageError: a pattern means no known code and no known rule; where none are given, all are known.
    """
    chosen = []
    for texts in (select, ignore):
        patterns = [part.strip() for text in texts for part in text.split(",")]
        patterns = [pattern for pattern in patterns if pattern]
        for pattern in patterns:
            _check_pattern(pattern, known_codes, known_rules)
        chosen.append(tuple(dict.fromkeys(patterns)))
    return FindingFilter(*chosen)


def apply_filter(verdict: Verdict, wanted: FindingFilter) -> Verdict:
    """The verdict with the selected findings only; an unjudged log stays as it is."""
    if not any(wanted):
        return verdict
    return replace_findings(verdict, [finding for finding in verdict.findings if wanted.keeps(finding)])


def replace_findings(verdict: Verdict, findings: Iterable[Finding]) -> Verdict:
    """The verdict that follows from other findings; an unjudged log ("error") stays as it is."""
    if verdict.verdict == Outcome.UNJUDGED:
        return verdict
    kept = tuple(findings)
    return verdict._replace(findings=kept, verdict=decide_outcome(kept))


def _check_pattern(pattern: str, known_codes: Collection[str], known_rules: Collection[str]) -> None:
    known = known_codes if is_code_prefix(pattern) else known_rules
    if not known or _match(pattern, known_codes, known_rules):
        return
    from mlperf_logging.suggestions import did_you_mean

    known_names = sorted({*known_codes, *known_rules})
    meant = did_you_mean(pattern, known_names, "--list-rules shows those that exist")
    raise UsageError(f"no code or rule is called {pattern!r}; {meant}")
