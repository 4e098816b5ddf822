"""Train, check, score, test and draw: one benchmark from data to pictures, with the commands a user would run.

    python examples/demo_training.py [OUTPUT]

Trains the recommendation trainer at mini scale with five seeds, a minute or two in all; the results are a submission-shaped
folder below ``out/demo``. What an earlier call left there is removed.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 5
TASK, SCALE = "recommendation", "mini"
DATA = Path("data")


def run(*command: str) -> int:
    """Run a command of this environment visibly and return its exit code."""
    print(f"\n$ {shlex.join(command)}", flush=True)
    name, *rest = command
    program = Path(sys.executable).parent / name
    return subprocess.run([str(program), *rest], cwd=ROOT, check=False).returncode  # noqa: S603


def main() -> int:
    """Do it all; 1 when a step says that something is not as it should be."""
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "demo"
    shutil.rmtree(ROOT / output, ignore_errors=True)
    pictures = {kind: str(output / f"{kind}.png") for kind in ("convergence", "rcp")}
    data = str(DATA / TASK / SCALE)
    steps = [
        ("mlperf", "train", "data", TASK, "--scale", SCALE, "--data", data),
        ("mlperf", "train", TASK, "--runs", str(RUNS), "--data", str(DATA), "--output", str(output)),
        ("mlperf-check", str(output)),
        ("mlperf", "score", str(output)),
        ("mlperf", "rcp", str(output)),
        *(("mlperf", "plot", kind, str(output), "--output", path) for kind, path in pictures.items()),
    ]
    for step in steps:
        if code := run(*step):
            print(f"exit code {code}; the rest of the demonstration is left out")
            return 1
    print(f"\n{'logs':12} {output}/reference/results")
    for kind, path in pictures.items():
        print(f"{kind:12} {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
