"""Commands of the public package, the submissions that they are given, and how they end."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from checkout import PROJECT

EXAMPLE = PROJECT / "examples/submission/Example_Lab"
BENCHMARK = "results/example_8x/llama2_70b_lora"
RULES = ("training", "6.1.0")
LOGGED_TO = "** Logging output also at {}.log"
DROPPED = "consider adding --rcp_bypass in when running the package_checker."


class Answer(NamedTuple):
    """How a command ends: exit code, last line on standard output, last line on standard error."""

    code: int
    said: str = ""
    logged: str = ""


def take_last(text: str) -> str:
    """The last line of a text that is not empty."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def call(python: str, module: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the public package."""
    command = [python, "-m", f"mlperf_logging.{module}", *map(str, arguments)]
    paths = {"PYTHONPATH": str(PROJECT)} if python == sys.executable else {}
    environment = {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **paths}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def answer(python: str, module: str, *arguments: object, folder: Path) -> Answer:
    """How a command ends, without the list of findings that may stand in its last line."""
    done = call(python, module, *arguments, folder=folder)
    logged = re.sub(r": \[.*\]$", ": […]", take_last(done.stderr))
    return Answer(done.returncode, take_last(done.stdout), logged)


def edit(path: Path, change: Callable[[str], str]) -> None:
    """Change a text file."""
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def drop_lines(key: str) -> Callable[[str], str]:
    """What takes the lines of a key out of a log."""
    return lambda text: "".join(line for line in text.splitlines(True) if f'"key": "{key}"' not in line)


def fingerprint(folder: Path) -> dict[str, str]:
    """The hash of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def spoil_batch_size(submission: Path) -> None:
    """A key that is required is missing in a log."""
    edit(submission / BENCHMARK / "result_0.txt", drop_lines("global_batch_size"))


def spoil_record(submission: Path) -> None:
    """A record cannot be read."""
    edit(submission / BENCHMARK / "result_0.txt", lambda text: text + ":::MLLOG {bad\n")


def speed_up(submission: Path) -> None:
    """All runs converge far too fast."""
    for log in (submission / BENCHMARK).glob("result_*.txt"):
        edit(log, lambda text: text.replace('"samples_count": ', '"samples_count": 1, "was": '))


def enlarge_batch(submission: Path) -> None:
    """The batch size is larger than every reference point's."""
    for log in (submission / BENCHMARK).glob("result_*.txt"):
        edit(
            log,
            lambda text: text.replace(
                '"key": "global_batch_size", "value": 8', '"key": "global_batch_size", "value": 8000000'
            ),
        )


def abort_two(submission: Path) -> None:
    """Two runs did not succeed."""
    for number in (1, 2):
        log = submission / BENCHMARK / f"result_{number}.txt"
        edit(log, lambda text: text.replace('"success"', '"aborted"'))


def keep(submission: Path) -> None:
    """Nothing is wrong."""


def complete(submission: Path) -> None:
    """All that is unfinished in the example is taken away."""
    shutil.rmtree(submission / "results/example_16x/flux1")


def lose_run(submission: Path) -> None:
    """One of the runs is missing."""
    complete(submission)
    (submission / BENCHMARK / "result_9.txt").unlink()


def lose_seed(submission: Path) -> None:
    """A run logs no seed."""
    complete(submission)
    edit(submission / BENCHMARK / "result_3.txt", drop_lines("seed"))


def rush(submission: Path) -> None:
    """The runs of a whole submission converge too fast."""
    complete(submission)
    speed_up(submission)


def spoil_status(submission: Path) -> None:
    """A system description says a status that the round does not know."""
    edit(submission / "systems/example_8x.json", lambda text: text.replace("Available on-premise", "soon"))


def lose_field(submission: Path) -> None:
    """A system description lacks a field."""
    edit(submission / "systems/example_8x.json", lambda text: text.replace('"cooling"', '"colling"'))


def name_with_space(submission: Path) -> None:
    """A file has a name that repositories do not take."""
    (submission / "a b").write_text("")


def hide(submission: Path) -> None:
    """A file's name begins with a dot."""
    (submission / ".hidden").write_text("")


