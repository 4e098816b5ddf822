"""The test of convergence on a result folder."""

from __future__ import annotations

import pytest

from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.runs.intervals import Progress
from mlperf_logging.scoring.rcp.points import ReferencePoint, ReferenceTable
from mlperf_logging.scoring.rcp.submissions import check_submission
from tests.scores import MakeRun

TABLE = ReferenceTable("knitting", "epochs", 0, (ReferencePoint(64, (4, 4, 5, 4, 3, 4, 4, 4, 4, 4)),))


def find_table(ruleset: str, benchmark: str) -> ReferenceTable | None:
    """The table of the made-up round."""
    return TABLE if (ruleset, benchmark) == ("training/9.9", "knitting") else None


def test_folder_is_tested_against_the_points_of_its_round(make_run: MakeRun, folder: ResultFolder) -> None:
    """Batch size, runs and requirement come from the runs, the points from their round."""
    outcome = check_submission(folder, [make_run()] * 5, find_table)

    assert (outcome.passed, outcome.benchmark, outcome.ruleset) == (True, "knitting", "training/9.9")
    assert outcome.check is not None
    assert (outcome.check.batch_size, outcome.check.match, outcome.check.submission_mean) == (64, "exact", 4)
    assert outcome.pass_probability is None


def test_run_that_breaks_rules_is_tested_all_the_same(make_run: MakeRun, folder: ResultFolder) -> None:
    """Convergence is tested on every run that succeeded; whether it is compliant is another question."""
    outcome = check_submission(folder, [make_run(verdict="fail")] * 5, find_table)

    assert outcome.passed is True


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"batch_size": 32}, "mixes batch sizes: 32 (1), 64 (4)"),
        ({"benchmark": "sewing"}, "mixes benchmarks"),
        ({"division": "open"}, "mixes divisions"),
    ],
)
def test_mixed_folder_fails(
    fields: dict[str, object], says: str, make_run: MakeRun, folder: ResultFolder
) -> None:
    """Runs that differ in what must be the same are no submission."""
    outcome = check_submission(folder, [*[make_run()] * 4, make_run(**fields)], find_table)

    assert (outcome.passed, outcome.check) == (False, None)
    assert says in outcome.reason


def test_batch_size_that_nobody_logs_fails(make_run: MakeRun, folder: ResultFolder) -> None:
    """Without a batch size there is nothing to judge against."""
    outcome = check_submission(folder, [make_run(batch_size=None)] * 5, find_table)

    assert (outcome.passed, outcome.reason) == (False, "no run logs global_batch_size")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"division": "open"}, "the open division is not tested"),
        ({"benchmark": "weaving"}, "training/9.9 has no reference convergence points of weaving"),
        ({"requirement": None}, "training/9.9 does not know knitting"),
    ],
)
def test_what_is_not_tested_is_neither_passed_nor_failed(
    fields: dict[str, object], says: str, make_run: MakeRun, folder: ResultFolder
) -> None:
    """Open results, and benchmarks without points, are not tested, and the reason is said."""
    outcome = check_submission(folder, [make_run(**fields)] * 5, find_table)

    assert (outcome.passed, outcome.check) == (None, None)
    assert says in outcome.reason


def test_runs_to_come_have_a_chance(make_run: MakeRun, folder: ResultFolder) -> None:
    """With some runs done the folder is tested as it stands, and the chance of the whole is simulated."""
    outcome = check_submission(folder, [make_run()] * 4, find_table, draws=200)

    assert outcome.passed is True
    assert outcome.pass_probability is not None
    assert (
        outcome.pass_probability.done,
        outcome.pass_probability.required,
        outcome.pass_probability.draws,
    ) == (4, 5, 200)
    assert outcome.pass_probability.probability > 0.8


def test_one_run_has_a_chance_but_no_test(make_run: MakeRun, folder: ResultFolder) -> None:
    """One run cannot be tested, but what it promises can be told."""
    outcome = check_submission(folder, [make_run()], find_table, draws=200)

    assert (outcome.passed, outcome.check) == (None, None)
    assert "one run gives no mean" in outcome.reason
    assert outcome.pass_probability is not None


def test_run_that_missed_the_target_is_infinite(make_run: MakeRun, folder: ResultFolder) -> None:
    """A run without success has nowhere where it converged."""
    failed = make_run(status="aborted", converged_at=None)
    outcome = check_submission(folder, [*[make_run()] * 3, failed, failed], find_table)

    assert outcome.passed is False
    assert outcome.reason == "2 runs did not converge; 1 may"


def test_no_converged_run_has_no_chance(make_run: MakeRun, folder: ResultFolder) -> None:
    """Without a converged run there is nothing to simulate from."""
    outcome = check_submission(folder, [make_run(converged_at=None)] * 3, find_table)

    assert (outcome.passed, outcome.pass_probability) == (False, None)


def test_progress_is_read_in_the_unit_of_the_points(make_run: MakeRun, folder: ResultFolder) -> None:
    """Where the points count samples, samples are compared."""
    table = TABLE._replace(unit="samples", points=(ReferencePoint(64, (400.0,) * 5),))
    runs = [make_run(converged_at=Progress(epoch_num=1, samples_count=400))] * 5
    outcome = check_submission(folder, runs, lambda ruleset, benchmark: table)

    assert outcome.check is not None
    assert outcome.check.submission_mean == 400
