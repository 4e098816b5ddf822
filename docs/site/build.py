"""Build the documentation as a site: `python docs/site/build.py` writes it to docs/_build.

The pages are those of `docs/`, the pages elsewhere in the repository that they link to, and two that are generated: all commands
with their options, from the commands' parsers, and all public Python names, from their docstrings. All are staged in one
folder, with links led to where their targets are there, so that they work without a network; other files of the repository
that a page links to come along. The navigation is made of the tables of `docs/index.md`. A link that leads nowhere, a page that
no table names, and every other warning fails the build.
"""

from __future__ import annotations

import argparse
import inspect
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from mlperf_logging import _NAMES, mllog
from mlperf_logging.cli.command_tree import build_command_tree, list_arguments, list_commands

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = ROOT / "docs" / "_build"
ELSEWHERE = "repository"
"""Folder of the site for what is not below `docs/`."""
COMMANDS, NAMES = "reference/commands.md", "reference/names.md"
GENERATED_SECTION = "Reference"

_FENCED = re.compile(r"^(```.*?^```$)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")
_FIRST_CELL = re.compile(r"^\| (\[.*?) \|", re.MULTILINE)
_TITLED = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)")


class BrokenLinkError(Exception):
    """A page links to a file that does not exist."""


def main() -> int:
    """Stage the pages and build; the exit code of Sphinx."""
    parser = argparse.ArgumentParser(description="Build the documentation as a site.")
    parser.add_argument("--target", type=Path, default=TARGET, help="folder that the site replaces")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mlperf-docs-") as folder:
        staged, built = Path(folder, "pages"), Path(folder, "site")
        try:
            stage(staged)
        except BrokenLinkError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        strictly = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--conf-dir", str(HERE)]
        command = [sys.executable, *strictly, str(staged), str(built)]
        code = subprocess.run(command, check=False).returncode
        if code == 0:
            shutil.rmtree(options.target, ignore_errors=True)
            shutil.copytree(built, options.target, ignore=shutil.ignore_patterns(".doctrees"))
    return code


def stage(target: Path) -> None:
    """Write all pages, and the files that they show or link to, into a folder.

    Raises:
        BrokenLinkError: a link leads nowhere.
    """
    places = sorted(
        f"docs/{path.relative_to(ROOT / 'docs').as_posix()}" for path in (ROOT / "docs").rglob("*.md")
    )
    queue = [place for place in places if not place.startswith("docs/_build/")]
    pages: dict[str, str] = {}
    seen = set(queue)
    for place in queue:  # which grows
        if not place.endswith(".md"):
            copy = target / to_site(place)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / place, copy)
            continue
        text = (ROOT / place).read_text("utf-8")
        found = [resolve(place, link) for part in _FENCED.split(text)[::2] for link in _LINK.findall(part)]
        queue += dict.fromkeys(each for each in found if each not in seen)
        seen.update(found)
        pages[to_site(place)] = lead_links(text, place)
    pages |= {COMMANDS: describe_commands(), NAMES: describe_names()}
    add_navigation(pages)
    for name, text in pages.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def to_site(place: str) -> str:
    """Where a file of the repository is in the site."""
    return place.removeprefix("docs/") if place.startswith("docs/") else f"{ELSEWHERE}/{place}"


def resolve(place: str, link: str) -> str:
    """The file of the repository that a page links to; of a folder its page.

    Raises:
        BrokenLinkError: there is none.
    """
    found = posixpath.normpath(posixpath.join(posixpath.dirname(place), link))
    if (ROOT / found).is_dir():
        found = next(
            (f"{found}/{name}" for name in ("index.md", "README.md") if (ROOT / found / name).is_file()),
            found,
        )
    if not (ROOT / found).is_file():
        raise BrokenLinkError(f"{place} links to {link}, which does not exist")
    return found


def lead_links(text: str, place: str) -> str:
    """The text of a page whose links lead to where their targets are in the site."""
    folder = posixpath.dirname(to_site(place)) or "."

    def lead(match: re.Match[str]) -> str:
        return posixpath.relpath(to_site(resolve(place, match[1])), folder)

    return _change_outside_fences(text, lambda part: _LINK.sub(lead, part))


