"""`mlperf plot`: pictures of runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from mlperf_logging.cli.analyze import add_reading_options, read_logs, read_reading_options, report_unread
from mlperf_logging.cli.chart_files import (
    HTML_LIBRARIES,
    JSON_LIBRARIES,
    render_chart_page,
    render_definition,
)
from mlperf_logging.cli.engines import open_engine
from mlperf_logging.cli.options import Parser, add_engine_options, read_dpi, read_inches
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.picture import Picture, render_picture
from mlperf_logging.cli.pictures import CONVERGENCE, KINDS, SERIES
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, print_error, run_guarded
from mlperf_logging.errors import UsageError
from mlperf_logging.installation import require_libraries
from mlperf_logging.runs.paths import find_logs

SCHEMA = "mlperf-plot/1"
PICTURES, HTML, VEGA_LITE = (".png", ".svg", ".pdf"), ".html", ".json"
SUFFIXES = (*PICTURES, HTML, VEGA_LITE)
_FILES = "FILE.png, FILE.svg, FILE.pdf, FILE.html or FILE.json"
_EXAMPLES = """\
examples:
  {program} convergence results/SYSTEM/BENCHMARK -o curves.png
  {program} convergence round/*/results/*/BENCHMARK --x minutes -o curves.svg
  {program} convergence round/*/results/*/BENCHMARK -o curves.html    a page: point at values, isolate systems
  {program} series results/SYSTEM/BENCHMARK --metric train_loss -o loss.png
  {program} spread round/ --relative -o spread.pdf          how the runs of each system differ
  {program} breakdown results/SYSTEM/BENCHMARK -o time.png
  {program} scaling round/SUBMITTER -o scaling.png
  {program} energy results/SYSTEM/BENCHMARK -o energy.png
  {program} rcp results/SYSTEM/BENCHMARK -o rcp.png
  {program} suite --suite NAME SUBMITTER -o suite.png
  {program} spread round/ --format json                     what would be drawn, as data

exit codes: 0 the picture was drawn; 2 something could not be read, or there is nothing to draw.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf plot") -> int:
    """Draw a picture of the logs that a command line names; 2 when that could not be done."""
    return run_guarded(program, lambda: _plot(argv, program))


def _plot(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    if options.kind not in KINDS:
        raise UsageError(f"unknown picture {options.kind!r}; choose from {', '.join(KINDS)}")
    suffix = os.path.splitext(options.output or "")[1].lower()
    if options.format != "json":
        if options.output is None:
            raise UsageError(f"name the picture's file with --output: {_FILES}")
        if suffix not in SUFFIXES:
            raise UsageError(
                f"{options.output!r} does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
            )
        if suffix not in PICTURES and (options.width or options.height):
            raise UsageError(
                f"--width and --height are of pictures, not of a {suffix} file: a chart fits its page"
            )
    _require_libraries(suffix if options.format != "json" else "")
    reading = read_reading_options(options, ["*"] if options.kind == SERIES else [])
    logs = find_logs(options.paths, results=True)
    for sentence in logs.complaints:
        print_error(program, sentence)
    tables = read_logs(logs.paths, reading, open_engine(options, program))
    _, make_picture = KINDS[options.kind]
    picture = make_picture(tables, options)
    for sentence in picture.left_out:
        print_error(program, sentence)
    if options.kind == CONVERGENCE and tables.evaluations["target_value"].isna().all():
        print_error(program, "no target is known, so no line is drawn; state one with --target 'value >= …'")
    with Output(options.output) as output:
        if options.format == "json":
            from mlperf_logging.reports._escape import encode_json
            from mlperf_logging.reports.documents.analyze import list_records

            rows = list_records(picture.data)
            output.write(encode_json({"schema": SCHEMA, "kind": options.kind, "rows": rows}) + "\n")
        elif suffix in PICTURES:
            output.write_bytes(render_picture(picture, options, suffix[1:]))
        else:
            output.write_bytes(_render_charts(picture, options, suffix))
    return CANNOT_WORK if report_unread(program, tables) or logs.complaints else COMPLIANT


def _require_libraries(suffix: str) -> None:
    """Refuse to begin where a library is missing that the file needs; without a suffix, data are written."""
    if suffix == HTML:
        require_libraries("a page of charts", HTML_LIBRARIES, "report")
    elif suffix == VEGA_LITE:
        require_libraries("a chart in Vega-Lite", JSON_LIBRARIES, "report")
    else:
        require_libraries("this command", ("numpy", "pandas", "scipy", "matplotlib"), "analysis")


def _render_charts(picture: Picture, options: argparse.Namespace, suffix: str) -> bytes:
    title = options.title or picture.title
    charts = picture.make_charts(title)
    if suffix == VEGA_LITE:
        return render_definition(charts)
    what, _ = KINDS[options.kind]
    return render_chart_page(title or options.kind.capitalize(), what, charts, picture.left_out)


def build_parser(program: str) -> Parser:
    """The parser of `mlperf plot`."""
    kinds = "\n".join(f"  {name.ljust(max(map(len, KINDS)))}  {what}" for name, (what, _) in KINDS.items())
    parser = Parser(program, f"Pictures of runs.\n\npictures:\n{kinds}", _EXAMPLES)
    add = parser.add_group()
    add("kind KIND", "which picture, see above")
    add("paths PATH", "logs, folders or patterns", nargs="+")
    add_reading_options(parser)
    add = parser.add_group("what is drawn")
    axes = ("progress", "epochs", "samples", "minutes")
    add("--x", "axis of convergence and series (progress: in the logs' unit)", choices=axes)
    add("--metric NAME", "one metric of convergence (all, below each other), or the series that is drawn")
    add("--value COLUMN", "column of spread and scaling (run_minutes)", default="run_minutes")
    add("--relative", "spread as a share of each group's median")
    add("--by COLUMNS", "columns that make a group, comma-separated")
    add("--all-runs", "also runs that did not converge, in spread and scaling")
    add("--seed N", "seed of the bootstrap in scaling (0)", default=0)
    add("--suite NAME", "the suite of the picture of that name: its name or a YAML file")
    add = parser.add_group("how it is drawn")
    add("--output -o FILE", f"{_FILES}: a picture, an interactive page, or the chart in Vega-Lite")
    forms = "picture (default), or json: what would be drawn, as data"
    add("--format", forms, choices=("picture", "json"), default="picture")
    add("--title TEXT", "title of the picture")
    add("--width INCHES", "width of the picture without legend", type=read_inches)
    add("--height INCHES", "height of the picture", type=read_inches)
    add("--dpi N", "dots per inch of PNG (110)", type=read_dpi, default=110)
    add_engine_options(add)
    return parser
