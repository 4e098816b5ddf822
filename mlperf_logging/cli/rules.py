"""`mlperf rules`: what a round requires, what a rule means, what changed between rounds."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from mlperf_logging.cli.options import AddOption, Parser, add_format_options, add_rules_folder
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, print_error, run_guarded
from mlperf_logging.compliance.example_search import find_example
from mlperf_logging.compliance.identity import Identity
from mlperf_logging.compliance.ruleset_selection import RuleSelection, choose_ruleset
from mlperf_logging.errors import UsageError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.reports.documents.rules import (
    describe_benchmark,
    describe_differences,
    describe_explanation,
    describe_rounds,
    describe_rules,
)
from mlperf_logging.rules.catalogue import compare_rulesets, explain, list_rules, show_benchmark
from mlperf_logging.rules.pages import HEADER, write_pages
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.rules.rulesets import Ruleset

_EXAMPLES = """\
examples:
  {program} list                                    every round, its log dialect and its benchmarks
  {program} show BENCHMARK                          what a closed log of the newest round must contain
  {program} show BENCHMARK --ruleset ROUND --division open
  {program} explain MLP304                          what a code or a rule means, with examples
  {program} diff ROUND ROUND BENCHMARK              what changed between two rounds
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf rules") -> int:
    """Answer a question about the rules; 1 when pages of the catalogue are stale, 2 when the question is wrong."""
    return run_guarded(program, lambda: _answer(argv, program))


def show_explanation(name: str, options: argparse.Namespace) -> int:
    """Print what a code or a rule means; `UsageError` if there is none."""
    renderer = load_renderer(options)
    explanation = explain(name, find_example, open_rules(options.rules))
    document = describe_explanation(explanation, for_people=renderer.for_people)
    write_document(document, renderer, options.output)
    return COMPLIANT


def show_rules(options: argparse.Namespace) -> int:
    """Print the rules of a round (of the newest of each usage, where none is named), one line each."""
    book, usage = open_rules(options.rules), options.usage
    if options.ruleset == "auto":
        newest = {entry.usage: entry.name for entry in book.index() if usage in (None, entry.usage)}
        rulesets = [book.load(name) for name in newest.values()]
    else:
        rulesets = [_find_ruleset(book, options.ruleset, usage, options.benchmark)]
    found = {
        rule.id: rule
        for each in rulesets
        for rule in list_rules(each, options.division, options.benchmark, strict=options.strict)
    }
    write_document(describe_rules(rulesets, sorted(found.values())), load_renderer(options), options.output)
    return COMPLIANT


def _answer(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv, mixed=False)
    answer: Callable[[argparse.Namespace, str], int] = options.answer
    return answer(options, program)


def build_parser(program: str) -> Parser:
    """The parser of `mlperf rules`."""
    about = "What a round requires, what a rule means, what changed between rounds."
    parser = Parser(program, about, _EXAMPLES)
    commands = parser.add_subparsers(metavar="QUESTION", required=True)

    def add_command(name: str, what: str, answer: Callable[[argparse.Namespace, str], int]) -> AddOption:
        command: Parser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        command.set_defaults(answer=answer)
        add = command.add_group()
        add_rules_folder(add)
        if answer is not _docs:
            add_format_options(add)
        return add

    usage = "the usage, where two have rounds of the same name"
    add_command("list", "every round, its log dialect and its benchmarks", _list)
    add = add_command("show", "what a log of one benchmark must contain", _show)
    add("benchmark BENCHMARK", "name of the benchmark, as logs have it")
    add("--ruleset ROUND", "default: the newest that knows the benchmark", default="auto")
    add("--usage NAME", usage)
    add(
        "--division",
        "whose rules, where the divisions differ (default: closed)",
        choices=DIVISIONS,
        default="closed",
    )
    add("--meaning", "also show what each key means")
    add("--strict", "also show what only the written rules say")
    add = add_command("explain", "what a code or a rule means, with examples", _explain)
    add("name ID", "a code such as MLP304, or the id of a rule")
    add = add_command("diff", "what changed from one round to another", _diff)
    add("before ROUND", "the earlier round")
    add("after ROUND", "the later round")
    add("benchmark BENCHMARK", "only what changed for this one", nargs="?")
    add("--usage NAME", usage)
    add = add_command("docs", "write the catalogue's pages", _docs)
    add("folder FOLDER", "where the pages are written")
    add("--check", "write nothing; exit 1 when the pages there are stale")
    return parser


