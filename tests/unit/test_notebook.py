"""What notebooks show: small, escaped, and the same figures as the values have."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging import check_log, judge_run, load_ruleset, tabulate_evaluations
from mlperf_logging.markup import MOST_ROWS
from mlperf_logging.tables import COUNT, NUMBER, TEXT, Column, make_table

LOGS = PROJECT / "examples" / "logs"
BROKEN, TRAINED = LOGS / "broken" / "metrics_never_meet.txt", LOGS / "trained" / "ncf.txt"
HOSTILE = '<script>alert(1)</script>" onload="x\u202egnp\x1b[31m' + "x" * 1_000_000
COLUMNS = (
    Column("path", TEXT, priority=0),
    Column("runs", COUNT, priority=0),
    Column("minutes", NUMBER, title="time", unit="min", priority=0),
    Column("secret", TEXT),
)


class Reader(HTMLParser):
    """Collects elements and text, and what is never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def read_html(value: object) -> Reader:
    """What a notebook shows of a value."""
    reader = Reader()
    reader.feed(value._repr_html_())  # type: ignore[attr-defined]
    reader.close()
    assert not reader.open
    return reader


def test_verdict_shows_its_findings() -> None:
    """A verdict shows what judged it, and line, code, message and fix of each finding."""
    verdict = check_log(BROKEN)
    (finding,) = verdict.findings

    shown = read_html(verdict).text

    for part in ("fail", "4.0.0", "stable_diffusion", "38", "MLP403", finding.message, finding.hint):
        assert part in shown


def test_verdict_of_a_good_log_is_a_line() -> None:
    """A log without findings has no table."""
    shown = read_html(check_log(TRAINED))

    assert "pass" in shown.text
    assert "table" not in shown.tags


def test_run_shows_target_and_evaluations() -> None:
    """A judged run shows its verdict, its target and its evaluations with their lines."""
    judged = judge_run(TRAINED)

    shown = read_html(judged).text

    assert judged.targets[0].text in shown
    for each in judged.run.evaluations:
        assert f"{each.event.line} " in shown
        assert f"{each.value:.6g}" in shown


def test_round_shows_its_benchmarks() -> None:
    """A round shows its title and what it knows of each benchmark."""
    ruleset = load_ruleset("training/5.1.0")

    shown = read_html(ruleset).text

    assert ruleset.title in shown
    for name in ruleset.benchmarks:
        assert f"{name} " in shown
        assert ruleset.facts(name)["dataset"] in shown


def test_table_shows_what_people_see() -> None:
    """A table shows the columns for people with their units, figures as people read them, and no more than its first rows."""
    rows = [
        {"path": f"run {number}", "runs": number, "minutes": 1 / 3, "secret": "s"} for number in range(30)
    ]

    shown = read_html(make_table("runs", COLUMNS, rows, title="Runs", footnotes=("a note", ("seed", "7"))))

    assert "Runs" in shown.text
    assert "time (min)" in shown.text
    assert shown.text.count("0.3333") == MOST_ROWS
    assert "… and 10 more rows" in shown.text
    assert "a note" in shown.text
    assert "seed: 7" in shown.text
    assert " s " not in shown.text


def test_table_without_rows_says_so() -> None:
    """A table without rows says why."""
    assert "nothing ran" in read_html(make_table("runs", COLUMNS, [], empty="nothing ran")).text


@pytest.mark.parametrize("place", ["cell", "title", "note"])
def test_hostile_texts_are_texts(place: str) -> None:
    """Markup in a value is no markup, what is invisible is replaced, and a megabyte is cropped."""
    parts = {"cell": "a", "title": "b", "note": "c"} | {place: HOSTILE}
    table = make_table(
        "runs", COLUMNS, [{"path": parts["cell"]}], title=parts["title"], footnotes=(parts["note"],)
    )

    html = table._repr_html_()
    shown = read_html(table)

    assert shown.tags <= {"div", "strong", "span", "table", "thead", "tbody", "tr", "th", "td"}
    assert shown.attributes <= {"style", "scope", "aria-hidden"}
    assert "<script>alert(1)</script>" in shown.text
    assert html.isprintable()
    assert len(html) < 5_000


def test_colors_are_those_of_the_notebook() -> None:
    """No background and no text color is set but for the sign of a verdict, so light and dark notebooks both do."""
    html = judge_run(TRAINED)._repr_html_()

    assert set(re.findall(r"background:([^;\"]+)", html)) <= {"none"}
    assert set(re.findall(r"(?<![-\w])color:([^;\"]+)", html)) <= {"inherit", "#237737"}


def test_frames_hold_the_values(tmp_path: Path) -> None:
    """Tables, findings and evaluations are tables of pandas with the values, also where there are none."""
    pytest.importorskip("pandas", reason="needs pandas")
    table = make_table("runs", COLUMNS, [{"path": "a", "runs": 3, "minutes": 1.5}, {"path": "b"}])
    frame = table.to_frame()
    assert list(frame.columns) == ["path", "runs", "minutes", "secret"]
    assert frame["runs"].tolist()[0] == 3
    assert frame["runs"].isna().tolist() == [False, True]

    verdict = check_log(BROKEN)
    findings = verdict.to_frame()
    assert findings["line"].tolist() == [38]
    assert findings["message"].tolist() == [verdict.findings[0].message]
    empty = tmp_path / "empty.txt"
    empty.write_bytes(TRAINED.read_bytes())
    assert check_log(empty).to_frame().shape == (0, findings.shape[1])


def test_frame_of_a_run_agrees_with_the_analysis() -> None:
    """A run's evaluations have the lines, values and minutes of the table of evaluations."""
    pytest.importorskip("pandas", reason="needs pandas")

    frame, table = judge_run(TRAINED).to_frame(), tabulate_evaluations(TRAINED)

    assert frame["line"].tolist() == table["line"].tolist()
    assert frame["value"].tolist() == table["quality"].tolist()
    assert frame["minutes"].tolist() == pytest.approx(table["minutes"].tolist())


def test_cells_of_the_example_show_something() -> None:
    """Every cell of the example runs in IPython, which gets HTML for values and Vega-Lite for charts."""
    pytest.importorskip("IPython", reason="needs IPython")
    pytest.importorskip("altair", reason="needs altair")
    import altair
    from IPython.core.interactiveshell import InteractiveShell

    path = PROJECT / "examples" / "12_notebook.py"
    shell = InteractiveShell()
    shell.user_ns["__file__"] = str(path)
    forms = []
    with altair.renderers.enable("mimetype"):
        for cell in path.read_text("utf-8").split("\n# %%")[1:]:
            result = shell.run_cell(f"#{cell}")
            assert result.success, result.error_in_exec
            forms.append(set(shell.display_formatter.format(result.result)[0]))

    assert all("text/html" in each for each in forms[:4])
    assert all(any("vegalite" in name for name in each) for each in forms[4:])
    assert len(forms) == 7
