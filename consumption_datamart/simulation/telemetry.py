"""The telemetry of a day: each deployment reports through the day what it uses."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from .arrays import Array, day_number
from .deployments import INFRASTRUCTURES
from .market import Market
from .subscriptions import daily_use, growth

_BUSY, _QUIET = 1.08, 0.8  # of the days Monday to Friday and of the other two: 1 on average
_SATURDAY = 6
_SECONDS = 86_400


def telemetry(
    random: np.random.Generator, market: Market, deployments: Array, readings: int, day: date
) -> Any:
    """So many readings of that day, in the order of time."""
    chosen, count, weight = _rota(deployments, readings, day)
    sold = market.of(chosen)
    use = daily_use(sold, market.what) * growth(sold, day)
    use *= chosen["share"] * weight * (_BUSY if day.isoweekday() < _SATURDAY else _QUIET)
    use *= random.uniform(0.93, 1.07, len(chosen))

    today = day_number(day)
    is_odd = (sold["odd_from"] <= today) & (today < sold["odd_to"])
    units, unit = market.what.unit + market.what.odd_unit, sold["product"]

    source = np.repeat(np.arange(len(chosen)), count)
    place = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
    of_day = (place + random.random(len(source))) / count[source]
    seconds = np.minimum((of_day * _SECONDS).astype(int), _SECONDS - 1)
    level = _levels(random, source, place, count)
    part = _parts(random, source, of_day, count)
    by_capacity = market.is_capacity(chosen)[source]
    quantity = _rounded(use[source] * np.where(by_capacity, level, part))

    order = np.argsort(seconds, kind="stable")
    midnight = today.astype("M8[us]")
    source, deployment = source[order], chosen[source[order]]["deployment"]
    return pa.table(
        {
            "event_id": _event_ids(random, len(source)),
            "event_ts": pa.array(midnight + (seconds[order] * 1_000_000).astype("m8[us]")),
            "customer_id": _coded(market.who.customer_id, sold["customer"], source),
            "deployment_id": _named(deployment),
            "product_id": _coded(market.what.product_id, sold["product"], source),
            "infrastructure": _coded(INFRASTRUCTURES, chosen["infrastructure"], source),
            "quantity": pa.array(quantity[order]),
            "unit": _coded(units, unit + len(market.what.unit) * is_odd, source),
        }
    )


def _rota(deployments: Array, readings: int, day: date) -> tuple[Array, Array, float]:
    """Who reports, how often, and how many deployments each of them stands for.

    Where there are fewer readings than deployments, these take turns from day to day.
    """
    today = day_number(day)
    active = deployments[(deployments["used_from"] <= today) & (today < deployments["used_to"])]
    if not readings or not len(active):
        return active[:0], np.zeros(0, int), 1.0
    turn = day.toordinal() * readings % len(active)
    active = np.roll(active, -turn)
    if readings < len(active):
        return active[:readings], np.ones(readings, int), len(active) / readings
    each, left = divmod(readings, len(active))
    return active, each + (np.arange(len(active)) < left), 1.0


def _levels(random: np.random.Generator, source: Array, place: Array, count: Array) -> Array:
    """How much of its day's peak a deployment occupies at each reading: all of it at one."""
    peak = (random.random(len(count)) * count).astype(int)
    away = np.abs(place - peak[source]) / count[source]
    return 1 - away * random.uniform(0.3, 0.8, len(source))


def _parts(random: np.random.Generator, source: Array, of_day: Array, count: Array) -> Array:
    """Which part of its day's amount a deployment consumes at each reading: most at noon."""
    weight = (0.3 + of_day * (1 - of_day) * 4) * random.uniform(0.5, 1.5, len(source))
    return weight / np.bincount(source, weight, len(count))[source]


def _rounded(quantity: Array) -> Array:
    """Whole units; three digits of what is less than ten units."""
    small = np.searchsorted([0.001, 0.01, 0.1, 1.0, 10.0], quantity, "right")
    scale = np.array([1e6, 1e5, 1e4, 1e3, 1e2, 1.0])[small]
    return np.rint(quantity * scale) / scale


def _event_ids(random: np.random.Generator, count: int) -> Any:
    """Different identifiers of twelve hexadecimal digits that look random."""
    numbers = np.arange(count, dtype="u8") + random.integers(0, 1 << 48, dtype="u8")
    mask = np.uint64((1 << 48) - 1)
    for factor in (0x9E3779B97F4B, 0xC2B2AE3D27D5):  # odd: no two numbers become the same one
        numbers = numbers * np.uint64(factor) & mask
        numbers ^= numbers >> np.uint64(24)
    digits = numbers.astype(">u8").view("u1").reshape(-1, 8)[:, 2:].tobytes().hex().encode()
    offsets = np.arange(count + 1, dtype="i4") * 12
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))


def _coded(values: Any, positions: Array, source: Array) -> Any:
    """Text at the positions of the sources, each different text stored once."""
    different, code = np.unique(positions, return_inverse=True)
    found = pa.array(values, pa.string()).take(pa.array(different)).dictionary_encode()
    return found.take(pa.array(code.astype("i4")[source]))


def _named(deployment: Array) -> Any:
    different, code = np.unique(deployment, return_inverse=True)
    found = pa.array([f"DEP-{number:06d}" for number in different.tolist()], pa.string())
    return found.dictionary_encode().take(pa.array(code.astype("i4")))
