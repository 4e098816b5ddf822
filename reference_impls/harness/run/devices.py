"""The devices of a run: one, several of one machine, or several machines."""

from __future__ import annotations

import os

import keras
import tensorflow as tf

from reference_impls.harness.errors import SettingError

STRATEGIES = ("auto", "single", "mirrored", "workers", "tpu")


def make_strategy(name: str, replicas: int = 0) -> tf.distribute.Strategy:
    """The distribution strategy of a run. Call it before anything else uses TensorFlow's devices.

    Args:
        name: ``single``; ``mirrored``: all accelerators of this machine or, if it has none, ``replicas`` virtual
            devices of its processors; ``workers``: the processes that ``TF_CONFIG`` names; ``tpu``: all cores of the
            TPU; ``auto``: ``workers`` if ``TF_CONFIG`` is set, ``mirrored`` if there are several accelerators,
            otherwise ``single``.
        replicas: number of virtual devices; 0: two.

    Raises:
        SettingError: there is no such strategy, or no TPU.
    """
    accelerators = tf.config.list_physical_devices("GPU")
    if name == "auto":
        several = "mirrored" if len(accelerators) > 1 else "single"
        name = "workers" if os.environ.get("TF_CONFIG") else several
    if name == "workers":
        options = tf.distribute.experimental.CommunicationOptions(
            implementation=tf.distribute.experimental.CommunicationImplementation.AUTO
        )
        return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    if name == "mirrored":
        if accelerators:
            return tf.distribute.MirroredStrategy()
        count = replicas or 2
        processor = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            processor, [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
        )
        return tf.distribute.MirroredStrategy([f"/cpu:{number}" for number in range(count)])
    if name == "tpu":
        try:
            return tf.distribute.TPUStrategy(tf.distribute.cluster_resolver.TPUClusterResolver.connect())
        except (ValueError, tf.errors.OpError):
            raise SettingError("the strategy tpu needs a TPU, and TensorFlow finds none here") from None
    if name == "single":
        return tf.distribute.OneDeviceStrategy("/gpu:0" if accelerators else "/cpu:0")
    raise SettingError(f"unknown strategy {name!r}; choose from {', '.join(STRATEGIES)}")


def set_seed(seed: int, *, deterministic: bool = True) -> None:
    """Seed Python, numpy, TensorFlow and Keras.

    Args:
        seed: the run's seed.
        deterministic: whether operations must be deterministic; some become slower.
    """
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
