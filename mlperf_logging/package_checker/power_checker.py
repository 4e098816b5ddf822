"""Checking the names of power logs, under the public package's names."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from mlperf_logging.cli.drop_in import log_findings
from mlperf_logging.runs.folders import describe_folder
from mlperf_logging.scoring.folders import FolderScore
from mlperf_logging.submission.layout import Tree
from mlperf_logging.submission.power import check_power_folders


class PowerChecker(NamedTuple):
    """Checks which power logs there are."""

    ruleset: str

    def check_power(self, power_folder: str, result_files: Iterable[str]) -> tuple[bool, set[str]]:
        """Whether every run has power logs, numbered from 0, as many as the others; and the runs that have not."""
        benchmark = os.path.dirname(power_folder.rstrip(os.sep)) or os.curdir
        folder = describe_folder(benchmark, [os.path.basename(path) for path in result_files])
        score = FolderScore(folder, None, None, None, "", (), None)
        wrong = {path for path, _ in log_findings(check_power_folders(folder, score, Tree(benchmark)))}
        return not wrong, {os.path.splitext(os.path.basename(path))[0] for path in wrong}

    def check_equals(self, values: Sequence[Hashable]) -> tuple[bool, list[int]]:
        """Whether all values are equal, and where those are that differ from the commonest."""
        usual = max(Counter(values).items(), key=lambda pair: pair[1])[0] if values else None
        others = [index for index, value in enumerate(values) if value != usual]
        return not others, others

    def check_range(self, numbers: Iterable[int], count: int) -> bool:
        """Whether numbers are those from 0 to a count less one, once each."""
        return sorted(numbers) == list(range(count))
