"""The server of a report: what it answers, to whom, and which files it opens."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from urllib.parse import quote

import pytest

from mlperf_logging.errors import UsageError
from mlperf_logging.reports.serving.server import ReportServer


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: http.client.HTTPMessage
    text: str


def ask(server: ReportServer, target: str, method: str = "GET", **headers: str) -> Answer:
    """Send one request; `Host` is the server's own unless it is given."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.putrequest(method, target, skip_host=True)
    for name, value in ({"Host": f"127.0.0.1:{server.server_port}"} | headers).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return Answer(answer.status, answer.headers, text)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with a log of three lines, next to a file that is not below it."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "run.log").write_bytes(b"one\n<script>two</script>\r\nthree\x1b[31m\xff\n")
    (tmp_path / "secret.log").write_text("secret\n")
    return folder


@pytest.fixture
def server(logs: Path) -> Iterator[ReportServer]:
    """A server of the folder, without a report so far."""
    with ReportServer(0, [str(logs)]) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_serves_the_newest_page(server: ReportServer) -> None:
    """Before the first report there is a page that reloads itself; each report has the name it was given."""
    waiting = ask(server, "/")
    server.publish("a", "<p>first</p>")
    server.publish("b", "<p>second é</p>")

    assert (waiting.status, 'http-equiv="refresh"' in waiting.text) == (200, True)
    assert ask(server, "/").text == "<p>second é</p>"
    assert json.loads(ask(server, "/version").text) == {"edition": "b", "note": ""}


def test_says_why_a_page_is_not_newer(server: ReportServer) -> None:
    """A report that cannot be made again stays, with a note, until there is the next one."""
    server.publish("a", "old")
    server.keep("there is no log")

    assert json.loads(ask(server, "/version").text) == {"edition": "a", "note": "there is no log"}
    assert ask(server, "/").text == "old"
    server.publish("b", "new")
    assert json.loads(ask(server, "/version").text) == {"edition": "b", "note": ""}


def test_listens_on_this_machine_only(server: ReportServer) -> None:
    """The socket is bound to the loopback address, and the report's address says so."""
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.server_port}/"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "127.0.0.1:x", "", "10.0.0.1"]
)
def test_foreign_host_names_get_nothing(server: ReportServer, host: str) -> None:
    """A request under a name that is not this machine's is refused, whatever it asks for."""
    server.publish("a", "the report")

    for target in ("/", "/version", "/log?path=x"):
        answer = ask(server, target, Host=host)
        assert answer.status == 403
        assert "the report" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:9000", "[::1]:9000"])
def test_names_of_this_machine_are_answered(server: ReportServer, host: str) -> None:
    """The port is not looked at, since a tunnel gives another one."""
    server.publish("a", "the report")
    assert ask(server, "/", Host=host).text == "the report"


@pytest.mark.parametrize("lines", [b"", b"Host: localhost\r\nHost: evil.example\r\n"])
def test_a_request_names_one_host(server: ReportServer, lines: bytes) -> None:
    """A request without a host, or with two, is refused."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n")
        assert b" 403 " in connection.recv(200)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_reading_is_answered(server: ReportServer, method: str) -> None:
    """Other methods than GET and HEAD do nothing."""
    assert ask(server, "/", method).status == 501


def test_head_gives_the_headers_alone(server: ReportServer) -> None:
    """HEAD tells the length of what GET would give."""
    server.publish("a", "12345")
    answer = ask(server, "/", "HEAD")
    assert (answer.status, answer.headers["Content-Length"], answer.text) == (200, "5", "")


def test_browsers_are_told_to_trust_nobody_else(server: ReportServer) -> None:
    """No answer may be framed, guessed at, kept, or read by another site."""
    for target in ("/", "/version", "/nothing"):
        headers = ask(server, target).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers


def test_shows_a_log_at_a_line(server: ReportServer, logs: Path) -> None:
    """Lines are numbered and escaped; what cannot be seen is an escape."""
    address = server.link_log(str(logs / "run.log"), 2)
    assert address is not None
    assert address.endswith("&line=2#L2")
    answer = ask(server, address.partition("#")[0])

    assert answer.status == 200
    assert '<li id="L2"><a href="#L2">2</a> <code>&lt;script&gt;two&lt;/script&gt;</code></li>' in answer.text
    assert r"<code>three\x1b[31m\xff</code>" in answer.text
    assert "Lines 1 to 3 of 3." in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_log_is_served_once_a_report_links_it(server: ReportServer, logs: Path) -> None:
    """A file below the folder that no report links is not served, and a file that is not below it is not linked."""
    target = f"/log?path={logs / 'run.log'}"

    assert ask(server, target).status == 404
    assert server.link_log(str(logs.parent / "secret.log")) is None
    assert server.link_log(str(logs / ".." / "secret.log")) is None
    server.link_log(str(logs / "run.log"))
    assert ask(server, target).status == 200
    for path in (
        "../secret.log",
        f"{logs}/../secret.log",
        f"{logs}/../logs/run.log",
        "%00",
        "/etc/passwd",
        str(logs),
    ):
        answer = ask(server, f"/log?path={path}")
        assert (answer.status, "secret" in answer.text) == (404, False)


def test_links_do_not_lead_out_of_the_folder(server: ReportServer, logs: Path) -> None:
    """A link to a file elsewhere is not linked; a log that becomes one, or sits in a folder that does, is not shown."""
    inside, outside = logs / "run.log", logs.parent / "secret.log"
    (logs / "link.log").symlink_to(outside)
    (logs / "below").mkdir()
    (logs / "below" / "secret.log").write_text("harmless\n")
    assert server.link_log(str(logs / "link.log")) is None
    assert server.link_log(str(inside))
    assert server.link_log(str(logs / "below" / "secret.log"))
    inside.unlink()
    inside.symlink_to(outside)
    (logs / "below").rename(logs / "moved")
    (logs / "below").symlink_to(logs.parent)

    for path in (inside, logs / "below" / "secret.log"):
        answer = ask(server, f"/log?path={path}")
        assert answer.status == 404
        assert "is not below the paths" in answer.text
        assert "<code>" not in answer.text


def test_a_link_that_was_named_is_followed(tmp_path: Path) -> None:
    """Who names a link means what it points to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "run.log").write_text("x\n")
    (tmp_path / "latest").symlink_to(tmp_path / "real")
    with ReportServer(0, [str(tmp_path / "latest")]) as server:
        assert server.link_log(str(tmp_path / "latest" / "run.log"))


