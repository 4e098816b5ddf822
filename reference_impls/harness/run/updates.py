"""One step of an optimizer, the same on one device and on many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def apply_gradients(
    tape: tf.GradientTape,
    loss: tf.Tensor,
    optimizer: Any,
    variables: Sequence[Any],
    *,
    clip_norm: float | None = None,
) -> tf.Tensor:
    """Update variables by the gradients of a loss, summed over all replicas.

    Keras' optimizers sum gradients over replicas themselves, but clip before they sum. If a norm is given, the sum is
    computed and clipped here, and passed on in equal parts.

    Returns:
        The global norm of this replica's part of the gradients, before clipping.
    """
    scaled = optimizer.scale_loss(loss)
    values = [getattr(variable, "value", variable) for variable in variables]
    gradients = tape.gradient(scaled, values)
    norm = tf.linalg.global_norm(gradients)
    if clip_norm is not None:
        context = tf.distribute.get_replica_context()
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
        replicas = context.num_replicas_in_sync
        if replicas > 1:
            gradients = [gradient / replicas for gradient in gradients]
    optimizer.apply(gradients, list(variables))
    return norm
