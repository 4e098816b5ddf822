"""Shapes of the network. Settings of a whole run come with the trainer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkSettings:
    """The shape of a policy and value network.

    Attributes:
        size: rows and columns of the board.
        history: positions that it sees; see `game.encode_stones`.
        width: filters of each convolution of the trunk.
        blocks: residual blocks.
        value_width: units of the value head's hidden layer.
        batch_norm_momentum: share of the running mean and variance that each step keeps.
    """

    size: int
    history: int
    width: int
    blocks: int
    value_width: int
    batch_norm_momentum: float = 0.997


FULL_NETWORK = NetworkSettings(size=9, history=8, width=32, blocks=9, value_width=64)
"""That of Minigo for 9×9 as of 2018: filters a power of two near a third of the area, as many blocks as rows."""
