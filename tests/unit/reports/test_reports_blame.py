"""Where the carets stand."""

from __future__ import annotations

import pytest

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.reports._blame import locate_blame
from mlperf_logging.reports._lines import FindingLines

MLLOG = ':::MLLOG {"time_ms": 1, "key": "lr", "value": [1, {"a": 2}], "metadata": {"epoch_num": 3, "x": "y"}}'
OLDER = ':::MLL 15.5 lr: {"value": 0.25, "metadata": {"lineno": 4}}'
OLDEST = ":::MLPv0.5.0 tailoring 15.5 (lr.py:12) lr: 0.25"


def blamed(excerpt: str, code: str = "MLP304", expected: str = "== 1", key: str | None = "lr") -> str | None:
    finding = Finding(code, "rule", "error", key, 1, 1, "no", expected=expected, excerpt=excerpt)
    span = locate_blame(finding)
    return excerpt[span[0] : span[1]] if span else None


@pytest.mark.parametrize(
    ("excerpt", "value"),
    [(MLLOG, '[1, {"a": 2}]'), (OLDER, "0.25"), (OLDEST, "0.25")],
    ids=["now", "older", "oldest"],
)
def test_value_findings_point_at_the_value(excerpt, value):
    """In every dialect a finding about a value points at the value."""
    assert blamed(excerpt) == value


@pytest.mark.parametrize(
    ("excerpt", "key"), [(MLLOG, '"lr"'), (OLDER, "lr"), (OLDEST, "lr")], ids=["now", "older", "oldest"]
)
def test_order_findings_point_at_the_key(excerpt, key):
    """In every dialect a finding about order points at the key."""
    assert blamed(excerpt, code="MLP201", expected="run_started") == key


def test_metadata_findings_point_at_the_field():
    """A rule about a metadata field points at that field."""
    assert blamed(MLLOG, expected="integer(meta.epoch_num)") == "3"


def test_absent_metadata_field_points_at_the_metadata():
    """A rule about a metadata field that is not there points at the metadata."""
    assert blamed(MLLOG, expected="present(meta.samples_count)") == '{"epoch_num": 3, "x": "y"}'


def test_form_finding_points_at_the_fault():
    """A payload that is not JSON is pointed at where it stops making sense."""
    assert blamed(':::MLLOG {"key": "lr", "value": nope}', code="MLP004") == "n"


def test_form_finding_of_sound_json_points_at_the_marker():
    """A form finding without a fault in the JSON points at the record's beginning."""
    assert blamed(MLLOG, code="MLP005") == ":::MLLOG"


def test_key_without_value_points_at_the_key():
    """In the oldest dialect, a record without a value is pointed at by its key."""
    assert blamed(":::MLPv0.5.0 tailoring 15.5 (x.py:12) lr") == "lr"


@pytest.mark.parametrize(
    "excerpt",
    [":::MLLOG", ":::MLLOG {", ':::MLLOG {"value"', ':::MLLOG {"value": ', "{" * 5000, ":::MLL x {[", " "],
)
def test_torn_records_never_break(excerpt):
    """Any torn record gives a part within it."""
    finding = Finding("MLP304", "rule", "error", None, 1, 1, "no", excerpt=excerpt)
    span = locate_blame(finding)
    assert span is not None
    assert 0 <= span[0] <= span[1] <= len(excerpt)
    assert len(FindingLines(80).render_excerpt(finding)) == 2


def test_nothing_to_point_at():
    """Without an excerpt there is no caret."""
    assert blamed("") is None


def test_carets_stand_below_wide_characters():
    """Characters that take two columns, and escapes, move the carets along."""
    finding = Finding("MLP304", "r", "error", "lr", 1, 1, "no", excerpt='\x1b日本 {"value": "é̂"}')
    record, carets = FindingLines(80).render_excerpt(finding)
    assert record == '      \\x1b日本 {"value": "é̂"}'
    assert carets.index("^") == 6 + 4 + 4 + len(' {"value": ')
    assert carets.count("^") == 3
