"""Judge every log in a folder and count the kinds of mistakes."""

from collections import Counter
from pathlib import Path

from mlperf_logging import check_log

logs = sorted((Path(__file__).parent / "logs").glob("*/*.txt"))
verdicts = [check_log(log) for log in logs]
codes = Counter(finding.code for verdict in verdicts for finding in verdict.findings)

print(f"{sum(verdict.verdict == 'pass' for verdict in verdicts)} of {len(logs)} logs are compliant")
for code, count in codes.most_common(5):
    print(f"{code}: {count} findings")
