"""NeuMF (He et al., 2017): matrix factorisation and a perceptron side by side, joined by one linear layer."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf


class NeuMF(keras.Model):
    """Scores pairs of users and items.

    Embeddings start from a normal distribution of deviation 0.01, dense layers from Glorot's uniform one, as
    in the original suite's reference.

    Args:
        users: number of users.
        items: number of items.
        factors: width of the matrix-factorisation embeddings.
        mlp_layers: widths of the perceptron; the first is that of its two embeddings together.
        dropout: share of what comes out of the embeddings that is dropped in training.
    """

    def __init__(
        self, users: int, items: int, factors: int, mlp_layers: Sequence[int], dropout: float = 0.0
    ) -> None:
        super().__init__()
        half = mlp_layers[0] // 2

        def embed(count: int, width: int) -> keras.layers.Embedding:
            start = keras.initializers.RandomNormal(stddev=0.01)
            return keras.layers.Embedding(count, width, embeddings_initializer=start)

        self.mf_users, self.mf_items = embed(users, factors), embed(items, factors)
        self.mlp_users, self.mlp_items = embed(users, half), embed(items, half)
        self.drop = keras.layers.Dropout(dropout)
        self.hidden = [keras.layers.Dense(width, activation="relu") for width in mlp_layers[1:]]
        self.score = keras.layers.Dense(1, kernel_initializer="lecun_uniform", dtype="float32")

    def call(self, users: tf.Tensor, items: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Logits of interest.

        Args:
            users: int32, any shape.
            items: int32, the same shape.
            training: whether to drop.

        Returns:
            float32, the same shape.
        """
        return self.score_embedded(self.embed(users, items), training=training)

    def embed(self, users: tf.Tensor, items: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """The four embeddings of pairs: matrix factorisation's of user and item, the perceptron's of both."""
        return self.mf_users(users), self.mf_items(items), self.mlp_users(users), self.mlp_items(items)

    def score_embedded(self, embedded: tuple[tf.Tensor, ...], *, training: bool = False) -> tf.Tensor:
        """Logits of interest, from the four embeddings."""
        mf_user, mf_item, mlp_user, mlp_item = embedded
        product = self.drop(mf_user * mf_item, training=training)
        deep = self.drop(tf.concat([mlp_user, mlp_item], axis=-1), training=training)
        for layer in self.hidden:
            deep = layer(deep)
        return tf.squeeze(self.score(tf.concat([product, deep], axis=-1)), axis=-1)
