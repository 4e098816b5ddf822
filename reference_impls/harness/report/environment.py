"""What a run computes with: devices, threads, versions of hardware and software."""

from __future__ import annotations

import os
import platform

import keras
import numpy as np
import tensorflow as tf

from reference_impls.harness.report.systems import SOURCES, list_accelerators, read_commit, read_driver
from reference_impls.harness.workload import Share


def describe_environment(
    strategy: tf.distribute.Strategy, share: Share, *, deterministic: bool
) -> dict[str, object]:
    """What a run computes with, as logged.

    Args:
        strategy: the distribution strategy.
        share: which part of each batch this process feeds.
        deterministic: whether operations must be deterministic.
    """
    threading = tf.config.threading
    return {
        "strategy": type(strategy).__name__,
        "processes": share.processes,
        "replicas_per_process": share.replicas,
        "accelerators_per_process": len(tf.config.list_physical_devices("GPU")),
        "accelerators": list_accelerators(),
        "driver": read_driver(),
        "deterministic": deterministic,
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "intra_op_threads": threading.get_intra_op_parallelism_threads()
        or _read_count("TF_NUM_INTRAOP_THREADS"),
        "inter_op_threads": threading.get_inter_op_parallelism_threads()
        or _read_count("TF_NUM_INTEROP_THREADS"),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "git_commit": read_commit(SOURCES),
    }


def _read_count(variable: str) -> int:
    """The number in an environment variable; 0, with which TensorFlow chooses, if there is none."""
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else 0
