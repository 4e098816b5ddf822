"""A batch: what some logs and folders gave, until it is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from mlperf_logging.events import Outcome
from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.scoring.rcp.submissions import FindTable
from mlperf_logging.scoring.runs import ScoredRun
from mlperf_logging.store.folders import (
    describe_check,
    describe_score,
    describe_system,
    find_folder,
    score_runs,
)
from mlperf_logging.store.rows import make_rows
from mlperf_logging.store.sources import FoundSource

if TYPE_CHECKING:
    import pyarrow as pa

    from mlperf_logging.store.reading import LogRows
    from mlperf_logging.store.writing import Rows

LOGS_PER_BATCH, BYTES_PER_BATCH = 64, 32 << 20
"""So many logs, or bytes of rows, are written in one transaction."""

_OF_A_LOG = ("logs", "events")


class Batch:
    """Takes what logs and their folders gave, and gives the rows that are to be written.

    Attributes:
        log_count: logs that wait to be written.
        size: bytes of their rows.
        departed: places that hold no log any more.
    """

    def __init__(self, source: FoundSource, find_table: FindTable, made_by: str, asked: str) -> None:
        self._source = source
        self._name_place = source.name_place
        self._find_table = find_table
        self._made_by = made_by
        self._asked = asked
        self._folder_places: dict[str, dict[str, Any]] = {}
        self._folder_runs: list[ScoredRun] = []
        self._clear()

    def _clear(self) -> None:
        self.log_count = self.size = 0
        self.departed: list[str] = []
        self._tables: dict[str, list[pa.Table]] = {}
        self._taken: set[tuple[str, str]] = set()
        self._rows: dict[str, dict[str, dict[str, Any]]] = {
            name: {} for name in ("places", "systems", "scores", "rcp")
        }

    def is_full(self, most: int = 1) -> bool:
        """Whether it is time to write; `most` is how many times as much as usual may wait."""
        return self.log_count >= most * LOGS_PER_BATCH or self.size >= most * BYTES_PER_BATCH

    def add_log(self, rows: LogRows, folder: ResultFolder | None) -> None:
        """Take what one log gave."""
        if rows.scored is not None:
            self._take_tables(rows)
            self._add_place(rows, folder)
        if folder is not None:
            unread = ScoredRun(rows.path, Outcome.UNJUDGED, (rows.complaint,))
            self._folder_runs.append(rows.scored or unread)

    def _take_tables(self, rows: LogRows) -> None:
        """The rows of a log, and of how it was judged, each only once: it may be in several places."""
        self.log_count += 1
        for name, table in rows.tables.items():
            ruleset = "" if name in _OF_A_LOG else rows.ruleset
            if (rows.log_id, f"{name} {ruleset}") not in self._taken:
                self._taken.add((rows.log_id, f"{name} {ruleset}"))
                self._tables.setdefault(name, []).append(table)
                self.size += table.nbytes

    def _add_place(self, rows: LogRows, folder: ResultFolder | None) -> None:
        near = folder or find_folder(rows.path)
        place = self._name_place(rows.path)
        row = {
            "place": place,
            "log_id": rows.log_id,
            "ruleset": rows.ruleset,
            "ruleset_reason": rows.ruleset_reason,
            "folder": self._name_place(folder.path) if folder is not None else None,
            "submitter": near.submitter,
            "system": near.system,
            "scaling": near.scaling,
            "description_place": self._add_system(near),
            "asked": self._asked,
            "made_by": self._made_by,
            "stored_at": datetime.now(timezone.utc).replace(tzinfo=None),
        }
        self._rows["places"][place] = row
        if folder is not None:
            self._folder_places[rows.path] = row

    def _add_system(self, folder: ResultFolder) -> str | None:
        if folder.description is None:
            return None
        place = self._name_place(folder.description)
        if place not in self._rows["systems"]:
            made = {"description_place": place, "made_by": self._made_by}
            self._rows["systems"][place] = {**describe_system(folder), **made}
        return place

    def add_folder(self, folder: ResultFolder, inputs: str, departed: Sequence[str]) -> None:
        """Take a folder whose logs were all taken.

        Args:
            folder: the folder.
            inputs: checksum of all that its rows are computed from.
            departed: places in it that hold no log any more.
        """
        place = self._name_place(folder.path)
        scored = score_runs(folder, self._folder_runs, self._find_table)
        head = {
            "folder": place,
            "description_place": self._add_system(folder),
            "inputs": inputs,
            "made_by": self._made_by,
        }
        self._rows["scores"][place] = describe_score(scored, head, self._source.name_places)
        self._rows["rcp"][place] = describe_check(scored, head, self._source.name_places)
        energies = scored.score.run_energy_kj or (None,) * len(self._folder_runs)
        for index, (path, energy_kj) in enumerate(zip(folder.logs, energies, strict=True)):
            row = self._folder_places.get(path)
            if row is not None:
                row.update(energy_kj=energy_kj, kept=index in scored.score.kept)
                self._rows["places"][row["place"]] = row  # it may have been written without these
        self.departed += departed
        self._folder_places, self._folder_runs = {}, []

    def take_rows(self) -> Rows:
        """The rows by table, and begin anew; a folder that is not complete goes on."""
        import pyarrow as pa

        rows = {name: pa.concat_tables(tables) for name, tables in self._tables.items()}
        for name, held in self._rows.items():
            if held:
                rows[name] = make_rows(name, list(held.values()))
        self._clear()
        return rows
