"""Rounds by name: what is known of each without loading its rules, and which one a name means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from mlperf_logging.errors import UsageError

_NAME = r"(?i)(?:(?P<usage>.+?)(?:_results)?[-_/ ])?v?(?P<version>\d+(?:\.\d+)*)"


class RoundIndex(NamedTuple):
    """What is known of a round without loading its rules.

    Attributes:
        name: ``usage/round``.
        dialect: name of the dialect of its logs.
        benchmarks: in the round's order.
        from_ms: the runs of its results were made since then, in milliseconds since the epoch; 0 if not known.
        until_ms: and before then; 0 if not known.
        keys: what logs hold since this round, and not before.
    """

    name: str
    dialect: str
    benchmarks: tuple[str, ...]
    from_ms: float = 0
    until_ms: float = 0
    keys: frozenset[str] = frozenset()

    @property
    def usage(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def round(self) -> str:
        """The round without its usage."""
        return self.name.partition("/")[2]


def find_round(index: Sequence[RoundIndex], name: str, usage: str | None = None) -> RoundIndex:
    """The round that a name means, written ``N.N.N``, ``N.N``, ``vN.N``, ``USAGE/N.N`` or ``USAGE-N.N``.

    Where several usages have a round of these numbers, the usage with the most rounds counts, unless one is named.

    Raises:
        UsageError: there is no such round or usage, or name and usage contradict each other.
    """
    named, version = _split_name(name)
    ending = f"/{version}"
    exact = [entry for entry in index if entry.name.endswith(ending)]
    if len(exact) == 1 and {named, usage} <= {None, exact[0].usage}:  # nearly always, and for each log
        return exact[0]
    usages = [entry.usage for entry in index]
    refuse_unknown("usage", named, usages)
    if named is not None and usage not in (None, named):
        raise UsageError(
            f"the ruleset {name!r} does not belong to the usage {usage!r}; give only one of them"
        )
    wanted = named or usage
    known = [entry for entry in index if wanted in (None, entry.usage)]
    numbers = _list_numbers(version)
    found = [entry for entry in known if entry.round == version] or [
        entry for entry in known if "." in version and _list_numbers(entry.round) == numbers
    ]
    # The usage with the most rounds is the one that people mean when they name none.
    main = max(found or known, key=lambda entry: usages.count(entry.usage)).usage
    if found:
        return next(entry for entry in found if entry.usage == main)
    newest = max([entry.round for entry in known if entry.usage == main], key=_list_numbers)
    if numbers > _list_numbers(newest):
        raise UsageError(
            f"unknown ruleset {name!r}; the newest known round of {main} is {newest}, and {version} may be newer "
            "than this version of the package: upgrade it, or give the rules of that round"
        )
    refuse_unknown("ruleset", name, sorted({entry.round for entry in known}, key=_list_numbers))
    raise UsageError(f"unknown ruleset {name!r} of {wanted}")


def find_newest(index: Sequence[RoundIndex], usage: str | None = None) -> RoundIndex:
    """The newest round of a usage; where none is named, of the one with the most rounds.

    Raises:
        UsageError: there is no such usage.
    """
    usages = [entry.usage for entry in index]
    refuse_unknown("usage", usage, usages)
    wanted = usage or max(usages, key=usages.count)
    return [entry for entry in index if entry.usage == wanted][-1]


def refuse_unknown(what: str, given: str | None, known: Iterable[str]) -> None:
    """Raise a `UsageError` that lists the known names, and the nearest of them, where a name is not one of them."""
    if given is None or given in (names := list(dict.fromkeys(known))):
        return
    from mlperf_logging.suggestions import suggest_name

    similar = suggest_name(given, names) or next(
        (name for name in names if name.startswith(f"{given}.")), None
    )
    hint = f"did you mean {similar!r}? " if similar else ""
    raise UsageError(f"unknown {what} {given!r}; {hint}known: {', '.join(names)}")


@lru_cache(maxsize=256)
def _split_name(name: str) -> tuple[str | None, str]:
    """Usage, where one is named, and round."""
    usage, slash, version = name.rpartition("/")
    # Nearly all names are plain, and a pattern costs a cold start.
    if version.replace(".", "").isdecimal() and (usage.isalpha() or not slash):
        return usage or None, version
    match = re.fullmatch(_NAME, name)
    if match is not None:
        return match["usage"], match["version"]
    return usage or None, version


def _list_numbers(version: str) -> list[int]:
    """The numbers of a round, so that rounds are ordered by them; ``N.N`` and ``N.N.0`` are the same."""
    numbers = [int(part) if part.isdecimal() else 0 for part in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers
