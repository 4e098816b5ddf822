"""Faults that a submission may have: each as what makes it in a good one, and what is found then."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from checkout import PROJECT
from logs import power

BENCHMARK = "results/example_8x/llama2_70b_lora"
DESCRIPTION = "systems/example_8x.json"
Fault = Callable[[Path], object]
Found = set[tuple[str, str, str]]
"""Severity, rule and place of findings."""


def log(number: int, folder: Path) -> Path:
    """A log of the submission."""
    return folder / BENCHMARK / f"result_{number}.txt"


def replace(path: Path, before: str, after: str) -> None:
    """Replace a text in a file, which must be there."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def describe(folder: Path, **fields: str | None) -> None:
    """Change fields of the system description; None removes one."""
    described = json.loads((folder / DESCRIPTION).read_text()) | fields
    (folder / DESCRIPTION).write_text(
        json.dumps({key: value for key, value in described.items() if value is not None}, indent=2)
    )


def write_power(folder: Path, nodes: dict[int, range]) -> None:
    """Readings every second over each run, from the nodes of each run."""
    for number, these in nodes.items():
        times = [float(time) for time in re.findall(r'"time_ms": (\d+)', log(number, folder).read_text())]
        lines = [power("power_measurement_start", None, times[0])]
        lines += [power("power_reading", 800, time) for time in range(int(times[0]), int(times[-1]), 1000)]
        lines += [power("power_measurement_stop", None, times[-1]), power("conversion_eff", 0.96, times[-1])]
        target = folder / BENCHMARK / "power" / f"result_{number}"
        target.mkdir(parents=True)
        for node in these:
            (target / f"node_{node}.txt").write_bytes(b"".join(lines))


def miss_target(number: int, folder: Path) -> None:
    """Make a run one that misses its target."""
    replace(log(number, folder), '"value": 0.924', '"value": 0.926')
    replace(log(number, folder), '"status": "success"', '"status": "aborted"')


