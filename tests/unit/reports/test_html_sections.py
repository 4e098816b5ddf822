"""What the sections of the page say of the example submission, and of copies of it that are changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT

from mlperf_logging.reports import FileResult
from mlperf_logging.reports.html.building import build_report
from mlperf_logging.reports.html.material import Material, Origin, make_results
from mlperf_logging.reports.html.model import Grid, PageOptions, ReportModel
from mlperf_logging.reports.html.sections.provenance import describe_rules
from mlperf_logging.runs.paths import find_logs
from mlperf_logging.submission.judging import judge_result

RESULTS = PROJECT / "examples" / "submission" / "Example_Lab" / "results"
SMALL = RESULTS / "example_8x" / "llama2_70b_lora"


def gather(*folders: Path) -> Material:
    """Judge the logs of folders."""
    from mlperf_logging.compliance.ruleset_selection import AUTOMATIC

    roots = {path: str(folder) for folder in folders for path in find_logs([str(folder)], results=True).paths}
    logs = [judge_result(path, AUTOMATIC, with_rows=True) for path in roots]
    files = [FileResult(log.verdict, log.waived) for log in logs]
    origin = Origin("mlperf report X", "/work/folder", "machine9", "version", "today")
    return Material(logs=logs, files=files, results=make_results(logs), roots=roots, origin=origin)


@pytest.fixture(scope="module")
def material() -> Material:
    """The judged logs of the example submission."""
    return gather(RESULTS)


@pytest.fixture(scope="module")
def model(material: Material) -> ReportModel:
    """The page of the example submission."""
    return build_report(material)


def find_section(model: ReportModel, name: str) -> Any:
    """The content of a section."""
    (found,) = [section for section in model.sections if section.name == name]
    return found.content


def read_grid(grid: Grid) -> list[dict[str, str]]:
    """The rows of a table, by the heads of its columns."""
    return [
        dict(zip([head.text for head in grid.heads], [cell.text for cell in row], strict=True))
        for row in grid.rows
    ]


def list_texts(value: Any) -> Iterator[str]:
    """Every text of a model."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from list_texts(key)
            yield from list_texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from list_texts(each)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from list_texts(getattr(value, name))


def test_the_page_has_all_sections(model: ReportModel) -> None:
    """A submission with power readings has every section, each once."""
    assert [section.name for section in model.sections] == [
        *(
            "overview",
            "findings",
            "results",
            "comparison",
            "convergence",
            "rcp",
            "spread",
            "time",
            "energy",
            "runs",
        ),
        *("hyperparameters", "provenance"),
    ]


def test_the_overview_leads_to_what_is_wrong(model: ReportModel) -> None:
    """What is wrong comes first, and leads to the rule that says more."""
    overview = find_section(model, "overview")
    findings = find_section(model, "findings")

    assert overview.mark == "bad"
    assert overview.verdict == "25 of 26 runs are compliant; all 3 results are scored"
    assert overview.issues[0].text.address == "#rule-1"
    assert overview.issues[0].text.text == findings.rules[0].headline


def test_a_rule_stands_once_with_its_lines_and_its_meaning(model: ReportModel) -> None:
    """A finding shows the blamed part of the record, the fix, the place, and what the rule means with examples."""
    (rule,) = find_section(model, "findings").rules
    (message,) = rule.messages

    assert (rule.severity, rule.code) == ("error", "MLP403")
    assert message.excerpt[1] == "0.9267"
    assert rule.fix.startswith("Train longer")
    assert message.places[0].text == "example_16x/llama2_70b_lora/result_4.txt, line 73"
    assert rule.explanation.passing
    assert rule.explanation.failing


def test_places_lead_to_lines_where_there_is_a_server(material: Material) -> None:
    """A server's addresses of lines stand behind the places of findings."""
    options = PageOptions(link_log=lambda path, line: f"/log?{Path(path).name}#{line}")
    (rule,) = find_section(build_report(material, options), "findings").rules

    assert rule.messages[0].places[0].address == "/log?result_4.txt#73"


def test_results_are_those_of_the_summary(model: ReportModel, material: Material) -> None:
    """Scores and margins are the figures of the results, as people read them."""
    (grid,) = find_section(model, "results").grids
    rows = {(row["System"], row["Benchmark"]): row for row in read_grid(grid)}

    for result in material.results:
        row = rows[str(result.score.folder.system), result.benchmark]
        assert row["Time"] == f"{result.score.score_minutes:,.3f}"
        assert row["Margin"] == f"{result.rcp_margin:+.2%}"


def test_each_run_has_a_row_with_its_verdict(model: ReportModel) -> None:
    """The table of runs has all logs, under names below the common folder."""
    (grid,) = find_section(model, "runs").grids
    rows = read_grid(grid)

    assert len(rows) == 26
    assert [row["Run"] for row in rows if row["Verdict"] == "fail"] == [
        "example_16x/llama2_70b_lora/result_4.txt"
    ]


def test_hyperparameters_that_differ_stand_first_and_are_marked(tmp_path: Path) -> None:
    """A value that differs from the others' is marked, and its key stands before those that all share."""
    for name in ("a", "b", "c"):
        shutil.copytree(SMALL, tmp_path / "results" / name / "llama2_70b_lora")
    for log in (tmp_path / "results" / "b" / "llama2_70b_lora").glob("*.txt"):
        log.write_text(
            log.read_text().replace('"key": "lora_alpha", "value": 32', '"key": "lora_alpha", "value": 33')
        )

    (grid,) = find_section(build_report(gather(tmp_path / "results")), "hyperparameters").grids
    first = dict(zip([head.text.split(" ")[-1] for head in grid.heads], grid.rows[0], strict=True))

    assert first["Key"].text == "lora_alpha"
    assert (first["b"].text, first["b"].mark) == ("33", "bad")
    assert (first["a"].text, first["a"].mark) == ("32", "")


