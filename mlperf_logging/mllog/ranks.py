"""Which process logs, where many run the same script.

The rank of this process is what ``MLLOG_RANK`` says, else torch's once its processes have met, else ``RANK``,
the variables of MPI launchers, ``SLURM_PROCID``, the task that ``TF_CONFIG`` describes, or JAX's process index
once JAX is loaded and its processes have met.
"""

from __future__ import annotations

import json
import os
import sys

from mlperf_logging.mllog.errors import ConfigError
from mlperf_logging.mllog.notices import report_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

RANK_VARIABLES = ("MLLOG_RANK", "RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID")
"""In this order: where a launcher starts others, as Slurm does mpirun, the inner one knows the rank."""
MAX_DIGITS = 18
"""A number with more digits is not taken for a rank."""


def find_rank() -> int | None:
    """The rank of this process, counted from 0, or None where nothing says."""
    for name in RANK_VARIABLES:
        if name == "RANK" and (rank := _ask_torch()) is not None:
            return rank
        text = os.environ.get(name, "").strip()
        if text.isdecimal() and len(text) <= MAX_DIGITS:
            return int(text)
        if text:
            report_variable(name, text, "it is not a rank")
    rank = _read_tf_config(os.environ.get("TF_CONFIG", ""))
    return _ask_jax() if rank is None else rank


def _read_tf_config(text: str) -> int | None:
    """Rank of a TensorFlow task: chiefs first, then workers; evaluators and parameter servers after them."""
    if not text:
        return None
    try:
        config = json.loads(text)
        task, cluster = config["task"], config.get("cluster", {})
        kind, index = task["type"], int(task["index"])
        order = [name for name in ("chief", "master", "worker") if name in cluster or name == kind]
        order += sorted(name for name in cluster if name not in order)
        return sum(len(cluster.get(name, ())) for name in order[: order.index(kind)]) + index
    except Exception as error:  # noqa: BLE001 - too deep, too long, of another shape: the rank is not known
        report_variable("TF_CONFIG", text, f"no task can be read from it ({type(error).__name__})")
        return None


def _ask_torch() -> int | None:
    """The rank in torch's default process group, once there is one."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is None:
        return None
    try:
        return int(distributed.get_rank()) if distributed.is_initialized() else None
    except Exception:  # noqa: BLE001 - half loaded, or built without: the rank is not known
        return None


def _ask_jax() -> int | None:
    """JAX's process index, asked for only when that cannot start JAX's devices too early."""
    jax = sys.modules.get("jax")
    if jax is None:
        return None
    try:
        return int(jax.process_index()) if jax.distributed.is_initialized() else None
    except Exception:  # noqa: BLE001 - whatever a half-loaded or older JAX raises: the rank is not known
        return None


def parse_ranks(choice: str | int | Iterable[int]) -> RankFilter | None:
    """Read a choice of ranks: a rank, several, text such as ``"0,4-7"``, or ``"all"``, which gives None."""
    if isinstance(choice, int):
        return RankFilter([range(choice, choice + 1)])
    if not isinstance(choice, str):
        return RankFilter([range(int(rank), int(rank) + 1) for rank in choice])
    if choice.strip().lower() == "all":
        return None
    ranges = []
    for part in choice.split(","):
        first, _, last = part.partition("-")
        try:
            ranges.append(range(int(first), int(last or first) + 1))
        except ValueError:
            raise ConfigError(
                f"ranks {choice[:40]!r}: {part.strip()[:40]!r} is not a rank; write 'all', a rank, or ranks "
                "like '0,4-7'"
            ) from None
    return RankFilter(ranges)


class RankFilter:
    """Lets only the ranks in some ranges log."""

    def __init__(self, ranges: Iterable[range]) -> None:
        self._ranges = tuple(ranges)
        self._passes: bool | None = None

    def __contains__(self, rank: int) -> bool:
        return any(rank in some for some in self._ranges)

    def passes(self) -> bool:
        """Whether this process logs. A process whose rank is not known (yet) counts as rank 0."""
        if self._passes is None:
            rank = find_rank()
            if rank is None:
                return 0 in self
            self._passes = rank in self
        return self._passes
