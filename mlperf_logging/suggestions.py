"""Did you mean: the known name that is most like one that is not known."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def did_you_mean(name: str, known: Collection[str], otherwise: str = "") -> str:
    """The end of a message about a name that does not exist: "did you mean 'json'?"."""
    similar = suggest_name(name, known)
    return f"did you mean {similar!r}?" if similar is not None else otherwise


def suggest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that takes the fewest edits to become from another one, or None when none is close."""
    # Two edits undo two letters in the wrong order, the commonest slip.
    allowed = max(1 if len(name) < 5 else 2, min(4, len(name) // 6))
    near = [each for each in known if each != name and abs(len(each) - len(name)) <= allowed]
    if not near:
        return None
    import regex

    pattern = regex.compile(f"(?be)(?:{regex.escape(name)}){{e<={allowed}}}", regex.IGNORECASE)
    found = [(match.fuzzy_counts, each) for each in near if (match := pattern.fullmatch(each))]
    # Letters in the wrong order come first; of equally few edits, a letter too many or too few is likelier than another.
    letters = sorted(name)
    return (
        min(found, key=lambda pair: (sorted(pair[1]) != letters, sum(pair[0]), pair[0][0]))[1]
        if found
        else None
    )
