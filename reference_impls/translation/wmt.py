"""WMT17's texts, English to German, and newstest2014: plain text, a sentence a line, or SGML.

Training texts are pairs of files ``NAME.de-en.en`` and ``NAME.de-en.de`` (Europarl v7, Common Crawl, News Commentary
v12), anywhere below a folder. The test is ``newstest2014-deen-src.en.sgm`` and ``newstest2014-deen-ref.de.sgm``, or
``newstest2014.en`` and ``newstest2014.de``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from reference_impls.harness import DataError

TEST_NAMES = (
    ("newstest2014-deen-src.en.sgm", "newstest2014-deen-ref.de.sgm"),
    ("newstest2014.en", "newstest2014.de"),
)
INSTRUCTIONS = (
    "download training-parallel-europarl-v7.tgz and training-parallel-commoncrawl.tgz (WMT13), "
    "training-parallel-nc-v12.tgz and dev.tgz (WMT17) from statmt.org, unpack them below that folder, and run this "
    "again"
)

_SEGMENT = re.compile(r"<seg\b[^>]*>(.*?)</seg>", re.DOTALL | re.IGNORECASE)

Pair = tuple[str, str]


def find_training_texts(folder: Path) -> list[tuple[Path, Path]]:
    """Pairs of files, English and German.

    Raises:
        DataError: there are none, or one is without its other half.
    """
    english = sorted(path for path in folder.rglob("*.de-en.en") if path.is_file())
    if not english:
        raise DataError(f"{folder} holds no training texts (*.de-en.en and *.de-en.de); {INSTRUCTIONS}")
    pairs = [(path, path.with_suffix(".de")) for path in english]
    for first, second in pairs:
        if not second.is_file():
            raise DataError(f"{second} is missing, the other half of {first.name}; {INSTRUCTIONS}")
    return pairs


def read_training_pairs(folder: Path) -> Iterator[Pair]:
    """All training pairs of which neither half is empty.

    Raises:
        DataError: a file is missing, not UTF-8, or longer than its other half.
    """
    for english, german in find_training_texts(folder):
        with (
            english.open(encoding="utf-8", newline="\n") as one,
            german.open(encoding="utf-8", newline="\n") as other,
        ):
            lines = zip_longest(one, other)
            number = 0
            while True:
                number += 1
                try:
                    pair = next(lines, None)
                except UnicodeDecodeError as error:
                    raise DataError(
                        f"{english} or {german} is damaged near line {number:,}: {error}; {INSTRUCTIONS}"
                    ) from None
                if pair is None:
                    break
                if pair[0] is None or pair[1] is None:
                    raise DataError(
                        f"{english} and {german} differ in length: one ends before line {number:,}; {INSTRUCTIONS}"
                    )
                first, second = (" ".join(text.split()) for text in pair)
                if first and second:
                    yield first, second


def read_test_pairs(folder: Path) -> list[Pair]:
    """newstest2014.

    Raises:
        DataError: it is missing, or its halves differ in length.
    """
    for names in TEST_NAMES:
        found = [sorted(folder.rglob(name)) for name in names]
        if all(found):
            english, german = (read_sentences(paths[0]) for paths in found)
            if len(english) != len(german):
                raise DataError(
                    f"{found[0][0]} has {len(english):,} sentences and {found[1][0].name} {len(german):,}; "
                    f"{INSTRUCTIONS}"
                )
            return list(zip(english, german, strict=True))
    wanted = " nor ".join(" with ".join(names) for names in TEST_NAMES)
    raise DataError(f"{folder} holds neither {wanted}; {INSTRUCTIONS}")


def read_sentences(path: Path) -> list[str]:
    """Sentences of a text file, or of an SGML file's segments.

    Raises:
        DataError: the file is not UTF-8.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is damaged: {error}; {INSTRUCTIONS}") from None
    if path.suffix == ".sgm":
        return [html.unescape(each).strip() for each in _SEGMENT.findall(text)]
    return [line.strip() for line in text.rstrip("\n").split("\n")]
