"""The example logs get the verdicts they are made for, and the example scripts run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from commands import run_mlperf

LOGS = PROJECT / "examples" / "logs"
CHECKS = json.loads((LOGS / "expected.json").read_text("utf-8"))["checks"]
SCRIPTS = [*sorted(PROJECT.glob("examples/0[1-5]_*.py")), PROJECT / "examples" / "11_score_results.py"]


def judge(*arguments: str, folder: Path = LOGS) -> dict[str, dict[str, Any]]:
    """Logs judged by one call of the command: path below the folder to its entry."""
    done = run_mlperf("check", "--format", "json", *arguments, folder=folder)
    document = json.loads(done.stdout)
    assert done.returncode == (1 if document["totals"]["fail"] else 0), done.stderr
    return {entry["path"]: entry for entry in document["files"]}


def summarize(entry: dict[str, Any], *, with_keys: bool) -> dict[str, Any]:
    """What is expected of an entry: its verdict, codes, and the keys that errors blame."""
    findings = entry["findings"]
    blamed = {each["key"] for each in findings if each["severity"] == "error" and each["key"]}
    return {
        "verdict": entry["verdict"],
        "codes": sorted({each["code"] for each in findings}),
        "keys": sorted(blamed) if with_keys else None,
    }


def test_example_logs_get_their_verdicts() -> None:
    """Verdict, blamed keys and codes of each example log are those that its folder promises."""
    groups: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for check in CHECKS:
        groups.setdefault((check["usage"], check["ruleset"], check["strict"]), []).append(check)
    wrong = []
    for (usage, ruleset, strict), checks in groups.items():
        options = ["--usage", usage, "--ruleset", ruleset, *(["--strict"] if strict else [])]
        entries = judge(*options, *[check["path"] for check in checks])
        for check in checks:
            wanted = {name: check[name] for name in ("verdict", "codes", "keys")}
            found = summarize(entries[check["path"]], with_keys=check["keys"] is not None)
            if found != wanted:
                wrong.append(f"{check['path']} by {usage}/{ruleset}: {found} where {wanted} is expected")

    assert len(CHECKS) > 30
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", ["compliant", "broken"])
def test_chosen_rounds_agree_with_the_folders(folder: str) -> None:
    """Without a ruleset named, each log is judged by a round that gives the folder's verdict."""
    verdicts = {path: entry["verdict"] for path, entry in judge(folder).items()}
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
    """No invented log is larger than a page or two of a browser, 20 kB; those of real runs up to 32 kB."""
    sizes = {path: path.stat().st_size for path in LOGS.glob("*/*.txt")}

    assert [path for path, size in sizes.items() if size > 32_000] == []
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
