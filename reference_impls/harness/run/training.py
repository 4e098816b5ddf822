"""One run from its request to its result, in this process."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO

import keras

from reference_impls.harness.configs import change_config
from reference_impls.harness.data.files import drop_from_cache
from reference_impls.harness.errors import DivergenceError, SettingError, TrainerError
from reference_impls.harness.report.display import Display
from reference_impls.harness.report.environment import describe_environment
from reference_impls.harness.report.recording import LogRecorder, truncate_log
from reference_impls.harness.run.checkpoints import Checkpoint, CheckpointKeeper, find_checkpoint
from reference_impls.harness.run.devices import make_strategy, set_seed
from reference_impls.harness.run.loop import Loop
from reference_impls.harness.run.requests import RunRequest, RunResult, identify_run, list_differences
from reference_impls.harness.run.runtime import find_share
from reference_impls.harness.run.weights import FOLDER as WEIGHTS
from reference_impls.harness.run.weights import keep_weights
from reference_impls.harness.tasks import find_task


def train(request: RunRequest, stream: TextIO | None = None) -> RunResult:
    """Do one run.

    Args:
        request: what to train, how, and where to write.
        stream: gets one line per evaluation; None: nothing is shown.

    Returns:
        The result of the run.

    Raises:
        TrainerError: it could not start or resume: data is missing, a setting is wrong, or a checkpoint belongs to another
            run.
    """
    task = find_task(request.task)
    config = change_config(task.config(request.scale, request.division), request.settings)
    folder, log, work = Path(request.data), Path(request.log), Path(request.work)
    strategy = make_strategy(request.strategy, request.replicas)
    share = find_share(strategy)
    if request.jit_compile and share.all_replicas > 1:
        raise SettingError(
            f"XLA compiles the step of one device, not of {share.all_replicas}; train without --jit-compile"
        )
    parts = share.all_replicas * config.gradient_accumulation_steps
    if config.gradient_accumulation_steps > 1 and config.global_batch_size % parts:
        raise SettingError(
            f"global_batch_size={config.global_batch_size} cannot be divided into {parts} parts: "
            f"gradient_accumulation_steps={config.gradient_accumulation_steps} on each of {share.all_replicas} replicas"
        )
    set_seed(request.seed, deterministic=request.deterministic)
    keras.config.set_dtype_policy(config.precision)
    workload = task.load_workload()(config, folder, request.seed, request.data_command)
    if request.jit_compile and not workload.compiles:
        raise SettingError(f"XLA cannot compile the steps of {task.name}; train without --jit-compile")
    workload.check_data()
    asked = {**identify_run(request, config), "replicas": share.all_replicas}
    resumed = _find_start(request, asked, log, work, is_first=share.index == 0)
    display = Display(
        stream if share.index == 0 else None,
        f"{task.name} seed {request.seed}",
        workload.metric,
        workload.target,
        workload.unit,
    )
    scratch = work / f"scratch_{share.index}"
    loop = Loop(
        workload,
        strategy,
        checkpoint_steps=request.checkpoint_steps,
        jit_compile=request.jit_compile,
        steps_per_call=request.steps_per_call,
        scratch=scratch,
    )
    is_dropped = False
    if resumed is None:
        is_dropped = drop_from_cache(folder)
        log.parent.mkdir(parents=True, exist_ok=True)
    reached = False
    recorder = LogRecorder(
        log,
        workload,
        request.submission,
        display,
        share=share,
        resumed=resumed,
        request=asked,
        environment={
            **describe_environment(strategy, share, deterministic=request.deterministic),
            "jit_compile": request.jit_compile,
            "steps_per_call": request.steps_per_call,
        },
        clears_cache=is_dropped,
    )
    try:
        with recorder:
            loop.build()
            keeper = CheckpointKeeper(work / "checkpoint", workload.state(), share, workload)
            if config.checkpoint_every_epochs or request.checkpoint_steps:
                recorder.keeper = keeper
            with closing(keeper):
                if resumed is not None:
                    keeper.restore(resumed)
                    after = f" and {resumed.step} steps of the next one" if resumed.step else ""
                    display.say(f"resumed after {display.unit} {resumed.epoch}{after}")
                reached = loop.run(recorder, resumed)
                recorder.stop()
                keeper.wait()
            kept = work / WEIGHTS if share.index == 0 else None
            recorder.log_weights(keep_weights(kept, workload, request, recorder.epoch, recorder.quality))
            shutil.rmtree(scratch, ignore_errors=True)
    except DivergenceError as error:
        display.say(f"aborted: {error}")
    else:
        if not reached:
            display.say(f"stopped after {config.max_epochs} {display.unit}s without reaching the target")
    return RunResult(reached, recorder.epoch, recorder.quality, asked)


def _find_start(
    request: RunRequest, asked: dict[str, Any], log: Path, work: Path, *, is_first: bool
) -> Checkpoint | None:
    """The checkpoint to resume from, with the log truncated to it; None to start over."""
    if not request.resume:
        return None
    checkpoint = find_checkpoint(work / "checkpoint")
    if checkpoint is not None and (names := list_differences(asked, checkpoint.request)):
        raise TrainerError(
            f"the checkpoint in {work} belongs to a run with a different {' and '.join(names)}; "
            "give the options of that run, or another output folder"
        )
    if is_first and log.is_file():
        truncate_log(log, checkpoint.log_bytes if checkpoint else 0, work)
        if checkpoint is None:
            log.unlink()
    return checkpoint