LOG = f"{{0}}/{BENCHMARK}/result_0.txt"
CHECKED = ("compliance_checker", "--usage", "training", "--ruleset", "6.1.0", LOG)
TESTED = ("rcp_checker", "--rcp_usage", "training", "--rcp_version", "6.1.0", f"{{0}}/{BENCHMARK}")
PACKAGE = ("package_checker", "{0}", *RULES)
PACKAGE_TO = "** Detailed log output is also at {}.log"
DIVIDER = f"INFO - {'-' * 30}"
DESCRIPTION = ("system_desc_checker", "{0}/systems/example_8x.json", *RULES)
REPOSITORY = ("repo_checker", "{0}", *RULES)
CASES: dict[str, tuple[Callable[[Path], None], tuple[str, ...], Answer]] = {
    "a compliant log": (keep, CHECKED, Answer(0, LOGGED_TO, "INFO - SUCCESS")),
    "a log that lacks a key": (spoil_batch_size, CHECKED, Answer(1, LOGGED_TO, "ERROR - FAILED")),
    "a log with a record that is cut short": (spoil_record, CHECKED, Answer(1, LOGGED_TO, "ERROR - FAILED")),
    "a configuration that names the round": (
        keep,
        ("compliance_checker", "--config", "training_6.1.0/common.yaml", LOG),
        Answer(0, LOGGED_TO, "INFO - SUCCESS"),
    ),
    "the newest round by default": (
        keep,
        ("compliance_checker", LOG),
        Answer(0, LOGGED_TO, "INFO - SUCCESS"),
    ),
    "a submission that converges like the reference": (
        keep,
        TESTED,
        Answer(0, LOGGED_TO, "INFO - RCP found, RCP test PASSED"),
    ),
    "all reference points": (
        keep,
        (*TESTED, "--rcp_pass", "full_rcps"),
        Answer(0, LOGGED_TO, "INFO - RCP found, RCP test PASSED"),
    ),
    "a submission that converges too fast": (
        speed_up,
        TESTED,
        Answer(1, LOGGED_TO, f"ERROR - RCP found, RCP test FAILED, {DROPPED}"),
    ),
    "a batch size beyond the reference": (
        enlarge_batch,
        TESTED,
        Answer(
            1,
            LOGGED_TO,
            f"ERROR - Missing RCP, please submit RCP with BS = 8000000, RCP test FAILED, {DROPPED}",
        ),
    ),
    "too many runs that did not converge": (
        abort_two,
        TESTED,
        Answer(1, LOGGED_TO, f"ERROR - Insufficient convergence, RCP test FAILED, {DROPPED}"),
    ),
    "an acceptable submission": (complete, PACKAGE, Answer(0, PACKAGE_TO, DIVIDER)),
    "a submission that lacks a run": (lose_run, PACKAGE, Answer(1, PACKAGE_TO, DIVIDER)),
    "a submission that lacks a seed": (lose_seed, PACKAGE, Answer(1, PACKAGE_TO, DIVIDER)),
    "a submission without a seed that is spared": (
        lose_seed,
        (*PACKAGE, "--seed-checker-bypass"),
        Answer(0, PACKAGE_TO, DIVIDER),
    ),
    "a submission that is too fast": (rush, PACKAGE, Answer(1, PACKAGE_TO, DIVIDER)),
    "a submission that is spared": (rush, (*PACKAGE, "--rcp-bypass"), Answer(0, PACKAGE_TO, DIVIDER)),
    "a system description": (
        keep,
        DESCRIPTION,
        Answer(0, LOGGED_TO, "INFO -   System description checker passed for example_8x"),
    ),
    "a description with an unknown status": (
        spoil_status,
        DESCRIPTION,
        Answer(1, LOGGED_TO, "ERROR -   System description checker failed for example_8x : […]"),
    ),
    "a description that lacks a field": (
        lose_field,
        DESCRIPTION,
        Answer(1, LOGGED_TO, "ERROR -   System description checker failed for example_8x : […]"),
    ),
    "a folder that repositories take": (keep, REPOSITORY, Answer(0, "", "INFO - ALL CHECKS PASSED.")),
    "a name with a space": (name_with_space, REPOSITORY, Answer(1, "", "INFO - CHECKS FAILED.")),
    "a name with a dot": (hide, REPOSITORY, Answer(1, "", "INFO - CHECKS FAILED.")),
}
"""What is wrong with the submission, what is called, and how it ends."""
