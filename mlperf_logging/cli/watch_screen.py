"""The terminal view of `mlperf watch`: one run in full, or several as a table."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mlperf_logging.events import Outcome, Severity, minutes_between
from mlperf_logging.reports._escape import crop, show_text
from mlperf_logging.reports._line_plot import Scale, draw_curve, draw_span, draw_sparkline, fit_values
from mlperf_logging.reports._lines import count_findings, describe_place
from mlperf_logging.reports._live_words import (
    is_better,
    name_log,
    say_basis,
    say_chance,
    say_convergence,
    say_identity,
    say_phase,
    say_progress,
    say_quality,
    say_reference,
    say_short_time,
    say_time,
    show_minutes,
)
from mlperf_logging.scoring.live_runs import (
    EVALUATION,
    INIT,
    RUNNING,
    STOPPED,
    WAITING,
    LiveRun,
    QualityCurve,
)
from mlperf_logging.tables import show_number

if TYPE_CHECKING:
    from mlperf_logging.cli.overview import WatchedView
    from mlperf_logging.compliance.findings import Finding

_PHASES = {WAITING: "dim", INIT: "yellow", RUNNING: "bold cyan", EVALUATION: "bold magenta", STOPPED: "bold"}
_VERDICTS = {Outcome.PASSED: ("compliant", "bold green"), Outcome.FAILED: ("not compliant", "bold red")}
_SEVERITIES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}
_SILENT_MINUTES, _OLD_MINUTES = 1, 24 * 60
_PLOT_HEIGHT, _LEAST_PLOT_HEIGHT = 10, 4
_AXIS_WIDTH = 9
_LINES_OF_FRAME, _LINES_BELOW_PLOT = 7, 4
"""Lines besides facts and findings (two may wrap), and those that a plot has besides its own."""

_LINES_OF_TABLE = 7
_SHOWN_FINDINGS = 5
_SHOWN_SUBMISSIONS = 12
_LINES_PER_EXTRA = 6
"""On a low terminal, one line of submissions and one of findings for each so many lines."""

_FRAME = 4
"""Columns beside the text of a frame."""


def draw_screen(
    views: Sequence[WatchedView], width: int, height: int, now_ms: float | None = None
) -> RenderableType:
    """What the terminal shows.

    Args:
        views: the runs; of a file that holds several, only the last one is shown in full.
        width: columns of the terminal.
        height: lines of the terminal.
        now_ms: the time, in milliseconds since the epoch, for how long a log has been silent; None not to say that.
    """
    last = [view for view in views if view.is_last]
    if not last:
        return Text("no logs yet; waiting for some", "dim")
    if len(last) == 1:
        return _draw_run(last[0], width, height, now_ms)
    return _draw_runs(last, width, height)


def _draw_run(view: WatchedView, width: int, height: int, now_ms: float | None) -> Panel:
    live, run = view.live, view.run
    inner = width - _FRAME
    parts: list[RenderableType] = [Text(say_identity(live), "bold"), _say_state(view, now_ms)]
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(ratio=1)
    for label, text in _list_facts(view):
        facts.add_row(label, text)
    curves = [curve for curve in live.curves if curve.points and curve.bound is not None]
    curves = curves or [curve for curve in live.curves if curve.points][:1]
    findings = list(_draw_findings([(view, each) for each in run.findings], inner))
    room = height - _LINES_OF_FRAME - facts.row_count - len(findings)
    while curves and room // len(curves) < _LEAST_PLOT_HEIGHT + _LINES_BELOW_PLOT:
        curves.pop()
    if inner > 3 * _AXIS_WIDTH:
        for curve in curves:
            lines = min(room // len(curves) - _LINES_BELOW_PLOT, _PLOT_HEIGHT)
            parts += [Text(""), *_draw_quality(live, curve, inner, lines)]
    parts += [Text(""), facts, *findings]
    title = Text(name_log(view.log.path, run.number, len(view.log.runs)), no_wrap=True, overflow="ellipsis")
    return Panel(Group(*parts), title=title, title_align="left", width=width, border_style="dim")


def _say_state(view: WatchedView, now_ms: float | None) -> Text:
    live = view.live
    text = Text()
    text.append(say_phase(live), _PHASES[live.phase])
    progress = say_progress(live)
    if progress:
        text.append(f"  {progress}")
    if view.run.outcome is not None:
        word, style = _VERDICTS.get(view.run.outcome.result.verdict.verdict, ("not judged", "bold red"))
        text.append(f"  {word}", style)
    if view.log.trouble:
        text.append(f"  {show_text(view.log.trouble)}", "bold yellow")
    if now_ms is not None and live.latest_ms is not None and live.phase != STOPPED:
        silent = minutes_between(live.latest_ms, now_ms)
        # A log of another day that is looked at again is not silent: it is old.
        if _SILENT_MINUTES < silent < _OLD_MINUTES:
            text.append(f"  last record {show_minutes(silent)} ago", "yellow")
    return text


def _list_facts(view: WatchedView) -> Iterator[tuple[str, Text]]:
    live = view.live
    for curve in live.curves:
        met = bool(curve.points) and is_better(curve, curve.points[-1].value)
        label = show_text(curve.metric) if curve.metric is not None else "quality"
        yield label, Text(say_quality(curve), "bold green" if met else "")
    convergence = say_convergence(live)
    if convergence:
        yield "forecast", Text(convergence, "bold" if live.forecast is not None else "")
    when = say_time(live)
    if when:
        yield "", Text(when, "bold" if live.times is not None else "dim")
    basis = say_basis(live)
    if basis:
        yield "", Text(basis, "dim")
    reference = say_reference(live)
    if reference and live.expectation.acceptance is not None:
        yield "reference", Text(reference)
    if view.submission is not None and not view.submission.no_chance:
        yield "passes RCP", Text(say_chance(view.submission), "bold")


def _draw_quality(live: LiveRun, curve: QualityCurve, width: int, height: int) -> Iterator[Text]:
    """The curve with its target; below it the reference's band and the forecast, at the same scale."""
    points = [(point.amount, point.value) for point in curve.points if point.amount is not None]
    if not points:  # the log does not say how far training has come: evaluation by evaluation
        points = [(float(number), point.value) for number, point in enumerate(curve.points, 1)]
    target = curve.bound.value if curve.bound is not None else None
    x, y = (
        _fit_amounts(live, [place for place, _ in points]),
        fit_values([value for _, value in points], target),
    )
    columns = width - _AXIS_WIDTH - 1
    lines = draw_curve(points, x, y, columns, height, target)
    line_of_target = None if target is None else height - 1 - y.place(target, 4 * height) // 4
    for number, line in enumerate(lines):
        label, style = "", "cyan"
        if number in (0, height - 1):
            label = show_number(y.high if number == 0 else y.low)
        if number == line_of_target and target is not None:
            label = f"{target:g}"
        text = _begin_line(crop(label, _AXIS_WIDTH))
        for part, is_dash in _split_dashes(line):
            text.append(part, "green" if is_dash else style)
        yield text
    acceptance = live.expectation.acceptance
    if acceptance is not None and acceptance.match.reference is not None and acceptance.mean is not None:
        mean = acceptance.match.reference.mean
        band = draw_span(x, columns, acceptance.mean, mean, "▒", [(mean, "█")])
        yield _label_line("RCP", band, "yellow")
    if live.forecast is not None:
        forecast = live.forecast
        marks = [(forecast.low, "├"), (forecast.high, "┤"), (forecast.median, "◆")]
        yield _label_line(
            "forecast", draw_span(x, columns, forecast.low, forecast.high, "─", marks), "bold magenta"
        )
    left, right = show_number(x.low), f"{show_number(x.high)} {live.unit}"
    yield _label_line("", left + right.rjust(columns - len(left)), "dim")


