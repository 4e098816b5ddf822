"""`mlperf store compare`: two systems, submitters or rounds of a store, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging.cli.options import Parser, add_format_options, add_rules_folder, split_names
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.running import COMPLIANT, run_guarded
from mlperf_logging.cli.stores import add_wait_option
from mlperf_logging.installation import require_libraries

_EXAMPLES = """\
examples:
  {program} results.duckdb SYSTEM_A SYSTEM_B                      is B faster than A, by how much, how sure is that
  {program} results.duckdb 4.0 5.1 --benchmark NAME               two rounds, by number of accelerators
  {program} results.duckdb 'LAB_A/*8x*' 'LAB_B/*8x*' --by benchmark --value samples_per_second

Runs are compared that converged, as mlperf analyze --compare does.
exit codes: 0 answered; 2 the two share nothing to be compared, or the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf store compare") -> int:
    """Compare two sides of a store: 0 answered, 2 an error."""
    return run_guarded(program, lambda: _compare(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf store compare`."""
    parser = Parser(program, "Two systems, submitters or rounds of a store, side by side.", _EXAMPLES)
    add = parser.add_group()
    add("store STORE", "the store, or a folder of Parquet that was exported from one")
    for side in "AB":
        add(side, "a round, a system, a submitter, or a pattern of SUBMITTER/SYSTEM")
    add("--benchmark NAME", "this benchmark alone")
    add("--value COLUMN", "column of the runs to compare (run_minutes)", default="run_minutes")
    by = "columns that must agree, comma-separated (benchmark,accelerators)"
    add("--by COLUMNS", by, default="benchmark,accelerators")
    add("--all-runs", "also count runs that did not converge")
    add("--confidence LEVEL", "level of the intervals (0.95)", default=0.95)
    add("--resamples N", "draws of the bootstrap (9999)", default=9999)
    add("--seed N", "seed of the bootstrap (0); equal seeds give equal intervals", default=0)
    add_wait_option(add)
    add_rules_folder(add)
    add_format_options(parser.add_group("how it is shown"))
    return parser


def _compare(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    require_libraries("this command", ("numpy", "pandas", "scipy"), "analysis")
    from mlperf_logging.analysis.analyses import COMPARISON, AnalysisParameters
    from mlperf_logging.reports.documents.analyze import describe_analyses
    from mlperf_logging.store.asking import open_store
    from mlperf_logging.store.sides import compare_stored
    from mlperf_logging.tables import pick

    parameters = AnalysisParameters(
        by=tuple(split_names([options.by])),
        only_converged=not options.all_runs,
        **pick(options, "value", "confidence", "resamples", "seed"),
    )
    sides = (options.A, options.B)
    store = open_store(options.store, patience_s=options.wait)
    found = compare_stored(
        store, *sides, benchmark=options.benchmark, parameters=parameters, rules=options.rules
    )
    document = describe_analyses({COMPARISON: found}, parameters, (), sides, for_people=renderer.for_people)
    write_document(document, renderer, options.output)
    return COMPLIANT
