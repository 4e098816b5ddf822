"""Seeds of a result folder's runs: equal, missing, and such that are no numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging.scoring.results import score_results
from mlperf_logging.scoring.seeds import LoggedSeed, RunSeeds, describe_seeds, describe_seeds_by_folder

GOOD = (PROJECT / "examples/logs/compliant/6.1.0_llama31_8b.txt").read_text()
_SEED = '"key": "seed", "value": 21057'


def seeds(name: str, *values: object, line: int | None = 7, file: str | None = "src/train.py") -> RunSeeds:
    """What a run logs."""
    return RunSeeds(f"folder/{name}", tuple([LoggedSeed(value, file, line) for value in values]))


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([seeds("a", 1), seeds("b", 2), seeds("c", 3, 4)], ()),
        ([seeds("a", 1, 1, 1)], ()),
        ([seeds("a", 1, line=7), seeds("b", 1, line=8)], ()),
        ([seeds("a", 1), seeds("b", 1, file="other.py")], ()),
        ([seeds("a", 1), seeds("b", 1.5)], ()),
        (
            [seeds("a", 1), seeds("b", 2), seeds("c", 1)],
            ("2 runs log the same seed, 1 at train.py:7 (a, c); each run needs its own",),
        ),
        (
            [seeds("a", 1, 2, file=None), seeds("b", 2, 1, file=None)],
            ("2 runs log the same seed, 1 (a, b), 1 other seed likewise; each run needs its own",),
        ),
        (
            [seeds(str(number), [9]) for number in range(7)],
            (
                "7 runs log the same seed, [9] at train.py:7 (0, 1, 2, 3, 4 and 2 more); each run needs its own",
            ),
        ),
        (
            [seeds("a", 1), seeds("b")._replace(is_missing=True)],
            ("1 run logs no seed, which the round requires (b)",),
        ),
        ([seeds("a", 1), seeds("b")], ()),
        (
            [seeds("a", "3"), seeds("b", 4), seeds("c", "5")],
            ("2 runs log a seed as text, such as '3' (a, c); it must be a whole number",),
        ),
    ],
)
def test_what_is_wrong_is_said(runs: list[RunSeeds], said: tuple[str, ...]) -> None:
    """Two runs with one seed from one place, runs without a seed that need one, and texts are named with their logs."""
    assert describe_seeds(runs) == said


def test_folders_are_looked_at_apart() -> None:
    """Two folders may use the same seeds; where there are several, a sentence says which it is about."""
    runs = [
        RunSeeds(f"{folder}/{name}", seeds("", 1).seeds)
        for folder, name in (("x", "a"), ("y", "a"), ("y", "b"))
    ]
    assert describe_seeds_by_folder(runs) == [
        "y: 2 runs log the same seed, 1 at train.py:7 (a, b); each run needs its own"
    ]
    assert describe_seeds_by_folder(runs[1:])[0].startswith("2 runs")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (lambda number: f'"key": "seed", "value": {number}', []),
        (lambda _: _SEED, ["3 runs log the same seed, 21057 at train.py:89"]),
        (lambda number: f'"key": "seed", "value": "{number}"', ["3 runs log a seed as text, such as '0'"]),
        (lambda _: '"key": "lucky_number", "value": 1', ["3 runs log no seed, which the round requires"]),
    ],
    ids=["good", "equal", "text", "missing"],
)
def test_scores_say_it(written, said: list[str], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A folder's score notes what is wrong with its seeds, whether there is a score or not."""
    assert _SEED in GOOD
    for number in range(3):
        (tmp_path / f"result_{number}.txt").write_text(GOOD.replace(_SEED, written(number)))
    (score,) = score_results(tmp_path)
    notes = [note for note in score.notes if "seed" in note]
    assert [note.partition(" (")[0] for note in notes] == said


def test_round_without_the_rule_asks_for_no_seed(tmp_path: Path) -> None:
    """The open division requires no seed, so its absence is not noted."""
    for number in range(3):
        text = GOOD.replace(_SEED, '"key": "lucky_number", "value": 1').replace('"closed"', '"open"')
        (tmp_path / f"result_{number}.txt").write_text(text)
    (score,) = score_results(tmp_path)
    assert [note for note in score.notes if "seed" in note] == []
