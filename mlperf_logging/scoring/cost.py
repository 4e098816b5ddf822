"""What a result costs, at a fixed price of the system per hour and of energy per kilowatt-hour."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.scoring.folders import FolderScore
from mlperf_logging.scoring.means import median

KILOJOULES_A_KILOWATT_HOUR = 3_600
DEFAULT = "default"
_PRICE = re.compile(r"\s*(?P<number>\d+(\.\d*)?|\.\d+)\s*(?P<currency>[^\d/.\s]*)\s*(/\s*(?P<per>\w+))?\s*\Z")
_LONGEST_PRICE = 40  # the pattern tries all ways to share blanks among its parts


class Price(NamedTuple):
    """What a system costs.

    Attributes:
        per_hour: on-demand price of the whole system for an hour, or None.
        per_kilowatt_hour: price of energy, or None.
        currency: as given, or "".
    """

    per_hour: float | None = None
    per_kilowatt_hour: float | None = None
    currency: str = ""


class Cost(NamedTuple):
    """What a result costs, in the price's currency; None where a price or a time is not known.

    Attributes:
        score: of a run that takes as long as the score.
        median_run: of the median run.
        to_quality: of a run up to the first evaluation that met the target, the median over runs.
        all_runs: of all runs together, from start to stop.
        energy: of the energy score.
        currency: as given, or "".
    """

    score: float | None
    median_run: float | None
    to_quality: float | None
    all_runs: float | None
    energy: float | None
    currency: str


def read_price(text: str, *, per: tuple[str, ...] = ("h", "hour")) -> tuple[float, str]:
    """Number and currency of a price such as ``98.32/h``, ``98.32`` or ``0.12 EUR/kWh``; UsageError for other text."""
    found = _PRICE.match(text) if len(text) <= _LONGEST_PRICE else None
    if found is None or (
        found["per"] is not None and found["per"].lower() not in [each.lower() for each in per]
    ):
        raise UsageError(
            f"{text[:_LONGEST_PRICE]!r} is not a valid price; write a number and /{per[0]}, as in 98.32/{per[0]}"
        )
    return float(found["number"]), found["currency"] or ""


def load_prices(path: str) -> dict[str, Price]:
    """Prices of systems, from a YAML or JSON file.

    The file maps the name of a system (or ``default``) to a price per hour, or to ``price`` (per hour) and
    ``energy`` (per kilowatt-hour).
    """
    from mlperf_logging.rules.files import load_data_file

    record = load_data_file(path, "the price file")
    if not isinstance(record, dict) or not record:
        raise UsageError(
            f"the price file {path!r} must map names of systems to prices, as in 'my_system: 98.32/h'"
        )
    return {str(system): _read_entry(path, str(system), entry) for system, entry in record.items()}


def find_price(prices: Mapping[str, Price], system: str | None) -> Price | None:
    """The price of a system: its own, else the default one, else None."""
    return prices.get(system or "", prices.get(DEFAULT))


def price_score(score: FolderScore, price: Price) -> Cost:
    """What a result costs."""
    to_quality = [run.quality_minutes for run in score.runs if run.counts and run.quality_minutes is not None]
    times = [run.summary.minutes for run in score.runs if run.summary.minutes is not None]
    energy = None
    if score.energy_kj is not None and price.per_kilowatt_hour is not None:
        energy = score.energy_kj / KILOJOULES_A_KILOWATT_HOUR * price.per_kilowatt_hour
    return Cost(
        score=_price_minutes(score.score_minutes, price),
        median_run=_price_minutes(score.median_minutes, price),
        to_quality=_price_minutes(median(to_quality), price),
        all_runs=_price_minutes(sum(times) if times else None, price),
        energy=energy,
        currency=price.currency,
    )


def sum_costs(costs: Sequence[Cost]) -> Cost:
    """What several results at one price cost together; each part is None where it is not known of all.

    Args:
        costs: at least one.
    """

    def add(part: str) -> float | None:
        values: list[float | None] = [getattr(cost, part) for cost in costs]
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    *parts, _ = Cost._fields
    return Cost(**{part: add(part) for part in parts}, currency=costs[0].currency)


def _price_minutes(minutes: float | None, price: Price) -> float | None:
    if minutes is None or price.per_hour is None:
        return None
    return minutes / 60 * price.per_hour


def _read_entry(path: str, system: str, entry: Any) -> Price:
    fields = entry if isinstance(entry, dict) else {"price": entry}
    unknown = [name for name in fields if name not in ("price", "energy")]
    if unknown or not fields:
        raise UsageError(
            f"{path}: {system!r} must give 'price' or 'energy', not {', '.join(map(str, unknown))}"
        )
    price, energy = fields.get("price"), fields.get("energy")
    try:
        per_hour, currency = (None, "") if price is None else read_price(str(price))
        per_kwh, energy_currency = (None, "") if energy is None else read_price(str(energy), per=("kWh",))
    except UsageError as error:
        raise UsageError(f"{path}: {system!r}: {error}") from None
    return Price(per_hour, per_kwh, currency or energy_currency)
