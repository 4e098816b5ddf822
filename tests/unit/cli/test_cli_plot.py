"""`mlperf plot`: every kind of picture in every format, its data, and one sentence for each mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging.cli.pictures import KINDS, SUITE
from mlperf_logging.cli.plot import main

ROUND = str(PROJECT / "examples" / "submission")
FOLDER = str(
    PROJECT / "examples" / "submission" / "Example_Lab" / "results" / "example_8x" / "llama2_70b_lora"
)
DIFFUSION = str(PROJECT / "examples" / "logs" / "compliant" / "4.0.0_stable_diffusion.txt")
BEGINNINGS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
TRAINED = str(PROJECT / "examples" / "logs" / "trained" / "ncf.txt")
PLACES = {"scaling": (ROUND,), "spread": (ROUND,), "series": (TRAINED, "--metric", "throughput")}

OF_ONE_CHART = [kind for kind in KINDS if kind != SUITE]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process: exit code, output, complaints."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.mark.parametrize("kind", OF_ONE_CHART)
def test_each_picture_is_drawn(run: Run, kind: str, tmp_path: Path) -> None:
    """Each kind gives a picture of some size, and what it shows as data."""
    path = tmp_path / "picture.png"
    place = PLACES.get(kind, (FOLDER,))

    assert run(kind, *place, "-o", str(path)) == (0, "", "")
    assert path.read_bytes().startswith(BEGINNINGS["png"])
    assert path.stat().st_size > 10_000
    code, out, _ = run(kind, *place, "--format", "json")
    document = json.loads(out)
    assert (code, document["schema"], document["kind"]) == (0, "mlperf-plot/1", kind)
    assert document["rows"]


@pytest.mark.parametrize("kind", OF_ONE_CHART)
def test_each_picture_is_a_page(run: Run, kind: str, tmp_path: Path) -> None:
    """Each kind gives a page with its chart, which loads nothing, and the chart's definition in Vega-Lite."""
    pytest.importorskip("vl_convert", reason="needs vl-convert")
    page, definition = tmp_path / "chart.html", tmp_path / "chart.json"
    place = PLACES.get(kind, (FOLDER,))

    assert run(kind, *place, "-o", str(page), "--title", "Knitting <1>") == (0, "", "")
    html = page.read_text("utf-8")
    assert "<h1>Knitting &lt;1&gt;</h1>" in html
    assert html.count('class="chart-data"') == 1
    assert "DataTable={" not in html
    assert "default-src 'none'" in html
    assert run(kind, *place, "-o", str(definition), "--title", "Knitting <1>") == (0, "", "")
    spec = json.loads(definition.read_text("utf-8"))
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    assert spec["title"]["text"] == "Knitting <1>"


def test_metrics_are_charts_of_one_page(run: Run, tmp_path: Path) -> None:
    """A benchmark of two metrics has two charts on a page, under their names; a definition holds the one that is named."""
    pytest.importorskip("vl_convert", reason="needs vl-convert")
    page, definition = tmp_path / "chart.html", tmp_path / "chart.json"

    assert run("convergence", DIFFUSION, "-o", str(page))[0] == 0
    html = page.read_text("utf-8")
    assert [f'-title">{name}</figcaption>' in html for name in ("FID", "CLIP")] == [True, True]
    code, _, err = run("convergence", DIFFUSION, "-o", str(definition))
    assert code == 2
    assert "a file in Vega-Lite holds one chart, not 2; choose one with --metric: FID, CLIP" in err
    assert run("convergence", DIFFUSION, "-o", str(definition), "--metric", "CLIP")[0] == 0
    assert "CLIP, as logged" in definition.read_text("utf-8")


@pytest.mark.parametrize("form", BEGINNINGS)
def test_formats_and_repetition(run: Run, form: str, tmp_path: Path) -> None:
    """PNG, SVG and PDF are told by the file's name; the same runs give the same file but for ids in SVG."""
    pictures = []
    for number in (1, 2):
        path = tmp_path / f"{number}.{form}"
        assert run("spread", ROUND, "-o", str(path), "--relative", "--title", "Spread")[0] == 0
        pictures.append(path.read_bytes())

    assert pictures[0].startswith(BEGINNINGS[form])
    if form != "svg":
        assert pictures[0] == pictures[1]


