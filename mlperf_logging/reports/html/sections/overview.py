"""What the page is about, and what is wrong first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports._gathering import count_logs
from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Link, Section
from mlperf_logging.reports.html.sections.findings import MOST_RULES, gather
from mlperf_logging.submission.summary import BenchmarkResult

_MOST_ISSUES, _MOST_OF_KIND = 10, 3


@dataclass(frozen=True)
class Figure:
    """A number that matters, with what it counts.

    Attributes:
        value: the number as people read it.
        name: what it counts.
        mark: "good", "bad" or "warn"; empty for what is neither.
    """

    value: str
    name: str
    mark: str = ""


@dataclass(frozen=True)
class Issue:
    """Something that is wrong.

    Attributes:
        mark: "bad" or "warn".
        kind: what kind of thing, in a word or two.
        text: what is wrong, leading to where the page says more.
        count: how often, in words.
    """

    mark: str
    kind: str
    text: Link
    count: str


@dataclass(frozen=True)
class Overview:
    """What the page is about.

    Attributes:
        verdict: the whole in a sentence.
        mark: "good", "bad" or "warn": what the sentence says.
        figures: numbers that matter.
        issues: what is wrong, the worst first.
        more: how much more is wrong, in words.
    """

    verdict: str
    mark: str
    figures: tuple[Figure, ...]
    issues: tuple[Issue, ...]
    more: str


def make_overview(page: Page) -> Section:
    """The section."""
    kinds = [list(_list_unscored(page)), list(_list_not_converged(page)), list(_list_rules(page))]
    # Something of each kind is shown, and as much of it as there is room.
    shown = [*kinds[0][:_MOST_OF_KIND], *kinds[1][:_MOST_OF_KIND]]
    shown += kinds[2][: _MOST_ISSUES - len(shown)]
    count = sum(map(len, kinds))
    more = f"and {count - len(shown):,} more below" if count > len(shown) else ""
    marks = {each.mark for kind in kinds for each in kind}
    mark = "bad" if "bad" in marks else "warn" if marks else "good"
    overview = Overview(_say_verdict(page), mark, _list_figures(page), tuple(shown), more)
    return Section("overview", "Overview", overview)


def _say_verdict(page: Page) -> str:
    if page.material.package is not None:
        return " ".join(page.material.package.notes)
    outcomes = Counter(log.verdict.verdict for log in page.material.logs)
    logs, results = len(page.material.logs), page.material.results
    passed, scored = outcomes[Outcome.PASSED], sum(each.score.has_result for each in results)
    failed = sum(each.check.passed is False for each in results)
    parts = [
        _say_share(passed, logs, "run", "compliant"),
        _say_share(scored, len(results), "result", "scored"),
    ]
    if failed:
        parts.append(f"{count_of(failed, 'result')} did not converge like the reference")
    return "; ".join(parts)


def _say_share(number: int, whole: int, noun: str, what: str) -> str:
    if number == whole:
        return f"the only {noun} is {what}" if whole == 1 else f"all {count_of(whole, noun)} are {what}"
    return f"{number:,} of {count_of(whole, noun)} {'is' if number == 1 else 'are'} {what}"


def _list_figures(page: Page) -> tuple[Figure, ...]:
    totals, results = page.material.totals, page.material.results
    outcomes = Counter(log.verdict.verdict for log in page.material.logs)
    scored = sum(each.score.has_result for each in results)
    checks = Counter(each.check.passed for each in results)
    failed, unjudged = outcomes[Outcome.FAILED], outcomes[Outcome.UNJUDGED]
    figures = [
        Figure(f"{len(page.material.logs):,}", "runs"),
        Figure(f"{outcomes[Outcome.PASSED]:,}", "compliant", "good" if outcomes[Outcome.PASSED] else ""),
        Figure(f"{failed:,}", "not compliant", "bad" if failed else ""),
        *([Figure(f"{unjudged:,}", "not judged", "bad")] if unjudged else []),
        Figure(
            f"{scored:,} of {len(results):,}", "results with a score", "" if scored == len(results) else "bad"
        ),
        Figure(
            f"{checks[True]:,} of {checks[True] + checks[False]:,}",
            "RCP tests passed",
            "bad" if checks[False] else "",
        ),
        Figure(f"{totals.errors:,}", "errors", "bad" if totals.errors else ""),
        Figure(f"{totals.warnings:,}", "warnings", "warn" if totals.warnings else ""),
    ]
    return tuple(figures)


def _list_unscored(page: Page) -> Iterator[Issue]:
    """Why results have no score, the most frequent reason first."""
    reasons: dict[str, list[BenchmarkResult]] = {}
    for result in page.material.results:
        if not result.score.has_result:
            reasons.setdefault("; ".join(result.score.problems), []).append(result)
    for why, unscored in sorted(reasons.items(), key=lambda each: -len(each[1])):
        yield _name_issue(page, "no score", why, unscored, "#results")


def _list_not_converged(page: Page) -> Iterator[Issue]:
    """Results that failed the test of convergence."""
    for result in page.material.results:
        if result.check.passed is False:
            yield _name_issue(page, "RCP", result.check.reason, [result], "#rcp")


def _list_rules(page: Page) -> Iterator[Issue]:
    """The rules that were broken."""
    gathered = gather(page.material.files)
    for number, messages in enumerate(gathered.list_rules()[:MOST_RULES], 1):
        first = messages[0].first
        mark = "bad" if first.severity == Severity.ERROR else "warn"
        where = f"{count_logs(messages):,} of {count_of(gathered.logs, 'file')}"
        yield Issue(mark, first.code, Link(first.message, f"#rule-{number}"), where)


def _name_issue(page: Page, kind: str, why: str, results: list[BenchmarkResult], address: str) -> Issue:
    """An issue of results, named after the one that has it, or counted."""
    text = why
    if len(results) == 1:
        text = f"{page.naming.name_result(results[0].score.folder)}: {why}"
    return Issue("bad", kind, Link(text, address), count_of(len(results), "result"))
