"""Writing waivers for what a check finds."""

from __future__ import annotations

import os
from argparse import Namespace
from datetime import date, datetime, timezone

from mlperf_logging.cli.output import Output
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.waivers import add_waivers, read_expiry
from mlperf_logging.errors import UsageError
from mlperf_logging.events import Outcome
from mlperf_logging.reports import FileResult
from mlperf_logging.runs.side_files import read_side_file


class NewWaivers:
    """Findings that are to be waived from now on, and the file that says so."""

    def __init__(self, options: Namespace) -> None:
        """Read the options; `UsageError` or `WaiverError` where they make no sense."""
        if not options.reason or not options.reason.strip() or not options.expires:
            raise UsageError("--write-waivers needs --reason TEXT and --expires YYYY-MM-DD")
        self._path: str = options.write_waivers
        self._reason: str = options.reason.strip()
        self._expires: date = read_expiry(options.expires, "--expires", datetime.now(timezone.utc).date())
        self._found: list[tuple[str, Finding]] = []

    def add(self, result: FileResult) -> None:
        """Note the findings of a log that no waiver covers yet; a log that could not be judged has none."""
        verdict = result.verdict
        if verdict.verdict != Outcome.UNJUDGED:
            path = verdict.path.removeprefix(f"{os.getcwd()}{os.sep}")
            self._found += [(path, finding) for finding in verdict.findings]

    def write(self) -> str:
        """Add the waivers to the file, which keeps what it holds; gives a sentence on what was done."""
        try:
            content = read_side_file(self._path) if os.path.exists(self._path) else b""
        except OSError as error:
            raise UsageError(f"cannot read the waiver file {self._path!r}: {error.strerror}") from None
        content, count = add_waivers(content, self._path, self._found, self._reason, self._expires)
        if not count:
            return f"nothing to waive; {self._path} is as it was"
        with Output(self._path) as output:
            output.write_bytes(content)
        return f"added {count:,} waiver{'s' if count != 1 else ''} to {self._path}"
