"""`mlperf rcp` on the example submission and on folders that people make of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from commands import Done, run_mlperf

SUBMISSION = PROJECT / "examples" / "submission"
LAB = SUBMISSION / "Example_Lab" / "results"
SMALL = LAB / "example_8x" / "llama2_70b_lora"
UNFINISHED = LAB / "example_16x" / "flux1"


def rcp(*arguments: object, code: int = 0, form: str = "json") -> Any:
    """Run the command; give its document or text, once the exit code is the expected one."""
    done = run(*arguments, "--format", form)

    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if form == "json" else done.stdout


def run(*arguments: object) -> Done:
    """Run the command to its end."""
    done = run_mlperf("rcp", *arguments)

    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of one result folder that a test may change, without its scaling.json."""
    folder = tmp_path / "results" / "box" / "llama2_70b_lora"
    shutil.copytree(SMALL, folder)
    (folder / "scaling.json").unlink()
    return folder


def test_document_of_one_folder() -> None:
    """The document holds the outcome, the figures behind it, and the reference points."""
    document = rcp(SMALL)

    assert document["schema"] == "mlperf-rcp/1"
    assert (document["passed"], document["match"], document["batch_size"]) == (True, "exact", 8)
    assert document["submission_mean"] == 3024
    assert document["reference_mean"] == pytest.approx(3178.666667)
    assert document["reference_stdev"] == pytest.approx(299.913588)
    assert document["reference_min"] == pytest.approx(2960.634, abs=0.001)
    assert document["normalisation"] == pytest.approx(3178.666667 / 3024)
    assert 0.05 < document["p_value"] < 0.5
    assert {each["batch_size"]: each["counts"] for each in document["points"]}[8] is True
    assert document["chance"] is None


def test_methods_differ_and_are_named() -> None:
    """As written, the rules take the deviation of the runs that are kept; the report says which was used."""
    check, rules = rcp(SMALL), rcp(SMALL, "--method", "rules")

    assert (check["method"], rules["method"]) == ("check", "rules")
    assert rules["reference_stdev"] < check["reference_stdev"]
    assert rules["reference_min"] > check["reference_min"]
    assert "as the rules are written" in rcp(SMALL, "--method", "rules", form="text")
    assert "as the rounds' public checks compute" in rcp(SMALL, form="text")


def test_nothing_is_written_into_a_submission(copy: Path) -> None:
    """Testing leaves the folder as it is."""
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    rcp(copy)
    rcp(copy, form="text")

    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_scaling_is_written_when_asked_for(copy: Path) -> None:
    """--write-scaling writes the factor, says so, and the score then uses it."""
    done = run("--write-scaling", copy)
    factor = json.loads((copy / "scaling.json").read_text())["scaling_factor"]

    assert done.returncode == 0
    assert f"wrote {copy / 'scaling.json'}" in done.stderr
    assert factor == rcp(copy)["normalisation"] > 1
    assert "as scaling.json says" in rcp(copy, form="text")


def test_scaling_is_not_written_where_the_score_is_not_scaled(copy: Path) -> None:
    """A submission that converges no faster than the reference gets no file."""
    for path in copy.glob("result_*.txt"):
        path.write_text(path.read_text().replace('"samples_count": 2688', '"samples_count": 3840'))
        path.write_text(path.read_text().replace('"samples_count": 3072', '"samples_count": 3840'))
    done = run("--write-scaling", copy)

    assert done.returncode == 0
    assert "no scaling.json written, its score is not scaled" in done.stderr
    assert not (copy / "scaling.json").exists()


def test_wrong_scaling_file_is_said(copy: Path) -> None:
    """A factor that the test does not give is pointed out."""
    (copy / "scaling.json").write_text('{"scaling_factor": 1.5}')

    assert "but scaling.json says 1.5" in rcp(copy, form="text")


def test_runs_to_come_have_a_chance() -> None:
    """With six of ten runs done, the chance to pass is simulated; the same seed gives the same answer."""
    first, again, other = (rcp(UNFINISHED, "--seed", seed, "--draws", 500)["chance"] for seed in (1, 1, 2))

    assert (first["done"], first["required"], first["draws"]) == (6, 10, 500)
    assert 0.5 < first["probability"] < 1
    assert first == again
    assert first["probability"] != other["probability"] or first["mean_low"] != other["mean_low"]
    assert "6 of 10 runs are done; chance to pass" in rcp(UNFINISHED, form="text")


