"""Waivers: known findings that someone answers for, each with a reason and an end.

A waiver file is a YAML list; every field is required::

    - rule: MLP301                      # a code, its beginning, a rule id, or a pattern of rule ids
      path: "system/*/result_*.txt"     # shell pattern, * crosses folders; the end of the path may match alone
      reason: the warm-up was agreed with the review group
      expires: 2026-12-31               # last day on which the waiver counts
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from mlperf_logging.compliance.finding_filter import match_finding, replace_findings
from mlperf_logging.compliance.findings import Finding, Verdict
from mlperf_logging.errors import RuleError, WaiverError
from mlperf_logging.events import Outcome
from mlperf_logging.runs.side_files import MAX_BYTES, read_side_file

_FIELDS = ("rule", "path", "reason", "expires")


class Waiver(NamedTuple):
    """One entry of a waiver file, and its line there, counted from 1."""

    rule: str
    path: str
    reason: str
    expires: str
    line: int

    def covers(self, path: str, finding: Finding) -> bool:
        """Return whether the waiver is meant for a finding in a log."""
        return match_path(self.path, path) and match_finding(self.rule, finding)


class WaivedFinding(NamedTuple):
    """A finding, and the waiver that covers it."""

    finding: Finding
    waiver: Waiver

    def as_json(self) -> dict[str, Any]:
        """The finding under the field names of ``mlperf-check/1``, marked as waived."""
        return {
            **self.finding.as_json(),
            "waived": True,
            "reason": self.waiver.reason,
            "expires": self.waiver.expires,
        }


def match_path(pattern: str, path: str) -> bool:
    """Return whether a path, or its end from a folder's name on, matches a shell pattern."""
    posix, wanted = [text.replace("\\", "/").removeprefix("./") for text in (path, pattern)]
    return fnmatchcase(posix, wanted) or fnmatchcase(posix, f"*/{wanted}")


def apply_waivers(verdict: Verdict, waivers: Iterable[Waiver]) -> tuple[Verdict, tuple[WaivedFinding, ...]]:
    """The verdict that follows from the findings that no waiver covers, and the waived ones, each with its waiver."""
    relevant = [waiver for waiver in waivers if match_path(waiver.path, verdict.path)]
    if verdict.verdict == Outcome.UNJUDGED or not relevant:
        return verdict, ()
    kept, waived = [], []
    for finding in verdict.findings:
        waiver = next((each for each in relevant if match_finding(each.rule, finding)), None)
        if waiver is None:
            kept.append(finding)
        else:
            waived.append(WaivedFinding(finding, waiver))
    return replace_findings(verdict, kept), tuple(waived)


def load_waivers(path: str, today: date) -> tuple[Waiver, ...]:
    """Read a waiver file.

    Raises:
        WaiverError: the file cannot be read, an entry is not complete, or a waiver has expired; the message
            has one line per fault, each with file and line.
    """
    try:
        content = read_side_file(path)
    except OSError as error:
        raise WaiverError(f"{path}: cannot read the waiver file: {error.strerror}") from None
    return read_waivers(content, path, today)


def read_waivers(content: bytes, path: str, today: date) -> tuple[Waiver, ...]:
    """The waivers in the bytes of a waiver file; `WaiverError` as for `load_waivers`."""
    from mlperf_logging.rules.files import compose_document

    try:
        node = compose_document(content, path)
    except RuleError as error:
        raise WaiverError(str(error)) from None
    if node is None:
        return ()
    if node.id != "sequence":
        raise WaiverError(f"{path}:1: a waiver file is a list; begin each waiver with '- rule: …'")
    faults: list[str] = []
    waivers = [_read_waiver(item, path, today, faults) for item in node.value]
    if faults:
        raise WaiverError("\n".join(faults))
    return tuple([waiver for waiver in waivers if waiver is not None])


def add_waivers(
    content: bytes, path: str, found: Iterable[tuple[str, Finding]], reason: str, expires: date
) -> tuple[bytes, int]:
    """A waiver file with more waivers: one for each log and rule of findings that no waiver of it covers.

    Args:
        content: the file as it is, comments and all; empty for a new one.
        path: its name, for messages.
        found: the findings, each with the path of its log.
        reason: reason of the new waivers.
        expires: their last day.

    Returns:
        The file's new bytes, and the number of waivers added.

    Raises:
        WaiverError: the file is wrong, or would be with what is added.
    """
    import yaml

    known = read_waivers(content, path, expires) if content.strip() else ()
    entries = {}
    for log, finding in found:
        if not any(waiver.covers(log, finding) for waiver in known):
            pattern = _write_pattern(log)
            day = expires.replace()  # equal objects would become references to the first
            entries[finding.rule, pattern] = dict(
                zip(_FIELDS, (finding.rule, pattern, reason, day), strict=True)
            )
    if not entries:
        return content, 0
    text = yaml.safe_dump(list(entries.values()), sort_keys=False, allow_unicode=True, width=1_000)
    added = content + (b"" if content.endswith(b"\n") or not content else b"\n") + text.encode()
    if len(added) > MAX_BYTES:
        raise WaiverError(
            f"{path}: {len(entries):,} more waivers would make it longer than {MAX_BYTES:,} bytes; "
            "waive fewer with --select, or write one waiver with a pattern for many"
        )
    read_waivers(added, path, expires)
    return added, len(entries)


def _write_pattern(log: str) -> str:
    """The pattern that a log's path alone matches; what no text file can hold is any one character."""
    escaped = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in log)
    return escaped.encode("utf-8", "replace").decode()


def _read_waiver(node: Any, path: str, today: date, faults: list[str]) -> Waiver | None:
    line = node.start_mark.line + 1
    if node.id != "mapping":
        faults.append(f"{path}:{line}: a waiver has the fields {', '.join(_FIELDS)}")
        return None
    before = len(faults)
    fields: dict[str, str] = {}
    expiry_place = ""
    for key, value in node.value:
        where = f"{path}:{key.start_mark.line + 1}"
        name = str(key.value) if key.id == "scalar" else key.id
        if name not in _FIELDS:
            faults.append(f"{where}: a waiver has no field {name!r}; it has {', '.join(_FIELDS)}")
        elif name in fields:
            faults.append(f"{where}: {name!r} appears twice in one waiver; keep one")
        elif value.id != "scalar" or not value.value.strip():
            faults.append(f"{where}: {name!r} must be non-empty text")
            fields[name] = ""
        else:
            fields[name] = value.value.strip()
            expiry_place = where if name == "expires" else expiry_place
    missing = [name for name in _FIELDS if name not in fields]
    if missing:
        faults.append(f"{path}:{line}: the waiver lacks {', '.join(missing)}")
    if expiry_place:
        try:
            read_expiry(fields["expires"], expiry_place, today)
        except WaiverError as error:
            faults.append(str(error))
    return Waiver(**fields, line=line) if len(faults) == before else None


def read_expiry(text: str, where: str, today: date) -> date:
    """The last day of a waiver; `WaiverError` where it is no day to come."""
    try:
        end = date.fromisoformat(text) if len(text) == len("YYYY-MM-DD") else None
    except ValueError:
        end = None
    if end is None:
        raise WaiverError(f"{where}: expires must be a date such as {today.isoformat()}, not {text!r}")
    if end < today:
        raise WaiverError(
            f"{where}: the waiver expired on {text}; fix the log, or agree on a new date and write it there"
        )
    return end
