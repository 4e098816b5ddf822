"""`mlperf rules`: what a round requires, what a rule means, what changed between rounds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.cli.options import Parser, make_formatter, read_folder
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, complain, run_guarded
from mlperf_logging.errors import UsageError
from mlperf_logging.events import DIVISIONS

if TYPE_CHECKING:
    from mlperf_logging.rules.catalogue import Explanation
    from mlperf_logging.rules.repository import RuleRepository
    from mlperf_logging.rules.rulesets import Ruleset

SCHEMA = "mlperf-rules/1"
_EXAMPLES = """\
examples:
  {program} list                                    every round, its log dialect and its benchmarks
  {program} show BENCHMARK                          what a closed log of the newest round must hold
  {program} show BENCHMARK --ruleset ROUND --division open
  {program} explain MLP304                          what a code or a rule means, with examples
  {program} diff ROUND ROUND BENCHMARK              what changed between two rounds
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf rules") -> int:
    """Answer a question about the rules.

    Args:
        argv: what follows the command's name; None for the arguments of this process.
        program: name under which the command speaks.

    Returns:
        0 when the question was answered, 1 when the catalogue's pages are stale, 2 when it was wrong.
    """
    return run_guarded(program, lambda: _answer(argv, program))


def show_explanation(name: str, *, folder: str | None = None, as_json: bool = False) -> int:
    """Print what a code or a rule means.

    Args:
        name: the code or the rule's id.
        folder: folder of other rule files.
        as_json: print JSON in place of text.

    Raises:
        UsageError: there is no such code or rule.
    """
    from mlperf_logging.compliance.example_search import find_example
    from mlperf_logging.rules.catalogue import explain

    explanation = explain(name, find_example, _open_book(folder))
    _print(
        {"explanation": explanation._asdict()} if as_json else None, lambda: render_explanation(explanation)
    )
    return COMPLIANT


def show_rules(
    *,
    usage: str | None = None,
    ruleset: str = "auto",
    division: str | None = None,
    benchmark: str | None = None,
    strict: bool = False,
    folder: str | None = None,
    as_json: bool = False,
) -> int:
    """Print the rules of a round (of the newest of each usage, where none is named), a line each.

    Raises:
        UsageError: there is no such round, division or benchmark.
    """
    from mlperf_logging.rules.catalogue import list_rules

    book = _open_book(folder)
    if ruleset == "auto":
        newest = {entry.usage: entry.name for entry in book.index() if usage in (None, entry.usage)}
        rulesets = [book.load(name) for name in newest.values()]
    else:
        rulesets = [_find_ruleset(book, ruleset, usage, benchmark)]
    found = {
        rule.id: rule for each in rulesets for rule in list_rules(each, division, benchmark, strict=strict)
    }
    rows = [
        {
            "rule": rule.id,
            "code": rule.code,
            "severity": rule.severity,
            "key": rule.key,
            "wants": rule.summary or rule.text,
            "since": rule.since,
            "strict": rule.level == "strict",
        }
        for rule in sorted(found.values())
    ]

    def render() -> str:
        from mlperf_logging.cli.tables import render_table

        cells = [[str(row[name]) for name in ("rule", "code", "severity", "wants", "since")] for row in rows]
        caption = f"{len(rows):,} rules of {', '.join(each.name for each in rulesets)}"
        return render_table(("rule", "code", "severity", "wants", "since"), cells, caption=caption)

    _print({"rulesets": [each.name for each in rulesets], "rules": rows} if as_json else None, render)
    return COMPLIANT


