"""Packing: the same bytes for the same files, a manifest that is verified, and encryption."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from mlperf_logging.errors import ArchiveError, UsageError
from mlperf_logging.submission.encryption import decrypt_archive, encrypt_archive, is_encrypted
from mlperf_logging.submission.packing import MANIFEST, pack_submission, unpack_submission

FILES = {
    "systems/box.json": b"{}\n",
    "results/box/ssd/result_0.txt": b":::MLLOG {}\n" * 1000,
    "benchmarks/ssd/implementations/box/run.sh": b"#!/bin/sh\n",
    "results/box/ssd/empty.txt": b"",
}

RIGHT, WRONG = "correct horse", "battery staple"


def make_submission(folder: Path, names: list[str] | None = None) -> Path:
    """A folder with the files, made in the order of `names`."""
    for name in names or list(FILES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FILES[name])
    (folder / "benchmarks/ssd/implementations/box/run.sh").chmod(0o755)
    return folder


def pack(folder: Path) -> bytes:
    """The archive of a folder."""
    target = io.BytesIO()
    pack_submission(folder, target)
    return target.getvalue()


def test_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    """Neither the order in which files were made, nor times, owners, masks and the place change the archive."""
    first = make_submission(tmp_path / "here" / "Lab")
    second = make_submission(tmp_path / "there" / "Lab", list(reversed(FILES)))
    for path in second.rglob("*.txt"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o600)

    assert pack(first) == pack(second)
    assert pack(first) != pack(make_submission(tmp_path / "there" / "Bal"))


def test_archive_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """Unpacking gives the submission's folder with the same files, and nothing else."""
    archive = tmp_path / "Lab.tar.gz"
    archive.write_bytes(pack(make_submission(tmp_path / "Lab")))

    folder, packed = unpack_submission(archive, tmp_path / "out")

    assert folder == str(tmp_path / "out" / "Lab")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Lab"]
    there = {
        str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }
    assert there == FILES
    assert [each.name for each in packed] == sorted(f"Lab/{name}" for name in FILES)


def test_manifest_is_what_sha256sum_reads(tmp_path: Path) -> None:
    """Tar and sha256sum alone can verify an archive."""
    archive = tmp_path / "Lab.tar.gz"
    archive.write_bytes(pack(make_submission(tmp_path / "Lab")))
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "xzf", archive, "-C", out], check=True)

    done = subprocess.run(
        ["sha256sum", "--strict", "--check", MANIFEST], cwd=out, check=True, capture_output=True, text=True
    )

    assert done.stdout.count(": OK\n") == len(FILES)


def test_headers_hold_nothing_of_the_machine(tmp_path: Path) -> None:
    """Times and owners are fixed, modes are one of two, and the compressed stream has no name and no time."""
    content = pack(make_submission(tmp_path / "Lab"))

    assert content[4:8] == bytes(4)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = archive.getmembers()
    assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in members} == {
        (315_532_800, 0, 0, "", "")
    }
    assert [each.name for each in members if each.mode == 0o755] == [
        "Lab/benchmarks/ssd/implementations/box/run.sh"
    ]


def change_member(content: bytes, name: str, after: bytes | None) -> bytes:
    """The archive with another content of one member, or without it; a name that it lacks is added."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in [*old.getmembers(), *([tarfile.TarInfo(name)] if name not in old.getnames() else [])]:
            held = old.extractfile(member) if member.name in old.getnames() else None
            body = held.read() if held else b""
            if member.name == name:
                if after is None:
                    continue
                body = after
            member.size = len(body)
            new.addfile(member, io.BytesIO(body))
    return gzip.compress(out.getvalue())


@pytest.mark.parametrize(
    ("name", "after", "says"),
    [
        ("Lab/systems/box.json", b"[]\n", "its checksum differs"),
        ("Lab/systems/box.json", None, "lacks 'Lab/systems/box.json'"),
        ("Lab/systems/more.json", b"{}", "holds 'Lab/systems/more.json', which its manifest does not list"),
        (MANIFEST, None, "has no MANIFEST.sha256"),
        (MANIFEST, b"no checksum at all\n", "line 1 of its manifest"),
        ("Bal/other.txt", b"", "which its manifest does not list"),
    ],
)
def test_changed_archive_is_not_unpacked(tmp_path: Path, name: str, after: bytes | None, says: str) -> None:
    """What differs from the manifest is named, and nothing is written."""
    archive, out = tmp_path / "Lab.tar.gz", tmp_path / "out"
    archive.write_bytes(change_member(pack(make_submission(tmp_path / "Lab")), name, after))

    with pytest.raises(ArchiveError, match=says):
        unpack_submission(archive, out)

    assert list(out.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder that already exists stays as it is."""
    archive = tmp_path / "Lab.tar.gz"
    archive.write_bytes(pack(make_submission(tmp_path / "Lab")))
    (tmp_path / "Lab" / "systems" / "box.json").write_bytes(b"mine")

    with pytest.raises(ArchiveError, match="already exists"):
        unpack_submission(archive, tmp_path)

    assert (tmp_path / "Lab" / "systems" / "box.json").read_bytes() == b"mine"


