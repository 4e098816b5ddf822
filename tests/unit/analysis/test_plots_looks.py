"""Looks of pictures: what tells groups apart, and that drawing leaves no trace."""

import subprocess
import sys

import pytest

from mlperf_logging.analysis.pictures.names import name_groups, shorten_name
from mlperf_logging.analysis.plots.looks import choose_looks


def test_looks_differ_in_more_than_color() -> None:
    """The first 77 things differ in the pair of color and marker, the first seven in line as well."""
    looks = list(choose_looks(map(str, range(77))).values())

    assert len({(look.color, look.marker) for look in looks}) == 77
    assert len({str(look.line) for look in looks[:7]}) == 7


def test_names_leave_out_what_all_share() -> None:
    """What tells groups apart stays; long names lose their middle."""
    assert name_groups([("x", "Lab", "a"), ("x", "Lab", "b")]) == ["a", "b"]
    assert name_groups([("x", "Lab", None)]) == ["x Lab"]
    assert shorten_name("a" * 30 + "b" * 30, 21) == "a" * 13 + "…" + "b" * 7
    alike = ["a" * 30 + middle + "b" * 30 for middle in "xy"]
    assert name_groups([[name] for name in alike]) == alike


def test_drawing_touches_no_global_state() -> None:
    """Neither pyplot nor the settings of matplotlib are touched by drawing."""
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    program = """
import sys
import warnings
# What our calls are warned of, not what the libraries are warned of among themselves.
warnings.filterwarnings("error", category=DeprecationWarning, module="mlperf_logging")
import matplotlib
def list_settings():
    # Reading them in the ordinary way would load pyplot to resolve one of them.
    return {name: dict.__getitem__(matplotlib.rcParams, name) for name in dict.keys(matplotlib.rcParams)}
before = list_settings()
import pandas as pd
from matplotlib.figure import Figure
from mlperf_logging.analysis import plots
axes = Figure().add_subplot()
frame = pd.DataFrame({"run": ["a"], "minutes": [0.0], "watts": [1.0], "energy_kj": [0.0]})
plots.draw_power(axes, frame)
plots.draw_spread(axes, pd.DataFrame({"b": ["x"] * 5, "t": [1.0, 2, 3, 4, 9]}), "t", by=["b"])
assert list_settings() == before
print("matplotlib.pyplot" in sys.modules)
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stdout.strip()) == (0, "False"), answer.stderr
