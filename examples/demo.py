"""Judge the example logs and show the findings; exit with 1 if a verdict is not the expected one.

    make demo

Shows `mlperf-check` on the compliant and on the broken logs in `examples/logs`, then judges each log by every
ruleset that `examples/logs/expected.json` names and compares.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from mlperf_logging import check_log

ROOT = Path(__file__).resolve().parent.parent
LOGS = Path("examples/logs")
MLPERF_CHECK = Path(sys.executable).parent / "mlperf-check"


def show(*arguments: str, expected_code: int) -> list[str]:
    """Run `mlperf-check` visibly; return a sentence if its exit code is not the expected one."""
    command = f"mlperf-check {' '.join(arguments)}"
    print(f"$ {command}", flush=True)
    code = subprocess.run([str(MLPERF_CHECK), *arguments], cwd=ROOT, check=False).returncode  # noqa: S603
    print(f"(exit code {code})\n", flush=True)
    return [] if code == expected_code else [f"{command}: exit code {code}, expected {expected_code}"]


def compare(check: dict[str, Any]) -> list[str]:
    """Judge a log; sentences on what differs between its expected and its real verdict."""
    verdict = check_log(
        ROOT / LOGS / check["path"], usage=check["usage"], ruleset=check["ruleset"], strict=check["strict"]
    )
    errors = [finding for finding in verdict.findings if finding.severity == "error"]
    found = {
        "verdict": verdict.verdict,
        "keys": sorted({finding.key for finding in errors if finding.key}),
        "codes": sorted({finding.code for finding in verdict.findings}),
    }
    place = f"{check['path']} by {check['usage']}/{check['ruleset']}{', strict' if check['strict'] else ''}"
    return [
        f"{place}: {name} {value}, expected {check[name]}"
        for name, value in found.items()
        if check[name] is not None and value != check[name]
    ]


def main() -> int:
    """Show, judge, compare."""
    differences = show(str(LOGS / "compliant"), expected_code=0)
    differences += show(str(LOGS / "broken"), "--statistics", expected_code=1)
    checks = json.loads((ROOT / LOGS / "expected.json").read_text("utf-8"))["checks"]
    for check in checks:
        differences += compare(check)
    for difference in differences:
        print(f"NOT AS EXPECTED: {difference}")
    logs = len({check["path"] for check in checks})
    rulesets = len({(check["usage"], check["ruleset"]) for check in checks})
    outcome = f"{len(differences)} differences" if differences else "every verdict as expected"
    print(f"{logs} logs, {rulesets} rulesets, {len(checks)} verdicts: {outcome}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
