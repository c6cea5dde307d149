"""What the numbers of a scenario mean: their units, bounds and spellings.

One table, a `Kind` an entry. No unit library: they read `2T` as tesla and `70B` as
bytes. Read and written by `quantity`, which is the door to these names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from optimizer.reading.loss_words import ALIASES
from optimizer.records import dataclass, field, replace

__all__ = [
    "BANDWIDTH",
    "BUDGET",
    "BYTES",
    "BYTES_TOKEN",
    "CARBON",
    "COMPUTE",
    "COUNT",
    "DAY",
    "DEMAND_TOKENS",
    "DURATION",
    "EFFICIENCY",
    "ENERGY",
    "FALL",
    "FLOPS",
    "FRACTION",
    "HOUR",
    "LOSS",
    "MFU",
    "MONEY",
    "MONTH",
    "NUMBER",
    "PARAMETERS",
    "POSITIVE",
    "POWER",
    "PRICE_HOUR",
    "PRICE_TOKENS",
    "RATE",
    "RATIO",
    "REQUESTS",
    "TOKENS",
    "WAIT",
    "YEAR",
    "Kind",
]

HOUR = 3600.0  # [s]
DAY = 86400.0  # [s]
YEAR = 365.25 * DAY  # [s]
MONTH = YEAR / 12  # [s]


@dataclass(frozen=True, eq=False)
class Kind:
    """What a number means.

    Attributes:
        name: for messages, as in "must be a price".
        example: a good value, for messages and editors.
        unit: the base unit, as shown to people.
        units: spelling of a unit → its size in base units.
        scale: the units to write with, of rising size; empty: see `write`.
        suffixes: K, M, B and T are thousand to trillion.
        currency: a `$` may stand before the number.
        percent: written as a percentage.
        yearly: a rate, which compounds: `5 %/month` is 79.6 % a year.
        falls: it says how fast something falls: `2 %/month` is 21.5 % a year.
        plain: a number without a unit is allowed; zero always is.
        whole: only integers.
        low: the lower bound, itself allowed where `low_inclusive`.
        low_inclusive: see `low`.
        high: the upper bound, itself allowed.
    """

    name: str
    example: str
    unit: str = ""
    units: Mapping[str, float] = field(default_factory=dict)
    scale: tuple[str, ...] = ()
    suffixes: bool = False
    currency: bool = False
    percent: bool = False
    yearly: bool = False
    falls: bool = False
    plain: bool = True
    whole: bool = False
    low: float = 0.0
    low_inclusive: bool = False
    high: float = math.inf


_DECIMAL = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_FLOP = {**_DECIMAL, "": 1.0, "Z": 1e21, "Y": 1e24}
_TOKEN_UNITS = {"tokens": 1.0, "token": 1.0}

PARAMETERS = Kind(
    name="a number of parameters",
    example="7B",
    unit="parameters",
    units={"parameters": 1.0, "parameter": 1.0, "params": 1.0},
    suffixes=True,
    low=1.0,  # below one parameter there is no model
    low_inclusive=True,
)
TOKENS = Kind(
    name="a number of tokens",
    example="2T",
    unit="tokens",
    units=_TOKEN_UNITS,
    suffixes=True,
    low=1.0,
    low_inclusive=True,
)
DEMAND_TOKENS = replace(TOKENS, low=0.0)
REQUESTS = Kind(
    name="a number of requests",
    example="2B or 5M/day",
    unit="requests",
    units={"requests": 1.0, "request": 1.0},
    suffixes=True,
    low_inclusive=True,
)
COMPUTE = Kind(
    name="an amount of compute",
    example="1e24 FLOP",
    unit="FLOP",
    units={
        **{f"{p}{w}": s for p, s in _FLOP.items() for w in ("FLOP", "FLOPs")},
        **dict.fromkeys(("PF-days", "PF-day", "PFLOP/s-days", "PFLOP/s-day"), 8.64e19),
    },
)
LOSS = Kind(
    name="a loss",
    example="1.95",
    unit="nats",
    # Of whatever the law is in: `question.checks` refuses another unit than that.
    units={word: 1.0 for word, unit in ALIASES.items() if unit != "ppl"},
)
FRACTION = Kind(
    name="a fraction",
    example="40 %",
    unit="%",
    units={"%": 0.01, "percent": 0.01},
    percent=True,
    low_inclusive=True,
    high=1.0,
)
MFU = replace(FRACTION, low_inclusive=False)
RATE = Kind(
    name="a rate",
    example="8 % or 5 %/month",
    unit="%/year",
    units={"%": 0.01, "percent": 0.01},
    percent=True,
    yearly=True,
    low=-1.0,
)
FALL = replace(
    RATE,
    name="a yearly fall",
    example="20 % or 2 %/month",
    falls=True,
    low=0.0,
    low_inclusive=True,
    high=1.0,
)
DURATION = Kind(
    name="a time",
    example="30 days",
    unit="s",
    units={
        **{"us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3},
        **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
        **dict.fromkeys(("min", "minute", "minutes"), 60.0),
        **dict.fromkeys(("h", "hr", "hour", "hours"), HOUR),
        **dict.fromkeys(("d", "day", "days"), DAY),
        **dict.fromkeys(("week", "weeks"), 7 * DAY),
        **dict.fromkeys(("month", "months"), MONTH),
        **dict.fromkeys(("yr", "year", "years"), YEAR),
    },
    scale=("µs", "ms", "s", "min", "h", "days", "years"),
    plain=False,
    high=1000 * YEAR,  # service is summed month by month
)
WAIT = replace(DURATION, low_inclusive=True)
MONEY = Kind(
    name="an amount of money",
    example="$500k",
    suffixes=True,
    currency=True,
    low_inclusive=True,
    high=1e12,
)
BUDGET = replace(MONEY, low_inclusive=False, high=1e18)
PRICE_HOUR = Kind(
    name="a price",
    example="$2.50/h",
    unit="/h",
    units={
        **dict.fromkeys(("/h", "/hr", "/hour", "/GPU-hour"), 1.0),
        **{"/accelerator-hour": 1.0, "/day": 1 / 24},
    },
    suffixes=True,
    currency=True,
)
PRICE_TOKENS = Kind(
    name="a price",
    example="$0.50 per million tokens",
    unit=" per million tokens",
    units={
        **dict.fromkeys(("/million tokens", "/million", "/1M tokens"), 1.0),
        **dict.fromkeys(("/M tokens", "/Mtok", "/MTok", "/M"), 1.0),
        **dict.fromkeys(("/thousand tokens", "/1K tokens", "/K tokens"), 1e3),
        **{"/billion tokens": 1e-3, "/B tokens": 1e-3, "/token": 1e6},
    },
    suffixes=True,
    currency=True,
    low_inclusive=True,
)
BYTES = Kind(
    name="a size in bytes",
    example="80 GB",
    unit="B",
    units={
        **{"bytes": 1.0, "byte": 1.0, "B": 1.0, "kB": 1e3},
        **{f"{p}B": s for p, s in _DECIMAL.items()},
        **{f"{p}iB": 1024.0**n for n, p in enumerate("KMGTPE", start=1)},
    },
    scale=("B", "KB", "MB", "GB", "TB", "PB"),
    plain=False,
)
BYTES_TOKEN = Kind(
    name="bytes a token",
    example="70 kB/token",
    unit="B/token",
    units={
        f"{u}/token": s
        for u, s in (
            *(("B", 1.0), ("kB", 1e3), ("KB", 1e3), ("KiB", 1024.0)),
            *(("MB", 1e6), ("MiB", 1024.0**2)),
        )
    },
    plain=False,
)
BANDWIDTH = Kind(
    name="a bandwidth",
    example="3.35 TB/s",
    unit="B/s",
    units={"B/s": 1.0, **{f"{p}B/s": s for p, s in _DECIMAL.items()}},
    scale=("B/s", "KB/s", "MB/s", "GB/s", "TB/s", "PB/s"),
    plain=False,
)
FLOPS = Kind(
    name="a speed",
    example="989 TFLOP/s",
    unit="FLOP/s",
    units={
        f"{p}{w}": s
        for p, s in _FLOP.items()
        for w in ("FLOP/s", "FLOPs/s", "FLOPS", "OP/s", "OPS")
    },
    scale=("FLOP/s", "GFLOP/s", "TFLOP/s", "PFLOP/s", "EFLOP/s"),
    plain=False,
)
POWER = Kind(
    name="a power",
    example="700 W",
    unit="W",
    units={"W": 1.0, "kW": 1e3, "MW": 1e6, "GW": 1e9},
    scale=("W", "kW", "MW", "GW"),
    plain=False,
)
CARBON = Kind(
    name="a carbon intensity",
    example="0.35 kg/kWh",
    unit="kg/kWh",
    units={
        f"{mass}{of}/{per}": size / energy
        for mass, size in (("g", 1e-3), ("kg", 1.0), ("t", 1e3))
        for of in ("", "CO2", "CO2e", " CO2", " CO2e")
        for per, energy in (("kWh", 1.0), ("MWh", 1e3))
    },
    plain=False,
    low_inclusive=True,
)
ENERGY = Kind(
    name="an energy",
    example="12 MWh",
    unit="kWh",
    units={
        **{"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3, "GWh": 1e6, "TWh": 1e9},
        **{f"{p}J": s / 3.6e6 for p, s in {**_DECIMAL, "": 1.0, "k": 1e3}.items()},
    },
    scale=("Wh", "kWh", "MWh", "GWh", "TWh"),
    plain=False,
)
COUNT = Kind(name="a whole number", example="8", suffixes=True, whole=True, high=1e12)
RATIO = Kind(name="a number of at least 1", example="1.2", low=1.0, low_inclusive=True)
EFFICIENCY = Kind(
    name="a factor of the tokens", example="1.4", low=0.1, low_inclusive=True, high=10.0
)
NUMBER = Kind(name="a number", example="0.5", low=-math.inf)
POSITIVE = Kind(name="a number above 0", example="0.5")
