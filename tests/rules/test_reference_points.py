"""The reference convergence points of every round are those of the shared facts, and their files tell faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from rule_folders import RuleFolder, copy_rules

from mlperf_logging.errors import RuleError, UsageError
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.scoring.rcp.files import load_reference_points
from mlperf_logging.scoring.rcp.points import ReferencePoint

COUNTED_IN_SAMPLES_FROM = 4_000
"""No reference run takes so many epochs; one round counts steps."""
MOST_BYTES = 110_000

FIRST = """\
benchmarks:
  knitting:
    unit: epochs
    points:
      64: {converged_at: [3, 4, 5], hyperparameters: {opt_name: sgd}, platform: a loom}
      128: {converged_at: [6, 7, 8]}
"""


def list_points() -> dict[tuple[str, str, float], tuple[str, ReferencePoint]]:
    """(ruleset, benchmark, batch size) to unit and point, for every ruleset of the rule files."""
    book = open_rules()
    return {
        (entry.name, benchmark, point.batch_size): (table.unit, point)
        for entry in book.index()
        for benchmark, table in load_reference_points(book, entry.name).items()
        for point in table.points
    }


@pytest.mark.corpus
def test_points_are_those_of_the_facts(shared: Path) -> None:
    """Each of the 591 published points is there with all that is known of it, and there are no others but our own."""
    with (shared / "facts" / "rcp.jsonl").open() as file:
        facts: list[dict[str, Any]] = [json.loads(line) for line in file]
    ours = {key: found for key, found in list_points().items() if not key[0].startswith("mini/")}

    told = {(f"{row['usage']}/{row['ruleset']}", row["benchmark"], row["batch_size"]): row for row in facts}
    assert len(told) == len(facts) == 591
    assert ours.keys() == told.keys()
    for key, row in told.items():
        unit, point = ours[key]
        assert point == ReferencePoint(
            row["batch_size"],
            tuple(row["converged_at"]),
            row["name"],
            row["hyperparameters"] or {},
            row["platform"],
            row["precision"],
            row["creator"],
            row["when"],
        )
        assert {type(a) for a in point.converged_at} == {type(b) for b in row["converged_at"]}
        # The public label says "epochs" for nearly all; large numbers count samples whatever it says.
        large = min(point.converged_at) >= COUNTED_IN_SAMPLES_FROM
        in_steps = key[:2] == ("training/3.1.0", "stable_diffusion")
        expected = "samples" if large or row["unit"].startswith("samples") else "epochs"
        assert unit == ("steps" if in_steps else expected)


def test_own_points_are_measured_ones() -> None:
    """The small scale's points are ten or more runs for each measured trainer, and tell the machine and the day."""
    ours = {key: found for key, found in list_points().items() if key[0].startswith("mini/")}

    assert {benchmark for _, benchmark, _ in ours} == {
        "deepspeech2",
        "maskrcnn",
        "minigo",
        "ncf",
        "resnet",
        "sentiment",
        "transformer",
    }
    for unit, point in ours.values():
        assert unit == "epochs"
        assert len(point.converged_at) >= 10
        assert all((point.platform, point.precision, point.creator, point.when))


@pytest.mark.corpus
def test_one_benchmark_has_an_allowance(shared: Path) -> None:
    """The facts name one benchmark, from one round on, whose smallest acceptable mean is lower."""
    assert "46,080 samples lower" in (shared / "facts" / "README.md").read_text()
    book = open_rules()
    allowed = {
        (entry.round, benchmark): table.allowance
        for entry in book.index()
        for benchmark, table in load_reference_points(book, entry.name).items()
        if table.allowance
    }

    assert set(allowed.values()) == {46_080}
    assert {benchmark for _, benchmark in allowed} == {"llama31_405b"}
    assert {version for version, _ in allowed} == {"5.0.0", "5.1.0", "6.0.0"}


def test_points_take_little_room() -> None:
    """The files say only what changed: about a quarter of what the points take when each round repeats them."""
    size = sum(path.stat().st_size for path in (PROJECT / "compliance_rules" / "rcp").glob("*.yaml"))

    assert 10_000 < size < MOST_BYTES