def _label_line(label: str, line: str, style: str) -> Text:
    text = _begin_line(label)
    text.append(line, style)
    return text


def _begin_line(label: str) -> Text:
    """A line of a picture, with its label beside the axis."""
    text = Text(no_wrap=True)
    text.append(f"{label:>{_AXIS_WIDTH}} ", "dim")
    return text


def _split_dashes(line: str) -> Iterator[tuple[str, bool]]:
    start = 0
    for place in range(1, len(line) + 1):
        if place == len(line) or (line[place] == "┄") != (line[start] == "┄"):
            yield line[start:place], line[start] == "┄"
            start = place


def _fit_amounts(live: LiveRun, amounts: Sequence[float]) -> Scale:
    """The axis of amounts: from nothing to all that is drawn."""
    ends = [*amounts]
    if live.forecast is not None:
        ends.append(live.forecast.high)
    acceptance = live.expectation.acceptance
    if acceptance is not None and acceptance.match.reference is not None:
        ends.append(acceptance.match.reference.mean * 1.02)
    return Scale(min(0.0, *amounts), max(ends))


def _draw_runs(views: Sequence[WatchedView], width: int, height: int) -> Group:
    """A line for each run; those that go on first where not all have room."""
    findings = [(view, finding) for view in views for finding in view.run.findings]
    told = [
        each.submission for each in views if each.submission is not None and not each.submission.no_chance
    ]
    every = list({id(each): each for each in told}.values())
    submissions = every[: min(_SHOWN_SUBMISSIONS, height // _LINES_PER_EXTRA)]
    most = min(_SHOWN_FINDINGS, height // _LINES_PER_EXTRA)
    lines = len(submissions) + (len(submissions) < len(every)) + min(len(findings), most)
    room = max(height - _LINES_OF_TABLE - lines, 1)
    shown = sorted(views, key=lambda view: view.live.phase == STOPPED)[:room] if len(views) > room else views
    folder = _find_common_folder([view.log.path for view in views])
    columns = [each for each in _COLUMNS if width >= each.shown_from]
    name_width = width - sum(each.width + 1 for each in columns)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=width)
    table.add_column("log", width=name_width, no_wrap=True)
    for each in columns:
        table.add_column(
            each.title,
            width=each.width,
            no_wrap=True,
            overflow="ellipsis",
            justify=each.justify,
            style=each.style,
        )
    for view in shown:
        cells = _list_cells(view)
        name = name_log(view.log.path[len(folder) :], view.run.number, len(view.log.runs))
        table.add_row(Text(_crop_begin(name, name_width)), *[cells[each.title] for each in columns])
    parts: list[RenderableType] = [Text(show_text(folder), "dim"), table] if folder else [table]
    if len(shown) < len(views):
        parts.append(Text(f"… and {len(views) - len(shown):,} more", "dim"))
    parts += [Text("")] if submissions else []
    for submission in submissions:
        text = f"  passes RCP: {say_chance(submission)}"
        name = show_text(submission.folder[len(folder) :] or submission.benchmark)
        parts.append(Text(_crop_begin(name, width - len(text)) + text, no_wrap=True, overflow="ellipsis"))
    if len(submissions) < len(every):
        parts.append(Text(f"… and {len(every) - len(submissions):,} more", "dim"))
    return Group(*parts, *_draw_findings(findings, width, most))


class _TableColumn(NamedTuple):
    """A column of the table of runs, shown on terminals of so many columns."""

    title: str
    width: int
    justify: Literal["left", "right"] = "left"
    style: str = ""
    shown_from: int = 0


_COLUMNS = (
    _TableColumn("phase", 13),
    _TableColumn("progress", 17, shown_from=110),
    _TableColumn("quality", 15, shown_from=60),
    _TableColumn("", 12, style="cyan", shown_from=100),
    _TableColumn("converges", 14, shown_from=45),
    _TableColumn("between", 19, shown_from=130),
    _TableColumn("findings", 10, justify="right", shown_from=75),
)


def _list_cells(view: WatchedView) -> dict[str, Text]:
    """What a run's line says in each column."""
    live, run = view.live, view.run
    phase = Text(live.phase, _PHASES[live.phase])
    if view.log.trouble:
        phase = Text(show_text(view.log.trouble), "bold yellow")
    elif run.outcome is not None:
        word, style = _VERDICTS.get(run.outcome.result.verdict.verdict, ("not judged", "bold red"))
        phase = Text(word, style)
    curve = next((each for each in live.curves if each.bound is not None), next(iter(live.curves), None))
    quality = Text("")
    if curve is not None and curve.points:
        target = f" → {curve.bound.value:g}" if curve.bound is not None else ""
        met = is_better(curve, curve.points[-1].value)
        quality = Text(f"{show_number(curve.points[-1].value)}{target}", "bold green" if met else "")
    values = [point.value for point in curve.points] if curve is not None else []
    when, between = say_short_time(live)
    counts = count_findings(run.error_count, run.warning_count, 0)
    return {
        "phase": phase,
        "progress": Text(say_progress(live).split("; ")[0]),
        "quality": quality,
        "": Text(draw_sparkline(values, 12)),
        "converges": Text(when),
        "between": Text(between, "dim"),
        "findings": Text(counts[0] if counts else "", "bold red" if run.error_count else "yellow"),
    }


def _find_common_folder(paths: Sequence[str]) -> str:
    """The folder above all logs, with its slash; nothing where there is none."""
    folders = {os.path.dirname(path) for path in paths}
    try:
        common = os.path.commonpath(folders) if len(folders) > 1 else folders.pop()
    except ValueError:  # relative and absolute ones
        return ""
    return f"{common}/" if common and all(path.startswith(f"{common}/") for path in paths) else ""


def _crop_begin(text: str, width: int) -> str:
    """The end of a text that is too long: of a path, it says which log it is."""
    return text if len(text) <= width else f"…{text[len(text) - max(width, 2) + 1 :]}"


def _draw_findings(
    findings: Sequence[tuple[WatchedView, Finding]], width: int, most: int = _SHOWN_FINDINGS
) -> Iterator[Text]:
    """The latest findings, one line each, and how many there are."""
    if not findings:
        return
    more = len(findings) - most
    yield Text("")
    if more > 0:
        yield Text(f"… {more:,} findings before these", "dim")
    for view, finding in findings[max(more, 0) :]:
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{finding.severity} {show_text(finding.code)} ", _SEVERITIES.get(finding.severity, ""))
        text.append(f"{_crop_begin(describe_place(view.log.path, finding), width // 3)} ", "dim")
        text.append(show_text(finding.message))
        yield text
