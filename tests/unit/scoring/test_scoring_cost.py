"""What results cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlperf_logging import UsageError
from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.scoring.cost import Price, find_price, load_prices, price_score, read_price
from mlperf_logging.scoring.folders import score_folder
from tests.scores import MakeRun


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("98.32/h", (98.32, "")),
        ("98.32", (98.32, "")),
        (" 98.32 USD / h ", (98.32, "USD")),
        ("98.32 EUR/hour", (98.32, "EUR")),
        (".5€/h", (0.5, "€")),
    ],
)
def test_prices_are_read(text: str, expected: tuple[float, str]) -> None:
    """A number, perhaps a currency, perhaps the unit."""
    assert read_price(text) == expected


@pytest.mark.parametrize("text", ["", "much", "98.32/kWh", "1/h/h", "-1/h", "1 2/h"])
def test_what_is_no_price_is_said(text: str) -> None:
    """A wrong unit or no number is given with an example."""
    with pytest.raises(UsageError, match=r"is not a valid price; write a number and /h, as in 98\.32/h"):
        read_price(text)


def test_energy_price_has_its_own_unit() -> None:
    """Energy is priced by the kilowatt-hour."""
    assert read_price("0.2 EUR/kWh", per=("kWh",)) == (0.2, "EUR")


def test_costs_of_a_result(make_run: MakeRun, folder: ResultFolder) -> None:
    """Score, median run, time to the target and all runs, at the price of an hour."""
    runs = [make_run(minutes, quality_minutes=minutes - 1) for minutes in (30, 40, 60, 80, 90)]
    score = score_folder(folder, runs)._replace(energy_kj=7_200.0)
    cost = price_score(score, Price(120.0, 0.5, "EUR"))

    assert cost.score == pytest.approx(120)
    assert cost.median_run == pytest.approx(120)
    assert cost.to_quality == pytest.approx(118)
    assert cost.all_runs == pytest.approx(600)
    assert cost.energy == pytest.approx(1.0)
    assert cost.currency == "EUR"


def test_unknown_times_and_prices_cost_nothing_that_is_known(make_run: MakeRun, folder: ResultFolder) -> None:
    """Without a score, or without a price of the hour, there is no cost, and not a cost of zero."""
    score = score_folder(folder, [make_run(30)])

    assert price_score(score, Price(120.0)).score is None
    assert price_score(score_folder(folder, [make_run(30)] * 5), Price(None, 0.1))[:5] == (None,) * 5


def test_price_file(tmp_path: Path) -> None:
    """A file gives each system its price, by the hour alone or with energy, and one for all others."""
    path = tmp_path / "prices.yaml"
    path.write_text("box: 98.32 USD/h\ntower: {price: 12/h, energy: 0.2 USD/kWh}\ndefault: 5\n")
    prices = load_prices(str(path))

    assert find_price(prices, "box") == Price(98.32, None, "USD")
    assert find_price(prices, "tower") == Price(12.0, 0.2, "USD")
    assert find_price(prices, "other") == find_price(prices, None) == Price(5.0)
    assert find_price({"box": Price(1.0)}, "other") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- 5\n", "must map names of systems to prices"),
        ("box: {hour: 5}\n", "must give 'price' or 'energy', not hour"),
        ("box: cheap\n", r"prices.*: 'box': 'cheap' is not a valid price"),
        ("box: [\n", "not valid YAML"),
    ],
)
def test_price_file_that_is_none_is_said(text: str, says: str, tmp_path: Path) -> None:
    """What is wrong with a price file is one sentence."""
    path = tmp_path / "prices.yaml"
    path.write_text(text)

    with pytest.raises(UsageError, match=says):
        load_prices(str(path))


def test_missing_price_file_is_said(tmp_path: Path) -> None:
    """A mistyped name is reported."""
    with pytest.raises(UsageError, match="cannot read the price file"):
        load_prices(str(tmp_path / "none.yaml"))
