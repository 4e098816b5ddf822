"""Time to check whole submissions, compared with the public package checker: `mlperf package` of a round.

    python benchmarks/bench_packages.py --peer /path/to/python [--round FOLDER --ruleset 4.0.0] [--json FILE] [--page FILE]

`--round` names a folder of submitters; without it, four copies of the example submission are checked. `--peer` names the
Python of an environment that has the public `mlperf-logging` package; without it only this project is measured.

Everything is checked in a copy, since the public checker writes `scaling.json` into what it checks. It ends in a traceback
where a system has no description, so a system of the copy that has none gets one. The public checker takes one submitter
per call, so its time is that of a call for each; ours takes the round in one call, with one process and with two. Times are
wall-clock, from the start of a process to its end; ours are the least and the median of the turns, the public one's is one
turn.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from harness import add_peer_option, describe_machine

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "submission" / "Example_Lab"
FIGURES = re.compile(r"(?s)(```text\n).*?(\n```)")


def copy_round(source: Path | None, place: Path) -> int:
    """Copy a round, or the example submission four times, and add what descriptions are missing; the number of logs."""
    if source is None:
        for number in range(4):
            shutil.copytree(EXAMPLE, place / f"Lab_{number}")
    else:
        shutil.copytree(source, place)
    pattern = json.loads((EXAMPLE / "systems" / "example_8x.json").read_text())
    for system in place.glob("*/results/*/"):
        description = system.parent.parent / "systems" / f"{system.name}.json"
        if not description.exists():
            description.parent.mkdir(exist_ok=True)
            names = {"submitter": system.parent.parent.name, "system_name": system.name}
            description.write_text(json.dumps(pattern | names))
    return sum(1 for _ in place.rglob("result_*.txt"))


def time_command(folder: Path, *command: str | Path) -> tuple[float, str]:
    """Seconds that a command takes in a folder, where the public checker writes its log, and what it prints."""
    begin = time.perf_counter()
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    return time.perf_counter() - begin, done.stdout + done.stderr


def measure(place: Path, ruleset: str, peer: str | None, turns: int) -> dict[str, object]:
    """The figures, in seconds."""
    figures: dict[str, object] = {}
    ours: dict[str, list[float]] = {"1": [], "2": []}
    for _ in range(turns):
        for jobs, seconds in ours.items():
            command = [sys.executable, "-m", "mlperf_logging.cli.main", "package", "--ruleset", ruleset]
            seconds.append(time_command(place.parent, *command, "--jobs", jobs, place)[0])
    for jobs, seconds in ours.items():
        figures[f"ours, --jobs {jobs}, least"] = round(min(seconds), 3)
        figures[f"ours, --jobs {jobs}, median"] = round(statistics.median(seconds), 3)
    if peer is not None:
        total, unjudged = 0.0, 0
        for submitter in sorted(each for each in place.iterdir() if each.is_dir()):
            module = "mlperf_logging.package_checker"
            seconds, said = time_command(place.parent, peer, "-m", module, submitter, "training", ruleset)
            total, unjudged = total + seconds, unjudged + ("ERRORS" not in said)  # FOUND ERRORS, NO ERRORS
        figures["peer, a call for each submitter"] = round(total, 3)
        figures["calls of the peer without a verdict"] = unjudged
        figures["times faster, --jobs 2, median"] = round(total / statistics.median(ours["2"]), 1)
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and put the figures where they are asked for."""
    parser = argparse.ArgumentParser(description="Time to check whole submissions.")
    add_peer_option(parser)
    parser.add_argument("--round", type=Path, help="folder of submitters")
    parser.add_argument("--ruleset", default="6.1.0", help="the round's rules")
    parser.add_argument("--turns", type=int, default=5, help="turns of this project")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--page", type=Path, help="put the figures into the block of text on this page")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "round")
        logs = copy_round(options.round, place)
        figures = {
            "logs": logs,
            "submitters": sum(1 for each in place.iterdir() if each.is_dir()),
            **measure(place, options.ruleset, options.peer, options.turns),
        }
    width = max(map(len, figures))
    text = "\n".join(
        [describe_machine(), "", *(f"{name:{width}}  {value}" for name, value in figures.items())]
    )
    print(text)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    if options.page:
        page = options.page.read_text()
        options.page.write_text(FIGURES.sub(lambda found: found[1] + text + found[2], page, count=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
