"""The final weights of a run, kept with their checksum so that the quality that its log claims can be audited."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import keras

from mlperf_logging.mllog.lifecycle import reaches_target
from reference_impls.harness.configs import change_config
from reference_impls.harness.data.prepared import hash_arrays, read_prepared, write_prepared
from reference_impls.harness.errors import DataError, TrainerError
from reference_impls.harness.run.checkpoints import assign_values, read_values
from reference_impls.harness.run.devices import make_strategy, set_seed
from reference_impls.harness.run.loop import Loop
from reference_impls.harness.run.requests import RunRequest
from reference_impls.harness.tasks import find_task
from reference_impls.harness.workload import Quality, Workload

FOLDER = "weights"


class Audit(NamedTuple):
    """A run's final weights, evaluated again.

    Attributes:
        trainer: name of the task.
        scale: ``mini`` or ``full``.
        division: ``closed`` or ``open``.
        seed: the run's.
        epoch: the run's last.
        target: quality that the run had to reach.
        recorded: the quality that the run found; None if it evaluated nothing.
        quality: the quality that the weights have. Where there are several, this and the two before are by name.
        checksum: of the weights; the run's log has the same.
        mode: ``"max"`` where more quality is better, ``"min"`` where less is.
    """

    trainer: str
    scale: str
    division: str
    seed: int
    epoch: int
    target: Quality
    recorded: Quality | None
    quality: Quality
    checksum: str
    mode: str = "max"

    @property
    def is_confirmed(self) -> bool:
        """Whether the weights reach the target."""
        return reaches_target(self.quality, self.target, self.mode)


def keep_weights(
    folder: Path | None, workload: Workload[Any], request: RunRequest, epoch: int, quality: Quality | None
) -> str:
    """Keep the weights of a workload's model; every process of a run must call this.

    Args:
        folder: where to; None: nothing is written.
        workload: the workload, built.
        request: the run.
        epoch: the last one.
        quality: result of the last evaluation.

    Returns:
        The checksum of the weights.
    """
    values = read_values({"model": workload.state()["model"]})
    if folder is not None:
        write_prepared(folder, values, {"request": asdict(request), "epoch": epoch, "quality": quality})
    return hash_arrays(values)


class KeptRun(NamedTuple):
    """A run whose final weights were read.

    Attributes:
        request: what was trained.
        loop: its workload, loaded, with these weights.
        epoch: the run's last.
        quality: the last that the run found; None if it evaluated nothing.
        checksum: of the weights.
    """

    request: RunRequest
    loop: Loop
    epoch: int
    quality: Quality | None
    checksum: str


def restore_weights(folder: Path, data: Path | None = None) -> KeptRun:
    """Make the model whose weights a run has kept.

    Args:
        folder: where they are.
        data: folder of the task's prepared data; None: where the run had it.

    Raises:
        TrainerError: the weights are missing, damaged or those of another model, or the data is missing.
    """
    try:
        values, facts = read_prepared(folder, "")
        entry = facts["request"]
        request = RunRequest(**{**entry, "settings": tuple(entry["settings"])})
    except (DataError, KeyError, TypeError):
        raise TrainerError(f"{folder} does not hold the weights of a run, or they are damaged") from None
    task = find_task(request.task)
    config = change_config(task.config(request.scale, request.division), request.settings)
    strategy = make_strategy("single")
    set_seed(request.seed, deterministic=request.deterministic)
    keras.config.set_dtype_policy(config.precision)
    place = data / task.name / request.scale if data else Path(request.data)
    workload = task.load_workload()(config, place, request.seed, request.data_command)
    workload.check_data()
    loop = Loop(workload, strategy)
    loop.build()
    try:
        assign_values({"model": workload.state()["model"]}, values)
    except ValueError:
        raise TrainerError(f"{folder} holds the weights of another model than today's {task.name}") from None
    workload.load(loop.share)
    return KeptRun(request, loop, int(facts["epoch"]), facts["quality"], hash_arrays(values))


def evaluate_weights(folder: Path, data: Path | None = None) -> Audit:
    """Evaluate the weights that a run has kept.

    Args:
        folder: where they are.
        data: folder of the task's prepared data; None: where the run had it.

    Raises:
        TrainerError: the weights are missing, damaged or those of another model, or the data is missing.
    """
    run = restore_weights(folder, data)
    workload = run.loop.workload
    return Audit(
        run.request.task,
        run.request.scale,
        run.request.division,
        run.request.seed,
        run.epoch,
        workload.target,
        run.quality,
        run.loop.evaluate().quality,
        run.checksum,
        workload.mode,
    )
