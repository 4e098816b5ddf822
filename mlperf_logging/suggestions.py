"""Did you mean: the known name that is most like one that is not known."""

from __future__ import annotations

from typing import Any


def suggest_key(key: str, candidates: Any) -> str | None:
    """The candidate most like a key that is missing, or None when none is close (fuzzy matching by edits)."""
    # Two edits undo two letters in the wrong order, the commonest slip.
    allowed = max(1 if len(key) < 6 else 2, min(4, len(key) // 6))
    near = [name for name in candidates if name != key and abs(len(name) - len(key)) <= allowed]
    if not near:
        return None
    import regex

    pattern = regex.compile(f"(?be)(?:{regex.escape(key)}){{e<={allowed}}}", regex.IGNORECASE)
    best: tuple[int, str] | None = None
    for name in near:
        match = pattern.fullmatch(name)
        if match is not None and (best is None or sum(match.fuzzy_counts) < best[0]):
            best = sum(match.fuzzy_counts), name
    return best[1] if best else None
