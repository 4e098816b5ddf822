"""`mlperf convert`: the events of a log in another form, or the log inside a wrapped one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mlperf_logging.cli.options import Parser, split_names
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.running import COMPLIANT, print_error, run_guarded
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    from mlperf_logging.compliance.findings import Verdict
    from mlperf_logging.events import Event

FORMATS = {
    "mllog": "records of the newest dialect, from those of any",
    "jsonl": "one JSON object per event",
    "parquet": "a table with one row per event",
}
_EXAMPLES = """\
examples:
  {program} --to mllog result_0.txt new.txt             an old round's log in today's dialect
  {program} --to jsonl result_0.txt - | jq .value
  {program} --to parquet result_0.txt run.parquet       a table, for pandas, DuckDB and the like
  {program} --keys 'run_*,eval_accuracy' run.log -      only these events
  {program} --anonymize run.log shared.log              without paths and hosts
  {program} --unwrap docker.json result_0.txt           the log inside a container's JSON log
  kubectl logs POD | {program} --unwrap - -             from standard input to standard output

What --unwrap takes off: Docker's JSON log lines, Kubernetes' partial lines, UTF-16, HTML and CSV exports, the repr of
Python bytes, lines broken at a width, and what is behind records: ANSI colors, Ray's notes, other text.
exit codes: 0 the log was written; 2 there is nothing to convert, or the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf convert") -> int:
    """Convert the log that a command line names: 0 it was written, 2 an error."""
    return run_guarded(program, lambda: _convert(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf convert`."""
    width = max(map(len, FORMATS))
    forms = "\n".join(f"  {name.ljust(width)}  {what}" for name, what in FORMATS.items())
    about = (
        f"Write the events of a log in another form, or the log inside a wrapped one.\n\nformats:\n{forms}"
    )
    parser = Parser(program, about, _EXAMPLES)
    add = parser.add_group()
    add("source IN", "a log, or - for standard input")
    add("target OUT", "where to write it, or - for standard output; a file is replaced when the log is whole")
    add("--to FORMAT", "the format, see above (mllog)", choices=tuple(FORMATS))
    add("--keys NAMES", "keep only events of these keys, such as 'opt_*,eval_accuracy'", action="append")
    add("--anonymize", "hide paths and hosts, if the verdict stays the same")
    add(
        "--hide NAMES", "with --anonymize: other texts to hide, such as short names of hosts", action="append"
    )
    add("--unwrap", "take off what the log's surroundings have wrapped around it")
    add("--quiet -q", "do not say what was taken off or left out")
    return parser


def _convert(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    if options.hide and not options.anonymize:
        raise UsageError("--hide says what --anonymize hides besides paths and hosts; add it")
    if options.unwrap and (options.to or options.keys or options.anonymize):
        raise UsageError("--unwrap writes the log as it is; convert the result with a second command")
    if options.unwrap:
        return _unwrap(options, program)
    if options.to or options.keys or options.anonymize:
        return _rewrite(options, program)
    raise UsageError("say what to convert: --to FORMAT, --keys NAMES, --anonymize or --unwrap")


def _unwrap(options: argparse.Namespace, program: str) -> int:
    from mlperf_logging.compliance.held_log import HeldLog

    log = HeldLog(options.source)
    if log.wrapped is None:
        raise UsageError(f"{options.source} is not wrapped in anything that is known; nothing was written")
    with Output(None if options.target == "-" else options.target) as output:
        for text in log.read_unwrapped():
            output.write_bytes(text)
    if not options.quiet:
        print_error(program, log.wrapped.message.partition(";")[0])
    return COMPLIANT


def _rewrite(options: argparse.Namespace, program: str) -> int:
    """Write the events in the format that is wanted."""
    from mlperf_logging.conversion.events import convert_events, select_events
    from mlperf_logging.conversion.writing import FORMATS as WRITERS

    counts = {"events": 0, "unread": 0}
    events = convert_events(_read_events(options.source, counts))
    if options.anonymize:
        events = iter(_anonymize(events, options, program))
    if options.keys:
        events = select_events(events, split_names(options.keys))
    written = 0
    with Output(None if options.target == "-" else options.target) as output:
        for text in WRITERS[options.to or "mllog"](events):
            output.write_bytes(text)
            written += 1
        if not counts["events"]:
            raise UsageError(
                f"{options.source} contains no event in a known log dialect; nothing was written"
            )
        if not written:
            raise UsageError(
                f"no event of {options.source} has a key like {', '.join(options.keys)}; nothing was written"
            )
    if counts["unread"] and not options.quiet:
        some = f"{counts['unread']:,} records" if counts["unread"] > 1 else "a record"
        print_error(program, f"{some} cannot be read as written and left out; mlperf check says more")
    return COMPLIANT


def _read_events(source: str, counts: dict[str, int]) -> Iterator[Event]:
    """The events of a log, in its order; counts them, and the records that cannot be read."""
    from mlperf_logging.events import Event, Severity
    from mlperf_logging.parsing import read_batches

    for items in read_batches(source):
        for item in items:
            if isinstance(item, Event):
                counts["events"] += 1
                yield item
            elif item.severity == Severity.ERROR:
                counts["unread"] += item.occurrences


def _anonymize(events: Iterator[Event], options: argparse.Namespace, program: str) -> list[Event]:
    """The events without paths and hosts; `UsageError` where the log would be judged otherwise then."""
    from mlperf_logging.conversion.anonymizing import Anonymizer
    from mlperf_logging.conversion.events import DIALECT
    from mlperf_logging.conversion.writing import write_records

    if options.source == "-":
        raise UsageError("--anonymize judges the log before and after; name a file")
    anonymizer = Anonymizer(split_names(options.hide or ()))
    hidden = [anonymizer.hide_event(event) for event in events]
    if not options.quiet:
        print_error(
            program,
            f"hidden: {len(anonymizer.paths):,} paths, {len(anonymizer.hosts):,} hosts and other names",
        )
    from mlperf_logging.compliance.checking import check_log

    before = check_log(options.source)
    if before.dialect not in (DIALECT, None):
        if not options.quiet:
            print_error(
                program,
                f"{before.usage}/{before.ruleset} judges its own dialect only, so the verdict cannot be compared",
            )
        return hidden
    after = check_log(b"".join(write_records(hidden)), usage=before.usage, ruleset=before.ruleset or "auto")
    changed = _list_changes(before, after)
    if changed:
        raise UsageError(f"the verdict would change, so nothing was written: {'; '.join(changed[:4])}")
    return hidden


def _list_changes(before: Verdict, after: Verdict) -> list[str]:
    """What is found only in one of two judgments of a log, by rule and key."""
    from collections import Counter

    from mlperf_logging.compliance.findings import OTHER_ROUND

    ours, theirs = (
        Counter(f"{each.code} {each.rule}" for each in verdict.findings if each.rule != OTHER_ROUND)
        for verdict in (before, after)
    )
    changed = [f"{name} is not found any more" for name in (ours - theirs)]
    changed += [f"{name} is found" for name in (theirs - ours)]
    if before.verdict != after.verdict:
        changed.insert(0, f"{before.verdict} becomes {after.verdict}")
    return changed
