"""The terminal view keeps to the terminal's size and shows what matters."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from checkout import PROJECT
from rich.console import Console

from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.cli.overview import Overview
from mlperf_logging.cli.watch_screen import draw_screen
from mlperf_logging.scoring.rcp.files import open_reference_points
from tests.logs import mllog

LOGS = PROJECT / "examples" / "logs" / "compliant"
SIZES = [(80, 24), (120, 40), (200, 60), (60, 16), (40, 12)]


@pytest.fixture
def logs(folder: Path) -> Path:
    """Logs of runs that go on: with reference points and findings, with two metrics, finished, empty."""
    lines = (LOGS / "6.1.0_llama31_8b.txt").read_bytes().splitlines(keepends=True)
    wrong = b"".join([mllog("opt_name", f"none such {number}", 1) for number in range(9)])
    Path("llama.log").write_bytes(b"".join(lines[: len(lines) * 3 // 4]) + wrong)
    metrics = (LOGS / "4.0.0_stable_diffusion.txt").read_bytes().splitlines(keepends=True)
    Path("metrics.log").write_bytes(b"".join(metrics[: len(metrics) * 3 // 4]))
    Path("flux.log").write_bytes((LOGS / "6.1.0_flux1.txt").read_bytes())
    Path("empty.log").touch()
    return folder


def draw(names: list[str], width: int, height: int, now_ms: float | None = None) -> list[str]:
    """The lines of the view of some logs."""
    overview = Overview(names, LogJudge(), open_reference_points(), lambda _, __: None)
    overview.finish()
    console = Console(width=width, file=io.StringIO(), highlight=False, markup=False)
    console.print(draw_screen(overview.list_views(), width, height, now_ms))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("name", ["llama.log", "metrics.log", "flux.log", "empty.log", "none.log"])
def test_one_run_keeps_to_the_terminal(logs: Path, name: str, width: int, height: int) -> None:
    """No line is wider than the terminal; from the usual size on, none is beyond its last line."""
    lines = draw([name], width, height)

    assert max(map(len, lines)) <= width
    if width >= 80:
        assert len(lines) <= height


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_table_keeps_to_the_terminal(logs: Path, width: int, height: int) -> None:
    """Of many runs those that go on are shown first, and how many more there are."""
    for number in range(80):
        Path(f"run_{number}.log").write_bytes(Path("flux.log").read_bytes())
    lines = draw(["."], width, height)

    assert max(map(len, lines)) <= width
    assert len(lines) <= max(height, 13)
    assert any("more" in line for line in lines)
    if height > 20:
        assert any(line.startswith(("llama.log", "…ama.log")) for line in lines)


@pytest.mark.parametrize(("height", "shown"), [(24, 4), (60, 7)])
def test_every_benchmark_is_shown_or_counted(height: int, shown: int) -> None:
    """Of a suite's seven benchmarks as many as have room get their chances, and the rest is not silently left out."""
    lines = draw([str(LOGS.parent / "trained")], 100, height)
    places = [number for number, line in enumerate(lines) if "passes RCP" in line]

    assert len(places) == shown
    assert len(lines) <= height
    assert (lines[places[-1] + 1].strip() == "… and 3 more") == (shown == 4)


def test_curve_target_band_and_forecast_are_drawn(logs: Path) -> None:
    """On the usual terminal there is all of it, and the latest findings."""
    lines = draw(["llama.log"], 80, 30)
    text = "\n".join(lines)

    for part in ("┄┄┄", "▒█", "◆", "converges at", "passes RCP", "error MLP304"):
        assert part in text
    assert any("findings before these" in line for line in lines)


def test_finished_run_shows_its_verdict(logs: Path) -> None:
    """A run that has ended is compliant or not, and where it converged is said."""
    text = "\n".join(draw(["flux.log"], 100, 40))

    assert "stopped: success" in text
    assert "compliant" in text
    assert "converged at" in text


def test_silence_is_said(logs: Path) -> None:
    """A run whose log has been silent for minutes says so; one of another day is old, not silent."""
    overview = Overview(["llama.log"], LogJudge(), open_reference_points(), lambda _, __: None)
    overview.finish()
    latest = overview.list_views()[0].live.latest_ms
    assert latest is not None

    assert "last record 5.0 min ago" in "\n".join(draw(["llama.log"], 120, 40, latest + 300_000))
    assert "last record" not in "\n".join(draw(["llama.log"], 120, 40, latest + 10 * 86_400_000))
    assert "last record" not in "\n".join(draw(["llama.log"], 120, 40))