def render_explanation(explanation: Explanation) -> str:
    """What a code or a rule means, as text.

    Args:
        explanation: what the catalogue says.
    """
    from mlperf_logging.reports._escape import show_text

    head = (
        explanation.name
        if explanation.name == explanation.code
        else f"{explanation.name} ({explanation.code})"
    )
    lines = [f"{head}: {explanation.title}", ""]
    since = (
        f"{explanation.since}, changed in {', '.join(explanation.changed)}"
        if explanation.changed
        else explanation.since
    )
    facts = [
        ("wants", explanation.wants),
        ("severity", explanation.severity),
        ("why", explanation.why),
        ("mend", explanation.hint),
        ("source", explanation.source),
        ("since", since),
        ("defined", explanation.place),
    ]
    lines += [f"{name + ':':<10}{' '.join(text.split())}" for name, text in facts if text]
    failing = explanation.failing or (("(not logged)",) if explanation.passing else ())
    for title, events in (("passes", explanation.passing), ("fails", failing)):
        if events:
            lines += ["", f"{title}:", *[f"  {show_text(event)}" for event in events]]
    if explanation.rules:
        lines += [
            "",
            "rules of the newest rounds with this code:",
            *[f"  {name}" for name in explanation.rules],
        ]
    return "\n".join(lines) + "\n"


def _answer(argv: Sequence[str] | None, program: str) -> int:
    options = _build_parser(program).parse(argv)
    answer: Callable[[argparse.Namespace, str], int] = options.answer
    return answer(options, program)


def _build_parser(program: str) -> Parser:
    parser = Parser(
        prog=program,
        description="What a round requires, what a rule means, what changed between rounds.",
        epilog=_EXAMPLES.format(program=program),
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=100),
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="QUESTION", required=True)

    def add(name: str, what: str, answer: Callable[[argparse.Namespace, str], int]) -> Parser:
        command: Parser = commands.add_parser(
            name,
            help=what,
            description=what[0].upper() + what[1:] + ".",
            formatter_class=make_formatter,
            allow_abbrev=False,
        )
        command.add_argument(
            "--rules",
            type=read_folder,
            metavar="FOLDER",
            help="rule files to use in place of the built-in ones",
        )
        command.add_argument(
            "--format", choices=("text", "json"), default="text", help="text (default) or json"
        )
        command.set_defaults(answer=answer)
        return command

    add("list", "every round, its log dialect and its benchmarks", _list)
    show = add("show", "what a log of one benchmark must hold", _show)
    show.add_argument("benchmark", metavar="BENCHMARK")
    show.add_argument(
        "--ruleset", metavar="ROUND", default="auto", help="default: the newest that knows the benchmark"
    )
    show.add_argument("--usage", metavar="NAME", help="the usage, where two have rounds of the same name")
    show.add_argument("--division", choices=DIVISIONS, default="closed", help="default: closed")
    show.add_argument("--meaning", action="store_true", help="also what each key stands for")
    show.add_argument("--strict", action="store_true", help="also what only the written rules say")
    explain = add("explain", "what a code or a rule means, with examples", _explain)
    explain.add_argument("name", metavar="ID", help="a code such as MLP304, or the id of a rule")
    diff = add("diff", "what changed from one round to another", _diff)
    diff.add_argument("before", metavar="ROUND")
    diff.add_argument("after", metavar="ROUND")
    diff.add_argument("benchmark", metavar="BENCHMARK", nargs="?")
    diff.add_argument("--usage", metavar="NAME", help="the usage, where two have rounds of the same name")
    docs = add("docs", "write the catalogue's pages", _docs)
    docs.add_argument("folder", metavar="FOLDER")
    docs.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when the pages there are stale"
    )
    return parser


def _list(options: argparse.Namespace, program: str) -> int:
    del program
    from mlperf_logging.rules.catalogue import list_rulesets

    entries = list_rulesets(_open_book(options.rules))

    def render() -> str:
        from mlperf_logging.cli.tables import render_table

        rows = [(entry.name, entry.dialect, ", ".join(entry.benchmarks)) for entry in entries]
        return render_table(("ruleset", "dialect", "benchmarks"), rows)

    _print({"rulesets": [entry._asdict() for entry in entries]} if options.format == "json" else None, render)
    return COMPLIANT


