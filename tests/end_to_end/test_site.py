"""The pages of the site before Sphinx builds them: complete, generated from the code, and without broken links."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest
from checkout import PROJECT

import mlperf_logging
from mlperf_logging import mllog
from mlperf_logging.cli.command_tree import build_command_tree, list_arguments, list_commands


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """The script that builds the site."""
    spec = importlib.util.spec_from_file_location("build_site", PROJECT / "docs" / "site" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(build: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the staged pages."""
    folder = tmp_path_factory.mktemp("staged") / "pages"
    build.stage(folder)
    return folder


def test_every_option_has_a_row(build: ModuleType) -> None:
    """On the page of commands, each argument and option of each command has a row below the command's heading."""
    sections = dict(
        re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", f"{build.describe_commands()}\n", re.MULTILINE)
    )
    parsers = {parser.prog: parser for parser in list_commands(build_command_tree())}
    assert {*sections} == {*parsers}
    for name, parser in parsers.items():
        rows = re.findall(r"^\| (`.*`) \| (.+) \|$", sections[name], re.MULTILINE)
        options = {option for named, _ in rows for option in re.findall(r"`(--?[a-z][\w-]*)", named)}
        assert options == {option for each in list_arguments(parser) for option in each.option_strings}, name
        assert len(rows) == len(list_arguments(parser)), name


def test_every_public_name_is_described(build: ModuleType) -> None:
    """On the page of Python names is each public name once, by the module that has it, and each has words of its own."""
    described = re.findall(
        r"^\.\. (?:auto(?:class|function)|py:data):: (\S+)$", build.describe_names(), re.MULTILINE
    )
    names = {name.rpartition(".")[2] for name in described}
    assert names == {*mlperf_logging.__all__, *mllog.__all__}
    assert len(described) == len({*described})
    for package in (mlperf_logging, mllog):
        assert [name for name in package.__all__ if not inspect.getdoc(getattr(package, name))] == []


def test_every_page_is_in_the_navigation(pages: Path) -> None:
    """Each page is below exactly one entry of the navigation: of the home page, or of the index of its folder."""
    listed = ["index.md"]
    for path in pages.rglob("*.md"):
        folder = path.relative_to(pages).parent
        for tree in re.findall(
            r"^```\{toctree\}\n(.*?)^```$", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
        ):
            entries = [line for line in tree.splitlines() if line and not line.startswith(":")]
            listed += [(folder / re.sub(r".*<(.*)>", r"\1", entry)).as_posix() for entry in entries]
    assert sorted(listed) == sorted(path.relative_to(pages).as_posix() for path in pages.rglob("*.md"))


def test_links_lead_to_staged_files(build: ModuleType, pages: Path) -> None:
    """Each relative link of a staged page leads to a staged file, so all of them work without a network."""
    lost = [
        (path.name, link)
        for path in pages.rglob("*.md")
        for part in re.split(r"^```.*?^```$", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        for link in re.findall(r"\]\((?![a-z]+:|#)([^)\s#]+)", part)
        if not (path.parent / link).is_file()
    ]
    assert lost == []


def test_link_that_leads_nowhere_is_named(build: ModuleType) -> None:
    """A link to a file that does not exist stops the build, and the message names page and link."""
    with pytest.raises(
        build.BrokenLinkError, match=r"docs/cli\.md links to nowhere\.md, which does not exist"
    ):
        build.lead_links("see [it](nowhere.md)", "docs/cli.md")
    assert build.lead_links("`a`\n```text\n[x](nowhere.md)\n```\n", "docs/cli.md").count("nowhere.md") == 1
