"""Judge a run's events as they arrive, so a mistake shows in the first minute."""

from pathlib import Path

from mlperf_logging import read_log, start_judge

log = read_log(Path(__file__).parent / "logs" / "broken" / "wrong_hyperparameter.txt")
judge = start_judge(ruleset="6.1.0", usage="training")
for event in log.events:  # in a real run: as each event is logged
    for finding in judge.feed(event):
        print(f"at line {event.line} of {log.events[-1].line}: {finding.code} {finding.message}")
for finding in judge.finish():
    print(f"at the end: {finding.code} {finding.message}")
print(f"run status: {judge.run.status}, {judge.run.minutes:.1f} minutes")