def _show(options: argparse.Namespace, program: str) -> int:
    del program
    from mlperf_logging.rules.catalogue import show_benchmark

    ruleset = _find_ruleset(_open_book(options.rules), options.ruleset, options.usage, options.benchmark)
    division = options.division if ruleset.has_divisions else None
    rows = show_benchmark(ruleset, options.benchmark, division, strict=options.strict)

    def render() -> str:
        from mlperf_logging.cli.tables import render_table

        titles = ("key", "logged", "must satisfy", "when", "since", "meaning")
        cells = []
        for row in rows:
            when = ", ".join(part for part in (row.variant, row.level) if part)
            since = ", changed ".join(name.partition("/")[2] for name in (row.since, *row.changed[-1:]))
            meaning = row.meaning if options.meaning else ""
            cells.append((row.key, row.occurs, "\n".join(row.requirements), when, since, meaning))
        kind = " ".join(part for part in (division, options.benchmark) if part)
        return render_table(titles, cells, caption=f"{ruleset.name} {kind}: {len(rows)} keys")

    answer = {
        "ruleset": ruleset.name,
        "division": division,
        "benchmark": options.benchmark,
        "keys": [row._asdict() for row in rows],
    }
    _print(answer if options.format == "json" else None, render)
    return COMPLIANT


def _explain(options: argparse.Namespace, program: str) -> int:
    del program
    return show_explanation(options.name, folder=options.rules, as_json=options.format == "json")


def _diff(options: argparse.Namespace, program: str) -> int:
    del program
    from mlperf_logging.rules.catalogue import compare_rulesets

    book = _open_book(options.rules)
    before, after = (_find_ruleset(book, name, options.usage) for name in (options.before, options.after))
    differences = compare_rulesets(before, after, options.benchmark)

    def render() -> str:
        from mlperf_logging.cli.tables import render_table

        caption = f"from {before.name} to {after.name}: {len(differences):,} differences"
        return render_table(("scope", "key", before.name, after.name), differences, caption=caption)

    answer = {
        "before": before.name,
        "after": after.name,
        "benchmark": options.benchmark,
        "differences": [each._asdict() for each in differences],
    }
    _print(answer if options.format == "json" else None, render)
    return COMPLIANT


def _docs(options: argparse.Namespace, program: str) -> int:
    from pathlib import Path

    from mlperf_logging.compliance.example_search import find_example
    from mlperf_logging.rules.pages import write_pages

    folder = Path(options.folder)
    pages = write_pages(_open_book(options.rules), find_example)
    there = {path.name: path for path in folder.glob("*.md")} if folder.is_dir() else {}
    stale = [
        name for name, text in pages.items() if name not in there or there[name].read_text("utf-8") != text
    ]
    left_over = [name for name in there if name not in pages]
    if options.check:
        for name in [*stale, *left_over]:
            complain(program, f"{folder / name} is stale; write it anew with {program} docs {folder}")
        return 1 if stale or left_over else COMPLIANT
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (folder / name).write_text(pages[name], "utf-8")
        for name in left_over:
            there[name].unlink()
    except OSError as trouble:
        complain(program, f"cannot write the pages to {options.folder!r}: {trouble.strerror}")
        return CANNOT_WORK
    return COMPLIANT


def _open_book(folder: str | None) -> RuleRepository:
    from mlperf_logging.rules.repository import open_rules

    return open_rules(folder)


def _find_ruleset(
    book: RuleRepository, name: str, usage: str | None, benchmark: str | None = None
) -> Ruleset:
    """A ruleset by its round, or the newest that knows a benchmark.

    Raises:
        UsageError: there is none.
    """
    from mlperf_logging.compliance.checking import Identity
    from mlperf_logging.compliance.ruleset_selection import choose_ruleset

    if name != "auto":
        return choose_ruleset(book, usage, name, None, None, Identity({}, {})).ruleset
    knowing = [
        entry for entry in book.index() if usage in (None, entry.usage) and benchmark in entry.benchmarks
    ]
    if not knowing:
        from difflib import get_close_matches

        known = sorted({each for entry in book.index() for each in entry.benchmarks})
        near = get_close_matches(benchmark or "", known, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        raise UsageError(f"no round knows the benchmark {benchmark!r}; {meant}")
    return book.load(knowing[-1].name)


def _print(answer: dict[str, Any] | None, render: Callable[[], str]) -> None:
    """Print an answer as JSON, or as text where there is none for JSON."""
    if answer is None:
        sys.stdout.write(render())
        return
    from mlperf_logging.reports._escape import encode_json

    sys.stdout.write(encode_json({"schema": SCHEMA, **answer}) + "\n")
