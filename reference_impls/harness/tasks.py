"""The tasks: one folder each next to the harness, whose package holds a `Task` named ``TASK``."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import reference_impls
from mlperf_logging.suggestions import did_you_mean
from reference_impls.harness.configs import TaskConfig
from reference_impls.harness.errors import SettingError, TrainerError

if TYPE_CHECKING:
    from pathlib import Path

    from reference_impls.harness.workload import Workload

SCALES = ("mini", "full")


@dataclass(frozen=True)
class Task:
    """What a task is, without loading TensorFlow.

    Attributes:
        name: name of the task and of its folder, for example ``recommendation``.
        benchmark: the name that is logged, for example ``ncf``.
        summary: model, data and metric in a phrase.
        configs: configuration by scale and division: ``("mini", "closed")``.
        workload: module and class of the workload, ``"package.module:Class"``.
        scripts: module that gets and checks the data, run as ``mlperf train data NAME --scale S --data DIR``.
        aliases: further names that users may give.
    """

    name: str
    benchmark: str
    summary: str
    configs: Mapping[tuple[str, str], TaskConfig]
    workload: str
    scripts: str
    aliases: tuple[str, ...] = field(default=())

    def config(self, scale: str, division: str) -> TaskConfig:
        """The configuration for a scale and division.

        Raises:
            SettingError: the task has none.
        """
        found = self.configs.get((scale, division))
        if found is None:
            known = ", ".join(f"{each} {other}" for each, other in self.configs)
            raise SettingError(f"{self.name} has no configuration {scale} {division}; it has {known}")
        return found

    def data_command(self, scale: str, folder: Path) -> str:
        """The command line that gets the data of a scale into a folder."""
        return f"mlperf train data {self.name} --scale {scale} --data {folder}"

    def load_workload(self) -> type[Workload[Any]]:
        """The class of the workload; this loads TensorFlow."""
        module, _, name = self.workload.partition(":")
        found: type[Workload[Any]] = getattr(import_module(module), name)
        return found


def list_tasks() -> dict[str, Task]:
    """All tasks by name."""
    tasks = {}
    for module in pkgutil.iter_modules(reference_impls.__path__):
        if module.ispkg and module.name != "harness":
            task = getattr(import_module(f"reference_impls.{module.name}"), "TASK", None)
            if isinstance(task, Task):
                tasks[task.name] = task
    return tasks


def find_task(name: str) -> Task:
    """A task by its name, its benchmark's name or an alias; case does not matter, and spaces, ``-`` and ``_`` are equal.

    Raises:
        TrainerError: there is none.
    """
    known: dict[str, Task] = {}
    for task in list_tasks().values():
        for each in (task.name, task.benchmark, *task.aliases):
            known[_fold(each)] = task
    found = known.get(_fold(name))
    if found is None:
        names = ", ".join(f"{task.name} ({task.benchmark})" for task in list_tasks().values())
        meant = did_you_mean(_fold(name), known, f"choose from {names}")
        raise TrainerError(f"unknown trainer {name!r}; {meant}")
    return found


def _fold(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
