"""Sentences as ids, many in one array."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

PAD, END, UNKNOWN = 0, 1, 2
"""Ids: padding, end of sentence, unknown."""

WIDTH_STEP = 4


def round_width(width: int, step: int = WIDTH_STEP) -> int:
    """Round up to a multiple of a step: each different width costs a graph of its own."""
    return -(-width // step) * step


class Sentences(NamedTuple):
    """Many sentences in one array.

    Attributes:
        ids: int32 or smaller; all sentences' ids, concatenated.
        ends: int64; where each sentence ends.
    """

    ids: np.ndarray
    ends: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Number of ids of each sentence."""
        return np.diff(self.ends, prepend=0)

    def pad(self, rows: np.ndarray, step: int = WIDTH_STEP) -> np.ndarray:
        """Some sentences as a padded matrix.

        Args:
            rows: their indices; -1: an empty one.
            step: the width is a multiple of it.

        Returns:
            int32 [rows, width], padded with `PAD`.
        """
        begins = np.where(rows > 0, self.ends[rows - 1], 0)
        lengths = np.where(rows < 0, 0, self.ends[rows] - begins)
        width = round_width(int(lengths.max(initial=1)), step)
        places = begins[:, np.newaxis] + np.arange(width)
        is_there = np.arange(width) < lengths[:, np.newaxis]
        return np.where(is_there, self.ids[np.where(is_there, places, 0)], PAD).astype(np.int32)


def pack_sentences(rows: Iterable[Sequence[int]], dtype: str = "uint16") -> Sentences:
    """Concatenate sentences into one array."""
    parts = [np.asarray(row, dtype) for row in rows]
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    return Sentences(np.concatenate(parts) if parts else np.zeros(0, dtype), ends)


def join_sentences(parts: Sequence[Sentences]) -> Sentences:
    """Sentences of several parts, in order."""
    if not parts:
        return pack_sentences([])
    begins = np.cumsum([0, *(len(part.ids) for part in parts[:-1])])
    ends = [part.ends + begin for part, begin in zip(parts, begins, strict=True)]
    return Sentences(np.concatenate([part.ids for part in parts]), np.concatenate(ends))
