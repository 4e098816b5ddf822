"""One step of an optimizer, the same on one device and on many, for a whole batch or in parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from reference_impls.harness.run.stages import BACKWARD, FORWARD, OPTIMIZER

Measure = Callable[[Any, "tf.Tensor | int"], tuple[tf.Tensor, Mapping[str, tf.Tensor]]]
"""From a part of a batch and the part's number to the loss to descend and the values to report."""

GRADIENT_NORM = "gradient_norm"


def apply_gradients(
    measure: Measure,
    batch: Any,
    optimizer: Any,
    variables: Sequence[Any],
    *,
    parts: int = 1,
    clip_norm: float = 0.0,
    last_stage: str = OPTIMIZER,
) -> dict[str, tf.Tensor]:
    """Update variables by the gradients of a loss, summed over the parts of a batch and over all replicas.

    Args:
        measure: gives the loss of a part of the batch: divided by the *global* batch, so that parts add up.
        batch: this replica's batch: nested tensors whose first dimension is the number of samples; scalars belong to
            every part.
        optimizer: a Keras optimizer; a `keras.optimizers.LossScaleOptimizer` scales the loss, and skips the step if a
            scaled gradient overflows.
        variables: of the model, in the order that the optimizer was built with.
        parts: parts that are computed one after the other, so that only the activations of one are in memory.
        clip_norm: norm that the gradients of the whole batch are scaled down to if theirs is greater; 0: they are not.
        last_stage: of `STAGES`, the one after which the step ends; a profile measures steps that end early.

    Returns:
        The reported values, summed over the parts, and the global norm of this replica's part of the gradients, before
        they are scaled down; 0 if the step is skipped. Rows of an embedding that occur several times count one by one,
        unless there are parts.
    """
    if last_stage == FORWARD:
        return compute_losses(measure, batch, parts=parts)
    gradients, reported = compute_gradients(
        measure, batch, optimizer, variables, parts=parts, is_dense=bool(clip_norm)
    )
    if last_stage == BACKWARD:
        return reported
    is_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if is_scaled or clip_norm:
        # All replicas must decide alike whether to skip the step, and by how much to scale. The optimizer sums over them again.
        context = tf.distribute.get_replica_context()
        summed = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients = [gradient / context.num_replicas_in_sync for gradient in summed]
    if clip_norm:
        most = clip_norm * (tf.convert_to_tensor(optimizer.dynamic_scale) if is_scaled else 1.0)
        factor = most / tf.maximum(tf.linalg.global_norm(summed), most)
        gradients = [gradient * factor for gradient in gradients]
    optimizer.apply(gradients, list(variables))
    return reported


def compute_gradients(
    measure: Measure,
    batch: Any,
    optimizer: Any,
    variables: Sequence[Any],
    *,
    parts: int = 1,
    is_dense: bool = False,
) -> tuple[list[Any], dict[str, tf.Tensor]]:
    """The gradients of a loss, scaled as the optimizer wants them: all of a step but the update.

    Args:
        measure: as for `apply_gradients`.
        batch: as there.
        optimizer: as there.
        variables: as there.
        parts: as there.
        is_dense: whether those of embeddings are tensors, too; with parts or a scaled loss they always are.

    Returns:
        This replica's gradients, summed over the parts, and what `apply_gradients` returns.
    """
    values = [getattr(variable, "value", variable) for variable in variables]
    is_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)

    def differentiate(part: Any, number: tf.Tensor | int) -> tuple[list[Any], dict[str, tf.Tensor]]:
        with tf.GradientTape() as tape:
            loss, reported = measure(part, number)
            scaled = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, values)
        if parts > 1 or is_scaled or is_dense:
            gradients = _make_dense(gradients, values)
        return gradients, dict(reported)

    gradients, reported = _sum_parts(differentiate, batch, parts)
    norm = tf.linalg.global_norm(gradients)
    if is_scaled:
        norm /= tf.convert_to_tensor(optimizer.dynamic_scale)
        norm = tf.where(tf.math.is_finite(norm), norm, 0.0)
    return gradients, {**reported, GRADIENT_NORM: norm}


def compute_losses(measure: Measure, batch: Any, *, parts: int = 1) -> dict[str, tf.Tensor]:
    """The loss of a batch and what is reported with it, without gradients: the forward pass of a step.

    Args:
        measure: as for `apply_gradients`.
        batch: as there.
        parts: as there.

    Returns:
        What is reported, and the loss that would be descended as ``total_loss``, summed over the parts.
    """

    def add_total(part: Any, number: tf.Tensor | int) -> dict[str, tf.Tensor]:
        loss, reported = measure(part, number)
        return {**reported, "total_loss": loss}

    found: dict[str, tf.Tensor] = _sum_parts(add_total, batch, parts)
    return found


def _sum_parts(compute: Callable[[Any, tf.Tensor | int], Any], batch: Any, parts: int) -> Any:
    """The nested tensors that are computed of the parts of a batch, one part after the other, added up."""
    if parts == 1:
        return compute(batch, 0)

    def compute_part(number: tf.Tensor | int) -> Any:
        return compute(tf.nest.map_structure(lambda x: take_part(x, parts, number), batch), number)

    def add(number: tf.Tensor, sums: Any) -> tuple[tf.Tensor, Any]:
        return number + 1, tf.nest.map_structure(tf.add, sums, compute_part(number))

    # A loop, not a repetition in the graph: nothing else keeps the parts from being computed at the same time.
    _, sums = tf.while_loop(
        lambda number, sums: number < parts, add, (tf.constant(1), compute_part(0)), parallel_iterations=1
    )
    return sums


def take_part(values: tf.Tensor, parts: int, number: tf.Tensor | int) -> tf.Tensor:
    """One of equally many rows of a tensor; all of a scalar."""
    if values.shape.rank == 0:
        return values
    shape = tf.shape(values)
    rows = tf.reshape(values, tf.concat([[parts, shape[0] // parts], shape[1:]], axis=0))
    size = values.shape[0]
    part = rows[number]
    part.set_shape([size and size // parts, *values.shape[1:]])
    return part


def _make_dense(gradients: Sequence[Any], values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Gradients as tensors; zeros where a loss does not depend on a variable."""
    return [
        tf.zeros_like(value) if gradient is None else tf.convert_to_tensor(gradient)
        for gradient, value in zip(gradients, values, strict=True)
    ]