def _list(options: argparse.Namespace, program: str) -> int:
    document = describe_rounds(open_rules(options.rules).index())
    write_document(document, load_renderer(options), options.output)
    return COMPLIANT


def _show(options: argparse.Namespace, program: str) -> int:
    renderer = load_renderer(options)
    benchmark = options.benchmark
    ruleset = _find_ruleset(open_rules(options.rules), options.ruleset, options.usage, benchmark)
    division = options.division if ruleset.has_divisions else None
    rows = show_benchmark(ruleset, benchmark, division, strict=options.strict)
    with_meaning = options.meaning or not renderer.for_people
    document = describe_benchmark(ruleset, benchmark, division, rows, with_meaning=with_meaning)
    write_document(document, renderer, options.output)
    return COMPLIANT


def _explain(options: argparse.Namespace, program: str) -> int:
    return show_explanation(options.name, options)


def _diff(options: argparse.Namespace, program: str) -> int:
    book = open_rules(options.rules)
    before, after = (_find_ruleset(book, name, options.usage) for name in (options.before, options.after))
    differences = compare_rulesets(before, after, options.benchmark)
    document = describe_differences(before, after, options.benchmark, differences)
    write_document(document, load_renderer(options), options.output)
    return COMPLIANT


def _docs(options: argparse.Namespace, program: str) -> int:
    folder = Path(options.folder)
    pages = write_pages(open_rules(options.rules), find_example)
    there = {path.name: path for path in folder.glob("*.md")} if folder.is_dir() else {}
    foreign = [name for name in pages if name in there and not _is_page(there[name])]
    left_over = [name for name in there if name not in pages and _is_page(there[name])]
    current = [name for name in there if name in pages and name not in foreign]
    stale = [each for each in pages if each not in current or there[each].read_text("utf-8") != pages[each]]
    if options.check:
        for name in [*stale, *left_over]:
            print_error(program, f"{folder / name} is stale; write it again with {program} docs {folder}")
        return 1 if stale or left_over else COMPLIANT
    if foreign:
        raise UsageError(
            f"{folder / foreign[0]} is not a page of the catalogue; move it away, or name another folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (folder / name).write_text(pages[name], "utf-8")
        for name in left_over:
            there[name].unlink()
    except OSError as error:
        print_error(program, f"cannot write the pages to {options.folder!r}: {error.strerror}")
        return CANNOT_WORK
    return COMPLIANT


def _is_page(path: Path) -> bool:
    """Whether this command has written a file; no other is overwritten or removed, and no link followed."""
    if path.is_symlink() or not path.is_file():
        return False
    return path.read_text("utf-8", "replace").startswith(HEADER)


def _find_ruleset(
    book: RuleRepository, name: str, usage: str | None, benchmark: str | None = None
) -> Ruleset:
    """A ruleset by its round, or the newest that knows a benchmark."""
    if name != "auto":
        return choose_ruleset(RuleSelection(usage, name), Identity(), book).ruleset
    knowing = [
        entry for entry in book.index() if usage in (None, entry.usage) and benchmark in entry.benchmarks
    ]
    if not knowing:
        from mlperf_logging.suggestions import did_you_mean

        known = sorted({each for entry in book.index() for each in entry.benchmarks})
        meant = did_you_mean(benchmark or "", known, f"known: {', '.join(known)}")
        raise UsageError(f"no round knows the benchmark {benchmark!r}; {meant}")
    return book.load(knowing[-1].name)
