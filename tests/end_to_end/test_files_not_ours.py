"""What a command did not write, it neither overwrites nor deletes; what it was not given, it does not reach."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from checkout import PROJECT
from commands import run_mlperf
from rule_folders import write_round

RESULTS = PROJECT / "examples/submission/Example_Lab/results/example_8x/llama2_70b_lora"
OURS = "notes of our own\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A result folder whose score is scaled, without its scaling.json, and a file beside the submission."""
    copy = tmp_path / "results/example_8x/llama2_70b_lora"
    shutil.copytree(RESULTS, copy)
    (copy / "scaling.json").unlink()
    (tmp_path / "outside").write_text(OURS)
    return copy


@pytest.fixture
def rules(tmp_path: Path) -> tuple[object, ...]:
    """The option that names a folder of few rules."""
    folder = tmp_path / "rules"
    folder.mkdir()
    write_round(folder, "common:\n  seed: logged\n")
    return ("--rules", folder)


def test_pages_of_others_stay(rules: tuple[object, ...], tmp_path: Path) -> None:
    """The catalogue is written beside other pages; those that it has no page of any more are its own."""
    notes = tmp_path / "notes.md"
    notes.write_text(OURS)
    assert run_mlperf("rules", "docs", *rules, tmp_path).returncode == 0
    (tmp_path / "training-0.0.1.md").write_text((tmp_path / "index.md").read_text())
    assert run_mlperf("rules", "docs", *rules, tmp_path, "--check").returncode == 1
    assert run_mlperf("rules", "docs", *rules, tmp_path).returncode == 0

    assert notes.read_text() == OURS
    assert not (tmp_path / "training-0.0.1.md").exists()
    assert run_mlperf("rules", "docs", *rules, tmp_path, "--check").returncode == 0


@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
def test_page_of_another_is_not_overwritten(link: bool, rules: tuple[object, ...], tmp_path: Path) -> None:
    """Where a file of the user, or a link, has the name of a page, nothing is written."""
    pages, outside = tmp_path / "pages", tmp_path / "outside"
    pages.mkdir()
    outside.write_text(OURS)
    if link:
        (pages / "index.md").symlink_to(outside)
    else:
        (pages / "index.md").write_text(OURS)
    done = run_mlperf("rules", "docs", *rules, pages)

    assert done.returncode == 2
    assert "index.md is not a page of the catalogue" in done.stderr
    assert (pages / "index.md").read_text() == outside.read_text() == OURS
    assert [path.name for path in pages.iterdir()] == ["index.md"]


@pytest.mark.parametrize("target", ["outside", "missing"])
def test_scaling_is_not_written_through_a_link(target: str, folder: Path, tmp_path: Path) -> None:
    """A link in a submission leads no writing out of it."""
    (folder / "scaling.json").symlink_to(tmp_path / target)
    done = run_mlperf("rcp", "--write-scaling", folder)

    assert done.returncode == 2
    assert "scaling.json" in done.stderr
    assert (tmp_path / "outside").read_text() == OURS
    assert not (tmp_path / "missing").exists()


def test_scaling_takes_the_place_of_scaling_only(folder: Path) -> None:
    """A scaling.json that holds something else stays; one that holds a factor is replaced."""
    path = folder / "scaling.json"
    path.write_text(OURS)
    assert run_mlperf("rcp", "--write-scaling", folder).returncode == 2
    assert path.read_text() == OURS

    path.write_text('{"scaling_factor": 3}')
    assert run_mlperf("rcp", "--write-scaling", folder).returncode == 0
    assert json.loads(path.read_text())["scaling_factor"] != 3


def test_picture_does_not_replace_a_read_only_file(folder: Path, tmp_path: Path) -> None:
    """The picture of a test goes where reports go: what may not be written stays."""
    path = tmp_path / "rcp.png"
    path.write_text(OURS)
    path.chmod(0o444)

    assert run_mlperf("rcp", folder, "--plot", path).returncode == 2
    assert path.read_text() == OURS
