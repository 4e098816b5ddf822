"""Names on pictures: without what all share, short enough to stand beside a curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlperf_logging.markup import to_printable

_LONGEST_NAME = 44
_LONGEST_SEED = 20


def shorten_name(name: str, longest: int = _LONGEST_NAME) -> str:
    """A name that fits next to a picture: long ones lose their middle."""
    if len(name) <= longest:
        return name
    head = (longest - 1) * 2 // 3
    return f"{name[:head]}…{name[-(longest - 1 - head) :]}"


def name_groups(values: Sequence[Sequence[Any]]) -> list[str]:
    """Names for groups from their parts, without the parts that all share; None and missing parts are left out."""
    parts = [tuple(_to_text(part) for part in value) for value in values]
    different = [
        place for place in range(len(parts[0]) if parts else 0) if len({each[place] for each in parts}) > 1
    ]
    kept = different or list(range(len(parts[0]) if parts else 0))
    names = [" ".join(each[place] for place in kept if each[place]) for each in parts]
    short = {name: shorten_name(name) for name in names}
    if len(set(short.values())) < len(short):  # without their middle some are the same
        short = {name: name for name in names}
    return [to_printable(short[name]) or "runs" for name in names]


def name_run(path: str, seed: object) -> str:
    """The name of one run: that of its log without suffix, and its seed."""
    file = str(path).replace("\\", "/").rpartition("/")[2]
    shown = f" (seed {shorten_name(seed, _LONGEST_SEED)})" if isinstance(seed, str) else ""
    return to_printable(shorten_name(file.partition(".")[0]) + shown)


def _to_text(part: Any) -> str:
    import pandas as pd

    return "" if part is None or pd.isna(part) else str(part)
