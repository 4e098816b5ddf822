"""Reference points of your own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlperf_logging import UsageError
from mlperf_logging.scoring.rcp.own_points import load_points
from mlperf_logging.scoring.rcp.points import ReferencePoint, ReferenceTable

FORMER = ReferenceTable("knitting", "samples", 7, (ReferencePoint(1, (1, 2, 3)),))
PUBLIC = {
    "knitting_ref_64": {
        "Benchmark": "knitting",
        "BS": 64,
        "Hyperparams": {},
        "Epochs to converge": [3, 4, 5],
    },
    "weaving_ref_64": {"Benchmark": "weaving", "BS": 64, "Epochs to converge": [9, 9, 9]},
    "knitting_ref_32": {"Benchmark": "knitting", "BS": "32", "Epochs to converge": [2, 2, 3]},
}


@pytest.mark.parametrize(
    "text",
    [
        "- {batch_size: 64, converged_at: [3, 4, 5]}\n- {batch_size: 32, converged_at: [2, 2, 3]}\n",
        "points:\n  64: {converged_at: [3, 4, 5]}\n  32: [2, 2, 3]\n",
        "benchmarks:\n  knitting:\n    points:\n      64: {converged_at: [3, 4, 5]}\n      32: {converged_at: [2, 2, 3]}\n",
        json.dumps(PUBLIC),
    ],
    ids=["list", "one benchmark", "own kind", "public kind"],
)
def test_points_are_read_in_every_form(text: str, tmp_path: Path) -> None:
    """A plain list, the package's own kind of file and the public kind give the same points."""
    path = tmp_path / "points.yaml"
    path.write_text(text)
    table = load_points(str(path), "knitting", FORMER)

    assert [(point.batch_size, point.converged_at) for point in table.points] == [
        (32, (2, 2, 3)),
        (64, (3, 4, 5)),
    ]
    assert (table.unit, table.allowance) == ("samples", 7)


def test_file_may_say_its_unit_and_allowance(tmp_path: Path) -> None:
    """What the file says goes before what holds for the built-in points."""
    path = tmp_path / "points.yaml"
    path.write_text("unit: epochs\nallowance: 0.5\npoints: {64: {converged_at: [1, 2, 3]}}\n")
    table = load_points(str(path), "knitting", FORMER)

    assert (table.unit, table.allowance) == ("epochs", 0.5)


def test_public_name_of_samples_says_the_unit(tmp_path: Path) -> None:
    """The public files name samples where samples are meant."""
    path = tmp_path / "points.json"
    path.write_text(json.dumps({"x": {"Benchmark": "knitting", "BS": 8, "samples to converge": [5, 6, 7]}}))

    assert load_points(str(path), "knitting").unit == "samples"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "holds no reference points of knitting"),
        ("- {batch_size: 64}\n", "must say where each reference run of batch size 64 converged"),
        ("- {batch_size: 64, converged_at: [1, soon]}\n", "must say where each reference run"),
        ("- {batch_size: big, converged_at: [1]}\n", "gives the batch size 'big'"),
        ("unit: miles\npoints: {64: [1, 2, 3]}\n", "says the unit 'miles'"),
        (
            "- {batch_size: 64, converged_at: [1]}\n- {batch_size: 64, converged_at: [2]}\n",
            "batch size 64 twice",
        ),
        ("[", "not valid YAML"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, says: str, tmp_path: Path) -> None:
    """One sentence names the file and what to write."""
    path = tmp_path / "points.yaml"
    path.write_text(text)

    with pytest.raises(UsageError, match=says) as caught:
        load_points(str(path), "knitting")
    assert "points.yaml" in str(caught.value)


def test_missing_file_is_said(tmp_path: Path) -> None:
    """A mistyped name is reported."""
    with pytest.raises(UsageError, match="cannot read the file of points"):
        load_points(str(tmp_path / "none.yaml"), "knitting")
