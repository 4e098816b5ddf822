"""The logger: the line, the call site, the defaults, and what scripts do with `logging`."""

from __future__ import annotations

import copy
import inspect
import logging
import pickle
import time
from typing import Any

import pytest

from mlperf_logging.mllog import mllog as mllog_module
from mlperf_logging.mllog.mllog import MLLogger


def here() -> int:
    """Number of the line that calls this."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_line_has_the_public_order_and_spacing(recorder: Any) -> None:
    """Fields come as namespace, time_ms, event_type, key, value, metadata, spaced as json.dumps does."""
    recorder.logger.event("eval_accuracy", 0.75, metadata={"epoch_num": 3}, time_ms=12)
    place = f'"file": "{__file__}", "lineno": {here() - 1}'
    assert recorder.line == (
        ':::MLLOG {"namespace": "", "time_ms": 12, "event_type": "POINT_IN_TIME", "key": "eval_accuracy", '
        f'"value": 0.75, "metadata": {{{place}, "epoch_num": 3}}}}'
    )


@pytest.mark.parametrize(
    ("method", "kind"), [("event", "POINT_IN_TIME"), ("start", "INTERVAL_START"), ("end", "INTERVAL_END")]
)
def test_methods_give_kind_and_call_site(recorder: Any, method: str, kind: str) -> None:
    """Each method logs its own event type and the line that called it."""
    getattr(recorder.logger, method)("key", "value")
    assert recorder.record["event_type"] == kind
    assert recorder.record["metadata"] == {"file": __file__, "lineno": here() - 2}


def test_time_defaults_to_now(recorder: Any) -> None:
    """Without time_ms the event carries whole milliseconds since the epoch."""
    before = int(time.time() * 1000)
    recorder.logger.event("key")
    assert before <= recorder.record["time_ms"] <= int(time.time() * 1000)


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_stack_offset_goes_up_the_callers(recorder: Any, offset: int) -> None:
    """A stack offset of n takes the n-th caller as the call site."""
    lines = {}

    def inner() -> None:
        lines[1] = here() + 1
        recorder.logger.event("key", stack_offset=offset)

    def outer() -> None:
        lines[2] = here() + 1
        inner()

    lines[3] = here() + 1
    outer()
    assert recorder.record["metadata"]["lineno"] == lines[offset]


def test_default_stack_offset_holds_for_all_methods(recorder: Any) -> None:
    """A default offset of 2 names the caller of a wrapper, for events and intervals alike."""
    recorder.logger.default_stack_offset = 2

    def wrap(method: str) -> None:
        getattr(recorder.logger, method)("key")

    for method in ("event", "start", "end"):
        wrap(method)
        assert recorder.record["metadata"]["lineno"] == here() - 1


def test_stack_offset_beyond_the_stack_takes_the_outermost_caller(recorder: Any) -> None:
    """A stack offset that is too great costs the exact place, not the run."""
    recorder.logger.event("key", 1, stack_offset=10_000)
    assert recorder.record["value"] == 1
    assert set(recorder.record["metadata"]) == {"file", "lineno"}


def test_lines_of_one_function_keep_their_numbers(recorder: Any) -> None:
    """Two calls in one function are distinguished, also when they are made again."""
    for _ in range(2):
        recorder.logger.event("a")
        recorder.logger.event("b")
    first, second, third, fourth = (event.metadata["lineno"] for event in recorder.sink.events)
    assert (first, second) == (third, fourth)
    assert second == first + 1


def test_code_compiled_again_at_the_same_place_keeps_its_own_line(recorder: Any) -> None:
    """A function that is compiled again with other lines does not inherit the call site of the old one."""
    for count in range(40):
        scope: dict[str, Any] = {"logger": recorder.logger}
        exec("\n" * count + "def log(): logger.event('key')", scope)  # noqa: S102 - the code is this test's own
        scope["log"]()
        del scope
        assert recorder.record["metadata"]["lineno"] == count + 1


def test_root_dir_is_trimmed_as_a_path(recorder: Any) -> None:
    """root_dir is a folder, not a pattern, and may change while running."""
    folder, _, name = __file__.rpartition("/")
    for root in (folder, folder + "/"):
        recorder.logger.root_dir = root
        recorder.logger.event("key")
        assert recorder.record["metadata"]["file"] == name
    for root in (folder.replace("m", "."), folder[:-1], "/", "", None):
        recorder.logger.root_dir = root
        recorder.logger.event("key")
        assert recorder.record["metadata"]["file"] == __file__


def test_metadata_replaces_the_call_site_with_a_warning(recorder: Any) -> None:
    """A field named file or lineno in the metadata wins, in its place, and a warning is logged once."""
    for _ in range(2):
        recorder.logger.event("key", metadata={"x": 1, "lineno": 7, "file": "a.py"})
        assert list(recorder.record["metadata"].items()) == [("file", "a.py"), ("lineno", 7), ("x", 1)]
    warnings = [line for line in recorder.sink.lines if line.startswith("mllog:")]
    assert warnings == ["mllog: metadata replaces the call site's file and lineno"]


def test_metadata_that_is_no_dictionary_is_left_out_with_a_warning(recorder: Any) -> None:
    """Other metadata than a dictionary is not logged; the event is."""
    recorder.logger.event("key", 5, metadata=["a"])
    assert recorder.record["value"] == 5
    assert set(recorder.record["metadata"]) == {"file", "lineno"}
    assert "mllog: metadata is not a dictionary; it is ignored" in recorder.sink.lines


@pytest.mark.parametrize("namespace", ["gpu 0", "é", 0, False, 0.0, None, ["a"], {"a": 1}])
def test_namespace_is_written_as_given(recorder: Any, namespace: object) -> None:
    """Any namespace is logged with its own JSON type, also after one that is equal to it."""
    recorder.logger.event("key", namespace=0)
    recorder.logger.event("key", namespace=namespace)
    wanted = "" if namespace is None else namespace
    assert (recorder.record["namespace"], type(recorder.record["namespace"])) == (wanted, type(wanted))


def test_clear_line_writes_an_empty_line_first(recorder: Any) -> None:
    """clear_line ends whatever stands on the line, and only that event."""
    recorder.logger.event("a", clear_line=True)
    recorder.logger.event("b")
    assert [line == "" for line in recorder.sink.lines] == [True, False, False]


def test_value_without_json_form_is_logged_as_its_repr(recorder: Any) -> None:
    """What cannot be encoded is kept as its repr, and one warning event names key and type."""
    thing = object()
    recorder.logger.event("key", {"a": [1, thing]})
    recorder.logger.event("key", 1, metadata={"b": thing})
    first, warning, second = recorder.sink.events
    assert first.value == {"a": [1, repr(thing)]}
    assert second.metadata["b"] == repr(thing)
    assert warning.key == "mllog_warning"
    assert (warning.metadata["key"], warning.metadata["type"]) == ("key", "object")
    assert warning.metadata["lineno"] == first.metadata["lineno"]


def test_bound_logger_carries_values(recorder: Any) -> None:
    """Events of a bound logger carry fields; their own fields win; the parent is unchanged."""
    bound = recorder.logger.bind("worker 1", job="a", step=0)
    bound.event("key", metadata={"step": 3})
    assert recorder.record["namespace"] == "worker 1"
    assert {"job": "a", "step": 3}.items() <= recorder.record["metadata"].items()
    bound.start("key")
    assert {"job": "a", "step": 0}.items() <= recorder.record["metadata"].items()
    recorder.logger.event("key")
    assert set(recorder.record["metadata"]) == {"file", "lineno"}


def test_level_of_the_logger_is_respected(recorder: Any) -> None:
    """A logger set above INFO logs nothing, and logs again when set back."""
    recorder.target.setLevel(logging.WARNING)
    recorder.logger.event("hidden")
    recorder.target.setLevel(logging.INFO)
    recorder.logger.event("seen")
    assert [event.key for event in recorder.sink.events] == ["seen"]


def test_filters_of_the_logger_are_respected(recorder: Any) -> None:
    """A logging filter sees the lines and may drop them."""
    recorder.target.addFilter(lambda record: "secret" not in record.getMessage())
    recorder.logger.event("secret")
    recorder.logger.event("open")
    assert [event.key for event in recorder.sink.events] == ["open"]


def test_propagation_reaches_the_parents_handlers(recorder: Any, caplog: pytest.LogCaptureFixture) -> None:
    """With propagate on, the line goes to the root's handlers too."""
    target = logging.getLogger("a.logger.that.propagates")
    target.setLevel(logging.INFO)
    MLLogger(target).event("key", 1)
    assert caplog.messages[0].startswith(':::MLLOG {"namespace": ""')


