"""The profile of a task: taken in this process, from a request to its result."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from mlperf_logging.submission.machine import name_processor
from reference_impls.harness.configs import TaskConfig, change_config
from reference_impls.harness.errors import SettingError
from reference_impls.harness.profiling.classes import CLASSES, classify_operation
from reference_impls.harness.profiling.flops import count_flops, trace_step
from reference_impls.harness.profiling.phases import (
    Epoch,
    Evaluated,
    LimitedRuntime,
    begin_epoch,
    end_after,
    finish,
    measure_evaluation,
    measure_stages,
)
from reference_impls.harness.profiling.requests import (
    EVALUATION,
    INPUT,
    MATCH,
    SELF_PLAY,
    Profile,
    ProfileRequest,
)
from reference_impls.harness.profiling.traces import Operation, trace_operations
from reference_impls.harness.report.environment import describe_environment
from reference_impls.harness.run.devices import make_strategy, set_seed
from reference_impls.harness.run.loop import Loop
from reference_impls.harness.run.runtime import Batch
from reference_impls.harness.run.stages import FORWARD, OPTIMIZER
from reference_impls.harness.tasks import find_task

_WARM_STEPS = 2
_MOST_TYPES = 20


def take_profile(request: ProfileRequest, scratch: Path) -> Profile:
    """Profile a task on this machine's processors; accelerators must not be visible to TensorFlow.

    Args:
        request: what to profile.
        scratch: folder for files that the task needs while it runs.

    Raises:
        TrainerError: data is missing, or a setting is wrong.
    """
    task = find_task(request.task)
    config = change_config(task.config(request.scale, request.division), request.settings)
    if config.gradient_accumulation_steps > 1:
        raise SettingError("a step is profiled as a whole; leave gradient_accumulation_steps at 1")
    strategy = make_strategy("single")
    set_seed(request.seed, deterministic=request.deterministic)
    keras.config.set_dtype_policy(config.precision)
    workload = task.load_workload()(config, Path(request.data), request.seed, request.data_command)
    workload.check_data()
    loop = Loop(workload, strategy)
    loop.runtime = runtime = workload.runtime = LimitedRuntime(strategy, scratch=scratch)
    loop.build()
    started = time.perf_counter()
    workload.load(loop.share)
    load_seconds = time.perf_counter() - started
    # The last epoch but one stands for all: the first ones may be different, for example have no match, and while the
    # last one is trained no next one is prepared.
    number = max(2, config.max_epochs - 1)
    begin_epoch(loop, number - 1, _WARM_STEPS)
    measure_evaluation(loop, runtime, number - 1, 1)
    epoch = begin_epoch(loop, number, request.steps)
    stages = measure_stages(loop, epoch)
    evaluated = measure_evaluation(loop, runtime, number, request.most_batches)
    operations = trace_steps(loop, epoch)
    samples = [count_samples(batch) for batch in epoch.batches]
    forward, step = count_step_flops(loop, epoch.batches)
    size = int(epoch.data.cardinality())
    steps = size if size > 0 else math.ceil(workload.train_samples / (sum(samples) / len(samples)))
    phases = add_up_phases(config, epoch, stages, evaluated, steps, self_play=workload.self_play)
    total = sum(seconds for seconds in phases.values() if seconds is not None)
    return Profile(
        trainer=task.name,
        benchmark=task.benchmark,
        scale=request.scale,
        division=request.division,
        phases={name: seconds and seconds / total for name, seconds in phases.items()},
        classes=share_classes(operations),
        operations=list_types(operations, len(epoch.batches)),
        parameters=sum(math.prod(each.shape) for each in workload.state()["model"].trainable_variables),
        forward_flops=forward,
        step_flops=step,
        sample_bytes=sum(map(count_bytes, epoch.batches)) / sum(samples),
        batch_samples=sum(samples) / len(samples),
        step_seconds=sum(stages.values()),
        epoch_seconds=total,
        load_seconds=load_seconds,
        steps=steps,
        profiled_steps=len(epoch.batches),
        eval_batches=evaluated.of,
        profiled_eval_batches=evaluated.done,
        system={
            "processor": name_processor(),
            **describe_environment(strategy, loop.share, deterministic=request.deterministic),
        },
    )


def add_up_phases(
    config: TaskConfig,
    epoch: Epoch,
    stages: Mapping[str, float],
    evaluated: Evaluated,
    steps: int,
    *,
    self_play: bool,
) -> dict[str, float | None]:
    """The seconds of each phase of an epoch, in the order of `PHASES`; None: the task has no such phase.

    Args:
        config: says how often evaluations come.
        epoch: what was measured of an epoch's batches.
        stages: seconds of each stage of a step.
        evaluated: what was measured of an evaluation.
        steps: steps of an epoch.
        self_play: whether making the batches is a phase of its own.
    """
    every = config.eval_every_steps
    evaluations = steps / every if every else 1 / config.eval_every_epochs
    batches = epoch.first_seconds + (steps - 1) * epoch.wait_seconds
    return {
        INPUT: batches if self_play else epoch.made_seconds + batches,
        SELF_PLAY: epoch.made_seconds if self_play else None,
        **{stage: steps * seconds for stage, seconds in stages.items()},
        MATCH: evaluations * evaluated.match_seconds if self_play else None,
        EVALUATION: evaluations * evaluated.seconds,
    }


def trace_steps(loop: Loop, epoch: Epoch) -> list[Operation]:
    """The operations of a training step on each batch of an epoch."""
    run = loop.runtime.compile("train", loop.train_step, epoch.data)

    def train() -> None:
        for batch in epoch.batches:
            finish(run(iter([batch])))

    return trace_operations(train)


def share_classes(operations: Sequence[Operation]) -> dict[str, float]:
    """The share of each class in the time of operations."""
    sums = dict.fromkeys(CLASSES, 0.0)
    for each in operations:
        sums[classify_operation(each.kind, each.name)] += each.seconds
    total = sum(sums.values())
    return {name: seconds / total for name, seconds in sums.items()}


def list_types(operations: Sequence[Operation], steps: int) -> list[dict[str, Any]]:
    """The types that take the most time, in a class each, the longest first.

    Args:
        operations: of all steps.
        steps: number of steps.
    """
    sums: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0.0])
    for each in operations:
        entry = sums[each.kind, classify_operation(each.kind, each.name)]
        entry[0] += each.executions
        entry[1] += each.seconds
    total = sum(seconds for _, seconds in sums.values())
    longest = sorted(sums.items(), key=lambda item: -item[1][1])[:_MOST_TYPES]
    return [
        {"type": kind, "class": name, "share": seconds / total, "count": count / steps}
        for (kind, name), (count, seconds) in longest
    ]


def count_step_flops(loop: Loop, batches: Sequence[Batch]) -> tuple[float, float]:
    """Floating-point operations for each sample: of the forward pass, and of the whole step.

    They are counted on the batch of median size.

    Args:
        loop: as for `begin_epoch`.
        batches: some batches.
    """
    batch = sorted(batches, key=count_bytes)[len(batches) // 2]
    found = []
    for stage in (FORWARD, OPTIMIZER):
        step = end_after(loop, stage)
        traced = trace_step(lambda batch, step=step: loop.runtime.strategy.run(step, args=(batch,)), batch)  # type: ignore[misc]
        found.append(count_flops(*traced) / count_samples(batch))
    forward, whole = found
    return forward, whole


def count_samples(batch: Batch) -> int:
    """The samples of a batch, padding included: the first dimension of its tensors."""
    return max(int(each.shape[0]) for each in tf.nest.flatten(batch) if each.shape.rank)


def count_bytes(batch: Batch) -> int:
    """The bytes of a batch's tensors."""
    return sum(each.dtype.size * math.prod(each.shape) for each in tf.nest.flatten(batch))
