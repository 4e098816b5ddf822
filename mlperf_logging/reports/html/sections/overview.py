"""What the page is about, and what is wrong first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mlperf_logging.events import Outcome
from mlperf_logging.reports._gathering import count_logs
from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Link, Section
from mlperf_logging.reports.html.sections.findings import MOST_RULES, gather
from mlperf_logging.submission.summary import BenchmarkResult

_MOST_ISSUES = 8


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
    issues = list(_list_issues(page))
    shown = tuple(issues[:_MOST_ISSUES])
    more = f"and {len(issues) - len(shown):,} more below" if len(issues) > len(shown) else ""
    mark = "bad" if any(each.mark == "bad" for each in issues) else "warn" if issues else "good"
    return Section(
        "overview", "Overview", Overview(_say_verdict(page), mark, _list_figures(page), shown, more)
    )


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


def _list_issues(page: Page) -> Iterator[Issue]:
    """What is wrong: results without a score, failed tests of convergence, then the rules that were broken."""
    reasons: dict[str, list[BenchmarkResult]] = {}
    for result in page.material.results:
        if not result.score.has_result:
            reasons.setdefault("; ".join(result.score.problems), []).append(result)
    for why, unscored in sorted(reasons.items(), key=lambda each: -len(each[1])):
        yield _name_issue(page, "no score", why, unscored, "#results")
    for result in page.material.results:
        if result.check.passed is False:
            yield _name_issue(page, "RCP", result.check.reason, [result], "#rcp")
    gathered = gather(page.material.files)
    for number, messages in enumerate(gathered.list_rules()[:MOST_RULES], 1):
        first = messages[0].first
        mark = "bad" if first.severity == "error" else "warn"
        where = f"{count_logs(messages):,} of {count_of(gathered.logs, 'file')}"
        yield Issue(mark, first.code, Link(first.message, f"#rule-{number}"), where)


def _name_issue(page: Page, kind: str, why: str, results: list[BenchmarkResult], address: str) -> Issue:
    """An issue of results, named after the one that has it, or counted."""
    text = why
    if len(results) == 1:
        text = f"{page.naming.name_result(results[0].score.folder)}: {why}"
    return Issue("bad", kind, Link(text, address), count_of(len(results), "result"))
