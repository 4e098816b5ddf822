"""NeuMF (He et al., 2017): matrix factorization and a perceptron side by side, joined by one linear layer."""

from __future__ import annotations

import keras
import tensorflow as tf

from reference_impls.recommendation.config import RecommendationConfig


class NeuMF(keras.Model):
    """Scores pairs of users and items.

    Embeddings start from a normal distribution of deviation 0.01, dense layers from Glorot's uniform distribution, as
    in the original suite's reference.

    Args:
        config: the configuration, which holds the shape.
    """

    def __init__(self, config: RecommendationConfig) -> None:
        super().__init__()
        half = config.mlp_layers[0] // 2

        def embed(count: int, width: int) -> keras.layers.Embedding:
            start = keras.initializers.RandomNormal(stddev=0.01)
            return keras.layers.Embedding(count, width, embeddings_initializer=start)

        self.mf_users, self.mf_items = (
            embed(config.users, config.factors),
            embed(config.items, config.factors),
        )
        self.mlp_users, self.mlp_items = embed(config.users, half), embed(config.items, half)
        self.drop = keras.layers.Dropout(config.dropout)
        self.hidden = [keras.layers.Dense(width, activation="relu") for width in config.mlp_layers[1:]]
        self.score = keras.layers.Dense(1, kernel_initializer="lecun_uniform", dtype="float32")

    def call(self, users: tf.Tensor, items: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Logits of interest.

        Args:
            users: int32, any shape.
            items: int32, the same shape.
            training: whether to apply dropout.

        Returns:
            float32, the same shape.
        """
        return self.score_embedded(self.embed(users, items), training=training)

    def embed(self, users: tf.Tensor, items: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """The four embeddings of pairs: matrix factorization's and the perceptron's, of user and item each."""
        return self.mf_users(users), self.mf_items(items), self.mlp_users(users), self.mlp_items(items)

    def score_embedded(self, embedded: tuple[tf.Tensor, ...], *, training: bool = False) -> tf.Tensor:
        """Logits of interest, from the four embeddings."""
        mf_user, mf_item, mlp_user, mlp_item = embedded
        product = self.drop(mf_user * mf_item, training=training)
        deep = self.drop(tf.concat([mlp_user, mlp_item], axis=-1), training=training)
        for layer in self.hidden:
            deep = layer(deep)
        return tf.squeeze(self.score(tf.concat([product, deep], axis=-1)), axis=-1)