def test_round_without_a_file_has_the_points_of_the_one_it_extends(tmp_path: Path) -> None:
    """A new round needs no file of points until one of them changes."""
    folder = make_folder(tmp_path)
    folder.write("rcp/trial-1.0.0.yaml", FIRST)
    book = RuleRepository(folder.path)

    assert load_reference_points(book, "trial/1.1.0") == load_reference_points(book, "trial/1.0.0")
    (table,) = load_reference_points(book, "trial/1.1.0").values()
    assert [point.batch_size for point in table.points] == [64, 128]


def test_file_says_only_what_changes(tmp_path: Path) -> None:
    """Points are added, changed in one field, removed, and taken over under another name."""
    folder = make_folder(tmp_path)
    folder.write("rcp/trial-1.0.0.yaml", FIRST)
    folder.write(
        "rcp/trial-1.1.0.yaml",
        "extends: 1.0.0\nremove: [knitting]\nbenchmarks:\n  weaving:\n    from: knitting\n    allowance: 2\n"
        "    remove: [128]\n    points:\n      64: {platform: two looms}\n      32: {converged_at: [2]}\n",
    )
    tables = load_reference_points(RuleRepository(folder.path), "trial/1.1.0")

    assert list(tables) == ["weaving"]
    assert (tables["weaving"].unit, tables["weaving"].allowance) == ("epochs", 2)
    assert tables["weaving"].points == (
        ReferencePoint(32, (2,), "weaving_ref_32"),
        ReferencePoint(64, (3, 4, 5), "weaving_ref_64", {"opt_name": "sgd"}, "two looms"),
    )


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("extends: 1.0.0\nremove: [sewing]\n", "removes 'sewing'", 2),
        ("extends: 1.0.0\nbenchmarks:\n  sewing:\n    from: nothing\n", "takes the points of 'nothing'", 4),
        ("extends: 1.0.0\nbenchmarks:\n  sewing:\n    unit: miles\n", "'unit' must be one of", 4),
        (
            "extends: 1.0.0\nbenchmarks:\n  knitting:\n    allowance: much\n",
            "'allowance' must be a number",
            4,
        ),
        ("extends: 1.0.0\nbenchmarks:\n  knitting:\n    remove: [99]\n", "removes batch size 99", 4),
        (
            "extends: 1.0.0\nbenchmarks:\n  knitting:\n    points:\n      big: {}\n",
            "'big' is not a batch size",
            5,
        ),
        ("extends: 1.0.0\nbenchmarks:\n  knitting:\n    points:\n      9: {}\n", "needs 'converged_at'", 5),
        (
            "extends: 1.0.0\nbenchmarks:\n  knitting:\n    points:\n      64: {platform: a loom}\n",
            "'platform' repeats what the previous round says",
            5,
        ),
        (
            "extends: 1.0.0\nbenchmarks:\n  knitting:\n    points:\n      9: {converged_at: [1, soon]}\n",
            "holds 'soon'",
            5,
        ),
        ("extends: 1.1.0\n", "extend each other", 1),
        ("extends: 1.0.0\nbenchmark: {}\n", "'benchmark' is not valid here", 2),
    ],
)
def test_fault_is_reported_with_its_place(text: str, says: str, line: int, tmp_path: Path) -> None:
    """What is wrong in a file of points is said with file and line."""
    folder = make_folder(tmp_path)
    folder.write("rcp/trial-1.0.0.yaml", FIRST)
    folder.write("rcp/trial-1.1.0.yaml", text)

    with pytest.raises(RuleError) as caught:
        load_reference_points(RuleRepository(folder.path), "trial/1.1.0")
    assert says in str(caught.value)
    assert (caught.value.path, caught.value.line) == ("rcp/trial-1.1.0.yaml", line)


def test_unknown_ruleset_is_reported() -> None:
    """Points of a round that does not exist are a mistake of the caller."""
    with pytest.raises(UsageError, match="unknown ruleset"):
        load_reference_points(open_rules(), "training/99.0.0")


def make_folder(tmp_path: Path) -> RuleFolder:
    """A copy of the rule files with two made-up rounds."""
    folder = copy_rules(tmp_path / "rules")
    folder.write_second("title: Trial\n")
    return folder
