"""Archives with damage anywhere: they are read or refused, and nothing else happens."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlperf_logging.errors import ArchiveError
from mlperf_logging.submission.archives import extract_archive
from mlperf_logging.submission.packing import pack_submission

EXAMPLES = int(os.environ.get("MLPERF_EXAMPLES", "100"))
FILES = {
    "Lab/systems/box.json": b'{"cooling": "air"}',
    "Lab/results/box/ssd/result_0.txt": b":::MLLOG {}\n" * 40,
    "Lab/" + "long/" * 25 + "name.txt": b"x",
}
"""The last name is too long for a plain header, so that there is one that extends it."""


def make_archive(suffix: str) -> bytes:
    """A good archive."""
    target = io.BytesIO()
    if suffix == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in FILES.items():
                archive.writestr(name, content)
        return target.getvalue()
    with TemporaryDirectory() as folder:
        for name, content in FILES.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        pack_submission(Path(folder, "Lab"), target)
    return gzip.decompress(target.getvalue()) if suffix == ".tar" else target.getvalue()


ARCHIVES = {suffix: make_archive(suffix) for suffix in (".tar", ".tar.gz", ".zip")}
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=12), st.booleans()),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("suffix", ARCHIVES)
@settings(max_examples=EXAMPLES)
@given(damage=DAMAGE, cut=st.floats(0.2, 4))
def test_damaged_archive_is_read_or_refused(
    suffix: str, damage: list[tuple[float, bytes, bool]], cut: float
) -> None:
    """Bytes that are changed, inserted or cut off give an `ArchiveError` or files below the folder."""
    content = bytearray(ARCHIVES[suffix])
    for share, these, inserts in damage:
        place = int(share * len(content))
        content[place : place if inserts else place + len(these)] = these
    with TemporaryDirectory() as folder:
        archive, out = Path(folder, f"Lab{suffix}"), Path(folder, "out")
        archive.write_bytes(bytes(content[: int(cut * len(content))]))
        out.mkdir()
        try:
            extract_archive(archive, str(out))
        except ArchiveError as error:
            assert "\n" not in str(error)
            assert str(error).isprintable()
        assert sorted(path.name for path in Path(folder).iterdir()) == [archive.name, "out"]
        assert not [
            path for path in out.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())
        ]
