"""Checking the seeds of a benchmark's logs, under the public package's names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from mlperf_logging.cli.drop_in import log_findings
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.submission.judging import judge_result
from mlperf_logging.submission.seeds import check_seeds


class SeedChecker(NamedTuple):
    """Checks seeds by a round."""

    ruleset: str

    def check_seeds(self, result_files: Sequence[str], seed_checker_bypass: bool = False) -> bool:
        """Whether each log has a seed of its own that is a whole number; why not is logged."""
        selection = RuleSelection(ruleset=self.ruleset)
        logs = [judge_result(path, selection) for path in result_files]
        folder = os.path.dirname(result_files[0]) if result_files else ""
        bypass = "the caller" if seed_checker_bypass else None
        return not log_findings(check_seeds(folder, logs, bypass))
