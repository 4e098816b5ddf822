"""An HTTP server for the people who look at a report: on this machine only, read-only, and for known files only.

Whatever a web page elsewhere makes a browser ask for, it gets no answer: a request must name this machine as its host
(so that no foreign name that was rebound to this address can read a report), only GET and HEAD are answered, and
neither changes anything.
"""

from __future__ import annotations

import re
import secrets
import socketserver
from collections.abc import Iterable
from errno import EADDRINUSE
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from mlperf_logging.errors import MLPerfLoggingError, UsageError, describe_fault
from mlperf_logging.reports._escape import encode_json, show_text
from mlperf_logging.reports.serving.files import lies_within, open_within
from mlperf_logging.reports.serving.log_pages import LogPage, address_log, read_log_page

if TYPE_CHECKING:
    from jinja2 import Template

LOOPBACK = "127.0.0.1"
VERSION_ADDRESS = "/version"
"""Gives the name of the edition that is served as JSON, so that a page sees that there is a newer one."""

_OWN_HOST = r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?"
"""What this machine is called by those who sit at it, whatever the port: a tunnel may give another one."""

_PATIENCE_S = 30
"""A connection that says nothing for so long is closed."""

_COMMON_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_WAITING_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>Reading logs</title></head>
<body><main><h1>Reading logs</h1><p>The report appears here as soon as it is made.</p></main></body></html>
"""


class Edition(NamedTuple):
    """What is served until the logs change.

    Attributes:
        name: what tells it from all others, also from those of another server; empty before the first report.
        page: the report.
        note: why there is no newer one; empty where there is nothing to say.
    """

    name: str
    page: bytes
    note: str = ""


class ReportServer(ThreadingHTTPServer):
    """Serves the newest edition of a report, and the logs that one linked.

    Attributes:
        edition: what is served now.
    """

    daemon_threads = True

    def __init__(self, port: int, names: Iterable[str]) -> None:
        """Take the port.

        Args:
            port: where to listen; 0 for any free port.
            names: the files, folders and patterns that the report is about.

        Raises:
            UsageError: the port is in use, or may not be used.
        """
        self.edition = Edition("", _WAITING_PAGE.encode())
        self._names = tuple(names)
        self._linked: set[str] = set()
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            if error.errno == EADDRINUSE:
                raise UsageError(
                    f"port {port} is in use; name another with --port, or --port 0 for any free one"
                ) from None
            raise UsageError(f"port {port} cannot be used: {error.strerror}") from None

    def server_bind(self) -> None:
        """Bind, without asking the network for the name of this machine as the base class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    @property
    def address(self) -> str:
        """Where the report is."""
        return f"http://{LOOPBACK}:{self.server_port}/"

    def link_log(self, path: str, line: int | None = None) -> str | None:
        """The address of a log at a line, which is served from now on; None for a file that is not to be shown."""
        if path not in self._linked:
            if not lies_within(path, self._names):
                return None
            self._linked.add(path)
        return address_log(path, line)

    def publish(self, name: str, page: str) -> None:
        """Serve a new report.

        Args:
            name: of the edition, which no other has.
            page: the report, as HTML.
        """
        self.edition = Edition(name, page.encode("utf-8", "backslashreplace"))

    def keep(self, note: str) -> None:
        """Go on to serve the same report, and say why."""
        self.edition = self.edition._replace(note=note)

    def read_log(self, path: str, line: int) -> LogPage | None:
        """The page of a log with a line; None for a file that no report has linked.

        Raises:
            UnreadableLogError: it cannot be read, or lies elsewhere by now.
        """
        if path not in self._linked:
            return None
        with open_within(path, self._names) as file:
            return read_log_page(file, line)

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a browser that goes away while it is answered is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer
    server_version = "mlperf"
    sys_version = ""
    timeout = _PATIENCE_S

    def do_GET(self) -> None:
        """Answer with the report, the name of its edition, or a part of a log."""
        if not self._names_this_machine():
            self._say(HTTPStatus.FORBIDDEN, f"This server answers only as {LOOPBACK} or localhost.")
            return
        try:
            self._route()
        except OSError:  # the browser went away
            raise
        except Exception as error:  # noqa: BLE001 - one request must not end without an answer
            sentence = describe_fault(error, "the server itself failed")
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, f"{sentence}; please report it")

    def do_HEAD(self) -> None:
        """Answer as to GET, but with the headers alone."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing: requests are not of interest."""

    def _names_this_machine(self) -> bool:
        hosts = self.headers.get_all("Host", [])
        return len(hosts) == 1 and re.fullmatch(_OWN_HOST, hosts[0].strip().lower()) is not None

    def _route(self) -> None:
        parts = urlsplit(self.path)
        edition = self.server.edition
        if parts.path == "/":
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", edition.page)
        elif parts.path == VERSION_ADDRESS:
            answer = encode_json({"edition": edition.name, "note": edition.note})
            self._send(HTTPStatus.OK, "application/json", answer.encode())
        elif parts.path == "/log":
            self._show_log(parts.query)
        elif parts.path == "/favicon.ico":  # browsers ask for it unasked
            self._send(HTTPStatus.NO_CONTENT, "image/x-icon", b"")
        else:
            self._say(HTTPStatus.NOT_FOUND, "There is nothing at this address.")

    def _show_log(self, query: str) -> None:
        fields = parse_qs(query, errors="surrogateescape")
        path, line = fields.get("path", [""])[-1], fields.get("line", [""])[-1]
        number = int(line) if line.isascii() and line.isdigit() and len(line) < 16 else 1
        try:
            page = self.server.read_log(path, number)
        except MLPerfLoggingError as error:
            self._send_log_page(HTTPStatus.NOT_FOUND, path, None, str(error))
            return
        if page is None:
            self._say(HTTPStatus.NOT_FOUND, "The report links no such log.")
            return
        self._send_log_page(HTTPStatus.OK, path, page, page.note)

    def _send_log_page(self, status: HTTPStatus, path: str, page: LogPage | None, note: str) -> None:
        nonce = secrets.token_urlsafe(16)
        text = _load_template().render(
            path=show_text(path),
            path_field=path if path.isprintable() else None,  # a form would send another one
            page=page,
            last=page.first + len(page.lines) - 1 if page else 0,
            note=show_text(note),
            nonce=nonce,
            address=lambda line: address_log(path, line),
        )
        policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        self._send(status, "text/html; charset=utf-8", text.encode(), {"Content-Security-Policy": policy})

    def _say(self, status: HTTPStatus, sentence: str, headers: dict[str, str] | None = None) -> None:
        content = f"{show_text(sentence)}\n".encode()
        self._send(status, "text/plain; charset=utf-8", content, headers)

    def _send(
        self, status: HTTPStatus, kind: str, content: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        every = {
            **_COMMON_HEADERS,
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            **(headers or {}),
        }
        for name, value in every.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@cache
def _load_template() -> Template:
    """The page of a log; what it shows is escaped wherever it stands."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("mlperf_logging.reports.serving", "")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("log.html.j2")