def test_title_with_dollar_signs_is_no_formula(run: Run, tmp_path: Path) -> None:
    """Dollar signs in the title that the user gives are drawn as they are."""
    path = tmp_path / "picture.png"

    assert run("spread", ROUND, "-o", str(path), "--relative", "--title", "$x^{2$")[0] == 0
    assert path.read_bytes().startswith(BEGINNINGS["png"])


def test_metrics_stand_below_each_other(run: Run, tmp_path: Path) -> None:
    """A benchmark of two metrics has two pictures of one above the other, or the one that is named."""
    both, one = tmp_path / "both.svg", tmp_path / "one.svg"

    assert run("convergence", DIFFUSION, "-o", str(both))[0] == 0
    assert run("convergence", DIFFUSION, "-o", str(one), "--metric", "CLIP")[0] == 0
    assert b"axes_2" in both.read_bytes()
    assert b"axes_2" not in one.read_bytes()
    code, _, err = run("convergence", DIFFUSION, "-o", str(one), "--metric", "BLEU")
    assert code == 2
    assert "unknown metric 'BLEU'; choose from FID, CLIP" in err


def test_series_is_the_one_that_is_named(run: Run) -> None:
    """The series of --metric is drawn, against progress where all records say it, else against minutes."""
    _, out, _ = run("series", TRAINED, "--metric", "throughput", "--format", "json")

    assert {row["metric"] for row in json.loads(out)["rows"]} == {"throughput"}
    code, _, err = run("series", TRAINED, "-o", "a.png", "--metric", "mood")
    assert code == 2
    assert "unknown series 'mood'; choose one with --metric: " in err
    assert "throughput (" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("series", FOLDER, "-o", "a.png"), "no log repeats a number"),
        (("series", TRAINED, "-o", "a.png"), "the logs hold several series; choose one with --metric"),
        (("mood", FOLDER, "-o", "a.png"), "unknown picture 'mood'; choose from convergence"),
        (("spread", FOLDER), "name the picture's file with --output"),
        (("spread", FOLDER, "-o", "a.gif"), "'a.gif' does not end in .png, .svg, .pdf, .html or .json"),
        (
            ("spread", FOLDER, "-o", "a.html", "--width", "7"),
            "--width and --height are of pictures, not of a .html",
        ),
        (
            ("convergence", ROUND, "-o", "a.png"),
            "several benchmarks, whose quality is not the same thing: llama2",
        ),
        (("rcp", ROUND, "-o", "a.png"), "one benchmark's folder, not 3"),
        (("power", DIFFUSION, "-o", "a.png"), "there are no power readings next to the logs"),
        (("scaling", FOLDER, "-o", "a.png"), "no scaling to draw"),
        (("convergence", "nowhere", "-o", "a.png"), "there is no file or folder called 'nowhere'"),
        (("spread", FOLDER, "-o", "a.png", "--value", "mood"), "the table has no column 'mood'"),
        (("spread", FOLDER, "-o", "a.png", "--value", "staging_minutes"), "no group has a run with a value"),
        (("spread",), "required: PATH"),
    ],
)
def test_mistakes_are_one_sentence(
    run: Run, arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be drawn is exit code 2, a sentence, and no file."""
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_curves_without_a_target(run: Run, tmp_path: Path) -> None:
    """Runs of no known benchmark are drawn, and a sentence says why there is no line."""
    log, picture = tmp_path / "result_0.txt", tmp_path / "picture.png"
    log.write_text(Path(FOLDER, "result_0.txt").read_text().replace('"llama2_70b_lora"', '"knitting"'))
    code, _, err = run("convergence", str(log), "-o", str(picture))

    assert code == 0
    assert "no target is known, so no line is drawn" in err
    assert picture.is_file()
    assert run("convergence", str(log), "-o", str(picture), "--target", "value <= 0.925")[2] == ""


def test_help_lists_the_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    """The help page says which pictures there are and shows commands."""
    assert main(["--help"], "mlperf plot") == 0
    out = capsys.readouterr().out
    assert all(f"  {kind}" in out for kind in KINDS)
    assert "mlperf plot energy results/SYSTEM/BENCHMARK -o energy.png" in out
