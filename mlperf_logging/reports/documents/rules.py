"""The answers of `mlperf rules`: rounds, the table of a benchmark, rules, differences, explanations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.tables import FLAG, PROSE, TEXT, Column, Document, make_table, pick

if TYPE_CHECKING:
    from mlperf_logging.rules.catalogue import Difference, Explanation, KeyRow
    from mlperf_logging.rules.rounds import RoundIndex
    from mlperf_logging.rules.rule import Rule
    from mlperf_logging.rules.rulesets import Ruleset

SCHEMA = "mlperf-rules/1"


def _name_round(ruleset: str) -> str:
    return ruleset.partition("/")[2]


def _name_last_round(rulesets: Sequence[str]) -> str:
    return _name_round(rulesets[-1]) if rulesets else ""


_ROUND_COLUMNS = (
    Column("name", TEXT, "usage and round", "ruleset", priority=0),
    Column("dialect", TEXT, "the dialect of its logs", priority=1),
    Column("benchmarks", PROSE, "its benchmarks", priority=0),
)
_RULE_COLUMNS = (
    Column("rule", TEXT, "id of the rule", priority=0),
    Column("code", TEXT, "code of its findings", priority=2),
    Column("severity", TEXT, "severity of its findings", priority=3),
    Column("key", TEXT, "the log key it applies to"),
    Column("wants", PROSE, "what must hold", "requires", priority=0),
    Column("since", TEXT, "the round that introduced it", priority=4),
    Column("strict", FLAG, "only the written rules contain it"),
)
_KEY_COLUMNS = (
    Column("key", TEXT, "the log key", priority=0),
    Column("occurs", PROSE, "how often it is logged", "logged", priority=1),
    Column("requirements", PROSE, "what its events must satisfy", "must satisfy", priority=0),
    Column("variant", TEXT, "the variant of the benchmark that requires it", priority=2),
    Column("level", TEXT, "strict: only the written rules contain it", priority=3),
    Column("since", TEXT, "the round that introduced its oldest rule", format=_name_round, priority=4),
    Column("changed", TEXT, "the rounds that changed a rule", format=_name_last_round, priority=5),
    Column("meaning", PROSE, "what the key means", priority=0),
    Column("rules", TEXT, "ids of the rules"),
)
_EXPLANATION_COLUMNS = tuple(
    map(
        Column,
        ["name", "title", "code", "severity", "wants", "why", "hint", "source", "since", "changed", "place"],
    )
)


def describe_rounds(entries: Sequence[RoundIndex]) -> Document:
    """Every round."""
    rounds = [pick(entry, "name", "dialect", "benchmarks") for entry in entries]
    records = [{**entry, "benchmarks": ", ".join(entry["benchmarks"])} for entry in rounds]
    table = make_table("rulesets", _ROUND_COLUMNS, records)
    return Document(schema=SCHEMA, tables=(table,), fields={"rulesets": rounds})


def describe_rules(rulesets: Sequence[Ruleset], rules: Sequence[Rule]) -> Document:
    """The rules of rounds."""
    records = [
        {
            "rule": rule.id,
            **pick(rule, "code", "severity", "key"),
            "wants": rule.summary or rule.text,
            "since": rule.since,
            "strict": rule.level == "strict",
        }
        for rule in rules
    ]
    names = [each.name for each in rulesets]
    table = make_table("rules", _RULE_COLUMNS, records, title=f"{len(records):,} rules of {', '.join(names)}")
    return Document(schema=SCHEMA, tables=(table,), fields={"rulesets": names, "rules": records})


def describe_benchmark(
    ruleset: Ruleset, benchmark: str, division: str | None, rows: Sequence[KeyRow], *, with_meaning: bool
) -> Document:
    """What a log of a benchmark must contain."""
    records = [row._asdict() for row in rows]
    shown = records if with_meaning else [{**record, "meaning": ""} for record in records]
    title = f"{ruleset.name} {f'{division} ' if division else ''}{benchmark}: {len(rows)} keys"
    table = make_table("keys", _KEY_COLUMNS, shown, title=title)
    fields = {"ruleset": ruleset.name, "division": division, "benchmark": benchmark, "keys": records}
    return Document(schema=SCHEMA, tables=(table,), fields=fields)


def describe_differences(
    before: Ruleset, after: Ruleset, benchmark: str | None, differences: Sequence[Difference]
) -> Document:
    """What changed from one round to another."""
    columns = (
        Column("scope", TEXT, "what it applies to", priority=0),
        Column("key", TEXT, "the log key", priority=0),
        Column("before", PROSE, "what the earlier round requires", before.name, priority=0),
        Column("after", PROSE, "what the later round requires", after.name, priority=0),
    )
    records = [each._asdict() for each in differences]
    title = f"from {before.name} to {after.name}: {len(differences):,} differences"
    fields = {"before": before.name, "after": after.name, "benchmark": benchmark, "differences": records}
    table = make_table("differences", columns, records, title=title)
    return Document(schema=SCHEMA, tables=(table,), fields=fields)


def describe_explanation(explanation: Explanation, *, for_people: bool) -> Document:
    """What a code or a rule means."""
    record = explanation._asdict()
    table = make_table("explanation", _EXPLANATION_COLUMNS, [record])
    if for_people:
        code = f" ({explanation.code})" if explanation.name != explanation.code else ""
        title = f"{explanation.name}{code}: {explanation.title}"
        table = make_table("explanation", (), (), title=title, footnotes=tuple(_list_facts(explanation)))
    return Document(schema=SCHEMA, tables=(table,), fields={"explanation": record})


def _list_facts(explanation: Explanation) -> list[str | tuple[str, str]]:
    changed = f", changed in {', '.join(explanation.changed)}" if explanation.changed else ""
    names = {"requires": "wants", "fix": "hint", "defined": "place"}
    lines: list[str | tuple[str, str]] = []
    for name in ("requires", "severity", "why", "fix", "source", "since", "defined"):
        text = getattr(explanation, names.get(name, name)) + (changed if name == "since" else "")
        lines += [(f"{name}:", " ".join(text.split()))] if text else []
    failing = explanation.failing or (("(not logged)",) if explanation.passing else ())
    rules = "rules of the newest rounds with this code"
    for title, texts in (("passes", explanation.passing), ("fails", failing), (rules, explanation.rules)):
        if texts:
            lines += ["", f"{title}:", *[f"  {text}" for text in texts]]
    return lines
