"""Text tables at any width: within it, no number and no word broken, and what is hidden is said."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.cli import output
from mlperf_logging.cli.main import main
from mlperf_logging.reports._escape import measure_width
from mlperf_logging.reports.tables import Look
from mlperf_logging.reports.tables._narrow import shorten_names
from mlperf_logging.reports.tables.text import render_table
from mlperf_logging.tables import NAME, NOTES, NUMBER, PROSE, Column, Document, Table, make_table

SUBMISSION = str(PROJECT / "examples" / "submission")
BENCHMARK = str(PROJECT / "examples/submission/Example_Lab/results/example_16x/llama2_70b_lora")
SHARED = Path(os.environ.get("MLPERF_SHARED", PROJECT.parent / "shared")) / "corpus" / "logs"
WIDTHS = (60, 80, 120, 200)
COMMANDS = (
    ("score", SUBMISSION),
    ("score", SUBMISSION, "--speedup"),
    ("score", BENCHMARK, "--price", "98 USD/h"),
    ("rcp", SUBMISSION),
    ("rcp", BENCHMARK),
    ("analyze", SUBMISSION, "--table", "all", "--resamples", "49"),
    ("analyze", SUBMISSION, "--compare", "example_8x", "example_16x", "--resamples", "49"),
    ("rules", "list"),
    ("rules", "show", "llama31_8b", "--meaning"),
    ("rules", "diff", "6.0.0", "6.1.0"),
)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command at a width; gives its document and the lines that it prints."""
    documents: list[Document] = []
    write = output.write_document

    def remember(document: Document, *rest: Any) -> None:
        documents.append(document)
        write(document, *rest)

    for module in ("score", "rcp", "analyze", "rules"):
        monkeypatch.setattr(f"mlperf_logging.cli.{module}.write_document", remember)

    def run(arguments: tuple[str, ...], width: int) -> tuple[Document, list[str]]:
        monkeypatch.setenv("COLUMNS", str(width))
        assert main([*arguments, "--format", "text"]) in (0, 1)
        return documents[-1], capsys.readouterr().out.splitlines()

    return run


def list_words(table: Table, hidden: set[str]) -> Iterator[str]:
    """The words of the cells that must appear whole: all but those of names and of hidden columns."""
    for index, column in enumerate(table.columns):
        if column.priority is None or column.kind in (NAME, NOTES) or (column.title or column.name) in hidden:
            continue
        for row in table.rows:
            lines = (
                row[index]
                if isinstance(row[index], tuple) and column.kind == PROSE
                else [column.write(row[index])]
            )
            for line in lines:
                yield from line.split()


def check(document: Document, lines: list[str], width: int) -> None:
    """Nothing is wider than the terminal, and every number and word that is not hidden is whole."""
    assert max(map(measure_width, lines)) <= width
    text = " ".join(lines)
    hidden = {
        name.strip() for names in re.findall(r"… hidden: (.*?); a +wider", text) for name in names.split(",")
    }
    # A comma may follow a word where it is said once above the table.
    words = {part for word in text.split() for part in (word, word.rstrip(","))}
    for table in document.tables:
        missing = [word for word in list_words(table, hidden) if word not in words]
        assert missing == []


def test_commands_keep_words_whole_at_every_width(answer: Any) -> None:
    """Score, rcp, analyze and rules fit 60 to 200 columns and break no number and no word."""
    for arguments in COMMANDS:
        for width in WIDTHS:
            document, lines = answer(arguments, width)
            assert document.tables
            check(document, lines, width)


@pytest.mark.corpus
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared corpus is not there")
def test_real_results_keep_words_whole_at_every_width(answer: Any) -> None:
    """Long names of real systems are shortened; everything else is whole."""
    folder = str(SHARED / "5.1" / "Dell")
    for arguments in (("score", folder), ("rcp", folder), ("analyze", folder, "--resamples", "49")):
        for width in WIDTHS:
            check(*answer((*arguments, "--ruleset", "5.1.0"), width), width)


def test_off_a_terminal_nothing_is_hidden(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal and without COLUMNS, a table is as wide as it needs."""
    monkeypatch.setattr(output, "find_width", lambda environment: None)
    _, lines = answer(("analyze", SUBMISSION, "--resamples", "49"), 20)

    assert not any("hidden" in line or "…" in line for line in lines)
    assert any(len(line) > 100 for line in lines)


WORDS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
CELLS = st.fixed_dictionaries(
    {
        "name": st.text(string.ascii_lowercase + "_", min_size=1, max_size=50),
        "word": WORDS,
        "number": st.floats(0, 1e9),
        "text": st.lists(WORDS, max_size=8).map(" ".join),
    }
)


@given(rows=st.lists(CELLS, min_size=1, max_size=6), width=st.integers(24, 120))
def test_any_table_fits(rows: list[dict[str, Any]], width: int) -> None:
    """Whatever cells hold, the table is within the width and its words are whole."""
    columns = (
        Column("name", NAME, priority=0),
        Column("word", priority=2),
        Column("number", NUMBER, priority=1),
        Column("text", PROSE, priority=0),
    )
    table = make_table("things", columns, rows)
    lines = render_table(table, Look(width)).splitlines()

    check(Document(schema="", tables=(table,)), lines, width)


def test_narrow_rows_become_blocks() -> None:
    """Where even the columns that are always shown have no room, each row is a block."""
    columns = (Column("key", priority=0), Column("wants", priority=0), Column("since", priority=3))
    table = make_table("keys", columns, [{"key": "k" * 15, "wants": "w" * 15, "since": "6.1"}] * 2)

    assert render_table(table, Look(30)).splitlines() == [
        "key      kkkkkkkkkkkkkkk",
        "  wants  wwwwwwwwwwwwwww",
        "  since  6.1",
        "",
        "key      kkkkkkkkkkkkkkk",
        "  wants  wwwwwwwwwwwwwww",
        "  since  6.1",
    ]


def test_hidden_columns_are_named() -> None:
    """Columns of little weight are hidden first, and the line below the table names them."""
    columns = (Column("key", priority=0), Column("energy", priority=2), Column("cost", priority=1))
    table = make_table("runs", columns, [{"key": "k" * 40, "energy": "e" * 10, "cost": "c" * 10}])

    for width, hidden in ((70, None), (60, "energy"), (45, "energy, cost")):
        text = " ".join(render_table(table, Look(width)).split())
        said = re.findall(r"… hidden: (.*); a wider terminal or --format json shows all", text)
        assert said == ([hidden] if hidden else [])


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["short", "8xH100_with_a_long_name_and_more"], ["short", "8xH100_…and_more"]),
        (["a_common_beginning_1", "a_common_beginning_2"], ["a_commo…inning_1", "a_commo…inning_2"]),
        (["x_the_same_long_ending", "y_the_same_long_ending"], ["x_the_s…g_ending", "y_the_s…g_ending"]),
    ],
)
def test_names_lose_what_does_not_tell_them_apart(names: list[str], shown: list[str]) -> None:
    """A long name loses its middle; names that differ still differ."""
    assert list(shorten_names(names, 16).values()) == shown


def test_names_that_differ_in_the_middle_still_differ() -> None:
    """Where beginning and end are the same, the part that differs is kept."""
    names = [f"submission_platform_of_a_{number}_gpu_cluster_with_a_long_ending" for number in (8, 16, 512)]
    shown = shorten_names(names, 16)

    assert len(set(shown.values())) == 3
    assert all(len(name) <= 16 for name in shown.values())
