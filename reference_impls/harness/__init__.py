"""The harness of the reference trainers: the only training loop and the only emitter of events.

A task describes itself by a `Task` (light: no TensorFlow is loaded) and does its work in a `Workload`
(module `workload`). Everything else, from seeds over devices to checkpoints and the log, is done here.
"""

from reference_impls.harness.configs import TaskConfig, change_config
from reference_impls.harness.errors import DataError, SettingError, TrainerError
from reference_impls.harness.files import DataFile, check_files
from reference_impls.harness.tasks import Task, find_task, list_tasks

__all__ = [
    "DataError",
    "DataFile",
    "SettingError",
    "Task",
    "TaskConfig",
    "TrainerError",
    "change_config",
    "check_files",
    "find_task",
    "list_tasks",
]
