"""Looks of charts: a palette for any eye on any paper."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mlperf_logging.analysis.charts.looks import COLORS, DASHES, choose_scales
from mlperf_logging.analysis.charts.packing import pick_points, round_figures

pytest.importorskip("altair", reason="needs altair")

# Of people who lack one kind of cones: linear RGB to linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Oklab (Ottosson 2020): linear RGB to cones, and their cube roots to lightness and two opponent colors.
TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_LAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def to_linear(color: str) -> np.ndarray:
    """A color as linear red, green and blue."""
    parts = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def measure_contrast(color: str, paper: str) -> float:
    """The contrast of WCAG 2."""
    light, dark = sorted(float(to_linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (color, paper))[::-1]
    return (light + 0.05) / (dark + 0.05)


def to_lab(color: str, eye: str) -> np.ndarray:
    """A color as an eye sees it, in Oklab, where equal distances look about equally far apart."""
    seen = np.clip(np.asarray(EYES[eye]) @ to_linear(color), 0, 1)
    return np.asarray(TO_LAB) @ np.cbrt(np.asarray(TO_CONES) @ seen)


@pytest.mark.parametrize("paper", ["#ffffff", "#121212"])
def test_colors_are_seen_on_light_and_dark_paper(paper: str) -> None:
    """Each color has the contrast of 3 that WCAG asks of graphics."""
    assert min(measure_contrast(color, paper) for color in COLORS) >= 3


@pytest.mark.parametrize("eye", EYES)
def test_colors_differ_for_every_eye(eye: str) -> None:
    """Any two colors are four times as far apart as the least difference that is noticed (0.02 in Oklab)."""
    distances = [np.linalg.norm(to_lab(a, eye) - to_lab(b, eye)) for a, b in combinations(COLORS, 2)]

    assert min(distances) >= 0.08


def test_names_differ_in_color_or_dashes() -> None:
    """49 names have looks of their own, and the first seven differ in both."""
    colors, dashes = choose_scales(map(str, range(49)))

    looks = list(zip(colors["range"], map(tuple, dashes["range"]), strict=True))
    assert len(set(looks)) == len(COLORS) * len(DASHES) == 49
    assert len({color for color, _ in looks[:7]}) == len({dash for _, dash in looks[:7]}) == 7


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (3.0, 3),
        (0.123456789, 0.1234568),
        (1234567890.0, 1234568000),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_figures_that_nobody_sees_are_dropped(value: float, kept: float | None) -> None:
    """A number keeps seven figures, a whole one has no point, and what is no number is nothing."""
    assert round_figures(value) == kept


def test_picked_points_keep_the_extremes() -> None:
    """Of many points the ends and the smallest and largest of each stretch stay, in order."""
    values = np.sin(np.linspace(0, 60, 5000))

    kept = pick_points(values, 100)

    assert len(kept) <= 100
    assert (kept[0], kept[-1]) == (0, 4999)
    assert (np.diff(kept) > 0).all()
    assert (values[kept].min(), values[kept].max()) == (values.min(), values.max())
