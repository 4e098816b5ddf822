"""Hypothesis strategies that tests share: events, values of logs, formulas of the rule language."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from mlperf_logging.events import Event
from mlperf_logging.rules.closures import EVENT_FIELDS, FUNCTIONS
from mlperf_logging.rules.formula import Node

KEYS = ("seed", "opt_name", "run_start", "run_stop", "eval_accuracy", "submission_org")
FIELDS = ("epoch_num", "status", "samples_count", "value", "first", "in")
STATE_WORDS = ("run_started", "in_epoch", "last_epoch")

names = st.sampled_from([*KEYS, *FIELDS, "any", "end", "logged", "x1", "_"])
"""Names of keys and fields; some are words of the rule language."""

small_numbers = st.one_of(
    st.integers(0, 2**70),
    st.floats(0, 1e300, allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, 0.5, 1e-08, 64, 65]),
)
"""Numbers as rules write them: not negative, since a sign is an operator."""

texts = st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cs"]), max_size=8)
"""Texts that can stand between quotes in a rule."""

json_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from([0, 1, -1, 0.5, 64, "adam", "closed", "success", ""]),
)

json_values = st.recursive(
    json_scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=5)), inner, max_size=3),
    ),
    max_leaves=6,
)
"""Any value that a log may hold, also those that Python's JSON reader alone accepts (NaN, Infinity)."""


def metadata() -> st.SearchStrategy[dict[str, Any]]:
    """Metadata objects, mostly with fields that rules look at."""
    return st.dictionaries(
        st.sampled_from([*FIELDS, "metric", "tensor", "epoch_count"]), json_values, max_size=4
    )


def events(keys: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[Event]:
    """Events with any value, metadata and time.

    Args:
        keys: the keys to draw from; None for a few that rules of every round know.
    """
    return st.builds(
        Event,
        key=st.sampled_from(KEYS) if keys is None else keys,
        value=json_values,
        metadata=metadata(),
        time_ms=st.one_of(st.integers(0, 2**45), st.floats(0, 1e13)),
        line=st.integers(1, 1000),
        column=st.just(1),
        raw=st.binary(max_size=20),
        event_type=st.sampled_from([None, "POINT_IN_TIME"]),
        namespace=st.sampled_from(["", "worker", 0]),
        benchmark=st.one_of(st.none(), st.sampled_from(["resnet", "unknown"])),
        dialect=st.just("mllog"),
    )


# --- formulas: trees as the parser gives them ------------------------------------------------------------


def _places(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def below(place: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        return st.one_of(
            st.tuples(st.just("field"), place, names).map(list),
            st.tuples(st.just("index"), place, inner).map(list),
        )

    roots = st.one_of(
        st.just(["value"]),
        st.tuples(st.just("meta"), names).map(list),
        st.tuples(st.just("event"), st.sampled_from(sorted(EVENT_FIELDS))).map(list),
        st.tuples(st.just("state"), st.sampled_from(STATE_WORDS)).map(list),
    )
    return st.recursive(roots, below, max_leaves=3)


_numbers = small_numbers.map(lambda number: ["number", number])
_strings = texts.map(lambda text: ["string", text])
_constants = st.sampled_from([["infinity"], ["true"], ["false"]])
_members = st.one_of(_strings, _numbers, _constants, small_numbers.map(lambda number: ["number", -number]))
_leaves = st.one_of(
    _numbers,
    _strings,
    _constants,
    st.just(["null"]),
    _places(_numbers),
    st.tuples(st.sampled_from(["logged", "count", "minutes_since"]), names).map(list),
    st.tuples(st.just("previous"), _places(_numbers)).map(list),
    st.tuples(st.just("present"), st.one_of(_places(_numbers), names.map(lambda key: ["logged", key]))).map(
        list
    ),
    st.tuples(st.just("index"), names.map(lambda key: ["logged", key]), _numbers).map(list),
)


def _larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    comparison = st.tuples(inner, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner)
    chained = st.tuples(comparison, st.sampled_from(["<", "<="]), inner).map(
        lambda parts: [*parts[0], *parts[1:]]
    )
    many = st.lists(inner, min_size=2, max_size=3)
    calls = st.sampled_from(sorted(FUNCTIONS)).flatmap(
        lambda name: st.lists(inner, min_size=FUNCTIONS[name][1] or 1, max_size=FUNCTIONS[name][1] or 3).map(
            lambda arguments: ["call", name, *arguments]
        )
    )
    return st.one_of(
        comparison.map(lambda parts: ["comparison", *parts]),
        chained.map(lambda parts: ["comparison", *parts]),
        many.map(lambda parts: ["conjunction", *parts]),
        many.map(lambda parts: ["disjunction", *parts]),
        st.tuples(st.sampled_from(["negation", "negative"]), inner).map(list),
        st.tuples(st.just("conditional"), inner, inner, inner).map(list),
        st.tuples(
            st.sampled_from(["add", "subtract", "multiply", "divide", "modulo", "power"]), inner, inner
        ).map(list),
        st.tuples(inner, st.lists(_members, min_size=1, max_size=3)).map(
            lambda parts: ["membership", parts[0], *parts[1]]
        ),
        inner.map(lambda subject: ["membership", subject, ["benchmarks"]]),
        calls,
    )


formulas = st.recursive(_leaves, _larger, max_leaves=12)
"""Syntax trees of formulas, each of which some text gives."""

_junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 100),
    st.text(max_size=3),
    st.sampled_from(["value", "call", "meta"]),
)
junk_trees = st.recursive(
    _junk,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(
            st.sampled_from(
                ["call", "comparison", "membership", "meta", "event", "state", "power", "present", "index"]
            ),
            inner,
            inner,
        ).map(list),
    ),
    max_leaves=8,
).filter(lambda tree: isinstance(tree, list))
"""Lists that are mostly no syntax trees."""
