"""Get and prepare the texts: ``mlperf train data sentiment --scale mini --data DIR``.

mini: 10,568 snippets of movie reviews with human ratings, which the source package ``vaderSentiment`` carries; it is
not installed. full: IMDB's 50,000 reviews from Stanford.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from reference_impls.harness import DataError, DataFile, check_files
from reference_impls.harness.data.downloads import fetch_address, fetch_from_index, run_script
from reference_impls.harness.data.prepared import read_prepared, write_prepared
from reference_impls.sentiment import TASK
from reference_impls.sentiment.config import FULL, MINI, SentimentConfig
from reference_impls.sentiment.data import Split, encode, read_snippets, read_tree

PACKAGE = "vaderSentiment==3.3.2"
ADDRESS = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
TREE = "aclImdb"

SNIPPETS = DataFile(
    "vaderSentiment-3.3.2.tar.gz", "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
)
REVIEWS = DataFile("aclImdb_v1.tar.gz", md5="7c2ac02c03563afcf9b574c7e56c153a")


def fetch_snippets(folder: Path) -> Split:
    """The snippets, downloaded if necessary.

    Raises:
        DataError: they cannot be downloaded or are damaged.
    """
    command = TASK.data_command("mini", folder)
    try:
        paths = check_files(folder, [SNIPPETS], command)
    except DataError:
        fetch_from_index(PACKAGE, folder, source=True)
        paths = check_files(folder, [SNIPPETS], command)
    return read_snippets(paths[0])


def fetch_reviews(folder: Path) -> Split:
    """IMDB's reviews: from its folders if they are there, otherwise downloaded and unpacked.

    Raises:
        DataError: they cannot be downloaded or are damaged.
    """
    tree = folder / TREE
    if not (tree / "test" / "neg").is_dir():
        command = TASK.data_command("full", folder)
        try:
            paths = check_files(folder, [REVIEWS], command)
        except DataError:
            fetch_address(ADDRESS, folder / REVIEWS.name)
            paths = check_files(folder, [REVIEWS], command)
        with tarfile.open(paths[0]) as archive:
            archive.extractall(folder, filter="data")
    return read_tree(tree)


def prepare_texts(split: Split, config: SentimentConfig, folder: Path) -> int:
    """Write encoded texts; returns the number of texts."""
    facts = {"words": config.words, "ngrams": config.ngrams}
    write_prepared(folder, encode(split, config.words, config.ngrams), facts)
    return len(split.train.texts) + len(split.held_out.texts)


def _get(options: argparse.Namespace, folder: Path) -> str:
    if options.verify:
        arrays, _ = read_prepared(folder, TASK.data_command(options.scale, folder))
        count = len(arrays["train_labels"]) + len(arrays["eval_labels"])
    elif options.scale == "mini":
        count = prepare_texts(fetch_snippets(folder), MINI, folder)
    else:
        count = prepare_texts(fetch_reviews(folder), FULL, folder)
    return f"{count:,} texts, checksums match"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line; return the exit code."""
    return run_script(TASK, "Get, check and prepare movie reviews.", _get, arguments)


if __name__ == "__main__":
    sys.exit(main())
