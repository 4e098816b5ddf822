"""The score of a result folder."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.scoring.folders import read_scaling_factor, score_folder
from mlperf_logging.scoring.requirements import Requirement
from tests.logs import power
from tests.scores import MakeRun

SAME_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_olympic_mean_of_the_required_runs(make_run: MakeRun, folder: ResultFolder) -> None:
    """The fastest and the slowest run are dropped, the others averaged."""
    score = score_folder(folder, [make_run(minutes) for minutes in (10, 1, 3, 2, 4)])

    assert score.score_minutes == 3
    assert (score.method, score.kept, score.problems, score.notes) == ("olympic", (3, 2, 4), (), ())
    assert (score.benchmark, score.division, score.ruleset) == ("knitting", "closed", "training/9.9")
    assert score.median_minutes == 3
    assert score.has_result


@pytest.mark.parametrize("fields", [{"verdict": "fail"}, {"status": "aborted"}, {"minutes": None}])
def test_run_that_does_not_count_is_the_slowest(
    fields: dict[str, object], make_run: MakeRun, folder: ResultFolder
) -> None:
    """One run may break a rule, miss the target or have no time; it counts as the slowest, however fast it was."""
    score = score_folder(folder, [make_run(**{"minutes": 0.1, **fields}), *map(make_run, (1, 2, 3, 4))])

    assert (score.score_minutes, score.non_compliant) == (3, 1)


def test_too_many_runs_that_do_not_count(make_run: MakeRun, folder: ResultFolder) -> None:
    """A second run that does not count makes the result invalid, and the reason is said."""
    score = score_folder(folder, [*[make_run(1, verdict="fail")] * 2, *map(make_run, (1, 2, 3))])

    assert (score.score_minutes, score.has_result) == (None, False)
    assert score.problems == ("2 runs do not count; 1 may",)


def test_forty_runs_of_which_four_are_dropped_on_each_side(make_run: MakeRun, folder: ResultFolder) -> None:
    """Some benchmarks vary so much that four on each side are dropped; four may miss the target."""
    wanted = Requirement(40, 4, 4)
    runs = [*[make_run(1, status="aborted")] * 4, *[make_run(minutes) for minutes in range(1, 37)]]
    score = score_folder(folder, runs, requirement=wanted)

    assert score.score_minutes == sum(range(5, 37)) / 32


def test_scaling_file_multiplies_the_score(make_run: MakeRun, folder: ResultFolder, tmp_path: Path) -> None:
    """The factor of scaling.json is applied to the score, and both are reported."""
    path = tmp_path / "scaling.json"
    path.write_text('{"scaling_factor": 1.25}')
    score = score_folder(folder._replace(scaling_file=str(path)), [make_run(2)] * 5)

    assert (score.score_minutes, score.unscaled_minutes, score.scaling_factor) == (2.5, 2, 1.25)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"factor": 1}', '{"scaling_factor": "2"}', '{"scaling_factor": -1}']
)
def test_scaling_file_that_says_nothing_usable(
    text: str, make_run: MakeRun, folder: ResultFolder, tmp_path: Path
) -> None:
    """A damaged scaling.json is a reason for no score, not for a silent factor of one."""
    path = tmp_path / "scaling.json"
    path.write_text(text)
    score = score_folder(folder._replace(scaling_file=str(path)), [make_run(2)] * 5)

    assert score.score_minutes is None
    assert "scaling" in score.problems[0]
    assert str(path) in score.problems[0]


@given(st.floats(0.01, 100, allow_nan=False))
def test_scaling_factor_is_read_exactly(factor: float) -> None:
    """The factor that was written is the one that is read."""
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "scaling.json"
        path.write_text(json.dumps({"scaling_factor": factor}))

        assert read_scaling_factor(str(path)) == factor


def test_more_runs_than_required_take_the_median_window(make_run: MakeRun, folder: ResultFolder) -> None:
    """Of M > N consecutive runs the window of N counts whose score is the median of all windows."""
    minutes = [9, 9, 9, 9, 9, 1, 1]
    score = score_folder(folder, [make_run(each) for each in minutes])

    # windows: 9 9 9 9 9 → 9; 9 9 9 9 1 → 9; 9 9 9 1 1 → 19/3; the median of the three is 9.
    assert (score.method, score.window, score.score_minutes) == ("median-window", (0, 4), 9)
    assert "the median window is that of runs 1 to 5" in score.notes[0]


def test_window_with_too_many_runs_that_do_not_count_is_the_slowest(
    make_run: MakeRun, folder: ResultFolder
) -> None:
    """An invalid window counts as infinite when the windows are compared."""
    runs = [make_run(1, status="aborted"), make_run(1, status="aborted"), *map(make_run, (5, 5, 5, 5, 5))]
    score = score_folder(folder, runs)

    # windows: invalid (two failed), 5 (one failed), 5: the median is 5.
    assert (score.score_minutes, score.window) == (5, (1, 5))


def test_median_of_five(make_run: MakeRun, folder: ResultFolder) -> None:
    """The first suite takes the median of five runs, all of which must count."""
    wanted = Requirement(5, 0, 0)
    score = score_folder(folder, [make_run(m) for m in (9, 1, 3, 2, 4)], requirement=wanted, method="median")
    failed = score_folder(
        folder,
        [make_run(9, status="aborted"), *map(make_run, (1, 3, 2, 4))],
        requirement=wanted,
        method="median",
    )

    assert (score.score_minutes, score.kept) == (3, (2,))
    assert failed.problems == ("1 run does not count; 0 may",)


def test_first_runs_that_count(make_run: MakeRun, folder: ResultFolder) -> None:
    """Where up to so many attempts are allowed, the first required ones that count make the result."""
    wanted = Requirement(3, 1, 0, attempts=6)
    runs = [make_run(1, status="aborted"), *map(make_run, (5, 7, 6)), make_run(1)]
    score = score_folder(folder, runs, requirement=wanted)

    assert (score.score_minutes, score.kept) == (6, (3,))
    assert score.notes == ("the first 3 runs that count, of the 3 that a result needs",)


def test_too_few_runs_are_said(make_run: MakeRun, folder: ResultFolder) -> None:
    """One run has no olympic mean; fewer than required have one, with a note."""
    one = score_folder(folder, [make_run(2)])
    four = score_folder(folder, [make_run(2)] * 4)

    assert "one run gives no mean: the fastest and the slowest are dropped, so at least 3" in one.problems[0]
    assert four.score_minutes == 2
    assert four.notes == ("4 of the 5 runs that a result needs",)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"benchmark": "sewing"}, "mixes benchmarks: knitting (4), sewing (1)"),
        ({"division": "open"}, "mixes divisions: closed (4), open (1)"),
        ({"ruleset": "9.8"}, "mixes rulesets: training/9.8 (1), training/9.9 (4)"),
    ],
)
def test_mixed_folders_have_no_score(
    fields: dict[str, str], says: str, make_run: MakeRun, folder: ResultFolder
) -> None:
    """Runs of two benchmarks, divisions or rounds are no result, and the message counts them."""
    score = score_folder(folder, [*[make_run(1)] * 4, make_run(1, **fields)])

    assert score.score_minutes is None
    assert says in score.problems[0]


def test_mixed_batch_sizes_are_noted(make_run: MakeRun, folder: ResultFolder) -> None:
    """Runs of different batch sizes have a score, and a note that they should not differ."""
    score = score_folder(folder, [*[make_run(1)] * 4, make_run(1, batch_size=32)])

    assert score.score_minutes == 1
    assert score.notes == ("the folder mixes batch sizes: 32 (1), 64 (4); keep one per folder",)


def test_compliant_run_need_not_say_that_it_succeeded(make_run: MakeRun, folder: ResultFolder) -> None:
    """The oldest dialect has no status; what its rules let pass counts."""
    score = score_folder(folder, [make_run(1, status=None)] * 5)

    assert (score.score_minutes, score.non_compliant) == (1, 0)


def test_damaged_log_has_no_vote(make_run: MakeRun, folder: ResultFolder) -> None:
    """A log that names no benchmark does not count, and does not make the folder a mixed one."""
    damaged = make_run(None, verdict="fail", benchmark=None, division=None, requirement=None)
    score = score_folder(folder, [*[make_run(1)] * 4, damaged])

    assert (score.score_minutes, score.benchmark) == (1, "knitting")


def test_unknown_benchmark_cannot_be_scored(make_run: MakeRun, folder: ResultFolder) -> None:
    """Where the round does not know the benchmark, it cannot be told how many runs are dropped."""
    score = score_folder(folder, [make_run(1, requirement=None)] * 5)

    assert (score.score_minutes, score.scaling_factor) == (None, None)
    assert "does not know 'knitting'" in score.problems[0]


@SAME_FIXTURE
@given(minutes=st.lists(st.floats(0.1, 1e4), min_size=5, max_size=5), shuffler=st.randoms())
def test_order_of_the_runs_is_irrelevant(
    minutes: list[float], shuffler: random.Random, make_run: MakeRun, folder: ResultFolder
) -> None:
    """The required number of runs has the same score in any order."""
    shuffled = list(minutes)
    shuffler.shuffle(shuffled)
    scores = [score_folder(folder, [make_run(m) for m in each]).score_minutes for each in (minutes, shuffled)]

    assert scores[0] == scores[1]


@SAME_FIXTURE
@given(minutes=st.lists(st.floats(0.1, 1e4), min_size=5, max_size=12), failing=st.integers(0, 11))
def test_a_run_that_fails_never_helps(
    minutes: list[float], failing: int, make_run: MakeRun, folder: ResultFolder
) -> None:
    """A score with one run failed is none, or not better than the one where it succeeded (required runs)."""
    minutes = minutes[:5]
    runs = [make_run(each) for each in minutes]
    worse = list(runs)
    worse[failing % 5] = make_run(minutes[failing % 5], status="aborted")
    before, after = (score_folder(folder, each).score_minutes for each in (runs, worse))

    assert before is not None
    assert after is None or after >= before or math.isclose(after, before)


def write_power(folder: Path, run: str, watts: float, seconds: float = 60) -> None:
    """A node's readings at a constant power."""
    place = folder / "power" / run
    place.mkdir(parents=True)
    lines = [("power_measurement_start", None, 0)]
    lines += [("power_reading", watts, second * 1000) for second in range(1, int(seconds) + 1)]
    lines += [("power_measurement_stop", None, seconds * 1000)]
    (place / "node_0.txt").write_bytes(b"".join(power(*line) for line in lines))


