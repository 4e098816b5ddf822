"""One file object of ``mlperf-check/1`` a line, each written as soon as its log is judged."""

from __future__ import annotations

from mlperf_logging.reports import BaseReport, FileResult, Totals
from mlperf_logging.reports._escape import encode_json


class Report(BaseReport):
    """JSON lines for programs that follow along."""

    description = "one JSON object per file and line, written as each file is finished"

    def add(self, result: FileResult) -> str:
        """The log's file object and a line feed."""
        return encode_json(result.as_json()) + "\n"

    def end(self, totals: Totals) -> str:
        """Nothing: every line stands for itself."""
        return ""
