"""The network of AlphaGo Zero (Silver et al., 2017): a residual trunk with a policy head and a value head."""

from __future__ import annotations

import copy
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reference_impls.reinforcement_learning import symmetries
from reference_impls.reinforcement_learning.config import NetworkSettings

BATCH_NORM_EPSILON = 1e-5


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch norm, with running statistics that are averaged over replicas, so that all processes have the same."""

    def add_weight(self, *args: Any, **options: Any) -> Any:
        """Make a weight as Keras does; one that is not trained is a running statistic."""
        if not options.get("trainable", True):
            options["aggregation"] = "mean"
        return super().add_weight(*args, **options)


def build_network(settings: NetworkSettings, seed: int) -> keras.Model:
    """Build a network.

    Convolutions have no bias, since batch norm follows each; those of the heads are normalized without scale and
    offset, as in Minigo. The last layers begin with zeros, so that to a network that has learned nothing all moves are
    equally likely and all positions even.

    Args:
        settings: its shape.
        seed: of the initial weights.

    Returns:
        A model from planes [batch, size, size, 2 * history + 1] of any number type to the logits of the moves
        [batch, area + 1] and the value for the player to play [batch], from -1 to 1; and, if the settings say so, whose each
        point will be, from -1 to 1 [batch, size, size, 1]; all float32.
    """
    layers = keras.layers
    seeds = iter(np.random.default_rng([seed, 1]).integers(2**30, size=1000).tolist())

    def convolve(x: Any, filters: int, size: int, name: str) -> Any:
        start = keras.initializers.VarianceScaling(2.0, "fan_in", seed=next(seeds))
        return layers.Conv2D(
            filters, size, padding="same", use_bias=False, kernel_initializer=start, name=f"{name}_conv"
        )(x)

    def normalize(x: Any, name: str, *, affine: bool = True) -> Any:
        return BatchNormalization(
            momentum=settings.batch_norm_momentum,
            epsilon=BATCH_NORM_EPSILON,
            center=affine,
            scale=affine,
            name=f"{name}_norm",
        )(x)

    def connect(x: Any, units: int, name: str, activation: str | None = None) -> Any:
        is_last = activation != "relu"
        start = "zeros" if is_last else keras.initializers.GlorotUniform(seed=next(seeds))
        dtype = "float32" if is_last else None
        return layers.Dense(units, activation=activation, kernel_initializer=start, dtype=dtype, name=name)(x)

    channels = 2 * settings.history + 1
    planes = layers.Input((settings.size, settings.size, channels), name="planes")
    x = layers.ReLU()(normalize(convolve(planes, settings.width, 3, "stem"), "stem"))
    for block in range(1, settings.blocks + 1):
        y = layers.ReLU()(normalize(convolve(x, settings.width, 3, f"block{block}_1"), f"block{block}_1"))
        y = normalize(convolve(y, settings.width, 3, f"block{block}_2"), f"block{block}_2")
        x = layers.ReLU()(layers.Add()([x, y]))

    policy = layers.ReLU()(
        normalize(convolve(x, settings.policy_filters, 1, "policy"), "policy", affine=False)
    )
    logits = connect(layers.Flatten()(policy), settings.size**2 + 1, "logits")
    value = layers.ReLU()(normalize(convolve(x, settings.value_filters, 1, "value"), "value", affine=False))
    value = connect(layers.Flatten()(value), settings.value_width, "value_hidden", "relu")
    value = layers.Flatten()(connect(value, 1, "value", "tanh"))
    outputs = [logits, layers.Reshape(())(value)]
    if settings.predicts_owners:
        owners = layers.Conv2D(
            1, 1, activation="tanh", kernel_initializer="zeros", dtype="float32", name="owners_conv"
        )
        outputs.append(owners(x))
    return keras.Model(planes, outputs, name="policy_and_value")


def compute_losses(
    model: keras.Model,
    planes: tf.Tensor,
    policy: tf.Tensor,
    value: tf.Tensor,
    owners: tf.Tensor | None = None,
    *,
    owners_weight: float = 1.0,
    l2: float,
    training: bool = True,
) -> dict[str, tf.Tensor]:
    """The parts of the loss, each a mean over the batch.

    Args:
        model: the network.
        planes: [batch, size, size, channels].
        policy: the search's share of visits for each move, float32 [batch, area + 1].
        value: the game's result for the player to play, float32 [batch].
        owners: whose each point is in the end, for the player to play [batch, size, size, 1]; for networks that predict it.
        owners_weight: weight of its squared error.
        l2: weight of half the squared weights of convolutions and dense layers; biases, scales and offsets are free.
        training: whether batch norm uses the batch's own statistics.

    Returns:
        ``policy_loss`` (cross entropy), ``value_loss`` (squared error), ``owners_loss`` (squared error, weighted) if the network
        predicts owners, ``l2_loss``, and their sum, ``loss``.
    """
    logits, predicted, *more = model(tf.cast(planes, tf.float32), training=training)
    kernels = [each for each in model.trainable_variables if each.path.endswith("kernel")]
    losses = {
        "policy_loss": tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(policy, logits)),
        "value_loss": tf.reduce_mean((predicted - value) ** 2),
    }
    if more:
        losses["owners_loss"] = owners_weight * tf.reduce_mean((more[0] - tf.cast(owners, tf.float32)) ** 2)
    losses["l2_loss"] = l2 * tf.add_n([tf.nn.l2_loss(each) for each in kernels])
    return {"loss": tf.add_n(list(losses.values())), **losses}


class NetworkEvaluation:
    """A network as the evaluation function of a search.

    Args:
        model: from `build_network`; its weights may change between calls.
        rng: draws a symmetry for each position, in which the network sees it, as in AlphaGo Zero; None: as it is.
    """

    def __init__(self, model: keras.Model, rng: np.random.Generator | None = None) -> None:
        self._rng = rng
        size, _, channels = model.input_shape[1:]
        signature = [tf.TensorSpec((None, size, size, channels), tf.int8)]

        def evaluate(planes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            logits, value, *_ = model(tf.cast(planes, tf.float32), training=False)
            return tf.nn.softmax(logits), value

        self._evaluate = tf.function(evaluate, input_signature=signature)

    def draw_from(self, rng: np.random.Generator) -> NetworkEvaluation:
        """The same function, compiled once, with symmetries that another generator draws."""
        other = copy.copy(self)
        other._rng = rng
        return other

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Policy and value of a batch of positions; see `search.Evaluate`."""
        if self._rng is None:
            policy, value = self._evaluate(planes)
            return policy.numpy(), value.numpy()
        which = self._rng.integers(symmetries.COUNT, size=len(planes))
        policy, value = self._evaluate(symmetries.turn_planes(planes, which))
        return symmetries.turn_policy_back(policy.numpy(), which), value.numpy()