def test_energy_is_of_the_same_runs_as_the_time(
    make_run: MakeRun, folder: ResultFolder, tmp_path: Path
) -> None:
    """The energy score averages the energies of the runs that the time score keeps, scaled alike."""
    (tmp_path / "scaling.json").write_text('{"scaling_factor": 2}')
    runs = []
    for index, (minutes, watts) in enumerate([(5, 1), (1, 2), (3, 4000), (2, 5000), (4, 6000)]):
        write_power(tmp_path, f"result_{index}", watts)
        runs.append(make_run(minutes)._replace(path=str(tmp_path / f"result_{index}.txt")))
    place = folder._replace(power=str(tmp_path / "power"), scaling_file=str(tmp_path / "scaling.json"))
    score = score_folder(place, runs)

    kilojoules = [3 * 60 * 4, 2 * 60 * 5, 4 * 60 * 6]
    assert score.energy_kj == pytest.approx(2 * sum(kilojoules) / 3)
    assert score.run_energy_kj[2] == pytest.approx(720)


def test_missing_readings_are_said(make_run: MakeRun, folder: ResultFolder, tmp_path: Path) -> None:
    """Runs without readings leave the score; that there is no energy is said once, with the reason."""
    (tmp_path / "power").mkdir()
    score = score_folder(folder._replace(power=str(tmp_path / "power")), [make_run(1)] * 5)

    assert (score.score_minutes, score.energy_kj) == (1, None)
    (note,) = score.notes
    assert note.startswith("no energy: there is no folder ")
    assert note.endswith(" (4 other runs likewise)")


