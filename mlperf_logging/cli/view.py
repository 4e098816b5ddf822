"""`mlperf view`: the page of runs in a browser on this machine, made again when logs change."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.report import (
    add_report_options,
    check_report_options,
    describe_origin,
    read_material,
    read_page_options,
)
from mlperf_logging.cli.running import COMPLIANT, print_error, run_guarded
from mlperf_logging.errors import MLPerfLoggingError, UsageError, describe_fault
from mlperf_logging.parsing.sources import STANDARD_INPUT
from mlperf_logging.reports.serving.changes import ChangeWatch, is_side_file

if TYPE_CHECKING:
    from mlperf_logging.reports.serving.changes import FileState
    from mlperf_logging.reports.serving.server import ReportServer
    from mlperf_logging.submission.judging import JudgedResult

USUAL_PORT = 8765
_HIGHEST_PORT = 65_535
_EXAMPLES = """\
examples:
  {program} results/SYSTEM/BENCHMARK                       its runs, in the browser
  {program} round/ --jobs 0                                a whole round
  {program} run.log --port 9000 --no-open                  for a tunnel: ssh -L 9000:127.0.0.1:9000 HOST

Only programs on this machine can open the page, whoever runs them. Ctrl-C ends the command.
exit codes: 0 it was ended; 2 nothing could be shown, or the arguments are wrong.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf view") -> int:
    """Serve the page of the logs that a command line names until it is interrupted; 2 when there is nothing to serve."""
    return run_guarded(program, lambda: _view(argv, program))


def _view(argv: Sequence[str] | None, program: str) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = build_parser(program).parse(arguments)
    check_report_options(options)
    if STANDARD_INPUT in options.paths:
        raise UsageError("standard input can be read only once; name files or folders")
    with _start_server(options) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            _serve(server, ChangeWatch(options.paths), options, program, arguments)
        except KeyboardInterrupt:  # how this command ends
            return COMPLIANT
        finally:
            server.shutdown()


def _start_server(options: argparse.Namespace) -> ReportServer:
    """A server at the port that is asked for; without one, at the usual port or, where that is in use, at any free one."""
    from mlperf_logging.reports.serving.server import ReportServer

    if options.port is not None:
        return ReportServer(options.port, options.paths)
    try:
        return ReportServer(USUAL_PORT, options.paths)
    except UsageError:
        return ReportServer(0, options.paths)


def _serve(
    server: ReportServer,
    watch: ChangeWatch,
    options: argparse.Namespace,
    program: str,
    arguments: Sequence[str],
) -> NoReturn:
    maker = _PageMaker(server, watch, options, program, arguments)
    busy_s = maker.make()
    with Output(None) as output:
        output.write(f"{server.address}  (Ctrl-C ends)\n")
    if _wants_browser(options):
        import webbrowser

        webbrowser.open(server.address)

    def keep(sentence: str) -> None:
        print_error(program, sentence)
        server.keep(sentence)

    while True:
        watch.wait(busy_s)
        try:
            busy_s = maker.make()
        except (MLPerfLoggingError, OSError) as error:
            keep(f"the page was not made again: {error}")
        except Exception as error:  # noqa: BLE001 - a log that is half written must not end what shows its run
            keep(describe_fault(error, "the page was not made again, as the command itself failed"))


def _wants_browser(options: argparse.Namespace) -> bool:
    """Whether to open a browser: as asked for, else where a person at a desktop called the command."""
    if options.open is not None:
        return bool(options.open)
    has_desktop = sys.platform in ("darwin", "win32") or any(
        map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))
    )
    return has_desktop and sys.stdout is not None and sys.stdout.isatty()


class _PageMaker:
    """Makes the page again and again; a log is judged again only where a file that it depends on has changed."""

    def __init__(
        self,
        server: ReportServer,
        watch: ChangeWatch,
        options: argparse.Namespace,
        program: str,
        arguments: Sequence[str],
    ) -> None:
        self._server = server
        self._watch = watch
        self._options = options
        self._program = program
        self._arguments = arguments
        self._page = replace(read_page_options(options), link_log=server.link_log)
        self._states: Mapping[str, FileState] = {}
        self._judged: dict[str, JudgedResult] = {}

    def make(self) -> float:
        """Make the page of what the watch saw last, and serve it.

        Returns:
            How long it took, in seconds.

        Raises:
            MLPerfLoggingError: the page cannot be made.
        """
        from mlperf_logging.reports.html.building import build_report
        from mlperf_logging.reports.html.rendering import render_page

        began_s = time.monotonic()
        states = self._watch.seen
        origin = describe_origin(self._program, self._arguments)
        material = read_material(self._options, self._program, origin, self._find_unchanged(states))
        edition = secrets.token_hex(8)
        self._server.publish(edition, render_page(build_report(material, self._page), edition))
        self._judged = {log.run.path: log for log in material.logs}
        descriptions = [each.score.folder.description for each in material.results]
        self._states = states | self._watch.add([path for path in descriptions if path is not None])
        return time.monotonic() - began_s

    def _find_unchanged(self, states: Mapping[str, FileState]) -> dict[str, JudgedResult]:
        """The logs that need not be judged again: those that are as they were, while all side files are so, too."""
        changed = {
            path for path in states.keys() | self._states.keys() if states.get(path) != self._states.get(path)
        }
        if any(map(is_side_file, changed)):
            return {}
        return {path: log for path, log in self._judged.items() if path in states and path not in changed}


def build_parser(program: str) -> Parser:
    """The parser of `mlperf view`."""
    parser = Parser(program, "The page of runs in a browser, made again when logs change.", _EXAMPLES)
    add = add_report_options(parser)
    about = f"where to serve it ({USUAL_PORT}, or any free port where that is in use); 0: any free port"
    add("--port N", about, type=_read_port)
    about = "open a browser, or do not (by default, on a terminal of a desktop)"
    add("--open", about, action=argparse.BooleanOptionalAction)
    return parser


def _read_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to {_HIGHEST_PORT}")
    return int(text)
