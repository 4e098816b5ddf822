"""`mlperf package pack` and `unpack`, and archives checked in place."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from checkout import PROJECT
from commands import run_mlperf

LAB = PROJECT / "examples" / "submission" / "Example_Lab"
RESULT = Path("results", "example_8x", "llama2_70b_lora")


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A submission of one result in which nothing is wrong."""
    folder = tmp_path / "Example_Lab"
    shutil.copytree(LAB / RESULT, folder / RESULT, ignore=shutil.ignore_patterns("power"))
    described = json.loads((LAB / "systems" / "example_8x.json").read_text())
    described = {name: str(value) for name, value in described.items()}
    described["accelerator_model_name"] = "NVIDIA H200-SXM-141GB"
    (folder / "systems").mkdir()
    (folder / "systems" / "example_8x.json").write_text(json.dumps(described))
    return folder


def list_files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, with their bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_acceptable_submission_is_packed_and_comes_out_again(lab: Path, tmp_path: Path) -> None:
    """It goes into an archive named after it, is the same out of it, and has not changed."""
    before = list_files(lab)

    packed = run_mlperf("package", "pack", "Example_Lab", folder=tmp_path)
    unpacked = run_mlperf("package", "unpack", "Example_Lab.tar.gz", "out", folder=tmp_path)

    assert packed.returncode == 0, packed.stderr
    assert "packed 12 files into Example_Lab.tar.gz" in packed.stderr
    assert unpacked.returncode == 0
    assert "match the manifest; unpacked to out/Example_Lab" in unpacked.stdout
    assert list_files(tmp_path / "out" / "Example_Lab") == before == list_files(lab)


def test_packing_twice_gives_the_same_bytes(lab: Path, tmp_path: Path) -> None:
    """The archive of the same files is the same, whatever it is called."""
    for name in ("a.tar.gz", "b.tar.gz"):
        run_mlperf("package", "pack", "--archive", name, lab, folder=tmp_path)

    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


def test_what_has_errors_is_not_packed(lab: Path, tmp_path: Path) -> None:
    """The report says what is wrong, and there is no archive."""
    (lab / RESULT / "result_9.txt").unlink()

    done = run_mlperf("package", "pack", "Example_Lab", folder=tmp_path)

    assert done.returncode == 1
    assert "MLP601" in done.stdout
    assert "nothing was packed" in done.stderr
    assert not (tmp_path / "Example_Lab.tar.gz").exists()


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_archive_is_checked_in_place(lab: Path, tmp_path: Path, suffix: str) -> None:
    """An archive gives the findings of its folder, with paths below the archive's, and stays as it is."""
    (lab / RESULT / "notes.md").write_text("")
    archive = tmp_path / f"made{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as written:
            for name, content in list_files(tmp_path).items():
                if name.startswith("Example_Lab"):
                    written.writestr(name, content)
    else:
        run_mlperf("package", "pack", "--archive", archive, lab)
    content = archive.read_bytes()

    done = run_mlperf("package", "--format", "concise", archive.name, folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert f"made{suffix}/Example_Lab/{RESULT}/notes.md" in done.stdout
    assert "MLP604" in done.stdout
    assert archive.read_bytes() == content


@pytest.mark.parametrize("words", [("package",), ("package", "unpack")])
def test_unsafe_archive_is_refused_in_one_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    """The exit code is 2, one line says why, and nothing is written."""
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as written:
        written.writestr("../evil.txt", "x")

    done = run_mlperf(*words, "evil.zip", folder=tmp_path)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "evil.zip is refused: the name '../evil.txt' leads out of its folder" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["evil.zip"]


def test_passphrase_comes_from_a_file_or_the_environment(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encrypted archive opens with the passphrase that closed it; with another one it is refused."""
    monkeypatch.setenv("MLPERF_PASSPHRASE", "correct horse")
    (tmp_path / "right").write_text("correct horse\n")
    (tmp_path / "wrong").write_text("battery staple\n")

    packed = run_mlperf("package", "pack", "-q", "--encrypt", "Example_Lab", folder=tmp_path)
    archive = "Example_Lab.tar.gz.age"
    wrong = run_mlperf("package", "unpack", "--passphrase-file", "wrong", archive, "out", folder=tmp_path)
    right = run_mlperf("package", "unpack", "--passphrase-file", "right", archive, "out", folder=tmp_path)

    assert packed.returncode == 0, packed.stderr
    assert (wrong.returncode, right.returncode) == (2, 0)
    assert "cannot be decrypted" in wrong.stderr
    assert list_files(tmp_path / "out" / "Example_Lab") == list_files(lab)


def test_recipient_opens_with_the_private_key(lab: Path, tmp_path: Path) -> None:
    """An archive for a public key is opened by the file of the private one, as age-keygen writes it."""
    from pyrage import x25519

    key = x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(f"# public key: {key.to_public()}\n{key}\n")

    packed = run_mlperf("package", "pack", "-q", "--recipient", key.to_public(), lab, folder=tmp_path)
    listed = run_mlperf(
        *("package", "unpack", "--list", "--format", "json", "--identity", "key.txt"),
        "Example_Lab.tar.gz.age",
        folder=tmp_path,
    )

    assert packed.returncode == 0, packed.stderr
    document = json.loads(listed.stdout)
    assert (document["schema"], document["folder"], len(document["files"])) == ("mlperf-unpack/1", None, 12)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("pack", "nowhere"), "is not a folder"),
        (("pack", "--archive", "Example_Lab/x.tar.gz", "Example_Lab"), "would be within the submission"),
        (("pack", "--recipient", "age1x", "Example_Lab"), "not a public key"),
        (("pack", "--encrypt", "--passphrase-file", "nowhere", "Example_Lab"), "cannot read the passphrase"),
        (("unpack", "nowhere.tar.gz"), "there is no archive"),
        (("unpack", "Example_Lab"), "there is no archive"),
    ],
)
def test_what_cannot_be_done_is_said(
    lab: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    """Wrong arguments are exit code 2 and one sentence, and leave nothing behind."""
    before = list_files(tmp_path)

    done = run_mlperf("package", *arguments, folder=tmp_path)

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list_files(tmp_path) == before
