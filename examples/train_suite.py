"""The suite at mini scale as one result: data, training, checks, score, report and picture, with the commands a user would run.

    python examples/train_suite.py                        seven trainers, five runs each, below out/suite
    python examples/train_suite.py --price 0.10/h         with what it costs; --energy-price and --prices likewise

Finished runs are kept and an interrupted one is resumed, so the command may be repeated until all is done. A step that fails
does not stop those after it; the last lines say which failed.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = SCALE = "mini"
SUBMITTER = "reference"
_SECONDS_PER_MINUTE = 60


def list_steps(options: argparse.Namespace) -> list[tuple[str, ...]]:
    """The commands, in order."""
    output, data = str(options.output), str(options.data)
    given = [
        ("--price", options.price),
        ("--energy-price", options.energy_price),
        ("--prices", options.prices),
    ]
    prices = [text for name, value in given if value is not None for text in (name, value)]
    report, picture = (str(options.output / f"suite.{suffix}") for suffix in ("html", "png"))
    scale = ("--scale", SCALE, "--data", data)
    return [
        ("mlperf", "train", "data", "all", *scale),
        ("mlperf", "train", "all", *scale, "--runs", str(options.runs), "--output", output, "--resume"),
        ("mlperf", "package", "--strict", str(options.output / SUBMITTER)),
        ("mlperf", "rcp", output),
        ("mlperf", "report", output, "--suite", SUITE, *prices, "--output", report),
        ("mlperf", "plot", "suite", output, "--suite", SUITE, "--output", picture),
        ("mlperf", "score", output, "--suite", SUITE, *prices),
    ]


def run(command: Sequence[str]) -> int:
    """Run a command of this environment visibly and return its exit code."""
    print(f"\n$ {shlex.join(command)}", flush=True)
    name, *rest = command
    program = Path(sys.executable).parent / name
    return subprocess.run([str(program), *rest], cwd=ROOT, check=False).returncode  # noqa: S603 - the commands above


def describe_machine(output: Path) -> str:
    """The machine, from its system description."""
    (facts, *_) = [json.loads(path.read_text("utf-8")) for path in output.glob("*/systems/*.json")]
    keys = ("system_name", "host_processor_model_name", "host_memory_capacity", "framework")
    return ", ".join(str(facts[key]) for key in keys)


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(description="The suite at mini scale as one result.")
    parser.add_argument("--output", type=Path, default=Path("out") / "suite", help="default: out/suite")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of all data (default: data)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each trainer (default: 5)")
    for name in ("--price", "--energy-price", "--prices"):
        parser.add_argument(name, help="see mlperf score")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it all; 1 when a step says that something is not as it should be."""
    options = build_parser().parse_args(arguments)
    started = time.monotonic()
    steps = list_steps(options)
    failed = [step for step in steps if run(step)]
    print()
    if list((ROOT / options.output).glob("*/systems/*.json")):
        print(f"{'machine':9} {describe_machine(ROOT / options.output)}")
    print(f"{'took':9} {(time.monotonic() - started) / _SECONDS_PER_MINUTE:,.1f} minutes")
    for what, suffix in (("report", "html"), ("picture", "png")):
        path = options.output / f"suite.{suffix}"
        print(f"{what:9} {path if (ROOT / path).exists() else 'none'}")
    for step in failed:
        print(f"{'failed':9} {shlex.join(step)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
