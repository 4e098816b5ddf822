"""The example logs get the verdicts they are made for, and the example scripts run."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LOGS = PROJECT / "examples" / "logs"
CHECKS = json.loads((LOGS / "expected.json").read_text("utf-8"))["checks"]
SCRIPTS = [*sorted(PROJECT.glob("examples/0[1-5]_*.py")), PROJECT / "examples" / "11_score_results.py"]
MLPERF_CHECK = Path(sys.executable).parent / "mlperf-check"


@cache
def judge_together(usage: str, ruleset: str, strict: bool) -> dict[str, Any]:
    """All logs of one ruleset judged by one real call of the command: path below the folder to its entry."""
    paths = [
        check["path"]
        for check in CHECKS
        if (check["usage"], check["ruleset"], check["strict"]) == (usage, ruleset, strict)
    ]
    options = ["--usage", usage, "--ruleset", ruleset, "--format", "json", *(["--strict"] if strict else [])]
    answer = subprocess.run([MLPERF_CHECK, *options, *paths], cwd=LOGS, capture_output=True, check=False)
    assert answer.returncode in (0, 1), answer.stderr.decode()
    document = json.loads(answer.stdout)
    expected_code = 1 if document["totals"]["fail"] else 0
    assert answer.returncode == expected_code
    return {entry["path"]: entry for entry in document["files"]}


def name_check(check: dict[str, Any]) -> str:
    """A test id that names the log and what judges it."""
    return f"{check['path']}-{check['usage']}/{check['ruleset']}{'-strict' if check['strict'] else ''}"


@pytest.mark.parametrize("check", CHECKS, ids=name_check)
def test_example_log_gets_its_verdict(check: dict[str, Any]) -> None:
    """Verdict, blamed keys and codes of an example log are those that its folder promises."""
    entry = judge_together(check["usage"], check["ruleset"], check["strict"])[check["path"]]
    errors = [finding for finding in entry["findings"] if finding["severity"] == "error"]

    assert entry["verdict"] == check["verdict"]
    if check["keys"] is not None:
        assert sorted({finding["key"] for finding in errors if finding["key"]}) == check["keys"]
    assert sorted({finding["code"] for finding in entry["findings"]}) == check["codes"]


@pytest.mark.parametrize("folder", ["compliant", "broken"])
def test_chosen_rounds_agree_with_the_folders(folder: str) -> None:
    """Without a ruleset named, each log is judged by a round that gives the folder's verdict."""
    answer = subprocess.run(
        [MLPERF_CHECK, "--format", "json", folder], cwd=LOGS, capture_output=True, check=False
    )
    verdicts = {entry["path"]: entry["verdict"] for entry in json.loads(answer.stdout)["files"]}
    needs_strict = {check["path"] for check in CHECKS if check["verdict"] == "pass"} & {
        check["path"] for check in CHECKS if check["verdict"] == "fail"
    }
    expected = {
        f"{folder}/{path.name}": "pass"
        if folder == "compliant" or f"{folder}/{path.name}" in needs_strict
        else "fail"
        for path in (LOGS / folder).iterdir()
    }

    assert verdicts == expected


def test_every_shipped_log_is_expected_somewhere() -> None:
    """No log lies in the folders without a verdict that it must get."""
    shipped = {
        path.relative_to(LOGS).as_posix()
        for folder in ("compliant", "broken")
        for path in (LOGS / folder).iterdir()
    }

    assert shipped == {check["path"] for check in CHECKS}


def test_logs_are_what_their_maker_makes() -> None:
    """Logs, index and expectations are those that the generator writes."""
    answer = subprocess.run(
        [sys.executable, LOGS / "make_logs.py", "--check"], capture_output=True, text=True, check=False
    )

    assert (answer.returncode, answer.stdout) == (0, "")


def test_logs_are_small() -> None:
    """No invented log is larger than a page or two of a browser, 20 kB; those of real runs may have half as much again."""
    sizes = {path: path.stat().st_size for path in LOGS.glob("*/*.txt")}

    assert [path for path, size in sizes.items() if size > 30_000] == []
    assert [path for path, size in sizes.items() if size > 20_000 and path.parent.name != "trained"] == []


def test_examples_cover_every_dialect() -> None:
    """Each log dialect that the reader knows has a compliant and a broken example."""
    from mlperf_logging import read_log
    from mlperf_logging.parsing.dialects import load_dialects

    for folder in ("compliant", "broken"):
        spoken = {read_log(path).dialect for path in (LOGS / folder).iterdir()}

        assert spoken - {None} == {dialect.name for dialect in load_dialects()}


def test_demo_ends_well() -> None:
    """The demo exits with 0 although it shows logs that are not compliant."""
    answer = subprocess.run(
        [sys.executable, PROJECT / "examples" / "demo.py"], capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stdout[-2000:]
    assert answer.stdout.rstrip().endswith("every verdict as expected")


def test_demo_fails_when_a_verdict_differs(tmp_path: Path) -> None:
    """The demo exits with 1 and says what differs when an expectation does not hold."""
    examples = tmp_path / "examples"
    logs = examples / "logs"
    for folder in ("compliant", "broken"):
        (logs / folder).mkdir(parents=True)
        for path in (LOGS / folder).iterdir():
            (logs / folder / path.name).write_bytes(path.read_bytes())
    (examples / "demo.py").write_text((PROJECT / "examples" / "demo.py").read_text("utf-8"), "utf-8")
    check = next(check for check in CHECKS if check["verdict"] == "fail")
    (logs / "expected.json").write_text(json.dumps({"checks": [check | {"keys": ["another"]}]}), "utf-8")

    answer = subprocess.run(
        [sys.executable, examples / "demo.py"], capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert "NOT AS EXPECTED" in answer.stdout


def test_scripts_are_found() -> None:
    """The scripts about reading, judging and scoring are where the tests look for them."""
    assert len(SCRIPTS) == 6


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_script_runs(script: Path, tmp_path: Path) -> None:
    """A numbered example script runs from any folder, ends with 0 and prints something."""
    answer = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip()
    assert "Traceback" not in answer.stderr
