"""What a log says of its own kind: the first event of each key, whether it was read in columns or not."""

from __future__ import annotations

import pytest
from logs import mll, mllog

from mlperf_logging.compliance import identity as module
from mlperf_logging.compliance.identity import Identity
from mlperf_logging.parsing import read_batches

NOISE = b"noise\n"
LOG = NOISE + b"".join(
    [mllog("submission_benchmark", "bert"), mllog("seed", 1), mllog("seed", 2), mllog("run_start", None)]
)


@pytest.mark.parametrize("most_keys", [0, 2, module.KEPT_KEYS])
@pytest.mark.parametrize("asks_first", [False, True])
def test_first_events_are_the_same_from_columns_and_from_lists(
    most_keys: int, asks_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values can be asked for before and after all events are; columns beyond the bounds are looked into at once."""
    monkeypatch.setattr(module, "KEPT_KEYS", most_keys)
    from_columns, from_lists = Identity(), Identity()
    for batch in read_batches(LOG):
        from_columns.note(batch)
        from_lists.note([*batch])
    if asks_first:
        from_columns.settle()

    for key, value in {"submission_benchmark": "bert", "seed": 1, "run_start": None, "nothing": None}.items():
        assert from_columns.value("mllog", key) == from_lists.value("mllog", key) == value
        assert from_columns.value("mll", key) is None
    found, expected = from_columns.find("mllog", "seed"), from_lists.find("mllog", "seed")
    assert found is not None
    assert expected is not None
    assert found == expected._replace(line=found.line, column=found.column, raw=found.raw)
    assert from_columns.benchmark("mllog") == "bert"
    assert from_columns.dialects == from_lists.dialects == ["mllog"]
    assert from_columns.first_lines == from_lists.first_lines == {"mllog": 2}
    first = {key: event.value for key, event in from_columns.events("mllog").items()}
    assert first == {"submission_benchmark": "bert", "seed": 1, "run_start": None}
    assert from_columns.events("mllog").keys() == from_lists.events("mllog").keys()


def test_each_dialect_has_its_first_events() -> None:
    """Records of several dialects do not mix, and the newest dialect is found."""
    identity = Identity()
    for batch in read_batches(mll("seed", 3) + LOG):
        identity.note(batch)

    assert identity.first_lines == {"mll": 1, "mllog": 3}
    assert (identity.value("mll", "seed"), identity.value("mllog", "seed")) == (3, 1)
    assert identity.find_newest_dialect() == "mllog"
