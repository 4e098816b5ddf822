"""Putting logs into a store."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest
from stores import ask, dump_store

from mlperf_logging import check_log, check_results, score_results, tabulate_evaluations, tabulate_runs
from mlperf_logging.engines.local import LocalEngine
from mlperf_logging.store import open_store
from mlperf_logging.store.checking import check_store
from mlperf_logging.store.ingest import ingest_logs
from mlperf_logging.store.schema import BY_NAME


def test_scores_and_tests_are_those_of_the_commands(project: Path, store: Path) -> None:
    """Every folder has the score and the test of convergence that scoring it gives."""
    submission = project / "examples" / "submission"
    ingest_logs([str(submission)], str(store))
    scores = {
        each.folder.path: (
            each.score_minutes,
            each.energy_kj,
            each.ruleset,
            len(each.runs),
            each.non_compliant,
        )
        for each in score_results(submission)
    }
    checks = {
        each.folder.path: (each.passed, each.reason, each.check and each.check.submission_mean)
        for each in check_results(submission, draws=0)
    }
    found = ask(store, "SELECT folder, score_minutes, energy_kj, ruleset, runs, non_compliant FROM scores")
    assert {folder: tuple(rest) for folder, *rest in found} == scores
    found = ask(store, "SELECT folder, passed, reason, submission_mean FROM rcp")
    assert {folder: tuple(rest) for folder, *rest in found} == checks


def test_runs_are_those_of_the_analysis(submission: Path, store: Path) -> None:
    """The view of submitted runs has the columns of `mlperf analyze` with the same values."""
    ingest_logs([str(submission)], str(store))
    analyzed = tabulate_runs(submission).sort_values("path", ignore_index=True)
    stored = open_store(store).submitted_runs()
    assert not (shared := set(analyzed) - set(stored)), shared
    for name in analyzed:
        assert stored[name].astype(object).where(stored[name].notna(), None).tolist() == (
            analyzed[name].astype(object).where(analyzed[name].notna(), None).tolist()
        ), name


def test_evaluations_are_those_of_the_analysis(submission: Path, store: Path) -> None:
    """The table of evaluations has every evaluation of the analysis."""
    ingest_logs([str(submission)], str(store))
    analyzed = tabulate_evaluations(submission)
    stored = open_store(store).query(
        "SELECT place AS path, e.* FROM evaluations e JOIN places USING (log_id, ruleset) ORDER BY place, position"
    )
    analyzed = analyzed.sort_values(["path", "evaluation"], kind="stable", ignore_index=True)
    for name in ("path", "quality", "minutes", "epochs", "samples", "meets_target", "line"):
        assert stored[name].tolist() == analyzed[name].tolist(), name


def test_a_log_seen_twice_is_one_log_at_two_places(submission: Path, store: Path, tmp_path: Path) -> None:
    """A copy of a log, compressed and elsewhere, adds a place and nothing else."""
    log = next(submission.rglob("result_0.txt"))
    copy = tmp_path / "elsewhere.log.gz"
    copy.write_bytes(gzip.compress(log.read_bytes()))
    ingest_logs([str(log)], str(store))
    summary = ingest_logs([str(copy)], str(store))
    assert (summary.read, summary.added) == (1, 0)
    assert [len(rows) for rows in (dump_store(store)[name] for name in ("logs", "places", "runs"))] == [
        1,
        2,
        1,
    ]


def test_the_second_time_nothing_is_read(
    submission: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs that the store holds are hashed, and neither read nor written."""
    first = ingest_logs([str(submission)], str(store))
    held = store.read_bytes()
    for name in ("read_log_rows", "write_batch"):
        monkeypatch.setattr(f"mlperf_logging.store.ingest.{name}", _refuse)
    second = ingest_logs([str(submission)], str(store))
    assert first.read == first.logs == second.unchanged == second.logs
    assert (second.read, second.added, second.folders) == (0, 0, 0)
    assert store.read_bytes() == held


def test_a_changed_log_takes_the_place_of_the_former(submission: Path, store: Path) -> None:
    """A log that goes on replaces what was there, and its folder is scored anew."""
    log = sorted(submission.rglob("result_1.txt"))[0]
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])
    ingest_logs([str(submission)], str(store))
    log.write_bytes(whole)
    summary = ingest_logs([str(submission)], str(store))
    assert summary.folders == 1
    clean = store.with_name("clean.duckdb")
    ingest_logs([str(submission)], str(clean))
    assert dump_store(store) == dump_store(clean)


def test_a_removed_log_leaves_with_its_folder(submission: Path, store: Path) -> None:
    """A log that is no longer in its folder leaves the store when the folder is ingested again."""
    ingest_logs([str(submission)], str(store))
    log = sorted(submission.rglob("result_1.txt"))[0]
    log.unlink()
    ingest_logs([str(submission)], str(store))
    clean = store.with_name("clean.duckdb")
    ingest_logs([str(submission)], str(clean))
    assert dump_store(store) == dump_store(clean)


def test_processes_and_orders_give_the_same_tables(submission: Path, store: Path) -> None:
    """Two processes, and the folders one by one in another order, give what one process gives."""
    ingest_logs([str(submission)], str(store))
    other = store.with_name("other.duckdb")
    folders = sorted({str(path.parent) for path in submission.rglob("result_*.txt")}, reverse=True)
    ingest_logs(folders, str(other), engine=LocalEngine(2))
    assert dump_store(store) == dump_store(other)


