"""Judge: rule files into rulesets, logs into verdicts."""

from mlperf_logging.compliance.checking import check_log
from mlperf_logging.compliance.findings import Finding, RunSummary, Verdict
from mlperf_logging.compliance.live import start_judge
from mlperf_logging.compliance.rulesets import Ruleset, load_ruleset

__all__ = ["Finding", "Ruleset", "RunSummary", "Verdict", "check_log", "load_ruleset", "start_judge"]
