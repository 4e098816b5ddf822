"""What was found: one place per rule, with the lines of the logs, what was expected, the fix, and what the rule means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlperf_logging.compliance.example_search import find_example
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.errors import UsageError
from mlperf_logging.reports._gathering import GatheredFindings, Message, count_logs
from mlperf_logging.reports._lines import count_of, describe_consequences, split_excerpt
from mlperf_logging.reports.html.material import Material, Page
from mlperf_logging.reports.html.model import Link, Section
from mlperf_logging.rules.catalogue import Explanation, explain
from mlperf_logging.rules.repository import open_rules

if TYPE_CHECKING:
    from mlperf_logging.reports import FileResult

MOST_RULES, _MOST_MESSAGES, _MOST_PLACES = 200, 12, 12
_EXCERPT_COLUMNS = 400


@dataclass(frozen=True)
class MessageView:
    """What one message of a rule says, and where.

    Attributes:
        text: the message.
        excerpt: the blamed record in three parts, the middle one blamed; None where no record is.
        expected: what the rule requires, in short.
        found: what the log contains, in short.
        places: the first places that have it.
        more: how many further places do.
    """

    text: str
    excerpt: tuple[str, str, str] | None
    expected: str
    found: str
    places: tuple[Link, ...]
    more: int


@dataclass(frozen=True)
class RuleView:
    """A rule that was broken.

    Attributes:
        severity: "error" or "warning".
        code: ``MLPxxx``.
        rule: id of the rule.
        headline: its most frequent message.
        count: in how many logs or files, in words.
        messages: what it says, the most frequent first.
        more: how many further messages there are.
        fix: how to fix it.
        explanation: what the rule means, or None where nothing more is known.
    """

    severity: str
    code: str
    rule: str
    headline: str
    count: str
    messages: tuple[MessageView, ...]
    more: int
    fix: str
    explanation: Explanation | None


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes:
        rules: the rules that were broken, errors first.
        notes: lines on what is not shown.
    """

    rules: tuple[RuleView, ...]
    notes: tuple[str, ...]


def make_findings(page: Page) -> Section:
    """The section."""
    material = page.material
    gathered = gather(material.files)
    explainer = _Explainer(material)
    rules = gathered.list_rules()
    views = tuple([_view_rule(each, gathered.logs, explainer, page) for each in rules[:MOST_RULES]])
    notes = []
    if len(rules) > MOST_RULES:
        notes.append(f"… and {count_of(len(rules) - MOST_RULES, 'more rule')}")
    if gathered.consequences:
        notes.append(describe_consequences(gathered.consequences).removesuffix(" (--verbose shows all)"))
    if material.totals.waived:
        notes.append(f"{count_of(material.totals.waived, 'finding')} covered by waivers")
    return Section("findings", "Findings", Findings(views, tuple(notes)))


def gather(files: Sequence[FileResult]) -> GatheredFindings:
    """The findings of all files by rule."""
    gathered = GatheredFindings()
    for file in files:
        gathered.add(file.verdict)
    return gathered


class _Explainer:
    """What rules mean, by the rounds that judged; each rule is looked up once."""

    def __init__(self, material: Material) -> None:
        self._book = open_rules(material.selection.rules)
        verdicts = [file.verdict for file in material.files]
        self._rounds = list(
            dict.fromkeys(f"{each.usage}/{each.ruleset}" for each in verdicts if each.ruleset)
        )

    def explain(self, finding: Finding) -> Explanation | None:
        """What the rule of a finding means, else what its code does."""
        for name in (finding.rule, finding.code):
            try:
                return explain(name, find_example, self._book, self._rounds)
            except UsageError:
                continue
        return None


def _view_rule(messages: Sequence[Message], logs: int, explainer: _Explainer, page: Page) -> RuleView:
    first = messages[0].first
    times, having = sum(len(each.places) for each in messages), count_logs(messages)
    often = f", {times:,} times" if times > having else ""
    return RuleView(
        first.severity,
        first.code,
        first.rule,
        first.message,
        f"{having:,} of {count_of(logs, 'file')}{often}",
        tuple([_view_message(each, page) for each in messages[:_MOST_MESSAGES]]),
        max(len(messages) - _MOST_MESSAGES, 0),
        first.hint,
        explainer.explain(first),
    )


def _view_message(message: Message, page: Page) -> MessageView:
    first = message.first
    places = [
        Link(_name_place(page.naming.name(path), finding), page.options.link_log(path, finding.line) or "")
        for path, finding in message.places[:_MOST_PLACES]
    ]
    return MessageView(
        first.message,
        split_excerpt(first, _EXCERPT_COLUMNS),
        first.expected,
        first.found,
        tuple(places),
        len(message.places) - len(places),
    )


def _name_place(path: str, finding: Finding) -> str:
    return f"{path}, line {finding.line:,}" if finding.line is not None else path