def add_navigation(pages: dict[str, str]) -> None:
    """Put every page below the section of the home page that links to it, or that links to the index of its folder."""
    _, *sections = re.split(r"^## ", pages["index.md"], flags=re.MULTILINE)
    listed = {"index.md"}
    for section in sections:
        title = section.partition("\n")[0].strip()
        titles = {link: name for cell in _FIRST_CELL.findall(section) for name, link in _TITLED.findall(cell)}
        titles |= {COMMANDS: "Commands", NAMES: "Python names"} if title == GENERATED_SECTION else {}
        fresh = [link for link in titles if link not in listed]
        listed.update(fresh)
        pages["index.md"] += _write_toctree([f"{titles[link]} <{link}>" for link in fresh], title)
    for index in [name for name in listed if posixpath.basename(name) == "index.md" and name != "index.md"]:
        folder = posixpath.dirname(index)
        within = sorted(name for name in pages if posixpath.dirname(name) == folder and name not in listed)
        listed.update(within)
        pages[index] += _write_toctree([posixpath.basename(name) for name in within])
    more = sorted(name for name in pages if name.startswith(f"{ELSEWHERE}/") and name not in listed)
    pages["index.md"] += _write_toctree(more, "More")


def describe_commands() -> str:
    """The page on all commands: each argument and option, from the commands' parsers."""
    parts = ["# Commands", "", "Every command with its arguments and options, as `--help` has them.", ""]
    for parser in list_commands(build_command_tree()):
        parts += [f"## {parser.prog}", "", "```text", parser.format_usage().strip(), "```", ""]
        parts += [_escape((parser.description or "").partition("\n")[0]), ""]
        if arguments := list_arguments(parser):
            rows = [f"| {name_argument(each)} | {_escape(explain(each, parser))} |" for each in arguments]
            parts += ["| argument | meaning |", "|---|---|", *rows, ""]
        if parser.epilog:
            text = parser.format_help()
            first = parser.epilog.strip().partition("\n")[0]
            parts += ["```text", text[text.index(first) :].strip(), "```", ""]
    return "\n".join(parts)


def name_argument(argument: argparse.Action) -> str:
    """The names of an argument with its value, as code."""
    shown = argument.metavar or "{" + ",".join(map(str, argument.choices or ())) + "}"
    value = " ".join(shown) if isinstance(shown, tuple) else shown
    if not argument.option_strings:
        return f"`{value}`"
    return ", ".join(
        f"`{name}`" if argument.nargs == 0 else f"`{name} {value}`" for name in argument.option_strings
    )


def explain(argument: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """What an argument is for, as its help has it."""
    return (argument.help or "") % {**vars(argument), "prog": parser.prog}


def describe_names() -> str:
    """The page on the public Python names, by module, from their docstrings."""
    parts = [
        "# Python names",
        "",
        "What `mlperf_logging` and `mlperf_logging.mllog` export, by the module that has it.",
        "",
    ]
    modules = {f"mlperf_logging.{module}": names for module, names in sorted(_NAMES.items())}
    for module, names in {**modules, mllog.__name__: sorted(mllog.__all__)}.items():
        package = __import__(module, fromlist=names)
        found = {name: getattr(package, name) for name in names}
        parts += [f"## {module}", "", "```{eval-rst}"]
        for name, value in found.items():
            if inspect.isclass(value) or inspect.isroutine(value):
                kind = "autoclass" if inspect.isclass(value) else "autofunction"
                parts += [f".. {kind}:: {module}.{name}", *["   :members:"][: inspect.isclass(value)], ""]
            else:  # a module or an object: the first paragraph of its docstring, or of its class
                about = " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())
                parts += [f".. py:data:: {module}.{name}", "", f"   {about}", ""]
        parts += ["```", ""]
    return "\n".join(parts)


def _write_toctree(names: list[str], caption: str = "") -> str:
    said = [f":caption: {caption}"] if caption else []
    return "\n".join(["", "```{toctree}", ":hidden:", *said, "", *names, "```", ""]) if names else ""


def _change_outside_fences(text: str, change: Callable[[str], str]) -> str:
    parts = _FENCED.split(text)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))


def _escape(text: str) -> str:
    return re.sub(r"([\\|<>*_`\[\]$])", r"\\\1", text).replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
