"""`mlperf rcp`: whether a submission converged like the reference?"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.output import Output, load_renderer, write_document
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, VIOLATION, print_error, run_guarded
from mlperf_logging.cli.scoring import add_reading_options, add_showing_options, read_folders, report_unread
from mlperf_logging.errors import UsageError
from mlperf_logging.reports.documents.folders import name_system
from mlperf_logging.reports.documents.rcp import describe_check, describe_checks, describe_tests
from mlperf_logging.reports.tables import BaseRenderer
from mlperf_logging.runs.folders import SCALING_FILE
from mlperf_logging.scoring.folders import read_scaling_factor
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.scoring.rcp.pass_probability import DRAWS
from mlperf_logging.scoring.rcp.references import CHECK, RULES
from mlperf_logging.scoring.rcp.submissions import SubmissionCheck, check_submission
from mlperf_logging.tables import Document

if TYPE_CHECKING:
    from mlperf_logging.scoring.rcp.points import ReferenceTable

PICTURES = (".png", ".svg", ".pdf")
_EXAMPLES = """\
examples:
  {program} results/SYSTEM/BENCHMARK                 as the newest round's public check does
  {program} --ruleset ROUND SUBMITTER --jobs 0       every folder, one line each
  {program} --method rules FOLDER                    as the rules are written
  {program} --points mine.yaml FOLDER                against reference points of your own
  {program} --write-scaling FOLDER                   write scaling.json where the score is to be scaled
  {program} --plot rcp.png FOLDER                    a picture of the submission and the reference points

With fewer runs than a result needs, the chance to pass is simulated (--seed, --draws). Nothing is written into a
folder without --write-scaling.
exit codes: 0 what was tested passed; 1 a folder failed; 2 nothing could be tested, or the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf rcp") -> int:
    """Test the convergence of results: 0 all that was tested passed, 1 a folder failed, 2 nothing could be tested."""
    return run_guarded(program, lambda: _test(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf rcp`."""
    parser = Parser(program, "Test submissions against the reference convergence points.", _EXAMPLES)
    add_reading_options(parser)
    add = parser.add_group("how it is tested")
    methods = "as the public checks compute (default), or as the rules are written"
    add("--method", methods, choices=(CHECK, RULES), default=CHECK)
    references = "judge against the points that pruning leaves (default), or all"
    add("--references", references, choices=("pruned", "full"), default="pruned")
    add("--points FILE", "YAML or JSON with reference points in place of the built-in ones")
    add("--seed N", "of the simulated runs (default 0)", default=0)
    add("--draws N", f"submissions that are simulated (default {DRAWS})", default=DRAWS)
    add("--write-scaling", f"write {SCALING_FILE} into the folders whose score is scaled")
    add("--plot FILE", "draw the submission and the reference points: .png, .svg or .pdf")
    add_showing_options(parser)
    return parser


def _test(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    if options.draws < 1:
        raise UsageError(f"--draws must be at least 1, not {options.draws}")
    if options.plot is not None and not options.plot.lower().endswith(PICTURES):
        raise UsageError(f"--plot {options.plot!r}: name a file that ends in {', '.join(PICTURES)}")
    folders = read_folders(options, program)
    unread = report_unread(program, folders)
    find_table = open_reference_points(options.rules, options.points)
    outcomes = [
        check_submission(
            each.folder,
            each.runs,
            find_table,
            method=options.method,
            pruned=options.references == "pruned",
            seed=options.seed,
            draws=options.draws,
        )
        for each in folders
    ]
    write_document(_describe(outcomes, renderer), renderer, options.output)
    if options.write_scaling:
        write_scaling(outcomes, program)
    if options.plot is not None:
        _plot(outcomes, options.plot, find_table)
    if unread or all(outcome.passed is None for outcome in outcomes):
        reason = "not all logs could be read" if unread else f"nothing was tested: {outcomes[0].reason}"
        print_error(program, reason)
        return CANNOT_WORK
    return VIOLATION if any(outcome.passed is False for outcome in outcomes) else COMPLIANT


def _describe(outcomes: list[SubmissionCheck], form: BaseRenderer) -> Document:
    if form.for_people and len(outcomes) == 1:
        tables = describe_check(outcomes[0], _read_scaling(outcomes[0]))
    else:
        tables = [describe_checks(outcomes, for_people=form.for_people)]
    return describe_tests(outcomes, tables)


def _read_scaling(outcome: SubmissionCheck) -> float | None:
    if outcome.folder.scaling_file is None:
        return None
    try:
        return read_scaling_factor(outcome.folder.scaling_file)
    except ValueError as error:
        raise UsageError(str(error)) from None


def write_scaling(outcomes: Sequence[SubmissionCheck], program: str) -> None:
    """Write ``scaling.json`` into the folders whose score is scaled, and say so; `UsageError` where one is not ours."""
    for outcome in outcomes:
        check = outcome.check
        if check is None or not check.passed or check.normalisation == 1:
            why = "its score is not scaled" if check is not None and check.passed else "it did not pass"
            print_error(program, f"{outcome.folder.path}: no {SCALING_FILE} written, {why}")
            continue
        path = os.path.join(outcome.folder.path, SCALING_FILE)
        if os.path.islink(path) or (os.path.exists(path) and not os.path.isfile(path)):
            raise UsageError(f"{path} is a link or not a regular file, and may lead elsewhere; remove it")
        _read_scaling(outcome)  # what is no such file stays as it is
        replaced = "replaced" if os.path.exists(path) else "wrote"
        text = json.dumps({"scaling_factor": check.normalisation}) + "\n"
        with Output(path) as file:
            file.write(text)
        print_error(program, f"{replaced} {path}: scaling_factor {check.normalisation:.6g}")


def _plot(
    outcomes: Sequence[SubmissionCheck], path: str, find_table: Callable[[str, str], ReferenceTable | None]
) -> None:
    drawn = [outcome for outcome in outcomes if outcome.check is not None]
    if len(outcomes) != 1 or not drawn:
        what = f"{len(outcomes)} folders were given" if len(outcomes) != 1 else "the one given was not tested"
        raise UsageError(f"--plot draws one tested folder, but {what}; name one benchmark's folder")
    from mlperf_logging.installation import require_libraries

    require_libraries("--plot", ["matplotlib"], "analysis")
    from matplotlib.figure import Figure

    from mlperf_logging.analysis.plots.looks import to_label
    from mlperf_logging.analysis.plots.rcp import draw_reference_chart

    outcome = drawn[0]
    check = outcome.check
    assert check is not None and outcome.ruleset and outcome.benchmark  # noqa: S101, PT018 - `drawn` holds no other
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    title = to_label(f"{outcome.benchmark} on {name_system(outcome.folder)}, {outcome.ruleset}")
    draw_reference_chart(
        figure.add_subplot(), check, find_table(outcome.ruleset, outcome.benchmark), title=title
    )
    picture = BytesIO()
    figure.savefig(picture, dpi=150, format=path.lower().rpartition(".")[2])
    with Output(path) as output:
        output.write_bytes(picture.getvalue())
