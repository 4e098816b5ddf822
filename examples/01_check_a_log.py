"""Judge one log and print what was found."""

from pathlib import Path

from mlperf_logging import check_log

log = Path(__file__).parent / "logs" / "broken" / "misspelt_key.txt"
verdict = check_log(log)

print(f"{log.name}: {verdict.verdict}")
print(f"judged as {verdict.benchmark}, {verdict.division}, by {verdict.usage} {verdict.ruleset}")
print(f"because it is {verdict.ruleset_reason}")
for finding in verdict.findings:
    place = f"line {finding.line}" if finding.line else "whole log"
    print(f"{finding.severity} {finding.code}, {place}: {finding.message}")
    print(f"  {finding.hint}")