def test_findings_are_those_of_the_check(project: Path, store: Path) -> None:
    """Every broken example has the findings and the verdict of the check."""
    folder = project / "examples" / "logs" / "broken"
    ingest_logs([str(folder)], str(store))
    rows = ask(
        store,
        "SELECT place, verdict, list([code, rule, severity, key, message, hint, excerpt] ORDER BY position) "
        "FILTER (code IS NOT NULL) FROM places JOIN runs USING (log_id, ruleset) "
        "LEFT JOIN findings USING (log_id, run, ruleset) JOIN logs USING (log_id) "
        "WHERE run = if(logs.runs > 1, 0, 1) GROUP BY ALL",
    )
    assert len(rows) > 10
    for place, verdict, findings in rows:
        expected = check_log(place)
        told = [
            [each.code, each.rule, each.severity, each.key, each.message, each.hint, each.excerpt]
            for each in expected.findings
        ]
        assert (verdict, findings or []) == (expected.verdict, told), place


def test_a_file_of_several_runs_has_a_row_for_each(project: Path, store: Path) -> None:
    """Two runs in one file are rows 1 and 2, and row 0 says that there are two; events say whose they are."""
    ingest_logs([str(project / "examples" / "logs" / "broken" / "relaunched.txt")], str(store))
    assert ask(store, "SELECT runs FROM logs") == [(2,)]
    assert ask(store, "SELECT run, line, verdict FROM runs ORDER BY run") == [
        (0, None, "fail"),
        (1, 2, "fail"),
        (2, 49, "pass"),
    ]
    assert ask(store, "SELECT run, min(line) FROM events GROUP BY run ORDER BY run") == [(1, 2), (2, 49)]


def test_what_cannot_be_read_is_told_and_the_rest_is_stored(submission: Path, store: Path) -> None:
    """A broken archive of a log gives one sentence; the other logs of its folder are stored, and scored with it."""
    log = sorted(submission.rglob("result_1.txt"))[0]
    shutil.move(log, log.with_suffix(".txt.gz"))
    log.with_suffix(".txt.gz").write_bytes(b"\x1f\x8bno gzip at all")
    summary = ingest_logs([str(submission)], str(store))
    again = ingest_logs([str(submission)], str(store))
    (complaint,) = summary.complaints
    assert "compression is broken" in complaint
    assert again.complaints == summary.complaints
    assert again.read == 0
    held = len(dump_store(store)["places"])
    assert held == summary.logs - 1


def test_another_version_makes_all_rows_again(
    submission: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another version of the toolkit or other rules have made is replaced, and is not there twice."""
    ingest_logs([str(submission)], str(store))
    before = dump_store(store)
    monkeypatch.setattr("mlperf_logging.store.ingest.describe_maker", lambda _: "a newer one")
    summary = ingest_logs([str(submission)], str(store))
    assert (summary.read, summary.added) == (summary.logs, 0)
    assert dump_store(store) == before
    for name in ("logs", "places", "runs", "scores", "rcp", "systems"):
        assert ask(store, f"SELECT DISTINCT made_by FROM {name}") == [("a newer one",)]


def test_a_log_in_the_folders_of_two_rounds_is_judged_by_both(submission: Path, store: Path) -> None:
    """One log at two places that name rounds has a judgment of each; one that no place asks for any more leaves."""
    log = submission / "results" / "example_16x" / "llama2_70b_lora" / "result_0.txt"
    places = [submission.parent / f"training_results_v{round_}" / log.name for round_ in ("4.1", "5.1")]
    for place in places:
        place.parent.mkdir()
        shutil.copy(log, place)
    ingest_logs([str(place) for place in places], str(store))
    both = "SELECT round FROM runs ORDER BY round"
    assert ask(store, both) == [("4.1.0",), ("5.1.0",)]
    assert len(ask(store, "FROM logs")) == 1
    assert ask(store, "SELECT path, round FROM submitted_runs ORDER BY path") == [
        (str(place), round_) for place, round_ in zip(places, ("4.1.0", "5.1.0"), strict=True)
    ]
    shutil.copy(log.with_name("result_1.txt"), places[0])
    ingest_logs([str(place) for place in places], str(store))
    assert ask(
        store, f"SELECT round FROM runs JOIN places USING (log_id, ruleset) WHERE place = '{places[1]}'"
    ) == [("5.1.0",)]
    assert len(ask(store, "FROM logs")) == len(ask(store, "FROM runs")) == 2
    assert check_store(str(store)).faults == ()


def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("nothing is to be read or written")


def test_numbers_that_are_not_there_are_null(submission: Path, store: Path) -> None:
    """What a log does not show is NULL and not NaN, which SQL takes for the largest number."""
    for log in submission.rglob("result_*.txt"):
        kept = [line for line in log.read_bytes().splitlines(keepends=True) if b"init_start" not in line]
        log.write_bytes(b"".join(kept))
    ingest_logs([str(submission)], str(store))

    numbers = [column.name for column in BY_NAME["runs"].columns if column.type == "DOUBLE"]
    found = ask(
        store, f"SELECT {', '.join(f'count(*) FILTER (isnan({name}))' for name in numbers)} FROM runs"
    )
    assert found == [(0,) * len(numbers)]
    assert ask(store, "SELECT count(*) FROM runs WHERE init_minutes > 0") == [(0,)]