def test_too_fast_convergence_fails(copy: Path) -> None:
    """A mean below the smallest acceptable one is exit code 1, with both numbers."""
    for path in copy.glob("result_*.txt"):
        path.write_text(path.read_text().replace('"samples_count": 3072', '"samples_count": 2688'))
    document = rcp(copy, code=1)

    assert document["passed"] is False
    assert document["reason"] == "the mean of 2,688 samples is below the smallest acceptable 2,961"


def test_mixed_batch_sizes_fail(copy: Path) -> None:
    """Runs of different batch sizes are no submission."""
    path = copy / "result_3.txt"
    path.write_text(
        path.read_text().replace(
            '"key": "global_batch_size", "value": 8', '"key": "global_batch_size", "value": 16'
        )
    )

    assert rcp(copy, code=1)["reason"].startswith("the folder mixes batch sizes: 16 (1), 8 (9)")


def test_own_points(tmp_path: Path) -> None:
    """Points from a file take the place of the built-in ones."""
    path = tmp_path / "points.yaml"
    path.write_text("- {batch_size: 8, converged_at: [4000, 4000, 4000, 4100, 4200]}\n")
    document = rcp(SMALL, "--points", path, code=1)

    assert document["reference_mean"] == pytest.approx(4033.333333)
    assert len(document["points"]) == 1


def test_open_division_is_not_tested(copy: Path) -> None:
    """An open result is not tested; when nothing is, the exit code says so."""
    for path in copy.glob("result_*.txt"):
        path.write_text(path.read_text().replace('"value": "closed"', '"value": "open"'))
    done = run(copy, "--format", "json")

    assert done.returncode == 2
    assert json.loads(done.stdout)["passed"] is None
    assert "nothing was tested: the open division is not tested" in done.stderr
    assert rcp(copy, "--division", "closed")["passed"] is True


def test_benchmark_without_points_is_not_tested() -> None:
    """A round without reference points has nothing to test against."""
    done = run(SMALL, "--usage", "hpc", "--ruleset", "3.0.0")

    assert done.returncode == 2
    assert "nothing was tested: hpc/3.0.0 does not know llama2_70b_lora" in done.stderr


def test_tree_has_a_line_for_each_folder() -> None:
    """Every folder of a submission is tested, in one table."""
    text = rcp(SUBMISSION, form="text")
    document = rcp(SUBMISSION)

    assert len(document["folders"]) == 3
    assert "passed so far" in text
    assert "passed" not in document


def test_table_as_csv() -> None:
    """The table has one row per folder."""
    lines = rcp(SUBMISSION, form="csv").splitlines()

    assert lines[0].startswith("path,submitter,system,benchmark,division,ruleset,passed,reason,method,unit")
    assert len(lines) == 4


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_picture_is_drawn(suffix: str, tmp_path: Path) -> None:
    """The submission and the reference points are drawn in the format that the name asks for."""
    pytest.importorskip("matplotlib")
    path = tmp_path / f"rcp.{suffix}"
    rcp(SMALL, "--plot", path)
    beginnings = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}

    assert path.read_bytes().startswith(beginnings[suffix])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((SMALL, "--plot", "picture.gif"), "name a file that ends in .png, .svg, .pdf"),
        ((SUBMISSION, "--plot", "out.png"), "--plot draws one tested folder, but 3 folders were given"),
        ((SMALL, "--draws", "0"), "--draws must be at least 1"),
        ((SMALL, "--points", "none.yaml"), "cannot read the file of points 'none.yaml'"),
        ((SMALL, "--method", "mine"), "invalid choice: 'mine'"),
        (("nowhere",), "there is no folder 'nowhere'"),
    ],
)
def test_mistakes_are_one_sentence(arguments: tuple[object, ...], says: str) -> None:
    """Each mistake is one sentence on the error stream and exit code 2."""
    done = run(*arguments)

    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_test_loads_nothing_heavy(built: Path, tmp_path: Path) -> None:
    """Without a picture, no numerical library is loaded."""
    heavy = {"numpy", "pandas", "scipy", "matplotlib", "lark", "yaml", "rich", "multiprocessing"}
    code = (
        "import sys; from mlperf_logging.cli.main import main; "
        f"main(['rcp', {str(SMALL)!r}, '--output', sys.argv[1]]); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(built)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert heavy & set(done.stdout.split()) == set()
