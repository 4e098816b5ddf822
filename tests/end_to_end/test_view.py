"""`mlperf view`: a page on this machine that follows the logs, and ends when it is told to."""

from __future__ import annotations

import re
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import PROJECT, run_mlperf
from viewing import View

LOGS = PROJECT / "examples" / "logs" / "broken"


def count_runs(page: str) -> int:
    """How many runs a page says that it is about."""
    found = re.search(r"<dt>runs</dt>\s*<dd>(\d+)", page)
    assert found is not None
    return int(found[1])


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with two logs."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("misspelt_key.txt", "quality_not_reached.txt"):
        shutil.copy(LOGS / name, folder)
    return folder


@pytest.fixture
def start() -> Iterator[Callable[..., View]]:
    """Starts views, and ends those that the test did not."""
    views: list[View] = []

    def start_one(*arguments: object, **options: Path) -> View:
        views.append(View(*arguments, **options))
        return views[-1]

    yield start_one
    for view in views:
        if view.process.poll() is None:
            view.end(signal.SIGKILL)


def test_serves_the_page_and_ends_on_an_interrupt(start: Callable[..., View], logs: Path) -> None:
    """The page of the logs is there at the printed address; Ctrl-C ends the command with exit code 0 and no word."""
    view = start(logs)
    page = view.get()

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/  \(Ctrl-C ends\)\n", view.told)
    assert count_runs(page) == 2
    assert "connect-src 'self'" in page
    assert view.end() == (0, "", "")


def test_makes_the_page_again_when_logs_change(start: Callable[..., View], logs: Path) -> None:
    """A new log is on the next page; one that is gone is not; broken ones end nothing."""
    view = start(logs)
    first = view.wait(lambda said: bool(said["edition"]))["edition"]
    shutil.copy(LOGS / "two_writers.txt", logs)
    second = view.wait(lambda said: said["edition"] != first)["edition"]
    assert count_runs(view.get()) == 3

    (logs / "misspelt_key.txt").unlink()
    (logs / "quality_not_reached.txt").write_bytes(b"\x1f\x8b broken")
    view.wait(lambda said: said["edition"] != second)
    assert count_runs(view.get()) == 2
    assert view.end()[0] == 0


def test_a_folder_that_vanishes_does_not_end_it(start: Callable[..., View], logs: Path) -> None:
    """The last page stays and says why there is no newer one; once there are logs again, they are shown."""
    view = start(logs)
    first = view.wait(lambda said: bool(said["edition"]))["edition"]
    moved = logs.rename(logs.with_name("moved"))
    said = view.wait(lambda said: bool(said["note"]))

    assert said["edition"] == first
    assert said["note"] == "the page was not made again: no logs found, so there is nothing to report on"
    assert count_runs(view.get()) == 2
    moved.rename(logs)
    shutil.copy(LOGS / "two_writers.txt", logs)
    view.wait(lambda said: said["edition"] != first and not said["note"])
    assert count_runs(view.get()) == 3
    code, _, err = view.end()
    assert code == 0
    assert "mlperf view: the page was not made again: no logs found" in err
    assert "Traceback" not in err


def test_links_lead_to_lines_of_the_log(start: Callable[..., View], logs: Path) -> None:
    """A finding links the line of its log, and the link shows this line; other files of the folder are not shown."""
    (logs / "notes.txt").write_text("no log is linked at this one\n")
    view = start(Path(shutil.copy(LOGS / "wrong_hyperparameter.txt", logs)))
    links = re.findall(r'href="/(log\?[^"#]*)#L(\d+)"', view.get())
    assert links
    target, line = links[0]
    target = target.replace("&amp;", "&")

    assert f'<li id="L{line}">' in view.get(target)
    with pytest.raises(OSError, match="404"):
        view.get(target.replace("wrong_hyperparameter.txt", "notes.txt"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name at least one log or folder (--help shows examples)"),
        (["absent"], "no logs found, so there is nothing to report on"),
        (["-"], "standard input can be read only once; name files or folders"),
        (
            ["x", "--port", "65536"],
            "argument --port: '65536' is not a port from 0 to 65535 (mlperf view --help shows the options)",
        ),
        (
            ["x", "--port", "x1"],
            "argument --port: 'x1' is not a port from 0 to 65535 (mlperf view --help shows the options)",
        ),
    ],
)
def test_what_cannot_be_served_is_one_sentence(arguments: list[str], sentence: str) -> None:
    """Exit code 2, and the reason on the last line."""
    done = run_mlperf("view", *arguments, "--no-open")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"mlperf view: {sentence}"


def test_a_port_in_use_is_one_sentence(logs: Path) -> None:
    """A port that was asked for and is taken: exit code 2, and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run_mlperf("view", logs, "--port", port, "--no-open")

    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"mlperf view: port {port} is in use; name another with --port, or --port 0 for any free one\n"
    )
