"""The harness of the reference trainers: the only training loop and the only emitter of events.

A task describes itself by a `Task` (light: it does not load TensorFlow) and does its work in a `Workload` (module
`workload`). The rest is done here: `run` trains, `data` feeds, `report` logs and describes,
`profiling` tells where the time goes.
"""

from reference_impls.harness.configs import TaskConfig, change_config
from reference_impls.harness.data.files import DataFile, check_files
from reference_impls.harness.errors import DataError, DivergenceError, SettingError, TrainerError
from reference_impls.harness.tasks import Task, find_task, list_tasks

__all__ = [
    "DataError",
    "DataFile",
    "DivergenceError",
    "SettingError",
    "Task",
    "TaskConfig",
    "TrainerError",
    "change_config",
    "check_files",
    "find_task",
    "list_tasks",
]
