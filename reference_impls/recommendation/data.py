"""MovieLens: reading interactions, the split, and sampling items that a user has not seen."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from reference_impls.harness.errors import DataError

WHEEL_TABLE = "recbole/dataset_example/ml-100k/ml-100k.inter"
ARCHIVE_TABLE = "ml-20m/ratings.csv"


class Interactions(NamedTuple):
    """Who interacted with what: int32 arrays of equal length, users and items numbered from 0.

    Sorted by user, then by time; ratings of one moment keep the order of the file.
    """

    users: np.ndarray
    items: np.ndarray


class Split(NamedTuple):
    """Each user's latest item, and the rest.

    Attributes:
        train: all interactions but each user's latest.
        held_out: the latest item of each user; shape (users,).
    """

    train: Interactions
    held_out: np.ndarray


def read_wheel(path: Path) -> Interactions:
    """MovieLens-100k from the package that carries it as an example (tab-separated, with a header).

    Raises:
        DataError: the file is not such a package.
    """
    return _read_table(path, WHEEL_TABLE, "\t")


def read_archive(path: Path) -> Interactions:
    """MovieLens-20M from its archive (comma-separated, with a header).

    Raises:
        DataError: the file is not the archive.
    """
    return _read_table(path, ARCHIVE_TABLE, ",")


def _read_table(path: Path, name: str, delimiter: str) -> Interactions:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as table:
            return _read_ratings(table, delimiter)
    except KeyError:
        raise DataError(f"{path} holds no {name}; it is not the file that was requested") from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError) as error:
        raise DataError(f"{path} is damaged: {error}") from None
    except ValueError as error:
        raise DataError(f"{path}: {name} is not a table of ratings: {error}") from None


def _read_ratings(table: IO[bytes], delimiter: str) -> Interactions:
    """Columns user, item, rating, time; every rating counts as an interaction, whatever its value."""
    lines: Iterable[str] = io.TextIOWrapper(table, "ascii")
    rows = np.loadtxt(lines, delimiter=delimiter, skiprows=1, usecols=(0, 1, 3), dtype=np.int64, ndmin=2)
    users, items, times = rows.T
    order = np.lexsort((times, users))  # stable: interactions of one moment keep their order
    _, users = np.unique(users[order], return_inverse=True)
    _, items = np.unique(items[order], return_inverse=True)
    return Interactions(users.astype(np.int32), items.astype(np.int32))


def split_latest(interactions: Interactions) -> Split:
    """Hold each user's latest interaction out."""
    users, items = interactions
    is_latest = np.append(users[1:] != users[:-1], True)
    return Split(Interactions(users[~is_latest], items[~is_latest]), items[is_latest])


class SeenItems:
    """Which items a user has seen, and samples of those that the user has not.

    Holds one bit for each pair of user and item (460 MB for MovieLens-20M): one look-up for each question, where a search
    in a sorted list of pairs takes 24 steps through memory.

    Args:
        interactions: what was seen.
        users: number of users.
        items: number of items.
    """

    def __init__(self, interactions: Interactions, users: int, items: int) -> None:
        self._items = items
        self._bits = np.zeros(users * items // 8 + 1, np.uint8)
        keys = self._number_pairs(*interactions)
        np.bitwise_or.at(self._bits, keys >> 3, np.left_shift(1, keys & 7).astype(np.uint8))

    def contains(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Whether the users have seen the items; arrays of one shape."""
        keys = self._number_pairs(users, items)
        return np.asarray((self._bits[keys >> 3] >> (keys & 7).astype(np.uint8)) & 1 == 1)

    def _number_pairs(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        return np.asarray(users.astype(np.int64) * self._items + items)

    def sample_unseen(self, users: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An item for each user that the user has not seen, drawn uniformly with replacement.

        Args:
            users: int32, any length.
            rng: source of randomness.

        Returns:
            int32 items, as many as users.
        """
        items = rng.integers(self._items, size=len(users), dtype=np.int32)
        again = np.flatnonzero(self.contains(users, items))
        while len(again):
            items[again] = rng.integers(self._items, size=len(again), dtype=np.int32)
            again = again[self.contains(users[again], items[again])]
        return items


def sample_negatives(interactions: Interactions, users: int, items: int, count: int, seed: int) -> np.ndarray:
    """For each user, the items that the held-out one competes with: none that the user has seen.

    Args:
        interactions: all of them, the held-out ones included.
        users: number of users.
        items: number of items.
        count: how many for each user.
        seed: of the sampling.

    Returns:
        int32, shape (users, count). A user's items all differ if there are at least twice as many unseen items as are
        sampled; otherwise (never the case in MovieLens) an item may occur more than once.
    """
    rng = np.random.default_rng(seed)
    seen = SeenItems(interactions, users, items)
    who = np.repeat(np.arange(users, dtype=np.int32), count)
    negatives = seen.sample_unseen(who, rng).reshape(users, count)
    most_seen = int(np.bincount(interactions.users, minlength=users).max())
    if items - most_seen < 2 * count:
        return negatives
    while True:
        ordered = np.sort(negatives, axis=1)
        rows = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
        if not len(rows):
            return negatives
        for row in rows:  # keep the first of each, draw the others again
            _, first = np.unique(negatives[row], return_index=True)
            again = np.setdiff1d(np.arange(count), first)
            negatives[row, again] = seen.sample_unseen(np.full(len(again), row, np.int32), rng)
