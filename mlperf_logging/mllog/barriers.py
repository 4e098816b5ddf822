"""Waiting for the other processes of a training, so that an event is logged when all of them have come so far.

No framework is imported: one that was not loaded has no processes to wait for.
"""

from __future__ import annotations

import sys

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.errors import ConfigError
from mlperf_logging.mllog.notices import print_notice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SYNCHRONIZED_KEYS = (constants.RUN_START, constants.RUN_STOP)
"""Keys of the events before which processes wait where a barrier is configured."""
AUTOMATIC, NONE = "auto", "none"


def _wait_for_torch(group: Any) -> bool:
    distributed: Any = sys.modules.get("torch.distributed")
    if distributed is None or not (distributed.is_available() and distributed.is_initialized()):
        return False
    distributed.barrier(*(() if group is None else (group,)))
    return True


def _wait_for_jax(group: Any) -> bool:
    jax: Any = sys.modules.get("jax")
    is_initialized = getattr(getattr(jax, "distributed", None), "is_initialized", None)
    if is_initialized is None or not is_initialized():
        return False
    from importlib import import_module

    import_module("jax.experimental.multihost_utils").sync_global_devices(group or "mllog")
    return True


def _wait_for_mpi(group: Any) -> bool:
    mpi: Any = sys.modules.get("mpi4py.MPI")
    if mpi is None or not mpi.Is_initialized() or mpi.Is_finalized():
        return False
    (group or mpi.COMM_WORLD).Barrier()
    return True


BARRIERS: dict[str, Callable[[Any], bool]] = {
    "torch": _wait_for_torch,
    "jax": _wait_for_jax,
    "mpi": _wait_for_mpi,
}
"""Barriers by the name of their framework; each tells whether its processes have met and could be waited for."""


class Barrier:
    """Waits for the other processes; where there are none, for nobody.

    Args:
        choice: the name of a framework, ``"auto"`` for the first of them that is in use, or a function of the
            script's own that is called without arguments.
    """

    def __init__(self, choice: str | Callable[[], object] = AUTOMATIC) -> None:
        self._choice = choice

    def wait(self, key: object, group: Any = None) -> None:
        """Wait before an event of this key. A barrier that fails is reported: the event is logged without it.

        Args:
            key: of the event, for the report.
            group: processes to wait for, as the framework names them; default: all.
        """
        choice = self._choice
        try:
            if not isinstance(choice, str):
                choice()
            elif choice == AUTOMATIC:
                any(wait(group) for wait in BARRIERS.values())
            else:
                BARRIERS[choice](group)
        except Exception as error:  # noqa: BLE001 - whatever a framework raises must not cost the event
            print_notice(f"mllog: the barrier before {key} failed: {error!r}; the event is logged without it")


def parse_barrier(choice: object) -> Barrier | None:
    """Read a choice of `config`; ``"none"`` gives None."""
    if choice == NONE:
        return None
    if callable(choice):
        return Barrier(choice)
    if isinstance(choice, str) and choice in (AUTOMATIC, *BARRIERS):
        return Barrier(choice)
    names = ", ".join((AUTOMATIC, *BARRIERS, NONE))
    raise ConfigError(f"mllog.config: barrier must be a function or one of {names}, not {choice!r}")
