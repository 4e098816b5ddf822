"""Findings on a submission's files and folders. The rules that they break are in the vocabulary of codes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.events import Severity
from mlperf_logging.rules.repository import open_rules

if TYPE_CHECKING:
    from mlperf_logging.rules.codes import Code


class PlacedFinding(NamedTuple):
    """A finding, and the file or folder that it is about."""

    path: str
    finding: Finding


def place_finding(
    rule: str,
    path: str,
    message: str,
    *,
    severity: Severity | None = None,
    key: str | None = None,
    line: int | None = None,
    column: int | None = None,
    expected: str = "",
    found: str = "",
    hint: str = "",
    excerpt: str = "",
) -> PlacedFinding:
    """A finding of a rule about files; severity and hint are the rule's own where none are given.

    Args:
        rule: id of the rule, such as "runs-missing".
        path: the file or folder.
        message: one sentence: what is wrong.
        severity: where it is not the rule's.
        key: the field that is blamed, or None.
        line: line of the file, counted from 1, or None.
        column: byte offset in the line counted from 1, or None.
        expected: what the rule requires, in short.
        found: what is there, in short.
        hint: how to fix it, where that is more than the rule says.
        excerpt: text of the line that is blamed.
    """
    code = _list_rules()[rule]
    finding = Finding(
        code.code,
        rule,
        severity or Severity(code.severity),
        key,
        line,
        column,
        message,
        expected,
        found,
        code.source,
        hint or code.hint,
        excerpt,
    )
    return PlacedFinding(path, finding)


@cache
def _list_rules() -> dict[str, Code]:
    return open_rules().vocabulary().list_file_rules()
