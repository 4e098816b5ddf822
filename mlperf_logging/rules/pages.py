"""The rule catalogue as Markdown pages, made from the rule files and from nothing else."""

from __future__ import annotations

from mlperf_logging.events import DIVISIONS
from mlperf_logging.parsing.diagnostics import KINDS
from mlperf_logging.rules.catalogue import list_rules
from mlperf_logging.rules.clauses import CLAUSES
from mlperf_logging.rules.examples import ExampleFinder
from mlperf_logging.rules.repository import RuleRepository
from mlperf_logging.rules.rule import STRICT, Rule
from mlperf_logging.rules.rulesets import Ruleset

HEADER = "<!-- Generated from compliance_rules/ by `mlperf rules docs`; edit the rule files. -->\n\n"


def write_pages(book: RuleRepository, find_example: ExampleFinder) -> dict[str, str]:
    """All pages of the catalogue: file name to text."""
    rulesets = [book.load(entry.name) for entry in book.index()]
    pages = {"index.md": _write_index(rulesets), "codes.md": _write_codes(book)}
    for ruleset in rulesets:
        pages[f"{ruleset.name.replace('/', '-')}.md"] = _write_ruleset(ruleset, find_example)
    return {name: HEADER + text.rstrip() + "\n" for name, text in pages.items()}


def _write_index(rulesets: list[Ruleset]) -> str:
    lines = [
        "# Rule catalogue",
        "",
        "What each round requires of a log. A round's file in `compliance_rules/` says only what changed since",
        "the round it extends; the pages here show the result. [What the codes mean](codes.md).",
        "",
        "| ruleset | dialect | rules | benchmarks |",
        "|---|---|---|---|",
    ]
    for ruleset in reversed(rulesets):
        count = len(list_rules(ruleset))
        page = f"{ruleset.name.replace('/', '-')}.md"
        names = ", ".join(ruleset.benchmarks)
        lines.append(f"| [{ruleset.name}]({page}) {ruleset.title} | {ruleset.dialect} | {count} | {names} |")
    return "\n".join(lines)


def _write_codes(book: RuleRepository) -> str:
    lines = [
        "# Codes",
        "",
        "A finding has a code, which says what kind of violation it is, and the id of the rule.",
        "",
    ]
    for kind in sorted(KINDS, key=lambda each: (each.code, each.label)):
        lines += [
            f"## {kind.code} {kind.label}",
            "",
            f"Reported as {kind.severity}: {kind.summary.replace('{found}', '…')}. {kind.why}",
            "",
            f"How to fix it: {kind.fix}",
            "",
        ]
    for code in book.vocabulary().codes.values():
        lines += [f"## {code.code} {code.title}", "", code.text, "", f"How to fix it: {code.hint}", ""]
        if code.rule:
            lines += [f"Reported as {code.severity} by `{code.rule}`. Source: {code.source}.", ""]
            lines += ["```text", "passes:", *[f"  {line}" for line in code.passing]]
            lines += ["fails:", *[f"  {line}" for line in code.failing], "```", ""]
    return "\n".join(lines)


def _write_ruleset(ruleset: Ruleset, find_example: ExampleFinder) -> str:
    lines = [
        f"# {ruleset.title} (`{ruleset.name}`)",
        "",
        f"Source: {ruleset.source}. Dialect: {ruleset.dialect}.",
        "",
    ]
    by_scope: dict[str, list[Rule]] = {}
    for rule in list_rules(ruleset):
        by_scope.setdefault(rule.scope, []).append(rule)
    general = ("common", *DIVISIONS, STRICT, *[f"{STRICT}.{division}" for division in DIVISIONS])
    titles = {"common": "Every log", STRICT: "Every log, with --strict"}
    for scope in general:
        if scope in by_scope:
            where, _, division = scope.rpartition(".")
            title = titles.get(
                scope, f"Every log of the {division} division{', with --strict' if where else ''}"
            )
            lines += [f"## {title}", "", *_write_table(ruleset, by_scope.pop(scope), find_example)]
    for benchmark in ruleset.benchmarks:
        facts = ruleset.facts(benchmark)
        lines += [f"## {benchmark}", ""]
        about = [str(facts[key]) for key in ("area", "model", "dataset") if facts.get(key)]
        if about:
            lines += [", ".join(about) + ".", ""]
        for scope, rules in by_scope.items():
            owner, *said = scope.removeprefix("strict.").split(".")
            if owner != benchmark:
                continue
            level = ", with --strict" if scope.startswith("strict.") else ""
            lines += [
                f"### {benchmark}: {', '.join(said) or 'both divisions'}{level}",
                "",
                *_write_table(ruleset, rules, find_example),
            ]
    return "\n".join(lines)


def _write_table(ruleset: Ruleset, rules: list[Rule], find_example: ExampleFinder) -> list[str]:
    lines = ["| key | rule | requires | code | since | passes | fails |", "|---|---|---|---|---|---|---|"]
    for rule in rules:
        example = find_example(ruleset, rule)
        since = rule.since.partition("/")[2] + "".join(
            f", changed {name.partition('/')[2]}" for name in rule.changed
        )
        cells = [
            rule.key,
            rule.id,
            f"`{CLAUSES[rule.on].prefix}{rule.text}`",
            rule.code,
            since,
            _show(example.passing),
            _show(example.failing),
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, ""]


def _show(events: tuple[str, ...]) -> str:
    shown = "; ".join(events[:4]) + ("; …" if len(events) > 4 else "")
    return f"`{shown}`" if shown else "(not logged)"
