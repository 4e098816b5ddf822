"""The ``mlperf-check/1`` document: every log and the totals as one JSON value."""

from __future__ import annotations

from mlperf_logging.reports import BaseReport, FileResult, ReportOptions, Totals
from mlperf_logging.reports._escape import encode_json
from mlperf_logging.tables import Document

SCHEMA = "mlperf-check/1"


class Report(BaseReport):
    """One JSON document; each log is on its own line."""

    description = "one JSON document with every file and the totals"

    def __init__(self, options: ReportOptions) -> None:
        super().__init__(options)
        self._separator = "\n"
        self._tables = ""

    def sum_up(self, document: Document) -> str:
        """Nothing yet: the table's rows come after the files, under its name."""
        for table in document.tables:
            self._tables += f", {encode_json(table.name)}: {encode_json(table.records())}"
        return ""

    def begin(self) -> str:
        """The document up to its list of files."""
        return f'{{"schema": {encode_json(SCHEMA)}, "files": ['

    def add(self, result: FileResult) -> str:
        """The log's file object."""
        separator, self._separator = self._separator, ",\n"
        return separator + encode_json(result.as_json())

    def end(self, totals: Totals) -> str:
        """The totals and the end of the document."""
        return f'\n]{self._tables}, "totals": {encode_json(totals.as_json())}}}\n'