def test_a_pattern_stands_for_the_folder_where_it_begins(logs: Path) -> None:
    """A log that a pattern matches is served; one that lies elsewhere by a link is not."""
    (logs / "link.log").symlink_to(logs.parent / "secret.log")
    with ReportServer(0, [str(logs / "*.log")]) as server:
        assert server.link_log(str(logs / "run.log"))
        assert server.link_log(str(logs / "link.log")) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_log_that_is_gone_or_no_file_gets_a_sentence(server: ReportServer, logs: Path) -> None:
    """A vanished log, a pipe in its place, and broken compression are answered, and the server goes on."""
    path = logs / "run.log"
    server.link_log(str(path))
    path.unlink()
    gone = ask(server, f"/log?path={path}")
    os.mkfifo(path)
    pipe = ask(server, f"/log?path={path}")
    path.unlink()
    path.write_bytes(b"\x1f\x8b broken")
    broken = ask(server, f"/log?path={path}")

    assert [each.status for each in (gone, pipe, broken)] == [404, 404, 404]
    assert "cannot be opened: No such file or directory" in gone.text
    assert "is not a regular file" in pipe.text
    assert "run.log" in broken.text
    assert ask(server, "/version").status == 200


@pytest.mark.parametrize(
    "name", ["a b&c=d#e?.log", "<script>alert(1)</script>.log", "\u202egol.log", "\udcff.log", "ü\n.log"]
)
def test_any_file_name_works(server: ReportServer, logs: Path, name: str) -> None:
    """A log of any name is found by its address, and its name is shown escaped."""
    path = logs / name.replace("/", "\u2215")
    path.write_text("here\n")
    address = server.link_log(str(path), 1)
    assert address is not None
    assert address.isascii()
    answer = ask(server, address.partition("#")[0])

    assert "<code>here</code>" in answer.text
    assert "<script" not in answer.text
    assert "\u202e" not in answer.text


@pytest.mark.parametrize("query", ["", "path", "path=&line=1", "line=1", "path=%ff", "path=x&" + "a=b&" * 50])
def test_odd_queries_get_an_answer(server: ReportServer, query: str) -> None:
    """A query that names no log is answered in a sentence."""
    assert ask(server, f"/log?{query}").status == 404


@pytest.mark.parametrize("line", ["", "0", "-1", "x", "²", "1e9", "9" * 30, "4000"])
def test_odd_line_numbers_show_a_page(server: ReportServer, logs: Path, line: str) -> None:
    """A line that there is not shows the first or the last page."""
    server.link_log(str(logs / "run.log"))
    answer = ask(server, f"/log?path={logs / 'run.log'}&line={quote(line)}")
    assert "Lines 1 to 3 of 3." in answer.text


def test_a_port_in_use_is_one_sentence(server: ReportServer) -> None:
    """The error names the port and what to do."""
    with pytest.raises(UsageError, match=rf"^port {server.server_port} is in use; name another with --port"):
        ReportServer(server.server_port, [])
