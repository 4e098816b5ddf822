"""`mlperf report`: the page of the example submission, and one sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

from checkout import PROJECT
from commands import run_mlperf

SUBMISSION = PROJECT / "examples" / "submission"


def make_page(tmp_path: Path, *arguments: object, code: int = 0) -> str:
    """Run the command; give the page once the exit code is the expected one."""
    page = tmp_path / "report.html"
    done = run_mlperf("report", "-o", page, *arguments)

    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    return page.read_text("utf-8")


def test_page_is_one_file_that_loads_nothing(tmp_path: Path) -> None:
    """The page has a policy that allows its own scripts only, and refers to no other file."""
    page = make_page(tmp_path, SUBMISSION)

    assert "default-src 'none'" in page
    assert "<script src" not in page
    assert '<link rel="stylesheet"' not in page


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    """Without a path, without a file to write, or without a log there is no page but a sentence."""
    for arguments in (["-o", tmp_path / "x.html"], [SUBMISSION], ["-o", tmp_path / "x.html", tmp_path]):
        done = run_mlperf("report", *arguments)

        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "x.html").exists()
