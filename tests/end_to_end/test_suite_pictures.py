"""The pictures of a suite: `mlperf plot suite`, and the page of `mlperf report --suite`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import run_mlperf

from tests.mini_suite import SYSTEM, write_suite

SUITE = """\
title: Two of the mini suite
score: median
runs: {required: 5, dropped_each_side: 0, non_converged_allowed: 0}
seeds: [1, 2, 3, 4, 5]
usages: [mini]
benchmarks:
  sentiment: {reference_seconds: 40}
  ncf: {reference_seconds: 10}
"""
SECONDS = {"ncf": (4.0, 5.0, 6.0, 5.0, 5.0), "sentiment": (20.0, 20.0, 25.0, 10.0, 20.0)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results that are twice as fast as the reference, and the suite beside it."""
    folder = tmp_path_factory.mktemp("suite")
    write_suite(folder / "out", SECONDS)
    (folder / "two.yaml").write_text(SUITE)
    return folder


def plot(place: Path, *arguments: object, suite: str = "two.yaml", code: int = 0) -> str:
    """Draw the suite; the output, or the complaint."""
    done = run_mlperf("plot", "suite", "out", "--suite", suite, *arguments, folder=place)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def test_data_of_the_picture_are_runs_by_the_reference(place: Path) -> None:
    """One row per run in the order of the suite: its time, the benchmark's result and reference, and both normalized."""
    rows: list[dict[str, Any]] = json.loads(plot(place, "--format", "json"))["rows"]

    assert [row["benchmark"] for row in rows] == ["sentiment"] * 5 + ["ncf"] * 5
    assert {row["normalized"] for row in rows} == {2.0}
    assert [row["run_normalized"] for row in rows[:5]] == pytest.approx([2.0, 2.0, 1.6, 4.0, 2.0], rel=1e-3)
    assert [row["seed"] for row in rows[5:]] == ["1", "2", "3", "4", "5"]
    assert rows[0]["reference_minutes"] == pytest.approx(40 / 60)
    assert rows[0]["result_minutes"] == pytest.approx(20 / 60)
    assert {(row["system"], row["division"]) for row in rows} == {(f"reference/{SYSTEM}", "closed")}


def test_picture_and_page_show_the_whole_suite(place: Path) -> None:
    """The picture is drawn; the page has a chart of normalized results, one of times, and one per benchmark, and the score."""
    plot(place, "-o", "suite.png")
    plot(place, "-o", "suite.html")
    page = (place / "suite.html").read_text("utf-8")

    assert (place / "suite.png").read_bytes().startswith(b"\x89PNG")
    assert (place / "suite.png").stat().st_size > 30_000
    captions = re.findall(r'-title">(.*?)</figcaption>', page)
    assert captions == ["normalized results", "time to quality of each run", "sentiment", "ncf"]
    assert f"<h1>Two of the mini suite: reference/{SYSTEM} 2.000</h1>" in page


def test_picture_without_references_shows_the_rest(place: Path) -> None:
    """Where nothing can be normalized yet, times and curves are drawn, and a sentence says what the suite lacks."""
    unmeasured = re.sub(r"reference_seconds: \d+", "reference_seconds: null", SUITE)
    (place / "unmeasured.yaml").write_text(unmeasured)
    done = run_mlperf("plot", "suite", "out", "--suite", "unmeasured.yaml", "-o", "rest.html", folder=place)

    assert done.returncode == 0
    assert "the suite has no reference result for sentiment, ncf yet" in done.stderr
    captions = re.findall(r'-title">(.*?)</figcaption>', (place / "rest.html").read_text("utf-8"))
    assert captions == ["time to quality of each run", "sentiment", "ncf"]


def test_picture_of_runs_that_did_not_succeed_has_their_curves(place: Path, tmp_path: Path) -> None:
    """Without a time to quality there are curves all the same."""
    shutil.copytree(place, tmp_path, dirs_exist_ok=True)
    for log in (tmp_path / "out").rglob("result_*.txt"):
        text = log.read_text().replace('"status": "success"', '"status": "aborted"')
        log.write_text(
            text.replace('"key": "eval_accuracy", "value": 0.', '"key": "eval_accuracy", "value": 0.0')
        )
    plot(tmp_path, "-o", "curves.html")

    captions = re.findall(r'-title">(.*?)</figcaption>', (tmp_path / "curves.html").read_text("utf-8"))
    assert captions == ["sentiment", "ncf"]


def test_mistakes_are_one_sentence(place: Path) -> None:
    """Without a suite, with an unknown one, or without a result of it, there is no picture but a sentence."""
    unnamed = run_mlperf("plot", "suite", "out", "-o", "x.png", folder=place)
    assert "name the suite with --suite: mini, original-2018-07" in unnamed.stderr
    assert "unknown suite 'nothing'" in plot(place, "-o", "x.png", suite="nothing", code=2)
    (place / "other.yaml").write_text("benchmarks:\n  resnet: {reference_seconds: 1}\n")
    assert "there is no result of the suite other" in plot(place, "-o", "x.png", suite="other.yaml", code=2)
    assert unnamed.returncode == 2
    assert not (place / "x.png").exists()


def test_report_has_a_section_of_the_suite(place: Path) -> None:
    """The page has the score, each result with its reference, and what they cost together, but only if --suite asks for it."""
    for arguments in ((), ("--suite", "two.yaml", "--price", "36 USD/h")):
        done = run_mlperf("report", "out", *arguments, "-o", "report.html", folder=place)
        assert done.returncode == 0, done.stderr
        page = (place / "report.html").read_text("utf-8")
        assert ('<section id="suite"' in page) is bool(arguments)

    assert "Score of each system" in page
    assert "Result of each benchmark" in page
    section = page[page.index('<section id="suite"') :]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", section[: section.index("</table>")])
    assert cells[0] == f"reference/{SYSTEM}"
    assert {"2.000", "0.417", "0.25"} <= set(cells)
