"""Rounds and benchmarks are data: no Python file of the package names one."""

from __future__ import annotations

import re
import tokenize
from pathlib import Path

from checkout import PROJECT

from mlperf_logging.rules.repository import open_rules

PACKAGE = PROJECT / "mlperf_logging"
SOURCES = sorted(PACKAGE.rglob("*.py"))

VERSION_LIKE = re.compile(r"(?<![\w.])v?(\d+\.\d+\.\d+)(?![\w.]*\d)")

EXCEPTIONS = {
    ("__init__.py", "0.1.0"): "the version of this package",
    ("reports/sarif.py", "2.1.0"): "the version of the SARIF format",
    ("parsing/grammar.py", "Transformer"): "lark's class, which makes values of syntax trees",
    ("parsing/grammar.py", "transformer"): "lark's name for the argument that takes one",
    ("package_checker/package_checker.py", "bert"): "part of an option of the public package",
    ("submission/machine.py", "transformer"): "part of the name of a library",
    ("submission/machine.py", "SSD"): "a kind of disk",
    ("rcp_checker/rcp_checker.py", "bert"): "part of an option of the public package",
}
"""(file below the package, text): why it is not a round, although it looks like one."""

VOCABULARY = "mllog/constants.py"
"""The names that the public logging API offers, benchmarks among them, fixed by it; they decide nothing."""


def list_benchmarks() -> set[str]:
    """Every benchmark that a rule file names."""
    in_rounds = {name for entry in open_rules().index() for name in entry.benchmarks}
    return in_rounds | {path.stem for path in (PROJECT / "compliance_rules" / "benchmarks").glob("*.yaml")}


def list_rounds() -> set[str]:
    """Every round, without its usage."""
    return {entry.round for entry in open_rules().index()}


def name_pattern(names: set[str]) -> re.Pattern[str]:
    """A pattern that finds the names as words; an underscore separates words, as in `resnet_lars`."""
    words = "|".join(sorted((re.escape(name) for name in names), key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])", re.IGNORECASE)


def read_words(path: Path) -> list[tuple[int, str]]:
    """Line and text of every identifier, text, docstring and comment of a Python file."""
    kinds = {tokenize.NAME, tokenize.STRING, tokenize.COMMENT}
    with path.open("rb") as file:
        return [
            (token.start[0], token.string)
            for token in tokenize.tokenize(file.readline)
            if token.type in kinds
        ]


def find_names(path: Path, patterns: list[re.Pattern[str]]) -> list[tuple[int, str]]:
    """Line and text of everything in a file that a pattern finds."""
    return [
        (line, found[found.lastindex or 0])
        for line, text in read_words(path)
        for pattern in patterns
        for found in pattern.finditer(text)
    ]


def test_files_name_no_round_and_no_benchmark() -> None:
    """Neither code, texts nor comments of a file name a round or a benchmark."""
    rounds = [VERSION_LIKE, name_pattern(list_rounds())]
    benchmarks = name_pattern(list_benchmarks())
    found = {}
    for path in SOURCES:
        shown = path.relative_to(PACKAGE).as_posix()
        patterns = rounds if shown == VOCABULARY else [*rounds, benchmarks]
        named = [each for each in find_names(path, patterns) if (shown, each[1]) not in EXCEPTIONS]
        if named:
            found[shown] = named

    assert found == {}


def test_exceptions_are_needed() -> None:
    """Each exception stands for something that is there."""
    patterns = [VERSION_LIKE, name_pattern(list_benchmarks())]
    unused = {
        (shown, text)
        for shown, text in EXCEPTIONS
        if text not in {name for _, name in find_names(PACKAGE / shown, patterns)}
    }

    assert unused == set()


def test_search_finds_names(tmp_path: Path) -> None:
    """The search sees names in identifiers, texts, docstrings and comments, and not within other words."""
    path = tmp_path / "some.py"
    path.write_text(
        '"""For bert."""\nresnet_lars = "3.1.0"  # like v4.0.0\nother = "transformers, 127.0.0.1, 1.2"\n'
    )
    patterns = [VERSION_LIKE, name_pattern({"bert", "resnet", "transformer"})]

    assert sorted(find_names(path, patterns)) == [(1, "bert"), (2, "3.1.0"), (2, "4.0.0"), (2, "resnet")]


def test_there_are_names_to_look_for() -> None:
    """The names come from the rule files, and there are many."""
    assert len(list_benchmarks()) >= 25
    assert len(list_rounds()) >= 15
