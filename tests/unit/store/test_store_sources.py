"""Where logs come from: archives, repositories, addresses."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import tarfile
from pathlib import Path

import fsspec
import pytest
from stores import ask, dump_store

from mlperf_logging.errors import UsageError
from mlperf_logging.store.ingest import IngestSummary, ingest_logs


def dump_unplaced(store: Path) -> dict[str, list[tuple[str, ...]]]:
    """What a store holds of logs, apart from where they were."""
    dumped = dump_store(store)
    return {name: dumped[name] for name in ("logs", "runs", "events", "evaluations", "findings")}


def find_scores(store: Path) -> set[tuple[object, ...]]:
    """What a store holds of folders, apart from where they were."""
    return set(
        ask(
            store,
            "SELECT submitter, system, benchmark, score_minutes, runs, ruleset, accelerators FROM scores",
        )
    )


def ingest(name: str | Path, store: Path) -> IngestSummary:
    """Ingest one source."""
    return ingest_logs([str(name)], str(store))


@pytest.fixture
def expected(submission: Path, tmp_path: Path) -> Path:
    """A store of the submission as it is on disk."""
    store = tmp_path / "expected.duckdb"
    ingest(submission, store)
    return store


def run_git(folder: Path, *arguments: str) -> None:
    """Run git with nobody's settings."""
    settings = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(
        ["git", "-C", str(folder), *settings, *arguments], check=True, capture_output=True, env=environment
    )


def make_repository(folder: Path) -> None:
    """A repository of all that is in a folder."""
    run_git(folder, "init")
    run_git(folder, "add", "-A", "--force")
    run_git(folder, "commit", "-m", "results")


def test_an_archive_gives_what_its_folder_gives(submission: Path, expected: Path, store: Path) -> None:
    """Logs in an archive are the same logs, at places within it."""
    archive = submission.parent / "round.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(submission, submission.name)
    assert ingest(archive, store).complaints == ()
    assert dump_unplaced(store) == dump_unplaced(expected)
    assert find_scores(store) == find_scores(expected)
    (place, *_), *_ = ask(store, "SELECT place FROM places ORDER BY place")
    assert place == f"{archive}!Example_Lab/results/example_16x/flux1/result_0.txt"
    assert ingest(archive, store).read == 0


def test_a_repository_gives_what_its_folder_gives(submission: Path, expected: Path, store: Path) -> None:
    """Logs of a revision are read without a working tree; later changes do not matter."""
    make_repository(submission.parent / submission.name)
    clone = submission.parent / "Example_Lab.git"
    run_git(submission.parent, "clone", "--bare", str(submission), str(clone))
    assert ingest(f"{clone}@main", store).complaints == ()
    assert dump_unplaced(store) == dump_unplaced(expected)
    assert find_scores(store) == find_scores(expected)
    (place, *_), *_ = ask(store, "SELECT place FROM places ORDER BY place")
    assert place == f"{clone}@main:results/example_16x/flux1/result_0.txt"


def test_a_part_of_a_repository_knows_the_rest(submission: Path, store: Path) -> None:
    """A folder within a revision is read alone, with the system description from outside it."""
    make_repository(submission)
    summary = ingest(f"{submission}@HEAD:results/example_16x/flux1", store)
    assert summary.logs == len(list((submission / "results/example_16x/flux1").glob("result_*")))
    assert ask(store, "SELECT count(*) FROM systems") == [(1,)]
    assert len(find_scores(store)) == 1


@pytest.mark.parametrize(
    "revision", ["nowhere", "HEAD~99", "HEAD:results/none", "-h", "--upload-pack=touch x", ""]
)
def test_a_revision_that_does_not_exist_is_one_sentence(submission: Path, store: Path, revision: str) -> None:
    """What is no revision, or would be an option, is refused; nothing runs."""
    make_repository(submission)
    try:
        said = ingest(f"{submission}@{revision}", store).complaints
    except UsageError as error:
        said = (str(error),)
    (sentence,) = said
    assert "\n" not in sentence
    assert not store.exists()


