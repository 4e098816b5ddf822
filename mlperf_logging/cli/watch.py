"""`mlperf watch`: what running jobs come to, while they run."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from mlperf_logging.cli.check import load_given_waivers, read_filter
from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.cli.options import Parser, add_finding_options, add_rule_options, read_selection
from mlperf_logging.cli.output import Output, find_width, wants_color
from mlperf_logging.cli.overview import Overview, WatchedView
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, print_error, run_guarded
from mlperf_logging.cli.watching import WatchedLog, WatchedRun
from mlperf_logging.errors import UsageError
from mlperf_logging.reports._escape import encode_json, show_text
from mlperf_logging.reports._lines import count_findings, describe_place
from mlperf_logging.reports._live_words import (
    name_log,
    say_chance,
    say_convergence,
    say_identity,
    say_phase,
    say_progress,
    say_quality,
    say_time,
)
from mlperf_logging.reports.documents.watch import SCHEMA, describe_findings, describe_live_run
from mlperf_logging.scoring.live_runs import STOPPED
from mlperf_logging.scoring.rcp.files import open_reference_points

if TYPE_CHECKING:
    from rich.console import Console

    from mlperf_logging.compliance.findings import Finding

WIDTH_WITHOUT_TERMINAL = 100
_LONGEST_PAUSE_S = 3_600.0
_LOOK_EVERY_S = 0.2
_ENDLESS_HEIGHT = 1_000
_EXAMPLES = """\
examples:
  {program} run.log                     a run while it is written, with the forecast of its end
  {program} results/SYSTEM/BENCHMARK    all runs of a folder, also those that are still to begin
  {program} --once run.log              what there is to say now
  {program} --json logs/ | jq .forecast one JSON object per update, for dashboards
  {program} --until-end run.log         end when the run has ended

Ctrl-C ends it. Forecasts use the reference convergence points of the round that judges the log.
exit codes: 0 it ended as asked, whatever the logs hold; 2 the tool could not do its work.
"""


class View(Protocol):
    """What shows the runs: the terminal, plain lines, or JSON."""

    def announce(self, log: WatchedLog, finding: Finding) -> None:
        """A finding has come."""

    def show(self, views: Sequence[WatchedView]) -> None:
        """Something has changed, or it is time."""

    def close(self) -> None:
        """Nothing more will be shown."""


def main(argv: Sequence[str] | None = None, program: str = "mlperf watch") -> int:
    """Watch logs until an interrupt, or until what the command line says."""
    return run_guarded(program, lambda: _watch(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf watch`."""
    parser = Parser(
        program, "A live view of running jobs: quality, findings, when they will converge.", _EXAMPLES
    )
    parser.add_group()("paths PATH", "logs, folders, patterns, or - for standard input", nargs="+")
    add_finding_options(parser, add_rule_options(parser))
    add = parser.add_group("how it is shown")
    add("--once", "show what there is now, and end")
    add("--json", "one JSON object per update of a run, one to a line")
    add("--until-end", "end once every log's run has ended")
    add("--every SECONDS", "between updates (default 1)", type=_read_seconds, default=1.0)
    add("--points FILE", "YAML or JSON with reference points in place of the built-in ones")
    return parser