def test_what_readings_lack_is_noted_with_its_place(
    make_run: MakeRun, folder: ResultFolder, tmp_path: Path
) -> None:
    """Runs whose readings cannot be used are counted, and what the others lack has file and line."""
    (tmp_path / "box.json").write_text('{"number_of_nodes": "2"}')
    runs = [make_run(1)._replace(path=str(tmp_path / f"result_{index}.txt")) for index in range(5)]
    for index in range(3):
        write_power(tmp_path, f"result_{index}", 100)
    (tmp_path / "power" / "result_1" / "node_0.txt").write_bytes(b"")
    place = folder._replace(
        path=str(tmp_path), power=str(tmp_path / "power"), description=str(tmp_path / "box.json")
    )
    score = score_folder(place, runs)
    no_energy, nodes, few = score.notes

    assert no_energy.startswith("no energy of 3 of 5 runs: ")
    assert "result_3 (1 other run likewise)" in no_energy
    assert (
        nodes == "power: readings of 1 of 2 nodes; all must be measured (power/result_0, 2 others likewise)"
    )
    assert few.endswith("(power/result_1/node_0.txt)")
    assert [each.kind for each in score.power_findings].count("nodes-missing") == 3


def test_weak_scaling_has_a_throughput(make_run: MakeRun, folder: ResultFolder) -> None:
    """A folder below weak/ is scored by its models per minute."""
    runs = [make_run(2, accelerators=16.0)] * 6
    score = score_folder(folder._replace(scaling="weak"), runs)

    assert (score.method, score.score_minutes) == ("throughput", None)
    assert score.throughput is not None
    assert (score.throughput.models, score.throughput.models_per_minute) == (6, 3)
    assert score.has_result


def test_weak_scaling_without_enough_models(make_run: MakeRun, folder: ResultFolder) -> None:
    """Too few converged models are no throughput, and the reason is said."""
    score = score_folder(folder._replace(scaling="weak"), [make_run(2, accelerators=16.0)] * 4)

    assert score.problems == ("4 of 4 models converged and are compliant; 5 are needed",)
