"""What a worker does with a batch, tried in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlperf_logging.engines.dask_worker import Refusal, make_batch, work_on_batch


def read_first_line(path: str) -> tuple[str, str]:
    """The path as it was given, and what stands in the file."""
    return path, Path(path).read_text().strip()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with two logs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "b.txt").write_text("two\n")
    return tmp_path


def test_paths_are_those_that_were_given(folder, tmp_path_factory, monkeypatch):
    """A worker in another folder reads relative paths where they were written, and goes back."""
    batch = make_batch(["a.txt", "./b.txt"], [4, 4])
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert work_on_batch(read_first_line, batch) == [("a.txt", "one"), ("./b.txt", "two")]
    assert Path.cwd() == elsewhere


def test_worker_goes_back_when_the_work_fails(folder, tmp_path_factory, monkeypatch):
    """What the work raises comes out, and the worker is where it was."""
    batch = make_batch(["a.txt"], [4])
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)

    def fail(_: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work_on_batch(fail, batch)
    assert Path.cwd() == elsewhere


@pytest.mark.parametrize(
    ("size", "sentence"),
    [(5, "sees 4 bytes in 'a.txt' and this command 5"), (None, "sees 'a.txt', which this command does not")],
)
def test_other_file_of_the_name_is_refused(folder, size, sentence):
    """A worker whose file is not the one that was seen does not work on it."""
    refused = work_on_batch(read_first_line, make_batch(["a.txt"], [size]))
    assert isinstance(refused, Refusal)
    assert sentence in refused.sentence
    assert refused.concerns_file


def test_missing_file_is_refused_if_it_was_seen(folder):
    """A log that only the command sees is refused; one that nobody sees is for the work to report."""
    Path("b.txt").unlink()
    refused = work_on_batch(read_first_line, make_batch(["a.txt", "b.txt"], [4, 4]))
    assert isinstance(refused, Refusal)
    assert "does not see 'b.txt'; put the logs on a file system that all workers share" in refused.sentence
    assert work_on_batch(lambda path: path, make_batch(["b.txt"], [None])) == ["b.txt"]


def test_missing_folder_and_other_version_are_refused(folder):
    """A worker that has not the folder, or another version of the package, says so and on which machine."""
    batch = make_batch(["a.txt"], [4])
    for wrong, sentence in (
        (batch._replace(folder=str(folder / "none")), "none', "),
        (batch._replace(version="0.0.9"), "and this command has 0.0.9; install the same version"),
    ):
        refused = work_on_batch(read_first_line, wrong)
        assert isinstance(refused, Refusal)
        assert refused.sentence.startswith("a worker on ")
        assert (sentence in refused.sentence) or ("has no folder" in refused.sentence)
        assert not refused.concerns_file
