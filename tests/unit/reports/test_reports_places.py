"""Paths as seen from the root of a repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlperf_logging.reports import ReportOptions, load_format
from mlperf_logging.reports._places import RepositoryPaths


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with logs in a folder of it, which is the current one."""
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/logs/a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repo/logs")
    return tmp_path / "repo"


@pytest.mark.parametrize("path", ["a/x.txt", "./a/x.txt", "../logs/a/x.txt", "{root}/logs/a/x.txt"])
def test_paths_are_seen_from_the_root(repository, path):
    """However a path is given, and wherever the command runs, it is the one below the root."""
    assert RepositoryPaths("").relate(path.format(root=repository)) == "logs/a/x.txt"


def test_workspace_goes_before_the_repository(repository):
    """In a job, the root is its workspace; a file outside of it is seen from its own repository."""
    assert RepositoryPaths(str(repository.parent)).relate("a/x.txt") == "repo/logs/a/x.txt"
    assert RepositoryPaths("/nowhere").relate("a/x.txt") == "logs/a/x.txt"


def test_outside_of_repositories_paths_stay(tmp_path, monkeypatch):
    """Without a repository, and for standard input, a path is as it was given."""
    monkeypatch.chdir(tmp_path)
    assert [RepositoryPaths("").relate(path) for path in ("./a//x.txt", "-")] == ["./a//x.txt", "-"]


def test_linked_workspace_is_the_same_place(repository, tmp_path):
    """A workspace that is named through a link holds the same files."""
    (tmp_path / "link").symlink_to(repository)
    assert RepositoryPaths(str(tmp_path / "link")).relate("a/x.txt") == "logs/a/x.txt"


@pytest.mark.parametrize("name", ["github", "sarif", "gitlab"])
def test_formats_of_services_use_them(repository, verdict, write_report, name):
    """Formats for services that show findings beside the files name the path in the repository."""
    text = write_report(load_format(name)(ReportOptions()), verdict._replace(path="a/x.txt"))
    if name == "github":
        assert "file=logs/a/x.txt," in text
    else:
        assert "logs/a/x.txt" in json.dumps(json.loads(text))
