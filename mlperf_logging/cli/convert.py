"""`mlperf convert`: write the log inside a wrapped one."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.running import COMPLIANT, print_error, run_guarded
from mlperf_logging.errors import UsageError

_EXAMPLES = """\
examples:
  {program} --unwrap docker.json result_0.txt    the log inside a container's JSON log
  kubectl logs POD | {program} --unwrap - -      from standard input to standard output

What is taken off: Docker's JSON log lines, Kubernetes' partial lines, UTF-16, HTML and CSV exports, the repr of Python
bytes, lines broken at a width, and what is behind records: ANSI colors, Ray's notes, other text.
exit codes: 0 the log was written; 2 it is not wrapped, or the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf convert") -> int:
    """Convert the log that a command line names: 0 it was written, 2 an error."""
    return run_guarded(program, lambda: _convert(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf convert`."""
    parser = Parser(program, "Write the log inside a wrapped one.", _EXAMPLES)
    add = parser.add_group()
    add("source IN", "a log, or - for standard input")
    add("target OUT", "where to write it, or - for standard output; a file is replaced when the log is whole")
    add("--unwrap", "take off what the log's surroundings have wrapped around it")
    add("--quiet -q", "do not say what was taken off")
    return parser


def _convert(argv: Sequence[str] | None, program: str) -> int:
    from mlperf_logging.compliance.held_log import HeldLog

    options = build_parser(program).parse(argv)
    if not options.unwrap:
        raise UsageError("say what to convert; --unwrap is all there is")
    log = HeldLog(options.source)
    if log.wrapped is None:
        raise UsageError(f"{options.source} is not wrapped in anything that is known; nothing was written")
    with Output(None if options.target == "-" else options.target) as output:
        for text in log.read_unwrapped():
            output.write_bytes(text)
    if not options.quiet:
        print_error(program, log.wrapped.message.partition(";")[0])
    return COMPLIANT