def fill(path: Path, size: int) -> None:
    """Write a file of a size, without taking that much of the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def converge_early(folder: Path) -> None:
    """Make all runs converge after three quarters of the samples."""
    for number in range(10):
        text = log(number, folder).read_text()
        log(number, folder).write_text(
            re.sub(
                r'"samples_count": (\d+)', lambda found: f'"samples_count": {int(found[1]) * 3 // 4}', text
            )
        )


FAULTS: dict[str, tuple[Fault, Found]] = {
    "a run is missing": (lambda at: log(9, at).unlink(), {("error", "runs-missing", BENCHMARK)}),
    "a run too many": (
        lambda at: log(10, at).write_text(log(9, at).read_text().replace('"value": 3310', '"value": 9')),
        {("error", "too-many-runs", BENCHMARK)},
    ),
    "a file that does not belong there": (
        lambda at: (at / BENCHMARK / "notes.md").write_text("to do"),
        {("warning", "extra-file", f"{BENCHMARK}/notes.md")},
    ),
    "a log under another name": (
        lambda at: log(9, at).rename(at / BENCHMARK / "result9.txt"),
        {("error", "wrong-file-name", f"{BENCHMARK}/result9.txt")},
    ),
    "the same seed twice": (
        lambda at: replace(log(1, at), '"value": 3302', '"value": 3301'),
        {("error", "seed-repeated", BENCHMARK)},
    ),
    "a seed as a word": (
        lambda at: replace(log(1, at), '"value": 3302', '"value": "none"'),
        {("error", "seed-not-a-number", f"{BENCHMARK}/result_1.txt")},
    ),
    "a seed as text": (
        lambda at: replace(log(1, at), '"value": 3302', '"value": "3302"'),
        {("warning", "seed-not-a-number", f"{BENCHMARK}/result_1.txt")},
    ),
    "no seed": (
        lambda at: replace(log(1, at), '"key": "seed"', '"key": "sown"'),
        {("error", "seed-missing", f"{BENCHMARK}/result_1.txt")},
    ),
    "a broken system description": (
        lambda at: replace(at / DESCRIPTION, '"submitter":', '"submitter"'),
        {("error", "description-unreadable", DESCRIPTION)},
    ),
    "a field missing": (
        lambda at: describe(at, cooling=None),
        {("error", "description-field-missing", DESCRIPTION)},
    ),
    "a wrong status": (
        lambda at: describe(at, status="available"),
        {("error", "description-value", DESCRIPTION)},
    ),
    "nodes that contradict the logs": (
        lambda at: [
            describe(at, number_of_nodes="4"),
            *[
                replace(log(number, at), '"value": "example_8x"', '"value": "2xexample_8x"')
                for number in range(10)
            ],
        ],
        {("error", "description-nodes", DESCRIPTION)},
    ),
    "a system without a description": (
        lambda at: (at / DESCRIPTION).rename(at / "systems" / "example_9x.json"),
        {
            ("error", "description-missing", DESCRIPTION),
            ("warning", "description-unused", "systems/example_9x.json"),
        },
    ),
    "a gap in the power nodes": (
        lambda at: write_power(at, {**{number: range(3) for number in range(9)}, 9: range(0, 3, 2)}),
        {("error", "power-numbering", f"{BENCHMARK}/power/result_9")},
    ),
    "a power node less": (
        lambda at: write_power(at, {**{number: range(2) for number in range(9)}, 9: range(1)}),
        {("error", "power-count-differs", f"{BENCHMARK}/power/result_9")},
    ),
    "a run without power": (
        lambda at: write_power(at, {number: range(1) for number in range(9)}),
        {("error", "power-missing", f"{BENCHMARK}/result_9.txt")},
    ),
    "a dangling link": (
        lambda at: (at / "benchmarks").mkdir() or (at / "benchmarks" / "link").symlink_to("nothing"),
        {("error", "dangling-link", "benchmarks/link")},
    ),
    "a link that leads out": (
        lambda at: (at / "systems" / "hosts").symlink_to(PROJECT / "README.md"),
        {("error", "dangling-link", "systems/hosts")},
    ),
    "a file of 60 MB": (
        lambda at: fill(at / "benchmarks" / "llama2_70b_lora" / "weights.bin", 60 << 20),
        {("error", "file-too-large", "benchmarks/llama2_70b_lora/weights.bin")},
    ),
    "a space in a name": (
        lambda at: fill(at / "benchmarks" / "my code" / "run.sh", 0),
        {("error", "name-not-portable", "benchmarks/my code")},
    ),
    "a hidden file": (
        lambda at: fill(at / "systems" / ".DS_Store", 0),
        {("error", "name-not-portable", "systems/.DS_Store")},
    ),
    "convergence that is too fast": (converge_early, {("error", "convergence-not-accepted", BENCHMARK)}),
    "a factor that the runs do not give": (
        lambda at: (at / BENCHMARK / "scaling.json").write_text('{"scaling_factor": 0.9}'),
        {("error", "scaling-differs", f"{BENCHMARK}/scaling.json")},
    ),
    "a factor that cannot be read": (
        lambda at: (at / BENCHMARK / "scaling.json").write_text('{"scaling_factor": "1"}'),
        {("error", "scaling-unreadable", f"{BENCHMARK}/scaling.json")},
    ),
    "no factor": (
        lambda at: (at / BENCHMARK / "scaling.json").unlink(),
        {("warning", "scaling-missing", BENCHMARK)},
    ),
    "a parameter that is misspelled": (
        lambda at: (at / "package_checker_params").write_text("--rcp-bypass\n"),
        {("warning", "unknown-parameter", "package_checker_params")},
    ),
    "a folder with another name": (
        lambda at: (at / BENCHMARK).rename(at / BENCHMARK.replace("lora", "Lora")),
        {("error", "wrong-folder-name", BENCHMARK.replace("lora", "Lora"))},
    ),
    "one run of another division": (
        lambda at: replace(log(1, at), '"value": "closed"', '"value": "open"'),
        {("error", "runs-disagree", BENCHMARK), ("error", "description-division", DESCRIPTION)},
    ),
}
