"""Run every benchmark of this folder, one after another: `python -m benchmarks [--json FOLDER]`.

`MLPERF_PEER_PYTHON` names the Python of an environment that has the public `mlperf-logging` package.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run them and tell which failed."""
    parser = argparse.ArgumentParser(description="Run every benchmark of this folder.")
    parser.add_argument("names", nargs="*", help="only these, for example: checking")
    parser.add_argument("--json", type=Path, help="folder for the figures of each benchmark")
    options = parser.parse_args()
    peer = os.environ.get("MLPERF_PEER_PYTHON")
    known = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}; choose from {', '.join(known)}")
    failed = []
    for name in options.names or known:
        command = [sys.executable, str(known[name]), *(["--peer", peer] if peer else [])]
        if options.json:
            options.json.mkdir(parents=True, exist_ok=True)
            command += ["--json", str(options.json / f"{name}.json")]
        print(f"== {name}", flush=True)
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"FAILED: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