def test_links_within_go_in_as_files(tmp_path: Path) -> None:
    """A link to a file of the submission is packed as that file, so that the archive holds no link."""
    folder = make_submission(tmp_path / "Lab")
    (folder / "systems" / "same.json").symlink_to("box.json")
    (tmp_path / "Lab.tar.gz").write_bytes(pack(folder))

    unpacked, _ = unpack_submission(tmp_path / "Lab.tar.gz", tmp_path / "out")

    assert not Path(unpacked, "systems", "same.json").is_symlink()
    assert Path(unpacked, "systems", "same.json").read_bytes() == b"{}\n"


@pytest.mark.parametrize("kind", ["outside", "dangling", "folder", "pipe", "control", "nothing"])
def test_what_no_archive_should_hold_is_refused(tmp_path: Path, kind: str) -> None:
    """Links that lead out or to nothing, links to folders, pipes and odd names are refused by name; so is an empty folder."""
    folder = make_submission(tmp_path / "Lab")
    (tmp_path / "secret").write_bytes(b"secret")
    odd = folder / "systems" / ("odd\nname" if kind == "control" else "odd")
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "control":
        odd.write_bytes(b"")
    elif kind == "nothing":
        shutil.rmtree(folder)
        folder.mkdir()
    else:
        odd.symlink_to({"outside": tmp_path / "secret", "dangling": "nowhere", "folder": "../results"}[kind])

    with pytest.raises(ArchiveError) as refused:
        pack(folder)

    assert ("odd" in str(refused.value)) == (kind != "nothing")
    assert "\n" not in str(refused.value)


def test_file_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    """A log that is still written while it is packed does not go in with a checksum of before."""
    folder = make_submission(tmp_path / "Lab")
    log = folder / "results" / "box" / "ssd" / "result_0.txt"

    class Target(io.BytesIO):
        def write(self, content: object) -> int:
            log.write_bytes(b"x" * len(FILES["results/box/ssd/result_0.txt"]))
            return super().write(content)  # type: ignore[arg-type]

    with pytest.raises(ArchiveError, match="changed while it was packed"):
        pack_submission(folder, Target())


def test_passphrase_opens_what_it_closed() -> None:
    """An archive that is encrypted with a passphrase opens with it, and with no other."""
    closed = encrypt_archive(b"content", passphrase=RIGHT)

    assert is_encrypted(closed)
    assert not is_encrypted(b"content")
    assert decrypt_archive(closed, passphrase=RIGHT) == b"content"
    with pytest.raises(ArchiveError, match="cannot be decrypted"):
        decrypt_archive(closed, passphrase=WRONG)


def test_private_key_opens_what_its_public_key_closed() -> None:
    """Each of several recipients can open an archive, and nobody else."""
    from pyrage import x25519

    keys = [x25519.Identity.generate() for _ in range(3)]
    closed = encrypt_archive(b"content", recipients=[str(key.to_public()) for key in keys[:2]])

    assert [decrypt_archive(closed, identities=[str(key)]) for key in keys[:2]] == [b"content"] * 2
    with pytest.raises(ArchiveError, match="cannot be decrypted"):
        decrypt_archive(closed, identities=[str(keys[2])])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "not both"),
        ({"passphrase": "x", "recipients": ["age1x"]}, "not both"),
        ({"recipients": ["age1x"]}, "not a public key"),
        ({"recipients": ["ssh-ed25519 AAAA"]}, "not a public key"),
    ],
)
def test_wrong_keys_are_refused(given: dict[str, object], says: str) -> None:
    """Encrypting takes one kind of key, and keys that are keys."""
    with pytest.raises(UsageError, match=says):
        encrypt_archive(b"content", **given)  # type: ignore[arg-type]


def test_checksums_are_those_of_the_files(tmp_path: Path) -> None:
    """What packing reports has the size and SHA-256 of each file."""
    packed = pack_submission(make_submission(tmp_path / "Lab"), io.BytesIO())

    assert {each.name: (each.size, each.sha256) for each in packed} == {
        f"Lab/{name}": (len(content), hashlib.sha256(content).hexdigest()) for name, content in FILES.items()
    }
