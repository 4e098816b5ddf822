"""`mlperf package init`: the skeleton of a submission, with a description of this machine."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence

from mlperf_logging.cli.options import Parser, add_format_options, add_rules_folder
from mlperf_logging.cli.output import Output, load_renderer, write_document
from mlperf_logging.cli.running import COMPLIANT, run_guarded
from mlperf_logging.errors import UsageError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.reports.documents.skeleton import describe_skeleton
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rounds import RoundIndex, find_newest, find_round, refuse_unknown
from mlperf_logging.submission.description_fields import load_description_fields
from mlperf_logging.submission.machine import describe_machine, name_host
from mlperf_logging.submission.skeleton import (
    NodeFacts,
    Skeleton,
    choose_scaling,
    make_description,
    merge_nodes,
    read_node_file,
    suggest_system_name,
    write_skeleton,
)

_EXAMPLES = """\
examples:
  {program} Example_Lab                         a system of one node, this machine
  {program} Example_Lab --system box --benchmark NAME --ruleset ROUND
  {program} --sysinfo node_0.json               on each node of a larger system
  {program} Example_Lab --merge node_*.json     … and then the system of all these nodes

What only a person knows is marked with FILL IN, which mlperf package reports. Existing files are never overwritten.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf package init") -> int:
    """Make the skeleton of a submission: 0 done, 2 an error."""
    return run_guarded(program, lambda: _init(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf package init`."""
    parser = Parser(
        program, "Create the skeleton of a submission, with a description of this machine.", _EXAMPLES
    )
    add = parser.add_group()
    add("submitter SUBMITTER", "the submitter, which names the folder", nargs="?")
    add("--system NAME", "name of the system; default: from its accelerators")
    add("--benchmark NAME", "create the folders of a benchmark; can be repeated", action="append", default=[])
    add("--division", "the division of the results (default: closed)", choices=DIVISIONS, default="closed")
    add("--folder FOLDER", "where to put the submitter's folder; default: the working folder", default=".")
    add = parser.add_group("several nodes")
    add("--sysinfo FILE", "write what this node knows of itself to FILE (- is standard output), and end")
    add("--merge FILE", "describe the system of the nodes that wrote these files", nargs="+")
    add = parser.add_group("by which rules")
    add("--ruleset ROUND", "round whose description fields are used; default: the newest")
    add("--usage NAME", "training (default), hpc, or another usage")
    add_rules_folder(add)
    add_format_options(parser.add_group("how it is shown"))
    return parser


def _init(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    if options.sysinfo is not None:
        return _write_node(options)
    if not options.submitter:
        raise UsageError("name the submitter (--help shows examples)")
    entry = _choose_round(options)
    for name in options.benchmark:
        refuse_unknown("benchmark", name, entry.benchmarks)
    nodes = [read_node_file(path) for path in options.merge or ()] or [_read_this_node()]
    known = merge_nodes(nodes)
    system = options.system or suggest_system_name(known)
    schema = load_description_fields(open_rules(options.rules), entry.name)
    description = make_description(
        known, schema, submitter=options.submitter, system=system, division=options.division
    )
    benchmarks, scaling = tuple(dict.fromkeys(options.benchmark)), choose_scaling(entry.usage)
    skeleton = Skeleton(options.submitter, system, description, benchmarks, scaling)
    made = write_skeleton(options.folder, skeleton)
    write_document(describe_skeleton(skeleton, schema, made, entry.name), renderer, options.output)
    return COMPLIANT


def _write_node(options: Namespace) -> int:
    if options.submitter or options.merge:
        raise UsageError(
            "--sysinfo FILE only writes what this node knows; give it without submitter and --merge"
        )
    text = json.dumps(_read_this_node().as_json(), indent=2, ensure_ascii=False)
    with Output(None if options.sysinfo == "-" else options.sysinfo) as output:
        output.write(f"{text}\n")
    return COMPLIANT


def _read_this_node() -> NodeFacts:
    return NodeFacts(name_host(), describe_machine())


def _choose_round(options: Namespace) -> RoundIndex:
    index = open_rules(options.rules).index()
    if options.ruleset is not None:
        return find_round(index, options.ruleset, options.usage)
    return find_newest(index, options.usage)
