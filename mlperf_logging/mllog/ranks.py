"""Which process logs, where many run the same script.

The rank of this process is what ``MLLOG_RANK`` says, else ``RANK``, ``SLURM_PROCID``,
``OMPI_COMM_WORLD_RANK``, the task that ``TF_CONFIG`` describes, or JAX's process index once JAX is loaded and
its processes have met.
"""

from __future__ import annotations

import os
import sys

from mlperf_logging.mllog.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

RANK_VARIABLES = ("MLLOG_RANK", "RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")


def find_rank() -> int | None:
    """The rank of this process, counted from 0, or None where nothing tells."""
    for name in RANK_VARIABLES:
        text = os.environ.get(name, "").strip()
        if text.isdecimal():
            return int(text)
    rank = _read_tf_config(os.environ.get("TF_CONFIG", ""))
    return _ask_jax() if rank is None else rank


def _read_tf_config(text: str) -> int | None:
    """Rank of a TensorFlow task: chiefs first, then workers; evaluators and parameter servers after them."""
    if not text:
        return None
    import json

    try:
        config = json.loads(text)
        task, cluster = config["task"], config.get("cluster", {})
        kind, index = task["type"], int(task["index"])
        order = [name for name in ("chief", "master", "worker") if name in cluster or name == kind]
        order += sorted(name for name in cluster if name not in order)
        return sum(len(cluster.get(name, ())) for name in order[: order.index(kind)]) + index
    except (ValueError, KeyError, TypeError, AttributeError):
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


def parse_ranks(text: str | int | Iterable[int]) -> frozenset[int] | None:
    """Read a choice of ranks.

    Args:
        text: ``"all"``, a rank, several ranks, or text such as ``"0,4-7"``.

    Returns:
        The ranks, or None for all of them.

    Raises:
        ConfigError: it is none of these.
    """
    if isinstance(text, int):
        return frozenset((text,))
    if not isinstance(text, str):
        return frozenset(int(rank) for rank in text)
    if text.strip().lower() == "all":
        return None
    ranks: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            ranks.update(range(int(first), int(last or first) + 1))
        except ValueError:
            raise ConfigError(
                f"ranks {text!r}: {part.strip()!r} is no rank; write 'all', a rank, or ranks like '0,4-7'"
            ) from None
    return frozenset(ranks)


class RankFilter:
    """Lets only some ranks log.

    Args:
        ranks: the ranks that log.

    Attributes:
        ranks: the ranks that log.
    """

    def __init__(self, ranks: frozenset[int]) -> None:
        self.ranks = ranks
        self._passes: bool | None = None

    def passes(self) -> bool:
        """Whether this process logs. A process whose rank is not known (yet) counts as rank 0."""
        if self._passes is None:
            rank = find_rank()
            if rank is None:
                return 0 in self.ranks
            self._passes = rank in self.ranks
        return self._passes
