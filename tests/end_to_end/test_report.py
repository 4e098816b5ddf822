"""`mlperf report`: the page of the example submission, and one sentence for each mistake."""

from __future__ import annotations

import shutil
import subprocess
import sys
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


def test_page_of_a_checked_submission(tmp_path: Path) -> None:
    """`mlperf package --report` writes the same page, with what is wrong with the submission's files too."""
    page = tmp_path / "package.html"
    done = run_mlperf("package", "--quiet", "--report", page, SUBMISSION / "Example_Lab")
    text = page.read_text("utf-8")

    assert done.returncode == 1, done.stderr
    assert "Whether each result is acceptable" in text
    assert "power: readings" in text


def test_public_page_names_no_path_and_no_host(tmp_path: Path) -> None:
    """A page for the public names runs by submitter, system, benchmark and file, and no folder of this machine."""
    copied = tmp_path / "secret-place"
    shutil.copytree(SUBMISSION, copied)
    private = make_page(tmp_path, copied)
    public = make_page(tmp_path, "--public", copied)

    assert "secret-place" in private
    assert "Example_Lab/example_16x/llama2_70b_lora/result_4.txt" in public
    for text in ("secret-place", str(tmp_path), "--public"):
        assert text not in public


def test_logo_is_part_of_the_page(tmp_path: Path) -> None:
    """An image becomes part of the page; what is none, whatever its name, is refused."""
    logo = tmp_path / "logo.svg"
    logo.write_text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>')
    false = tmp_path / "false.png"
    false.write_text("<html>")

    assert "data:image/svg+xml;base64," in make_page(tmp_path, "--logo", logo, SUBMISSION)
    done = run_mlperf("report", "--logo", false, "-o", tmp_path / "x.html", SUBMISSION)
    assert done.returncode == 2
    assert "is no PNG, JPEG, GIF, WebP or SVG image" in done.stderr


def test_page_is_written_although_a_log_cannot_be_read(tmp_path: Path) -> None:
    """A path without logs and a broken log end in exit code 2, and the page of the others says what is missing."""
    (tmp_path / "broken.log").write_bytes(b"\x1f\x8bbroken")
    page = make_page(tmp_path, SUBMISSION, tmp_path / "broken.log", tmp_path / "nowhere", code=2)

    assert "there is no file or folder called" in page
    assert "broken.log" in page


def test_page_of_standard_input(tmp_path: Path) -> None:
    """A log on standard input has a page, without a checksum."""
    log = next((SUBMISSION / "Example_Lab").rglob("result_0.txt"))
    done = subprocess.run(
        [sys.executable, "-m", "mlperf_logging.cli.main", "report", "-", "-o", tmp_path / "page.html"],
        input=log.read_bytes(),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert "Convergence" in (tmp_path / "page.html").read_text("utf-8")
