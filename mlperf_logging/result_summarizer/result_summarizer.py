"""A submission's results tables, under the public package's names."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.cli import summary
from mlperf_logging.cli.drop_in import LogCheck, LogLine, add_rules, add_warnings, make_parser, run_drop_in
from mlperf_logging.cli.output import Output
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.reports._escape import encode_json
from mlperf_logging.reports.documents.summary import DETAILED, PUBLIC, THROUGHPUT, describe_summary
from mlperf_logging.reports.tables import Look, load_table_format
from mlperf_logging.scoring.energy import Record, estimate_switch, measure_node
from mlperf_logging.tables import Document

if TYPE_CHECKING:
    import pandas as pd

_TITLES = {PUBLIC: "Strong Scaling Scores:", THROUGHPUT: "Weak Scaling Scores:"}


def get_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = make_parser("result_summarizer", "Tabulate the results of a submission.", log_output=False)
    parser.add_argument("folder", help="the submission")
    add_rules(parser)
    parser.add_argument("--generate_private_ids", action="store_true", help="name each row by a hash")
    add_warnings(parser)
    parser.add_argument(
        "-csv", "--csv", help="also write the table, and beside it the detailed one, as CSV and JSON"
    )
    parser.add_argument("-xlsx", "--xlsx", help="also write the tables as a workbook")
    return parser


def summarize_results(
    folder: str, usage: str, ruleset: str, csv_file: str | None = None, **_: Any
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The results of a submission: the table, that of models trained at once, the detailed one, the second again.

    Raises:
        MLPerfLoggingError: there is no such folder or round.
    """
    from pandas import DataFrame

    found = read_submission(folder, usage, ruleset)
    if csv_file is not None:
        write_csv(found, csv_file)
    strong, weak, detailed = [
        DataFrame(table.rows, columns=[column.name for column in table.columns])
        for layout in (PUBLIC, THROUGHPUT, DETAILED)
        for table in describe_summary(found.systems, found.benchmarks, layout).tables
    ]
    return strong, weak, detailed, weak


def get_compliance(result_file: str, usage: str, ruleset: str) -> bool:
    """Whether a log is compliant; why not is logged."""
    return LogCheck(RuleSelection(usage=usage, ruleset=ruleset)).judge(result_file)[0]


def read_submission(folder: str, usage: str, ruleset: str, *more: str) -> summary.Summary:
    """The scored results of a submission, with more options of `mlperf summary`."""
    parser = summary.build_parser("result_summarizer")
    arguments = [folder, "--usage", usage, "--ruleset", ruleset, "--no-config", "--quiet", *more]
    return summary.read_summary(parser.parse(arguments), "result_summarizer")


def write_csv(found: summary.Summary, path: str) -> None:
    """Write the table, with models trained at once below, and the detailed one, each as CSV and JSON beside each other."""
    stem = os.path.splitext(path)[0]
    for layout, place in ((PUBLIC, path), (DETAILED, f"{stem}_detailed.csv")):
        documents = [describe_summary(found.systems, found.benchmarks, layout)]
        with Output(f"{os.path.splitext(place)[0]}.json") as output:
            output.write(encode_json(documents[0].tables[0].records()) + "\n")
        if layout == PUBLIC and _has_weak(found):
            documents.append(describe_summary(found.systems, found.benchmarks, THROUGHPUT))
        with Output(place) as output:
            for document in documents:
                output.write_bytes(load_table_format("csv")().render(document, Look()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: 0 every benchmark has a result, 1 one has none, or a log cannot be read."""
    return run_drop_in(get_parser(), _summarize, arguments, last="")


def _summarize(options: argparse.Namespace) -> bool:
    more = ["--private-ids"] if options.generate_private_ids else []
    found = read_submission(options.folder, options.usage, options.ruleset, *more)
    layouts = [PUBLIC, *([THROUGHPUT] if _has_weak(found) else [])]
    with Output(None) as output:
        for layout in layouts:
            document = describe_summary(found.systems, found.benchmarks, layout)
            output.write(f"{_TITLES[layout]}\n")
            output.write_bytes(load_table_format("text")().render(document, Look()))
        for result in found.results:
            said = [("ERROR", each) for each in result.score.problems] + [
                ("NOTICE", each) for each in result.notes
            ]
            for word, sentence in said:
                output.write(f"{word}: {result.score.folder.path}: {sentence}\n")
    if options.csv is not None:
        write_csv(found, options.csv)
    if options.xlsx is not None:
        described = [describe_summary(found.systems, found.benchmarks, each) for each in (*layouts, DETAILED)]
        tables = tuple([table for document in described for table in document.tables])
        with Output(options.xlsx) as output:
            output.write_bytes(load_table_format("xlsx")().render(Document(schema="", tables=tables), Look()))
    return found.is_complete and not found.unread


def _has_weak(found: summary.Summary) -> bool:
    return any(result.score.throughput is not None for result in found.results)


def _compute_power_node(loglines: Iterable[LogLine], time_to_train: float) -> float:
    """A node's energy in kilojoules over a run of so many seconds, from its power log."""
    return measure_node(_list_records(loglines), "the log") * time_to_train / 1_000


def _compute_power_sw(loglines: Iterable[LogLine], time_to_train: float) -> float:
    """A switch's energy in kilojoules, likewise."""
    return estimate_switch(_list_records(loglines), "the log") * time_to_train / 1_000


def _list_records(loglines: Iterable[LogLine]) -> list[Record]:
    return [Record(line.key, line.value["value"], line.timestamp) for line in loglines]
