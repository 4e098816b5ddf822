"""Made-up texts, and files in the layouts of the real data sets."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np

WORDS = {
    "open": "öffne",
    "close": "schließe",
    "red": "rote",
    "green": "grüne",
    "table": "Tabelle",
    "page": "Seite",
    "line": "Linie",
    "now": "jetzt",
    "later": "später",
    "the": "die",
    "every": "jede",
    "please": "bitte",
}


def make_pairs(count: int) -> list[tuple[str, str]]:
    """Synthetic sentences and their translation word by word."""
    rng = np.random.default_rng(5)
    pairs = []
    for _ in range(count):
        english = rng.choice(list(WORDS), size=rng.integers(2, 7)).tolist()
        pairs.append((" ".join(english), " ".join(WORDS[word] for word in english)))
    return pairs


def write_wmt(
    folder: Path, train: list[tuple[str, str]], test: list[tuple[str, str]], *, sgml: bool = True
) -> None:
    """Write the files of WMT17 as they unpack: training texts, and newstest2014."""
    (folder / "training").mkdir(parents=True, exist_ok=True)
    (folder / "dev").mkdir(exist_ok=True)
    for number, language in enumerate(("en", "de")):
        lines = "".join(f"{pair[number]}\n" for pair in train)
        (folder / "training" / f"europarl-v7.de-en.{language}").write_text(lines, "utf-8")
        if sgml:
            kind = "src" if language == "en" else "ref"
            segments = "\n".join(
                f'<seg id="{i}">{html.escape(pair[number])}</seg>' for i, pair in enumerate(test, start=1)
            )
            text = f'<{kind}set setid="newstest2014" srclang="any">\n<doc>\n<p>\n{segments}\n</p>\n</doc>\n</{kind}set>\n'
            (folder / "dev" / f"newstest2014-deen-{kind}.{language}.sgm").write_text(text, "utf-8")
        else:
            lines = "".join(f"{pair[number]}\n" for pair in test)
            (folder / "dev" / f"newstest2014.{language}").write_text(lines, "utf-8")
