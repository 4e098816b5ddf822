"""Many logs to tables, and all analyses of them at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mlperf_logging.analysis.analyses import (
    ANALYSES,
    AnalysisParameters,
    analyze_runs,
    compare_sides,
    find_side,
    list_doubts,
    select_runs,
)
from mlperf_logging.analysis.columns import EVALUATION_COLUMNS, RUN_COLUMNS, make_table
from mlperf_logging.analysis.reading import ReadingParameters
from mlperf_logging.analysis.tables import list_logs, read_tables, tabulate_evaluations, tabulate_runs
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import UsageError
from tests.small_runs import WriteRun, make_run_log

ROUND = ReadingParameters(RuleSelection(usage="training", ruleset="4.0.0"))
FEW = AnalysisParameters(resamples=49)


@pytest.fixture
def submission(write_run: WriteRun, write_system: Callable[..., None], tmp_path: Path) -> Path:
    """Two systems of one submitter, four and three runs; one run of the first was aborted."""
    write_system(
        "Lab", "box8", number_of_nodes="1", accelerators_per_node="8", accelerator_model_name="Needle"
    )
    write_system(
        "Lab", "box64", number_of_nodes="8", accelerators_per_node="8", accelerator_model_name="Needle"
    )
    for index in range(4):
        qualities = {1: 0.5, 2: 0.7, 3 + index % 2: 0.76}
        name = f"Lab/results/box8/resnet/result_{index}.txt"
        write_run(name, qualities, settings={"seed": index}, status="success" if index < 3 else "aborted")
    for index in range(3):
        write_run(
            f"Lab/results/box64/resnet/result_{index}.txt", block_minutes=1, settings={"seed": index % 2}
        )
    return tmp_path / "Lab"


def test_every_log_is_a_row_and_every_column_is_there(submission: Path) -> None:
    """A folder gives one row per log, in the documented columns and kinds, also where nothing is known."""
    tables = read_tables(submission, ROUND)
    kinds = {"text": "string", "number": "float64", "count": "Int64", "flag": "boolean"}

    assert list(tables.runs.columns) == list(RUN_COLUMNS)
    assert list(tables.evaluations.columns) == list(EVALUATION_COLUMNS)
    assert (len(tables.runs), len(tables.evaluations)) == (7, 21)
    for table, columns in ((tables.runs, RUN_COLUMNS), (tables.evaluations, EVALUATION_COLUMNS)):
        for name, column in columns.items():
            assert table[name].dtype.name.partition("[")[0] in (kinds[column.kind], "string"), name
        pd.testing.assert_frame_equal(table.iloc[:0], make_table([], columns))


def test_tables_one_by_one(submission: Path) -> None:
    """The two functions give the same tables as reading them together."""
    tables = read_tables([submission], ROUND)

    pd.testing.assert_frame_equal(tabulate_runs(submission, ROUND), tables.runs)
    pd.testing.assert_frame_equal(tabulate_evaluations([submission], ROUND), tables.evaluations)


def test_several_processes_give_the_same(submission: Path) -> None:
    """Reading in two processes gives the rows in the same order, and counts each log once."""
    logs = list_logs(submission) * 3
    counted: list[None] = []
    alone = read_tables(logs, ROUND)
    together = read_tables(logs, ROUND, jobs=2, advance=lambda: counted.append(None))

    pd.testing.assert_frame_equal(together.runs, alone.runs)
    assert len(counted) == len(alone.runs)


def test_places_without_logs(tmp_path: Path) -> None:
    """A path that is not there, and a folder without logs, are one sentence each."""
    with pytest.raises(UsageError, match="no file or folder"):
        read_tables(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no logs below"):
        read_tables(tmp_path)


def test_all_analyses_at_once(submission: Path) -> None:
    """Every table is made, by the parameters given, of the runs that converged."""
    made = analyze_runs(read_tables(submission, ROUND), parameters=FEW)

    assert list(made) == list(ANALYSES)
    variance = made["variance"].set_index("system")
    assert variance["runs"].to_dict() == {"box8": 3, "box64": 3}
    assert made["scaling"]["accelerators"].tolist() == [8, 64]
    assert made["seeds"].set_index("system").loc["box64", "repeated_seeds"] == 1


def test_aborted_runs_count_when_asked_for(submission: Path) -> None:
    """The time to an abort is not a time to quality, unless all runs are wanted."""
    tables = read_tables(submission, ROUND)
    parameters = AnalysisParameters(resamples=49, only_converged=False)

    assert analyze_runs(tables, ["variance"], parameters)["variance"]["runs"].tolist() == [3, 4]
    assert len(select_runs(tables.runs)) == 6
    assert list_doubts(tables, FEW)[0] == "1 run left out of the statistics: not converged, or not readable"


def test_converged_without_a_status(write_run: WriteRun, tmp_path: Path) -> None:
    """Where run_stop says nothing about success, an evaluation that meets the target does."""
    write_run("a/result_0.txt", status=None)
    write_run("a/result_1.txt", {1: 0.1}, status=None)

    assert select_runs(tabulate_runs(tmp_path, ROUND))["path"].str.contains("result_0").tolist() == [True]


def test_comparison_of_two_systems(submission: Path) -> None:
    """Systems are named, in any case, or found by a pattern; the faster one is faster."""
    runs = read_tables(submission, ROUND).runs
    row = compare_sides(runs, "BOX8", "lab/box6*", FEW).iloc[0]

    assert (row["runs_a"], row["runs_b"]) == (3, 3)
    assert row["speedup"] > 2
    assert len(find_side(runs, "lab")) == 7


def test_doubts_name_no_system_that_no_log_names(tmp_path: Path) -> None:
    """What a log does not say has no word in the sentences on it."""
    nameless = [line for line in make_run_log().splitlines(keepends=True) if b"_org" not in line]
    path = tmp_path / "run.log"
    path.write_bytes(b"".join([line for line in nameless if b"_platform" not in line]))
    tables = read_tables(path, ROUND)

    assert list_doubts(tables, FEW) == ["a single run, which says nothing about the spread: resnet"]
    with pytest.raises(UsageError, match="called 'A'; no log names its submitter or system"):
        find_side(tables.runs, "A")


def test_equal_seeds_are_a_doubt(write_run: WriteRun, tmp_path: Path) -> None:
    """Runs of one folder with one seed are named, those of two folders are not."""
    for place in ("a/result_0.txt", "a/result_1.txt", "b/result_0.txt"):
        write_run(place, settings={"seed": 5})
    doubts = list_doubts(read_tables(tmp_path, ROUND), FEW)

    said = f"{tmp_path}/a: 2 runs log the same seed, 5 (result_0.txt, result_1.txt); each run needs its own"
    assert doubts == [said]


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (
            ("box8", "box9"),
            "no run belongs to a system or submitter called 'box9'; there are Lab/box64, Lab/box8",
        ),
        (("box8", "*/box8"), "refer to the same runs"),
    ],
)
def test_comparison_of_what_is_not_there(submission: Path, sides: tuple[str, str], said: str) -> None:
    """An unknown name lists the systems; a system is not compared with itself."""
    with pytest.raises(UsageError, match=said):
        compare_sides(read_tables(submission, ROUND).runs, *sides, FEW)


def test_doubts_are_sentences(write_run: WriteRun, tmp_path: Path) -> None:
    """Single runs and groups that mix batch sizes are named."""
    for index, size in enumerate((256, 512)):
        settings = {"global_batch_size": size, "seed": index}
        write_run(f"Lab/results/box8/resnet/result_{index}.txt", settings=settings)
    write_run("Lab/results/box64/resnet/result_0.txt")
    doubts = list_doubts(read_tables(tmp_path, ROUND), FEW)

    assert doubts == [
        "resnet Lab box8: mixed batch sizes (256, 512), so the runs do not repeat one another",
        "a single run, which says nothing about the spread: resnet Lab box64",
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"value": "status"}, "unknown numeric column 'status'"),
        ({"by": ["planet"]}, "unknown grouping column 'planet'"),
        ({"confidence": 7}, "not between 0 and 1"),
    ],
)
def test_parameters_that_make_no_sense(wrong: dict[str, object], said: str) -> None:
    """Wrong columns and levels are refused before anything is read."""
    with pytest.raises(UsageError, match=said):
        AnalysisParameters(**wrong)


def test_unknown_table_is_refused(submission: Path) -> None:
    """The message lists the tables."""
    with pytest.raises(UsageError, match="unknown table 'mood'; choose from runs"):
        analyze_runs(read_tables(submission, ROUND), ["mood"])
