"""Rows as pandas tables, for those who ask for one: the only place below the analysis that needs pandas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.installation import require_libraries

if TYPE_CHECKING:
    from typing import TypeAlias

    import pandas as pd

    DataFrame: TypeAlias = pd.DataFrame

DTYPES = {"text": "string", "number": "float64", "count": "Int64", "flag": "boolean"}
"""The type of a column in pandas, by its kind (see `tables.Column`); columns of other kinds hold objects."""


def make_frame(kinds: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> DataFrame:
    """A table with the columns of the names and kinds, even if there are no rows; None is missing.

    Raises:
        UsageError: pandas is not installed.
    """
    require_libraries("a table in pandas", ("pandas",), "analysis")
    import pandas as pd

    held = [tuple(row) for row in rows]
    return pd.DataFrame(
        {
            name: pd.Series([row[place] for row in held], dtype=DTYPES.get(kind, "object"))
            for place, (name, kind) in enumerate(kinds.items())
        },
        columns=list(kinds),
    )
