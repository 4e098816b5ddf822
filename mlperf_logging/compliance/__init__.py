"""Judge: rule files into rulesets, logs into verdicts. The names load when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlperf_logging.compliance.checking import check_log
    from mlperf_logging.compliance.findings import Finding, Verdict
    from mlperf_logging.compliance.judged_run import JudgedRun, judge_run
    from mlperf_logging.compliance.live import start_judge
    from mlperf_logging.compliance.ruleset_selection import RuleSelection
    from mlperf_logging.rules.repository import load_ruleset
    from mlperf_logging.rules.rulesets import Ruleset

_MODULES = {
    "Finding": "compliance.findings",
    "JudgedRun": "compliance.judged_run",
    "RuleSelection": "compliance.ruleset_selection",
    "Ruleset": "rules.rulesets",
    "Verdict": "compliance.findings",
    "check_log": "compliance.checking",
    "judge_run": "compliance.judged_run",
    "load_ruleset": "rules.repository",
    "start_judge": "compliance.live",
}

__all__ = [
    "Finding",
    "JudgedRun",
    "RuleSelection",
    "Ruleset",
    "Verdict",
    "check_log",
    "judge_run",
    "load_ruleset",
    "start_judge",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mlperf_logging.{_MODULES[name]}"), name)
