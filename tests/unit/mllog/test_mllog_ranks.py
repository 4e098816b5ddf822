"""The rank of a process, from launchers and frameworks."""

from __future__ import annotations

import json
import sys
import types
from typing import Any

import pytest

from mlperf_logging.mllog.errors import ConfigError
from mlperf_logging.mllog.ranks import RANK_VARIABLES, RankFilter, find_rank, parse_ranks


@pytest.fixture(autouse=True)
def _no_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*RANK_VARIABLES, "TF_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name in ("jax", "torch.distributed"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def make_jax(*, initialized: bool, index: int) -> types.ModuleType:
    """A stand-in for JAX after or before its processes have met."""
    jax = types.ModuleType("jax")

    def process_index() -> int:
        if not initialized:
            pytest.fail("asking now would start the devices too early")
        return index

    jax.process_index = process_index  # type: ignore[attr-defined]
    jax.distributed = types.SimpleNamespace(is_initialized=lambda: initialized)  # type: ignore[attr-defined]
    return jax


def test_nothing_tells() -> None:
    """Without launcher and framework the rank is not known."""
    assert find_rank() is None


@pytest.mark.parametrize("count", range(1, len(RANK_VARIABLES) + 1))
def test_variables_come_in_order(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """The first variable that is set wins, in the documented order."""
    for rank, name in list(enumerate(RANK_VARIABLES))[-count:]:
        monkeypatch.setenv(name, str(rank))
    assert find_rank() == len(RANK_VARIABLES) - count


def test_a_variable_that_is_no_number_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty or odd value does not hide the next one."""
    monkeypatch.setenv("RANK", "")
    monkeypatch.setenv("SLURM_PROCID", "first")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "4")
    assert find_rank() == 4


@pytest.mark.parametrize(
    ("kind", "index", "rank"), [("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2), ("ps", 0, 3)]
)
def test_tensorflow_tasks_are_numbered_chiefs_first(
    monkeypatch: pytest.MonkeyPatch, kind: str, index: int, rank: int
) -> None:
    """TF_CONFIG gives chief, workers and the others ranks in that order."""
    cluster = {"ps": ["d"], "worker": ["b", "c"], "chief": ["a"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}}))
    assert find_rank() == rank


@pytest.mark.parametrize("text", ["{", "[]", '{"task": {}}', '{"task": {"type": "worker", "index": "x"}}'])
def test_a_broken_tf_config_tells_nothing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A TF_CONFIG that cannot be read is not an error of the training."""
    monkeypatch.setenv("TF_CONFIG", text)
    assert find_rank() is None


@pytest.mark.parametrize(("initialized", "rank"), [(True, 5), (False, None)])
def test_jax_is_asked_only_when_its_processes_have_met(
    monkeypatch: pytest.MonkeyPatch, initialized: bool, rank: int | None
) -> None:
    """A loaded JAX gives its process index, but is never made to start its devices."""
    monkeypatch.setitem(sys.modules, "jax", make_jax(initialized=initialized, index=5))
    assert find_rank() == rank


@pytest.mark.parametrize(("initialized", "rank"), [(True, 5), (False, 3)])
def test_torch_is_asked_once_its_processes_have_met(
    monkeypatch: pytest.MonkeyPatch, initialized: bool, rank: int
) -> None:
    """The rank in torch's process group comes before the launcher's, which may be that of a whole node."""
    torch = types.SimpleNamespace(is_initialized=lambda: initialized, get_rank=lambda: 5)
    monkeypatch.setitem(sys.modules, "torch.distributed", torch)  # type: ignore[arg-type]
    monkeypatch.setenv("SLURM_PROCID", "3")
    assert find_rank() == rank
    monkeypatch.setenv("MLLOG_RANK", "1")
    assert find_rank() == 1


def test_a_torch_without_processes_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A torch that was built without distributed training is no error."""
    monkeypatch.setitem(sys.modules, "torch.distributed", types.ModuleType("torch.distributed"))
    assert find_rank() is None


@pytest.mark.parametrize("name", ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"])
def test_mpi_knows_better_than_slurm(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Where Slurm starts mpirun once on a node, all its processes have the same SLURM_PROCID."""
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv(name, "6")
    assert find_rank() == 6


@pytest.mark.parametrize(
    ("choice", "ranks"),
    [("all", None), (2, {2}), ([0, 3], {0, 3}), ("0", {0}), ("0,4-6", {0, 4, 5, 6}), (" ALL ", None)],
)
def test_choices_of_ranks(choice: Any, ranks: set[int] | None) -> None:
    """All ways to name ranks."""
    chosen = parse_ranks(choice)
    assert (chosen if chosen is None else {rank for rank in range(10) if rank in chosen}) == ranks


@pytest.mark.parametrize("choice", ["", "a", "1;2", "1-", "-"])
def test_wrong_choices_say_what_is_wrong(choice: str) -> None:
    """A choice that cannot be read is an error with the ways to write it."""
    if choice == "1-":
        chosen = parse_ranks(choice)
        assert chosen is not None
        assert [rank for rank in range(10) if rank in chosen] == [1]
    else:
        with pytest.raises(ConfigError, match="write 'all', a rank, or ranks like"):
            parse_ranks(choice)


def test_a_rank_that_becomes_known_later_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process counts as rank 0 until something tells its rank."""
    chosen = RankFilter([range(1)])
    assert chosen.passes()
    monkeypatch.setenv("RANK", "1")
    assert not chosen.passes()
