"""Read a log's events: here, how quality grows from evaluation to evaluation."""

from pathlib import Path

from mlperf_logging import read_log

log = read_log(Path(__file__).parent / "logs" / "compliant" / "6.1.0_llama31_8b.txt")
print(f"{len(log.events)} events in the {log.dialect} dialect, {len(log.problems)} problems")

start_ms = next(event.time_ms for event in log.events if event.key == "run_start")
for event in log.events:
    if event.key == "eval_accuracy":
        minutes = (event.time_ms - start_ms) / 60_000
        samples = event.metadata["samples_count"]
        print(f"line {event.line}: {event.value:.4f} after {samples:,} samples, {minutes:.1f} minutes")
