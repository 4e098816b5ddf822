"""The kinds of clauses: what a cell can say about the events of its key. Each kind is defined only here."""

from typing import NamedTuple


class ClauseKind(NamedTuple):
    """How a kind of clause is written and shown.

    Attributes:
        prefix: the text before the formula in a cell.
        label: the text before the formula in the table of a benchmark's keys.
        subject: what an explanation says before the formula.
        suffix: end of the id of a rule that a cell states; None where the formula decides.
    """

    prefix: str
    label: str
    subject: str
    suffix: str | None


OCCURS, EVERY, FIRST, REST = "occurs", "every", "first", "rest"
ANY, END, ONCE_EACH = "any", "end", "once_each"
CLAUSES = {
    OCCURS: ClauseKind("", "", "", ""),
    EVERY: ClauseKind("", "", "each event satisfies", None),
    FIRST: ClauseKind("first ", "first: ", "the first event satisfies", ".first"),
    REST: ClauseKind("rest ", "after the first: ", "each event but the first satisfies", ".rest"),
    ANY: ClauseKind("reaches ", "reaches ", "at least one event satisfies", ".target"),
    END: ClauseKind("end ", "in all: ", "the log satisfies", ".end"),
    ONCE_EACH: ClauseKind("", "", "the events log", ".names"),
}
"""All kinds: how often a key is logged; a formula that each event, the first, each but the first or at least one of the
key's events must satisfy; a formula on the whole log; a list of names of which each is logged once."""

FORMULA_CLAUSES = frozenset(CLAUSES) - {OCCURS, ONCE_EACH}
"""Kinds that are a formula and nothing else."""
