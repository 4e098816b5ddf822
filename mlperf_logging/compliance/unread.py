"""Records of a log that cannot be read as written: what is said of them, and what may be missing because of them."""

from collections.abc import Iterable
from typing import NamedTuple

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.events import Severity
from mlperf_logging.parsing.untimed import UNTIMED

_FORM = "MLP0"
_READ_INSIDE = "wrapped-records"  # an error of the log, but what it says is read


class Unread(NamedTuple):
    """Records of a log that cannot be read as written.

    Attributes:
        text: how many there are, and what is wrong with the first; empty where there are none.
        is_complete: whether they lack nothing but their times.
        keys: their keys, as far as these can be told.
    """

    text: str = ""
    is_complete: bool = True
    keys: frozenset[str] = frozenset()


def read_unread(findings: Iterable[Finding]) -> Unread:
    """The records that cannot be read as written, by the findings on a log."""
    found = [
        each
        for each in findings
        if each.code.startswith(_FORM) and each.severity == Severity.ERROR and each.rule != _READ_INSIDE
    ]
    if not found:
        return Unread()
    first, count = found[0], len({each.line for each in found})
    many = (
        f"{count:,} records cannot be read as written, the first"
        if count > 1
        else "a record cannot be read as written,"
    )
    lost = [each for each in found if each.rule not in UNTIMED]
    keys = frozenset([each.key for each in lost if each.key is not None])
    return Unread(f"{many} in line {first.line:,}: {first.message}", not lost, keys)
