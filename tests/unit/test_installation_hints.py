"""What a message says to install, and how, depends on how this copy of the package was installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mlperf_logging import installation
from mlperf_logging.errors import UsageError
from mlperf_logging.installation import explain_missing, name_install_command, require_libraries


class Installed:
    """A distribution as installers leave it: its files of metadata by name."""

    def __init__(self, **files: str) -> None:
        self.files = files

    def read_text(self, name: str) -> str | None:
        """One of them; None where it is not there."""
        return self.files.get(name.partition(".")[0])


def install(monkeypatch: pytest.MonkeyPatch, installer: str = "pip", origin: object = None) -> None:
    """Let the package be installed in some way."""
    files = {"INSTALLER": f"{installer}\n"} | ({} if origin is None else {"direct_url": json.dumps(origin)})
    source_tree = Installed()
    monkeypatch.setattr(installation, "distributions", lambda name: iter([source_tree, Installed(**files)]))


@pytest.mark.parametrize(
    ("installer", "command"),
    [("pip", "pip install 'mlperf-log-toolkit[zstd]'"), ("uv", "uv pip install 'mlperf-log-toolkit[zstd]'")],
)
def test_copy_from_an_index_is_named(installer: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came from an index is extended by name, with the installer that was used."""
    install(monkeypatch, installer)
    assert name_install_command("zstd") == command


@pytest.mark.parametrize(
    ("mark", "command"),
    [("pipx_metadata.json", "pipx install --force"), ("uv-receipt.toml", "uv tool install")],
)
def test_environment_of_a_tool_is_installed_anew(
    mark: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that pipx or uv keeps for one command is changed by them only."""
    (tmp_path / mark).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    install(monkeypatch, "uv")
    assert name_install_command("zstd") == f"{command} 'mlperf-log-toolkit[zstd]'"


def test_checkout_is_named_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of a checkout is extended from the checkout: by a dot within it; editable if it was."""
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    install(monkeypatch, origin={"url": checkout.as_uri(), "dir_info": {"editable": True}})
    assert name_install_command("zstd") == f"pip install --editable '{checkout}[zstd]'"
    monkeypatch.chdir(checkout)
    assert name_install_command("zstd") == "pip install --editable '.[zstd]'"
    install(monkeypatch, origin={"url": checkout.as_uri(), "dir_info": {}})
    assert name_install_command("zstd") == "pip install '.[zstd]'"


def test_wheel_is_named_while_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of a wheel is extended from that file; once it is gone, from the index."""
    wheel = tmp_path / "some.whl"
    wheel.touch()
    install(monkeypatch, origin={"url": wheel.as_uri(), "archive_info": {}})
    assert name_install_command("zstd") == f"pip install 'mlperf-log-toolkit[zstd] @ {wheel.as_uri()}'"
    wheel.unlink()
    assert name_install_command("zstd") == "pip install 'mlperf-log-toolkit[zstd]'"


def test_repository_is_named_with_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of a commit is extended from the same commit."""
    git = {"url": "https://host/repo", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}
    install(monkeypatch, origin=git)
    assert (
        name_install_command("zstd")
        == "pip install 'mlperf-log-toolkit[zstd] @ git+https://host/repo@abc123'"
    )


@pytest.mark.parametrize("origin", ["none", [1], {"url": 5}, {"url": "file://"}])
def test_unknown_origin_is_the_index(origin: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata that says nothing usable of the origin is passed over."""
    install(monkeypatch, origin=origin)
    assert name_install_command("zstd") == "pip install 'mlperf-log-toolkit[zstd]'"


def test_source_tree_is_not_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody has installed the package, the message names the index."""
    monkeypatch.setattr(installation, "distributions", lambda name: iter([Installed()]))
    assert name_install_command("zstd") == "pip install 'mlperf-log-toolkit[zstd]'"


def test_every_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names all libraries that are missing, and no other."""
    for name in ("pandas", "scipy"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        UsageError, match=r"^drawing needs pandas and scipy, which are not installed; install them"
    ):
        require_libraries("drawing", ["json", "pandas", "scipy"], "analysis")
    require_libraries("drawing", ["json"], "analysis")


def test_three_names_make_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three names are a list with one `and`."""
    install(monkeypatch)
    command = "pip install 'mlperf-log-toolkit[x]'"
    assert explain_missing("it", ["a", "b", "c"], "x") == (
        f"it needs a, b and c, which are not installed; install them with: {command}"
    )