def test_a_repository_runs_nothing(submission: Path, store: Path) -> None:
    """Hooks, helpers and programs that a stranger's repository has set are not started."""
    make_repository(submission)
    mark = submission.parent / "ran"
    program = submission / ".git" / "program"
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\n", "utf-8")
    program.chmod(0o755)
    for name in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "filter.x.smudge",
    ):
        run_git(submission, "config", name, str(program))
    (submission / ".git" / "info" / "attributes").write_text("* filter=x diff=x\n", "utf-8")
    (submission / ".git" / "hooks" / "post-checkout").write_bytes(program.read_bytes())
    mark.unlink(missing_ok=True)
    assert ingest(f"{submission}@HEAD", store).complaints == ()
    assert not mark.exists()


def test_links_in_a_repository_lead_nowhere(submission: Path, store: Path) -> None:
    """A link that a revision holds is not followed."""
    log = sorted(submission.rglob("result_0.txt"))[0]
    log.unlink()
    log.symlink_to("/etc/passwd")
    count = len([path for path in submission.rglob("result_*.txt") if not path.is_symlink()])
    make_repository(submission)
    assert ingest(f"{submission}@HEAD", store).logs == count


def test_an_address_gives_what_its_folder_gives(submission: Path, expected: Path, store: Path) -> None:
    """Logs that fsspec reaches are read from there."""
    system = fsspec.filesystem("memory")
    system.put(str(submission), "/round/Example_Lab", recursive=True)
    try:
        assert ingest("memory://round/Example_Lab", store).complaints == ()
    finally:
        system.rm("/round", recursive=True)
    assert dump_unplaced(store) == dump_unplaced(expected)
    assert find_scores(store) == find_scores(expected)
    (place, *_), *_ = ask(store, "SELECT place FROM places ORDER BY place")
    assert place == "memory:///round/Example_Lab/results/example_16x/flux1/result_0.txt"


def test_one_log_at_an_address(submission: Path, store: Path) -> None:
    """An address may be that of a single log, or a pattern."""
    log = sorted(submission.rglob("result_0.txt"))[0]
    fsspec.filesystem("memory").pipe("/single/run.log", log.read_bytes())
    try:
        assert ingest("memory://single/run.log", store).logs == 1
        assert ingest("memory://single/*.log", store).unchanged == 1
    finally:
        fsspec.filesystem("memory").rm("/single", recursive=True)
    assert ask(store, "SELECT place FROM places") == [("memory:///single/run.log",)]


def test_an_address_without_its_package_says_so(store: Path) -> None:
    """The package that reaches a kind of address is named where it is missing."""
    if importlib.util.find_spec("s3fs") is not None:
        pytest.skip("s3fs is installed")
    with pytest.raises(UsageError, match="s3fs"):
        ingest("s3://bucket/results", store)


@pytest.mark.parametrize("address", ["nosuch://x/y", "memory://there/is/nothing"])
def test_an_address_that_leads_nowhere_is_one_sentence(store: Path, address: str) -> None:
    """An unknown kind of address, and one with nothing there, give one sentence."""
    try:
        said = ingest(address, store).complaints
    except UsageError as error:
        said = (str(error),)
    (sentence,) = said
    assert address.partition(":")[0] in sentence
    assert "\n" not in sentence


def test_credentials_are_in_no_place(store: Path) -> None:
    """What an address holds of a user's name and password is not shown."""
    try:
        said = ingest("nosuch://me:secret@host/x", store).complaints
    except UsageError as error:
        said = (str(error),)
    assert "secret" not in "".join(said)


def test_a_broken_archive_is_one_sentence(tmp_path: Path, store: Path) -> None:
    """An archive that cannot be read is told, and the other sources are taken."""
    archive = tmp_path / "broken.zip"
    archive.write_bytes(b"PK\x03\x04 no more")
    (sentence,) = ingest(archive, store).complaints
    assert str(archive) in sentence