def test_handler_added_later_gets_later_events(recorder: Any) -> None:
    """A handler that a script adds between two events gets the second one, once."""
    seen: list[str] = []

    class Listing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    recorder.logger.event("a")
    handler = Listing()
    recorder.target.addHandler(handler)
    recorder.logger.event("b")
    recorder.target.removeHandler(handler)
    recorder.logger.event("c")
    assert ['"b"' in message for message in seen] == [True]
    assert [event.key for event in recorder.sink.events] == ["a", "b", "c"]


def test_clock_and_caller_can_be_injected(recorder: Any) -> None:
    """A logger that is given a clock and a caller asks them."""
    logger = MLLogger(recorder.target, clock=lambda: 12.5, caller=lambda *_: {"file": "x.py", "lineno": 42})
    logger.event("key", metadata={"a": 1})
    assert (recorder.record["time_ms"], recorder.record["metadata"]) == (
        12_500,
        {"file": "x.py", "lineno": 42, "a": 1},
    )


def test_get_caller_and_do_log_are_points_to_patch(recorder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of scripts that replace get_caller, _do_log or time.time see what they expect."""
    lines: list[tuple[int, str, bool]] = []
    monkeypatch.setattr(mllog_module, "get_caller", lambda *_, **__: {"file": "x.py", "lineno": 42})
    monkeypatch.setattr(
        MLLogger,
        "_do_log",
        lambda self, level, message, clear_line=False: lines.append((level, message, clear_line)),
    )
    monkeypatch.setattr(time, "time", lambda: 1234567890.123)
    MLLogger(recorder.target).start("run_start", clear_line=True)
    assert lines == [
        (
            logging.INFO,
            ':::MLLOG {"namespace": "", "time_ms": 1234567890123, "event_type": "INTERVAL_START", '
            '"key": "run_start", "value": null, "metadata": {"file": "x.py", "lineno": 42}}',
            True,
        )
    ]


def test_get_caller_names_the_callers_place() -> None:
    """get_caller counts frames as the public function does: 2 is the caller of its caller."""

    def ask() -> dict[str, Any]:
        return mllog_module.get_caller(2, root_dir=__file__.rpartition("/")[0])

    assert ask() == {"file": "test_mllog_logger.py", "lineno": here()}


def test_logger_must_be_a_logging_logger() -> None:
    """A wrong logger is refused at once."""
    with pytest.raises(ValueError, match=r"logging\.Logger"):
        MLLogger("stdout")  # type: ignore[arg-type]


def test_loggers_can_be_copied_and_sent_to_other_processes(recorder: Any) -> None:
    """A logger survives pickle and deepcopy, as a member of a configuration that is handed around."""
    recorder.logger.default_namespace = "n"
    recorder.logger.event("before")
    unpickled = pickle.loads(pickle.dumps(recorder.logger))  # noqa: S301 - what was pickled just now
    for copied in (unpickled, copy.deepcopy(recorder.logger)):
        copied.event("after")
        assert (recorder.record["key"], recorder.record["namespace"]) == ("after", "n")


def test_start_does_not_meet_a_replaced_event(recorder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools that wrap the event method see events only, not intervals."""
    seen: list[str] = []
    monkeypatch.setattr(recorder.logger, "event", lambda key, *_: seen.append(key))
    recorder.logger.start("begin")
    assert (seen, recorder.record["key"]) == ([], "begin")
