"""The README as the project's front page: its figures, its pictures, and its links on the page of the package index."""

from __future__ import annotations

import re
import runpy

from checkout import PROJECT

README = (PROJECT / "README.md").read_text("utf-8")


def test_figures_are_those_of_the_benchmarks() -> None:
    """Each figure beside the public package is on the page of benchmarks that it leads to."""
    figures = re.findall(r"\| \[([\d.]+)\]\((docs/benchmarks/\w+\.md)\) \|", README)

    assert len(figures) == 4
    for figure, page in figures:
        assert re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d.])", (PROJECT / page).read_text("utf-8")), (
            page
        )


def test_pictures_are_small_and_described() -> None:
    """Each picture of the README has a description and is smaller than 200 kB."""
    pictures = re.findall(r"!\[([^\]]*)\]\((\S+)\)", README)

    assert len(pictures) >= 4
    assert [name for said, name in pictures if not said or (PROJECT / name).stat().st_size > 200_000] == []


def test_links_are_absolute_once_the_repository_is_known() -> None:
    """With the address of the repository, the index's page has links to files and pictures of the tag, and no relative one."""
    describe_project = runpy.run_path(str(PROJECT / "setup.py"))["describe_project"]
    made = describe_project(README, "https://host.example/owner/name/", "1.2.3")

    assert "](https://host.example/owner/name/blob/v1.2.3/docs/migrating.md)" in made
    assert "](https://host.example/owner/name/raw/v1.2.3/docs/pictures/watch.png)" in made
    assert re.findall(r"\]\((?![a-z]+:|#)[^)]*\)", made) == []
    assert describe_project(README, None, "1.2.3") == README
