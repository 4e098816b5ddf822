"""What is emitted is read back: every JSON value, text, namespace and metadata."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlperf_logging import read_log
from mlperf_logging.mllog.encoder import encode_value
from mlperf_logging.mllog.files import FileSink
from mlperf_logging.mllog.mllog import MLLogger

TEXT = st.text(st.characters(codec="utf-8"), max_size=30) | st.text(max_size=10)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
METADATA = st.dictionaries(TEXT.filter(lambda name: name not in ("file", "lineno")), VALUES, max_size=4)
KINDS = st.sampled_from([("event", "POINT_IN_TIME"), ("start", "INTERVAL_START"), ("end", "INTERVAL_END")])


def emit(path: Path, method: str, key: str, options: dict[str, Any]) -> None:
    """Log one event to a new file."""
    target = logging.Logger("round trip", logging.INFO)
    target.propagate = False
    sink = FileSink(path)
    target.addHandler(sink)
    getattr(MLLogger(target), method)(key, **options)
    sink.close()


def same(left: Any, right: Any) -> bool:
    """Equality that tells 1, 1.0 and True apart, and 0.0 from -0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return bool(left == right)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=KINDS,
    key=TEXT.filter(bool),
    value=VALUES,
    metadata=METADATA,
    namespace=VALUES.filter(lambda namespace: namespace is not None),
    time_ms=st.integers(0, 2**53) | st.floats(0, 2**53),
)
def test_read_log_gives_back_what_was_emitted(
    tmp_path: Path,
    kind: tuple[str, str],
    key: str,
    value: Any,
    metadata: dict[str, Any],
    namespace: Any,
    time_ms: float,
) -> None:
    """Reading the file gives one event with the very key, value, metadata, namespace, time and type."""
    path = tmp_path / "log.txt"
    path.unlink(missing_ok=True)
    method, event_type = kind
    options = {"value": value, "metadata": metadata, "namespace": namespace, "time_ms": time_ms}
    emit(path, method, key, options)
    log = read_log(path)
    (event,) = log.events
    errors = [problem for problem in log.problems if problem.severity == "error"]
    assert (errors, event.key, event.event_type) == ([], key, event_type)
    read = {name: item for name, item in event.metadata.items() if name not in ("file", "lineno")}
    assert same(read, metadata), (read, metadata)
    assert same(event.value, value), (event.value, value)
    assert same(event.namespace, namespace), (event.namespace, namespace)
    assert same(event.time_ms, time_ms), (event.time_ms, time_ms)


@settings(deadline=None)
@given(value=VALUES)
def test_finite_values_have_the_text_of_the_standard_library(value: Any) -> None:
    """Where json.dumps writes strict JSON, the text is the same, whichever way the encoder takes."""
    try:
        wanted = json.dumps(value, allow_nan=False)
    except ValueError:  # infinity within
        return
    assert encode_value(value) == (wanted, None)
    slow, failed = encode_value([value, math.inf])
    assert (slow, failed) == (f"[{wanted}, 1e999]", None)


@settings(deadline=None)
@given(
    value=st.recursive(SCALARS | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))
)
def test_every_line_is_strict_json_of_one_line(value: Any) -> None:
    """No value breaks the line or needs a lenient reader."""
    text, _ = encode_value(value)
    assert text.isascii()
    assert "\n" not in text
    assert "\r" not in text
    json.loads(text, parse_constant=lambda name: (_ for _ in ()).throw(AssertionError(name)))
