"""Get and prepare the texts: ``mlperf train data translation --scale mini --data DIR``.

mini: the pronouncing dictionary out of Debian's package ``festlex-cmu``; nothing is installed, no root is needed.
full: WMT17's texts, which must have been downloaded and unpacked below the folder.
Both are encoded as subwords here, outside the timed run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reference_impls.harness import DataError
from reference_impls.harness.data.debian import fetch_package
from reference_impls.harness.data.downloads import run_script
from reference_impls.harness.data.prepared import read_prepared
from reference_impls.translation import TASK, cmudict, wmt
from reference_impls.translation.config import FULL, MINI
from reference_impls.translation.prepared import prepare_texts

MINI_PAIRS_SHA256 = "fd05cff8c35bed732be025fd59dc6e74156aed5dee89c0679413413bd03c61f6"
"""Of all pairs of the dictionary in festlex-cmu 2.4, as JSON."""


def prepare_cmudict(folder: Path, package: Path | None = None) -> dict[str, int | str]:
    """Get the pronouncing dictionary and prepare it.

    Args:
        folder: where to.
        package: the Debian package's file, if it was downloaded before.

    Returns:
        Facts: see `prepare_texts`.

    Raises:
        DataError: the package cannot be downloaded, or holds another dictionary.
    """
    with tempfile.TemporaryDirectory(prefix="mlperf-texts-") as temporary:
        fetch_package(cmudict.PACKAGE, Path(temporary), package=package)
        pairs = cmudict.read_pronunciations(Path(temporary) / cmudict.DICTIONARY)
    if hash_pairs(pairs) != MINI_PAIRS_SHA256:
        raise DataError(
            f"this {cmudict.PACKAGE} contains different words ({len(pairs):,}) than the benchmark, which is made of "
            f"those of version 2.4 (Debian 12); get that package's file and pass it with: "
            f"{TASK.data_command('mini', folder)} --package FILE.deb"
        )
    split = cmudict.split_pairs(pairs)
    return prepare_texts(folder, lambda: split.train, split.test, MINI.vocabulary)


def hash_pairs(pairs: list[tuple[str, str]]) -> str:
    """SHA-256 of pairs, in hexadecimal."""
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def prepare_wmt(
    folder: Path, vocabulary: int, test_sentences: int, vocabulary_file: Path | None = None
) -> dict[str, int | str]:
    """Prepare WMT17's texts from below a folder.

    Args:
        folder: where they are; the result is written into the same folder.
        vocabulary: number of subwords.
        test_sentences: number of sentences that the test must have.
        vocabulary_file: a vocabulary in the format of sentencepiece, to use instead of learning one.

    Returns:
        Facts: see `prepare_texts`.

    Raises:
        DataError: texts are missing or damaged, or the vocabulary is.
    """
    test = wmt.read_test_pairs(folder)
    if len(test) != test_sentences:
        raise DataError(
            f"newstest2014 has {len(test):,} sentences here, not {test_sentences:,}; {wmt.INSTRUCTIONS}"
        )
    wmt.find_training_texts(folder)
    try:
        model = vocabulary_file.read_bytes() if vocabulary_file else None
    except OSError as error:
        raise DataError(f"{vocabulary_file} cannot be read: {error.strerror}") from None
    return prepare_texts(folder, lambda: wmt.read_training_pairs(folder), test, vocabulary, model)


def _get(options: argparse.Namespace, folder: Path) -> str:
    if options.verify:
        _, facts = read_prepared(folder, TASK.data_command(options.scale, folder))
    elif options.scale == "mini":
        facts = prepare_cmudict(folder, options.package)
    else:
        facts = prepare_wmt(folder, FULL.vocabulary, FULL.eval_samples, options.vocabulary)
    return ", ".join(
        f"{name.replace('_', ' ')} {fact if isinstance(fact, str) else f'{fact:,}'}"
        for name, fact in facts.items()
        if name != "pair_lengths"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line; return the exit code."""
    files = {
        "package": f"{cmudict.PACKAGE} as a file (mini)",
        "vocabulary": "subwords in the format of sentencepiece, instead of learning them (full)",
    }
    return run_script(TASK, "Get and prepare the texts.", _get, arguments, files=files)


if __name__ == "__main__":
    sys.exit(main())
