"""Archives: what is unsafe is refused in one sentence and leaves nothing; what is packed comes out as it went in."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from mlperf_logging.errors import ArchiveError
from mlperf_logging.submission.archives import Limits, extract_archive, is_archive, opened_archive
from mlperf_logging.submission.packing import unpack_submission
from tests.unit.submission.hostile_archives import HostileArchive, list_hostile_archives

HOSTILE = list_hostile_archives()


def list_tree(folder: Path) -> list[str]:
    """All that is below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_there_are_a_hundred_hostile_archives() -> None:
    """The table is as long as it is meant to be, and no two entries have the same name."""
    names = [f"{each.name}{each.suffix}" for each in HOSTILE]

    assert len(set(names)) == len(names)
    assert len(names) >= 100


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: f"{each.name}{each.suffix}")
def test_hostile_archive_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hostile: HostileArchive
) -> None:
    """It is refused with one sentence, in place and when it is to be unpacked; nothing of it is anywhere."""
    temporary, work = tmp_path / "temporary", tmp_path / "work"
    temporary.mkdir()
    work.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.chdir(work)
    archive = tmp_path / f"Lab{hostile.suffix}"
    hostile.write(archive)
    before = list_tree(tmp_path)

    with pytest.raises(ArchiveError) as in_place, opened_archive(archive):
        pass
    with pytest.raises(ArchiveError) as unpacked:
        unpack_submission(archive, work)

    for error in (in_place, unpacked):
        assert str(archive) in str(error.value)
        assert "\n" not in str(error.value)
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 400
    assert list_tree(tmp_path) == before


@pytest.mark.parametrize("suffix", [".tar.gz", ".tgz", ".tar", ".zip"])
def test_harmless_archive_is_read_in_place(tmp_path: Path, suffix: str) -> None:
    """Files come out under their names, empty folders too, and the folder is gone at the end."""
    archive = tmp_path / f"Lab{suffix}"
    files = {"Lab/systems/box.json": b"{}", "Lab/results/ü/result_0.txt": os.urandom(300_000)}
    if suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
            for name, content in files.items():
                written.writestr(name, content)
            written.writestr("Lab/empty/", "")
    else:
        with tarfile.open(archive, "w:gz" if "gz" in suffix else "w") as tar:
            for name, content in files.items():
                header = tarfile.TarInfo(f"./{name}")
                header.size = len(content)
                tar.addfile(header, io.BytesIO(content))
            folder = tarfile.TarInfo("Lab/empty")
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)

    assert is_archive(archive)
    with opened_archive(archive) as top:
        assert {name: (top / name).read_bytes() for name in files} == files
        assert (top / "Lab" / "empty").is_dir()
    assert not top.exists()


@pytest.mark.parametrize("limits", [Limits(total_bytes=999), Limits(members=1)])
def test_limits_can_be_narrowed(tmp_path: Path, limits: Limits) -> None:
    """Bytes and members that come out are bounded by what the caller says."""
    archive = tmp_path / "Lab.zip"
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("Lab/a", bytes(500))
        written.writestr("Lab/b", bytes(500))

    extract_archive(archive, str(tmp_path / "wide"), Limits())
    with pytest.raises(ArchiveError, match="is refused"):
        extract_archive(archive, str(tmp_path / "narrow"), limits)


def test_modes_of_an_archive_are_not_taken_over(tmp_path: Path) -> None:
    """What comes out is neither executable nor of special rights, whatever the archive says."""
    archive = tmp_path / "Lab.tar"
    with tarfile.open(archive, "w") as tar:
        header = tarfile.TarInfo("Lab/run.sh")
        header.mode = 0o6777
        tar.addfile(header, io.BytesIO(b""))

    with opened_archive(archive) as top:
        assert (top / "Lab" / "run.sh").stat().st_mode & 0o6111 == 0
