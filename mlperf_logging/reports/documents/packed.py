"""The answer of `mlperf package unpack`: the files of an archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.tables import COUNT, NAME, TEXT, Column, Document, make_table, pick

if TYPE_CHECKING:
    from mlperf_logging.submission.packing import PackedFile

_COLUMNS = (
    Column("name", NAME, "the file, below the top of the archive", "file", priority=0),
    Column("size", COUNT, "its size", "bytes", priority=0),
    Column("sha256", TEXT, "its SHA-256 checksum"),
)


def describe_packed(archive: str, files: Sequence[PackedFile], folder: str | None) -> Document:
    """The files, and where they are now; a folder of None stands for nowhere."""
    records = [pick(file, *[column.name for column in _COLUMNS]) for file in files]
    total = sum(file.size for file in files)
    done = f"{len(files):,} files with {total:,} bytes match the manifest"
    notes = (done if folder is None else f"{done}; unpacked to {folder}",)
    fields = {"archive": archive, "folder": folder, "files": records}
    return Document(
        schema="mlperf-unpack/1", tables=(make_table("files", _COLUMNS, records),), fields=fields, notes=notes
    )
