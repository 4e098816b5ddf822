"""Results of a suite at mini scale, made of the logs of trained runs: other seeds, other times, no training."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from checkout import PROJECT

from tests.logs import read_records

TRAINED = PROJECT / "examples" / "logs" / "trained"
BENCHMARKS = ("ncf", "resnet", "sentiment", "transformer")
SYSTEM = "made_up"
FACTS = {
    "system_name": SYSTEM,
    "host_processor_model_name": "Made-up",
    "host_processor_vcpu_count": "2",
    "host_memory_capacity": "8 GiB",
    "framework": "TensorFlow",
}


def write_log(path: Path, benchmark: str, seed: int, seconds: float) -> None:
    """The log of a compliant run: a trained one, with another seed and so long a time from run_start to run_stop."""
    records = read_records((TRAINED / f"{benchmark}.txt").read_text("utf-8"))
    times = {
        record["key"]: record["time_ms"] for record in records if record["key"] in ("run_start", "run_stop")
    }
    start = times["run_start"]
    factor = seconds * 1_000 / (times["run_stop"] - start)
    for record in records:
        if record["time_ms"] > start:
            record["time_ms"] = round(start + (record["time_ms"] - start) * factor)
        if record["key"] == "seed":
            record["value"] = seed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f":::MLLOG {json.dumps(record)}\n" for record in records))


def write_suite(
    output: Path, seconds: dict[str, Iterable[float]], first_seed: int = 1, submitter: str = "reference"
) -> Path:
    """Results of several benchmarks, a run for each of the seconds; returns the submitter's folder."""
    home = output / submitter
    for benchmark, times in seconds.items():
        for number, time in enumerate(times):
            log = home / "results" / SYSTEM / benchmark / f"result_{number}.txt"
            write_log(log, benchmark, first_seed + number, time)
    (home / "systems").mkdir(exist_ok=True)
    (home / "systems" / f"{SYSTEM}.json").write_text(json.dumps(FACTS))
    return home
