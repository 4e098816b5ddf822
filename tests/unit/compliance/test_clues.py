"""What tells the round of a log that names none: the folders above it, and its date."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from logs import mllog
from rule_folders import RuleFolder, write_round

from mlperf_logging.compliance.checking import check_log
from mlperf_logging.compliance.judged_run import judge_run

NEWEST = ("3.0.0", "the newest round that knows knitting in the mllog dialect")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Three rounds, the first two with dates, the last with a key that no log held before."""
    folder = tmp_path / "rules"
    folder.mkdir()
    text = 'clues: {from: "2001-03-01", until: "2001-05-31"}\n'
    write_round(folder, text, name="craft/1.0.0", knitting="both:\n  eval_accuracy: any number\n")
    written = RuleFolder(folder)
    clues = 'clues: {from: "2002-03-01", until: "2002-05-31"}'
    written.write("craft/2.0.0.yaml", f"extends: 1.0.0\ntitle: Craft 2\n{clues}\n")
    written.write("craft/3.0.0.yaml", "extends: 2.0.0\ntitle: Craft 3\nclues: {keys: [yarn]}\n")
    return folder


def write_log(path: Path, day: str = "1999-01-01", *keys: str) -> str:
    """A log of a run of that day, at noon, with some keys."""
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=timezone.utc).timestamp() * 1000
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("submission_benchmark", *keys, "run_start")
    path.write_bytes(b"".join([mllog(key, "knitting", noon) for key in names]))
    return str(path)


@pytest.mark.parametrize(
    ("place", "chosen"),
    [
        ("craft_results_v1.0/a/results/b/knitting", ("1.0.0", "the round of the folder craft_results_v1.0")),
        ("craft_results_v2.0/craft_results_v1.0", ("1.0.0", "the round of the folder craft_results_v1.0")),
        ("craft_results_v4.0", NEWEST),
        ("sewing_results_v1.0", NEWEST),
        ("my_craft_results_v1.0_copy", NEWEST),
        ("results", NEWEST),
    ],
)
def test_folder_of_published_results_chooses(
    place: str, chosen: tuple[str, str], rules: Path, tmp_path: Path
) -> None:
    """The nearest folder that is named as published results are counts, if it names a round that knows the benchmark."""
    path = write_log(tmp_path / place / "result_0.txt")
    verdict = check_log(path, rules=rules)
    assert (verdict.ruleset, verdict.ruleset_reason) == chosen
    assert judge_run(path, rules=rules).verdict.ruleset == chosen[0]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("rcp-bypass\nruleset 2.0.0\n", ("2.0.0", "the round that package_checker_params names")),
        ("--usage=craft\n--ruleset=1.0", ("1.0.0", "the round that package_checker_params names")),
        ("usage pottery\nruleset 1.0.0\n", NEWEST),
        ("rcp-bypass\nseed-checker-bypass\n", NEWEST),
        ("", NEWEST),
    ],
)
def test_options_of_the_package_checker_choose(
    text: str, chosen: tuple[str, str], rules: Path, tmp_path: Path
) -> None:
    """The round that a submission's package_checker_params gives counts; the file may have no round."""
    path = write_log(tmp_path / "submitter/results/system/knitting/result_0.txt")
    (tmp_path / "submitter/package_checker_params").write_text(text)
    verdict = check_log(path, rules=rules)
    assert (verdict.ruleset, verdict.ruleset_reason) == chosen


@pytest.mark.parametrize(
    ("day", "keys", "chosen"),
    [
        ("2001-03-01", (), ("1.0.0", "the round under way at the log's date, 2001-03-01")),
        ("2001-05-31", (), ("1.0.0", "the round under way at the log's date, 2001-05-31")),
        ("2002-04-01", ("wool",), ("2.0.0", "the round under way at the log's date, 2002-04-01")),
        ("2001-06-01", (), NEWEST),
        ("2001-02-28", (), NEWEST),
        ("2003-01-01", (), NEWEST),
        ("2002-04-01", ("yarn",), NEWEST),
    ],
)
def test_date_chooses(
    day: str, keys: tuple[str, ...], chosen: tuple[str, str], rules: Path, tmp_path: Path
) -> None:
    """A run of the days of a round is judged by it, unless its log holds a key that came later."""
    verdict = check_log(write_log(tmp_path / "run.log", day, *keys), rules=rules)
    assert (verdict.ruleset, verdict.ruleset_reason) == chosen


def test_folder_counts_more_than_date(rules: Path, tmp_path: Path) -> None:
    """Results that are submitted again are of the round in whose folder they stand."""
    path = write_log(tmp_path / "craft_results_v2.0/run.log", "2001-04-01")
    assert check_log(path, rules=rules).ruleset == "2.0.0"


def test_named_round_counts_more_than_clues(rules: Path, tmp_path: Path) -> None:
    """What the caller asks for, or the log names, is not overruled."""
    path = tmp_path / "craft_results_v1.0/run.log"
    assert check_log(write_log(path), rules=rules, ruleset="2.0").ruleset_reason == "as requested"
    path.write_bytes(path.read_bytes() + mllog("submission_ruleset", "craft/3.0.0"))
    assert check_log(str(path), rules=rules).ruleset == "3.0.0"


@pytest.mark.parametrize("time_ms", [float("nan"), float("inf"), -1e300, 10**400])
def test_any_time_is_taken(time_ms: float, rules: Path) -> None:
    """A time that is no date is no clue."""
    log = mllog("submission_benchmark", "knitting", time_ms)
    assert check_log(log, rules=rules).ruleset == "3.0.0"
