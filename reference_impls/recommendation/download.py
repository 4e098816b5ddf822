"""Get and prepare the ratings: ``mlperf train data recommendation --scale mini --data DIR``.

mini: MovieLens-100k, which the package ``recbole`` carries as an example; it is read from the wheel, and the
package is not installed. full: MovieLens-20M from GroupLens. Both are for research; see
https://grouplens.org/datasets/movielens/ for their terms.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from reference_impls.harness import DataError, DataFile, check_files
from reference_impls.harness.data.downloads import fetch_address, fetch_from_index, run_script
from reference_impls.harness.data.prepared import read_prepared, write_prepared
from reference_impls.recommendation import TASK
from reference_impls.recommendation.data import Interactions, read_archive, read_wheel


class Source(NamedTuple):
    """The source of a scale's ratings.

    Attributes:
        file: what is downloaded.
        fetch: downloads it into a folder.
        read: reads the ratings out of it.
    """

    file: DataFile
    fetch: Callable[[Path], None]
    read: Callable[[Path], Interactions]


PACKAGE = "recbole==1.2.1"
ADDRESS = "https://files.grouplens.org/datasets/movielens/ml-20m.zip"

SOURCES = {
    "mini": Source(
        DataFile(
            "recbole-1.2.1-py3-none-any.whl",
            "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
        ),
        lambda folder: fetch_from_index(PACKAGE, folder),
        read_wheel,
    ),
    "full": Source(
        DataFile("ml-20m.zip", md5="cd245b17a1ae2cc31bb14903e1204af3"),
        lambda folder: fetch_address(ADDRESS, folder / "ml-20m.zip"),
        read_archive,
    ),
}


def prepare_ratings(scale: str, folder: Path) -> int:
    """Download the ratings if necessary, check them, and prepare them for training.

    Args:
        scale: ``mini`` or ``full``.
        folder: where to.

    Returns:
        Number of ratings.

    Raises:
        DataError: they cannot be downloaded or are damaged.
    """
    source = SOURCES[scale]
    command = TASK.data_command(scale, folder)
    try:
        paths = check_files(folder, [source.file], command)
    except DataError:
        source.fetch(folder)
        paths = check_files(folder, [source.file], command)
    interactions = source.read(paths[0])
    count = len(interactions.users)
    write_prepared(folder, interactions._asdict(), {"ratings": count})
    return count


def _get(options: argparse.Namespace, folder: Path) -> str:
    if options.verify:
        command = TASK.data_command(options.scale, folder)
        check_files(folder, [SOURCES[options.scale].file], command)
        arrays, _ = read_prepared(folder, command)
        count = len(arrays["users"])
    else:
        count = prepare_ratings(options.scale, folder)
    return f"{count:,} ratings, checksums match"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line; return the exit code."""
    return run_script(TASK, "Get, check and prepare MovieLens.", _get, arguments)


if __name__ == "__main__":
    sys.exit(main())
