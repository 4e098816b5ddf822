"""`mlperf package diff`: what changed between two submissions, or between a submitter's rounds."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from mlperf_logging.cli.engines import open_engine
from mlperf_logging.cli.options import Parser, add_rule_options, read_selection
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.progress import show_progress
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, print_error, run_guarded
from mlperf_logging.cli.scoring import add_showing_options
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.engines.engine import Engine
from mlperf_logging.errors import UsageError
from mlperf_logging.events import Outcome
from mlperf_logging.installation import require_libraries
from mlperf_logging.reports.documents.differences import TABLES, describe_differences
from mlperf_logging.submission.differences import (
    ReadResult,
    ReadRun,
    compare_submissions,
    pair_results,
    read_log,
    read_submission,
)
from mlperf_logging.submission.packing import opened_submission

_EXAMPLES = """\
examples:
  {program} ROUND_4/Example_Lab ROUND_5/Example_Lab       a submitter's rounds
  {program} --ruleset ROUND before.tar.gz Example_Lab     what has changed since it was packed
  {program} --pair box=box_2 OLD NEW                      a system that has another name now

exit codes: 0 compared, whatever differs; 2 the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf package diff") -> int:
    """Compare two submissions: 0 done, 2 an error."""
    return run_guarded(program, lambda: _compare(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf package diff`."""
    parser = Parser(program, "Show what changed between two submissions.", _EXAMPLES)
    add = parser.add_group()
    add("old OLD", "a submitter's folder or archive")
    add("new NEW", "the same or another submitter's, later")
    about = "matches a system that was renamed; can be repeated"
    add("--pair OLD=NEW", about, action="append", default=[])
    add = add_rule_options(parser)
    add("--old-ruleset ROUND", "the round of OLD; default: that of --ruleset", default=None)
    add = add_showing_options(parser)
    add("--table NAME", f"only one of {', '.join(TABLES)}", choices=TABLES)
    return parser


def _compare(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    require_libraries("comparing", ("pandas", "scipy"), "analysis")
    renamed = dict(_read_pair(text) for text in options.pair)
    with opened_submission(options.old) as (old, _), opened_submission(options.new) as (new, _):
        selection, engine = read_selection(options), open_engine(options, program)
        with engine.kept_open():
            before = _read(
                old, selection._replace(ruleset=options.old_ruleset or options.ruleset), options, engine
            )
            after = _read(new, selection, options, engine)
        _refuse_unknown(renamed, before, options.old)
        found = compare_submissions(pair_results(before, after, renamed), rules=options.rules)
    write_document(describe_differences(found, options.table), renderer, options.output)
    runs = [run.scored for result in (*before, *after) for run in result.runs]
    unread = [run for run in runs if run.verdict == Outcome.UNJUDGED]
    for run in unread:
        print_error(program, run.faults[0])
    return CANNOT_WORK if unread else COMPLIANT


def _read(folder: str, selection: RuleSelection, options: Namespace, engine: Engine) -> list[ReadResult]:
    def read_logs(paths: Sequence[str]) -> Iterator[ReadRun]:
        runs = engine.map_logs(partial(read_log, selection=selection), paths)
        return iter(list(show_progress(runs, len(paths), "reading runs", quiet=options.quiet)))

    return read_submission(folder, read_logs)


def _refuse_unknown(renamed: Mapping[str, str], results: Iterable[ReadResult], path: str) -> None:
    known = sorted({result.folder.system or "" for result in results})
    unknown = next((name for name in renamed if name not in known), None)
    if unknown is not None:
        raise UsageError(f"--pair: {path} has no system {unknown!r}; it has {', '.join(known)}")


def _read_pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not (old and sign and new):
        raise UsageError(f"--pair {text!r}: write the names of two systems, as in box=box_2")
    return old, new
