"""`mlperf package`: whether a submission is acceptable, and what to fix where."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from importlib import import_module

from mlperf_logging.cli.check import choose_code, load_given_waivers, read_filter, report_unused
from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.cli.keeping import RESULT, open_keeping_engine
from mlperf_logging.cli.options import (
    CheckParser,
    Parser,
    add_finding_options,
    add_report_options,
    add_rule_options,
    read_selection,
)
from mlperf_logging.cli.progress import show_progress
from mlperf_logging.cli.report import (
    LIBRARIES,
    add_page_options,
    describe_origin,
    read_page_options,
    write_page,
)
from mlperf_logging.cli.reporting import Reports
from mlperf_logging.cli.running import run_guarded
from mlperf_logging.errors import UsageError
from mlperf_logging.installation import require_libraries
from mlperf_logging.reports import RULE, FileResult, Totals
from mlperf_logging.reports.documents.package import describe_package
from mlperf_logging.submission.checking import PackageCheck, check_package, list_checked_files
from mlperf_logging.submission.packing import opened_submission
from mlperf_logging.tables import Document

WritePage = Callable[[PackageCheck, Sequence[FileResult], Document, tuple[str, str]], None]
"""Writes a page of what was found below a folder, given with the name that people have for it."""

COMMANDS = {
    "init": "creates the skeleton of one",
    "pack": "packs one without errors into an archive",
    "unpack": "verifies such an archive and unpacks it",
    "diff": "shows what changed between two",
}
"""Further words behind `mlperf package`, each with a module ``package_WORD`` here, and what it does."""

_EXAMPLES = """\
examples:
  {program} SUBMITTER                           one submission: its folders, logs, seeds, convergence, power
  {program} --ruleset ROUND ROUND_FOLDER -j 0   all submissions of a round, on all processor cores
  {program} --partial SUBMITTER                 runs may still be missing: what is needed yet
  {program} systems/SYSTEM.json                 a system description alone
  {program} --report check.html SUBMITTER       also as a page to open in a browser, with curves and scores
  {program} --format json SUBMITTER             for programs; every format of mlperf-check works
  {program} --explain MLP601                    what a finding means, and how to fix it

exit codes: 0 acceptable (perhaps with warnings); 1 at least one error; 2 the tool could not do its work.
Nothing in the submission is written or changed. docs/submissions.md explains every check.
"""


class PackageParser(CheckParser):
    """The parser of `mlperf package`."""

    examples = _EXAMPLES


def main(argv: Sequence[str] | None = None, program: str = "mlperf package") -> int:
    """Check the submissions at or below a path, or do what a further word says: 0 acceptable, 1 not, 2 an error."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        command = import_module(f"mlperf_logging.cli.package_{arguments[0]}")
        code: int = command.main(arguments[1:], f"{program} {arguments[0]}")
        return code
    return run_guarded(program, lambda: _check(arguments, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf package`."""
    words = "".join(f" {program} {name} {what}." for name, what in COMMANDS.items())
    about = f"Check a submission: is it acceptable, and if not, what is to be fixed where?{words}"
    parser = PackageParser(program, about, usage="%(prog)s [options] PATH")
    add = parser.add_group()
    add(
        "path PATH",
        "a submitter's folder, several, a whole repository of results, a part, an archive (.tar.gz, .zip), or a "
        "system description (.json)",
        nargs="?",
    )
    add("--partial", "a submission in progress: missing runs are warnings")
    add_finding_options(parser, add_rule_options(parser))
    add = add_report_options(parser)
    add("--explain ID", "what a code (MLP601) or a rule id means, with examples")
    add = parser.add_group("as a page to open in a browser")
    add("--report FILE", "also write the page of `mlperf report`; replaced once it is complete")
    add_page_options(add)
    return parser


def _check(arguments: Sequence[str], program: str) -> int:
    options = build_parser(program).parse(arguments)
    if options.explain is not None:
        from mlperf_logging.cli.rules import show_explanation

        options.format = "json" if options.format in {"json", "jsonl"} else "text"
        return show_explanation(options.explain, options)
    if not options.path:
        raise UsageError("name the folder of a submission (--help shows examples)")
    write = _plan_page(options, program, arguments) if options.report is not None else None
    with opened_submission(options.path) as (folder, shown):
        totals = check_folder(options, folder, program, shown, write)
    return choose_code(totals, options)


def _plan_page(options: Namespace, program: str, arguments: Sequence[str]) -> WritePage:
    """What writes the page; `UsageError` before any work begins where that cannot be done."""
    require_libraries("--report", LIBRARIES, "report")
    page, origin = read_page_options(options), describe_origin(program, arguments)
    if options.path.endswith(".json"):
        raise UsageError("a system description alone has no runs to write a page of; leave out --report")

    def write(
        check: PackageCheck, files: Sequence[FileResult], document: Document, unpacked: tuple[str, str]
    ) -> None:
        from mlperf_logging.reports.html.material import gather_package

        material = gather_package(check, files, document, read_selection(options), origin, unpacked)
        write_page(material, page, options.report)

    return write


def check_folder(
    options: Namespace, folder: str, program: str, shown: str, write: WritePage | None = None
) -> Totals:
    """Check the submissions at or below a folder and write the reports.

    Args:
        options: of the command line.
        folder: where the submissions are.
        program: what was called.
        shown: the name of the folder for people, which is another for an archive.
        write: writes a page of what was found; None for no page.
    """
    waivers = load_given_waivers(options.waivers)
    selection = read_selection(options)
    settle = LogJudge(selection, (), read_filter(options), werror=options.werror).settle
    with_rows = write is not None
    settings = {"waivers": waivers, "with_rows": with_rows}
    engine = open_keeping_engine(options, program, RESULT, selection, **settings)
    check = check_package(
        folder,
        selection,
        waivers=waivers,
        partial=options.partial,
        engine=engine,
        watch=partial(show_progress, what="judging logs", quiet=options.quiet),
        with_rows=with_rows,
    )
    files = [settle(*each) for each in list_checked_files(check, waivers)]
    with ExitStack() as places:
        options.group_by = options.group_by or RULE
        reports = Reports(options, program, places, len(files), shown)
        document = describe_package(check, files, (folder, shown), partial=options.partial)
        reports.begin()
        reports.sum_up(document)
        totals = Totals()
        for file in files:
            totals = totals.plus(file)
            for output, text in reports.add([_rename(file, folder, shown)]):
                output.write(text)
        reports.end(totals)
    if write is not None:
        write(check, files, document, (folder, shown))
    report_unused(waivers, {each.waiver for file in files for each in file.waived}, options.waivers, program)
    return totals


def _rename(file: FileResult, folder: str, shown: str) -> FileResult:
    """The findings on a file of an archive, with a path below the archive's own."""
    path = file.verdict.path
    if folder == shown or not path.startswith(folder):
        return file
    return file._replace(verdict=file.verdict._replace(path=f"{shown}{path[len(folder) :]}"))