def _watch(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    if options.run is not None:
        raise UsageError("watch shows all runs of a file; leave --run out")
    judge = LogJudge(read_selection(options), load_given_waivers(options.waivers), read_filter(options))
    view = _choose_view(options)
    overview = Overview(
        options.paths, judge, open_reference_points(options.rules, options.points), view.announce
    )
    try:
        with _clean_interrupts():
            return _show_once(overview, view, program) if options.once else _follow(overview, view, options)
    except KeyboardInterrupt:
        return COMPLIANT
    finally:
        view.close()
        overview.close()


def _choose_view(options: Namespace) -> View:
    if options.json:
        return JsonLines()
    if sys.stdout is None:
        raise UsageError("there is no standard output to write to")
    if options.once or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb"):
        return Screen(is_live=not options.once)
    return PlainLines()


def _show_once(overview: Overview, view: View, program: str) -> int:
    overview.finish()
    views = overview.list_views()
    view.show(views)
    if any(each.run.observer.event_count for each in views):
        return COMPLIANT
    reasons = {each.log.trouble for each in views if each.log.trouble}
    print_error(program, f"no log holds a record{': ' if reasons else ''}{'; '.join(sorted(reasons))}")
    return CANNOT_WORK


def _follow(overview: Overview, view: View, options: Namespace) -> int:
    shown_at = -math.inf
    is_new = True
    while True:
        is_new = overview.poll() or is_new
        is_over = options.until_end and overview.is_over
        if is_over or time.monotonic() - shown_at >= options.every:
            if is_new or isinstance(view, Screen):
                view.show(overview.list_views())
            shown_at, is_new = time.monotonic(), False
        if is_over:
            return COMPLIANT
        if not any(log.has_more for log in overview.logs):
            time.sleep(min(_LOOK_EVERY_S, options.every))


class Screen:
    """Shows the runs on a terminal, in place; or once, wherever the output goes."""

    def __init__(self, *, is_live: bool) -> None:
        from rich.console import Console

        color = wants_color("auto", is_terminal=sys.stdout.isatty(), environment=os.environ)
        width = find_width(os.environ) or WIDTH_WITHOUT_TERMINAL
        self._console = Console(
            width=width,
            no_color=not color,
            color_system="auto" if color else None,
            highlight=False,
            markup=False,
        )
        self._is_live = is_live
        self._live: Any = None

    def announce(self, log: WatchedLog, finding: Finding) -> None:
        """It is shown with its run."""

    def show(self, views: Sequence[WatchedView]) -> None:
        """Draw the runs, in the place of what was drawn before."""
        from mlperf_logging.cli.watch_screen import draw_screen

        if not self._is_live:
            self._console.print(draw_screen(views, self._console.width, _ENDLESS_HEIGHT))
            return
        width, height = _measure(self._console)
        drawn = draw_screen(views, width, height - 1, time.time() * 1_000)
        if self._live is None:
            from rich.live import Live

            self._live = Live(drawn, console=self._console, auto_refresh=False, vertical_overflow="crop")
            self._live.start()
        self._live.update(drawn, refresh=True)

    def close(self) -> None:
        """Leave the last picture on the terminal."""
        if self._live is not None:
            self._live.stop()


class JsonLines:
    """Writes one JSON object for each update of a run."""

    def __init__(self) -> None:
        self._output = Output(None)
        self._former: dict[WatchedRun, dict[str, Any]] = {}
        self._told: dict[WatchedRun, set[tuple[str, int | None, str]]] = {}

    def announce(self, log: WatchedLog, finding: Finding) -> None:
        """It comes with the next update of its run."""

    def show(self, views: Sequence[WatchedView]) -> None:
        """Write the runs that have changed."""
        for view in views:
            run, result = view.run, view.run.outcome
            told = self._told.setdefault(run, set())
            new = [each for each in run.findings if (each.rule, each.line, each.message) not in told]
            told |= {(each.rule, each.line, each.message) for each in new}
            record = {
                "schema": SCHEMA,
                "path": view.log.path,
                "run": run.number,
                "trouble": view.log.trouble or None,
                **describe_live_run(view.live, view.submission),
                "findings": describe_findings(run.error_count, run.warning_count, new),
                "verdict": str(result.result.verdict.verdict) if result is not None else None,
            }
            if record != self._former.get(run):
                self._former[run] = {
                    **record,
                    "findings": describe_findings(run.error_count, run.warning_count, ()),
                }
                self._output.write(encode_json(record) + "\n")

    def close(self) -> None:
        """There is nothing to close."""


class PlainLines:
    """Writes a line whenever something has happened, for a pipe, a file, or a dumb terminal."""

    def __init__(self) -> None:
        self._output = Output(None)
        self._former: dict[WatchedRun, tuple[Any, ...]] = {}

    def announce(self, log: WatchedLog, finding: Finding) -> None:
        """Write a finding."""
        place = describe_place(log.path, finding)
        self._output.write(f"{place}: {finding.severity} {show_text(f'{finding.code} {finding.message}')}\n")

    def show(self, views: Sequence[WatchedView]) -> None:
        """Write a line for each run of which something new is to be said."""
        for view in views:
            marks = _list_marks(view)
            if marks != self._former.get(view.run):
                self._former[view.run] = marks
                name = name_log(view.log.path, view.run.number, len(view.log.runs))
                self._output.write(f"{name}: {'; '.join(_list_words(view))}\n")

    def close(self) -> None:
        """There is nothing to close."""


def _list_marks(view: WatchedView) -> tuple[Any, ...]:
    """What makes a new line when it changes."""
    live, run = view.live, view.run
    counts = tuple([len(curve.points) for curve in live.curves])
    return (
        live.phase == STOPPED,
        live.choice is None,
        counts,
        view.log.trouble,
        run.is_judged,
        live.run.start_ms,
    )


def _list_words(view: WatchedView) -> Iterator[str]:
    live, run = view.live, view.run
    if view.log.trouble:
        yield show_text(view.log.trouble)
    yield say_identity(live)
    yield say_phase(live)
    qualities = [f"{show_text(each.metric or 'quality')} {say_quality(each)}" for each in live.curves]
    words = [say_progress(live), *qualities, say_convergence(live), say_time(live)]
    yield from [each for each in words if each]
    if view.submission is not None and not view.submission.no_chance:
        yield f"passes RCP: {say_chance(view.submission)}"
    if run.outcome is not None:
        verdict = run.outcome.result.verdict.verdict
        yield {"pass": "compliant", "fail": "not compliant"}.get(verdict, "not judged")
    yield from count_findings(run.error_count, run.warning_count, 0)


def _measure(console: Console) -> tuple[int, int]:
    """Columns and lines of the terminal now: it may have changed."""
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return console.width, console.height
    console.width = find_width(os.environ) or size.columns or console.width
    return console.width, size.lines or console.height


@contextmanager
def _clean_interrupts() -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl-C does, so that the terminal is left as it was."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if current_thread() is not main_thread():  # Python lets no other set handlers
        yield
        return
    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _read_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= _LONGEST_PAUSE_S:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds from 0.01 to {_LONGEST_PAUSE_S:g}")
    return seconds