def test_two_folders_are_compared(tmp_path: Path) -> None:
    """Of two folders, the same system is two systems in curves and tables, and its scores stand side by side."""
    for name in ("v5.0", "v5.1"):
        shutil.copytree(SMALL, tmp_path / name / "Lab" / "results" / "box" / "llama2_70b_lora")

    model = build_report(gather(tmp_path / "v5.0", tmp_path / "v5.1"))
    speedups, times = find_section(model, "comparison").grids[:2]
    (chart,) = find_section(model, "convergence").charts

    assert {row["System"] for row in read_grid(speedups)} == {"v5.0", "v5.1"}
    assert times.title == "Times of runs: A is v5.0, B is v5.1"
    assert "(v5.0)" in json.dumps(chart.spec)
    assert {row["Folder"] for row in read_grid(find_section(model, "results").grids[0])} == {"v5.0", "v5.1"}


def test_a_single_log_has_a_page(tmp_path: Path) -> None:
    """A log alone, of a run that is not part of a submission, has a page without a score, and says why."""
    shutil.copy(SMALL / "result_0.txt", tmp_path / "run.log")
    model = build_report(gather(tmp_path / "run.log"))

    assert "no score" in {issue.kind for issue in find_section(model, "overview").issues}
    assert find_section(model, "convergence").charts


def test_a_log_that_cannot_be_judged_has_a_row(tmp_path: Path) -> None:
    """What is no log at all is shown with the reason, and the page is made."""
    (tmp_path / "run.log").write_bytes(b"\x1f\x8bbroken")
    model = build_report(gather(tmp_path / "run.log"))

    (row,) = read_grid(find_section(model, "runs").grids[0])
    assert row["Verdict"] == "error"
    assert "run.log" in find_section(model, "findings").rules[0].headline


def test_an_empty_log_has_a_page(tmp_path: Path) -> None:
    """A log without any event gives a page of what can be said about it."""
    (tmp_path / "run.log").write_text("hello\n")
    names = [section.name for section in build_report(gather(tmp_path / "run.log")).sections]

    assert "convergence" not in names
    assert names[0] == "overview"


def test_nothing_on_a_public_page_names_the_machine(tmp_path: Path) -> None:
    """No text of the page, charts included, holds a folder, the command, or the host; the title stays as it was given."""
    folder = tmp_path / "private-name"
    shutil.copytree(RESULTS, folder / "Lab" / "results")
    log = next(folder.glob("Lab/results/example_16x/llama*/result_4.txt"))
    log.write_text(log.read_text().replace('"file": "train.py"', '"file": "/home/ann/secret/train.py"'))

    model = build_report(gather(folder), PageOptions(public=True, title="/my/title"))

    assert model.title == "/my/title"
    others = [text for section in model.sections for text in list_texts(section)]
    for hidden in ("private-name", str(tmp_path), "/home/ann", "machine9", "mlperf report X", "/work/folder"):
        assert not [text for text in others if hidden in text]


def test_provenance_has_the_checksum_of_each_log(model: ReportModel) -> None:
    """Each log has its size and the SHA-256 of its bytes."""
    import hashlib

    rows = {row["Log"]: row for row in read_grid(find_section(model, "provenance").grids[0])}
    content = (SMALL / "result_0.txt").read_bytes()

    assert rows["example_8x/llama2_70b_lora/result_0.txt"]["SHA-256"] == hashlib.sha256(content).hexdigest()
    assert rows["example_8x/llama2_70b_lora/result_0.txt"]["Bytes"] == f"{len(content):,}"


def test_rules_are_told_once_with_the_dates_of_their_logs(material: Material) -> None:
    """Logs whose round a date chose are counted together, with the first and the last date."""
    verdict = material.logs[0].verdict._replace(usage="training", ruleset="a")
    reasons = ["as of 2024-05-17", "named", "as of 2024-04-29", "as of 2024-05-01"]

    assert describe_rules([verdict._replace(ruleset_reason=reason) for reason in reasons]) == [
        "training/a for 3 logs, as of 2024-04-29 to 2024-05-17",
        "training/a for 1 log, named",
    ]
    assert describe_rules([verdict._replace(ruleset_reason=reasons[0])]) == [
        "training/a for 1 log, as of 2024-05-17"
    ]


def test_each_chart_says_what_it_shows(model: ReportModel) -> None:
    """Charts have ids of their own, and a title and a description in words."""
    charts = [chart for section in model.sections for chart in getattr(section.content, "charts", ())]

    assert len({chart.id for chart in charts}) == len(charts) > 8
    assert all(chart.title and len(chart.description) > 20 for chart in charts)


def test_made_up_benchmarks_do_not_make_endless_pages(tmp_path: Path) -> None:
    """Of very many benchmarks, forty have charts and tables of their own, and the others are counted."""
    text = (SMALL / "result_0.txt").read_text()
    for number in range(42):
        folder = tmp_path / "results" / "box" / f"made_up_{number}"
        folder.mkdir(parents=True)
        (folder / "result_0.txt").write_text(text.replace('"llama2_70b_lora"', f'"made_up_{number}"'))

    model = build_report(gather(tmp_path / "results"))

    assert len(find_section(model, "convergence").charts) == 40
    assert "… and 2 more benchmarks" in find_section(model, "convergence").notes
    assert len(find_section(model, "hyperparameters").grids) == 40
