"""Amounts in words: each unit of an answer with the kind that writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from optimizer.reading.kinds import (
    BUDGET,
    BYTES,
    COMPUTE,
    COUNT,
    DURATION,
    ENERGY,
    LOSS,
    PARAMETERS,
    TOKENS,
    Kind,
)
from optimizer.reading.quantity import FAR, MINUS, read, significant, write
from optimizer.records import replace

KINDS: dict[str, Kind] = {
    "parameters": PARAMETERS,
    "tokens": TOKENS,
    "FLOP": COMPUTE,
    "s": DURATION,
    "USD": BUDGET,
    "kWh": ENERGY,
    "bytes": BYTES,
    "nats": LOSS,
    "accelerators": COUNT,
    "samples": COUNT,
}
# What the objective's unit does, and what there is less or more of.
VERBS = {"kWh": ("takes", " energy"), "kgCO2e": ("emits", " carbon")}
NOTHING = 5e-5  # of a cost, which nobody would choose a model for
LOUD = 1e9  # a loss of which no decimals are told
BRIM = 4  # digits of a demand that fills replicas
EXACT = 1e-9  # of a number that is one of so many digits, but for rounding

LEAST = "× the least training"  # compute over the least for the same loss
MANY = 8  # more names than these are counted


def amount(value: float, unit: str) -> str:
    """Writes a value with its unit to three significant digits."""
    if unit == "kgCO2e":
        tonnes = abs(value) >= 1e3
        size = value / 1e3 if tonnes else value
        return f"{significant(size)} {'tCO2e' if tonnes else 'kgCO2e'}"
    return write(value, KINDS[unit]) if unit else significant(value)  # as epochs are


def figure(value: float, unit: str) -> str:
    """Writes a value for a column, where zeros stay so that digits line up."""
    if unit == "kgCO2e":
        return amount(value, unit)
    return write(value, KINDS[unit], keep=True)


def ratio(value: float) -> str:
    """Writes a plain number for a column."""
    return significant(value, keep=True)


def share(fraction: float) -> str:
    """Writes a percentage for a column, in which rounding errors are nothing."""
    if abs(fraction) <= 1e-9:
        return "0 %"
    return f"{significant(100 * fraction, 2, keep=True)} %"


def safely(value: float, unit: str, up: bool) -> str:
    """Writes a value rounded to one side, so that what is read back is enough.

    Args:
        value: that just does.
        unit: of it.
        up: whether more is enough too; else less is.
    """
    if unit == "nats":
        near = round(value, 4)
        short = near < value if up else near > value
        return nats(near + (1e-4 if up else -1e-4) * short)
    if unit == "accelerators":
        return amount(math.ceil(value) if up else math.floor(value), unit)
    kind = unbounded(unit)
    tried, text = value, amount(value, unit)
    if abs(value) > FAR:  # what no file takes is told, and not read back
        return text
    while (read(text, kind) < value) == up and read(text, kind) != value:
        tried *= 1.001 if up else 0.999
        text = amount(tried, unit)
    return text


def unbounded(unit: str) -> Kind:
    """How a value of a unit is read back, whatever a field allows.

    A cure may lie beyond what a field takes; it is told all the same.
    """
    return replace(KINDS[unit], low=-math.inf, high=math.inf)


def typed(value: float, unit: str) -> bool:
    """Whether a file takes a value: no bound is above 1e18 dollars or 1000 years."""
    return KINDS[unit].low <= value <= min(KINDS[unit].high, FAR)


DEMAND = "demand"  # the name of a demand that has none of its own


def line_name(name: str) -> str:
    """A line of the bill in words; that of a demand without a name is the serving."""
    return "serving" if name == DEMAND else name


def counted(value: float, unit: str) -> str:
    """Writes a value of parameters or tokens with the word: 1.25T tokens."""
    return f"{amount(value, unit)} {unit}"


def samples(number: float) -> str:
    """How many answers a request draws: 1 sample, 6 samples."""
    return f"{significant(number)} sample{'' if number == 1 else 's'}"


def nats(loss: float) -> str:
    """Writes a loss to four decimals, since their differences are small."""
    return f"{loss:.10g} nats" if abs(loss) >= LOUD else f"{loss:.4f} nats"


def nearly(saved: float | None) -> str:
    """How near a model comes to the cheapest where whole machines favour another.

    Args:
        saved: the fraction of its cost that the cheapest saves.
    """
    if saved is None or saved < NOTHING:
        return ""
    above = saved / (1 - saved)
    return f", within {percent(above)} of the least cost in whole machines"


def brimful(tokens: float, replicas: int | None) -> tuple[str, str]:
    """A demand, and in words that it fills so many replicas; empty where it fills none.

    It is rounded down: the next token takes another replica.
    """
    if replicas is None:
        return amount(tokens, "tokens"), ""
    step = 10.0 ** (math.floor(math.log10(tokens)) - BRIM + 1)
    down = math.floor(tokens / step * (1 + EXACT)) * step
    many = "one replica carries" if replicas == 1 else f"{replicas} replicas carry"
    return write(down, TOKENS, digits=BRIM), f", the most that {many}"


def percent(fraction: float) -> str:
    """Writes a fraction as a percentage with two significant digits."""
    return f"{significant(100 * fraction, 2)} %"


def part_of(part: float, draws: int) -> str:
    """A part of draws: `48 %`, or `299 of 300` where that would read as all of them."""
    count = round(part * draws)
    if count < draws and percent(part) == "100 %":
        return f"{count:,} of {draws:,}"
    return percent(part)


def of_draws(part: float, draws: int, what: str = "the draws") -> str:
    """The same before what the draws are: `48 % of the draws`, `299 of 300 draws`."""
    told = part_of(part, draws)
    return f"{told} draws" if " of " in told else f"{told} of {what}"


def off(fraction: float) -> str:
    """How far something is off, with its sign: `+4.1 %`, `−0.032 %`."""
    return f"{MINUS if fraction < 0 else '+'}{percent(abs(fraction))}"


def extra(fraction: float) -> str:
    """What something takes above another, for a column: `+4.1 %`, `4.6 × as much`.

    A factor reads better from twice on.

    Args:
        fraction: above; below 0 where it takes less.
    """
    if fraction >= 1:
        return f"{significant(1 + fraction, 2, keep=True)} × as much"
    told = share(abs(fraction))
    return told if told == "0 %" else f"{'+' if fraction > 0 else MINUS}{told}"


def above(fraction: float) -> str:
    """The same in a sentence, before what it is above: `4.1 % above`, or `4.6 ×`."""
    if fraction >= 1:
        return f"{significant(1 + fraction, 2)} ×"
    return f"{percent(fraction)} above"


def more(fraction: float, thing: str = "", than: bool = False) -> str:
    """The same in a sentence, alone: `4.1 % more`, `4.1 % less`, or `4.6 × as much`.

    Args:
        fraction: above; below 0 where it takes less.
        thing: of which there is more, with a space before it.
        than: whether `than` or `as` follows.
    """
    if fraction >= 1:
        link = " as" if than else ""
        return f"{significant(1 + fraction, 2)} × as much{thing}{link}"
    word = "less" if fraction < 0 else "more"
    return f"{percent(abs(fraction))} {word}{thing}{' than' if than else ''}"


def saved(fraction: float) -> str:
    """What is saved, for a column of that name: `29 %`, `−42 %`, or `costs 2.4 ×`."""
    if fraction > -1:
        return share(fraction)
    return f"costs {significant(1 - fraction, 2)} ×"


def times(factor: float, digits: int = 2) -> str:
    """Writes a factor with two digits; near 1 with as many as tell it from 1."""
    if abs(factor - 1) > 1e-6:
        while significant(factor, digits) == "1":
            digits += 1
    return significant(factor, digits)


def compared(fraction: float, unit: str) -> str:
    """`costs 29 % less than`, `costs 2.3 × as much as`, `emits 4 % more carbon than`.

    Args:
        fraction: what there is more; below 0 where there is less.
        unit: of the objective.
    """
    verb, thing = VERBS.get(unit, ("costs", ""))
    if abs(fraction) < NOTHING:
        return f"{verb} as much{thing}, to 0.01 %, as"
    if fraction >= 1:
        return f"{verb} {significant(1 + fraction, 2)} × as much{thing} as"
    word = "more" if fraction > 0 else "less"
    return f"{verb} {percent(abs(fraction))} {word}{thing} than"


LEFT_OUT = {
    "repetition": " on data read once",
    "quantization": ", the loss of quantization left out",
}


def rule(attention: bool, left_out: Sequence[str] = ()) -> str:
    """What an overtraining factor is a multiple of.

    Args:
        attention: whether compute counts attention; Chinchilla's rule is of 6·N·D.
        left_out: of what those tokens know nothing, as in `Overtraining`.
    """
    without = "".join(LEFT_OUT[word] for word in left_out)
    if attention:
        return (
            f"the tokens that are training-optimal for its size{without}, attention "
            "counted"
        )
    return f"the Chinchilla-optimal tokens of its size{without}"


def past(factor: float, attention: bool, left_out: Sequence[str] = ()) -> str:
    """The overtraining factor: `5.9 × the Chinchilla-optimal tokens of its size`."""
    # A table beside it has three digits: of 279, two would read as another number.
    return f"{times(factor, 2 if factor < 100 else 3)} × {rule(attention, left_out)}"


def either(parts: list[str], word: str = "or") -> str:
    """Joins words: `a`, `a or b`, `a, b or c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def picked(choice: Mapping[str, str]) -> str:
    """A combination of a scenario's lists: `serving.weights: int4, …`."""
    return ", ".join(f"{word}: {value}" for word, value in choice.items())


def gap_below(gap: float) -> str:
    """A power of ten that a gap is at most; its own digits are those of rounding."""
    return significant(10.0 ** math.ceil(math.log10(max(gap, CLOSEST)) - ROUNDED), 1)


def several(names: list[str]) -> str:
    """Joins names, or says how many there are where nobody would read them all."""
    return either(names, "and") if len(names) <= MANY else f"{len(names)} of them"


ROUNDED = 1e-9  # of a power of ten
CLOSEST = 1e-12  # closer than this, two costs differ by rounding alone
THING = {"FLOP": "compute", "USD": "cost", "kWh": "energy", "kgCO2e": "carbon"}


def model(parameters: float, tokens: float) -> str:
    """A model by its two numbers: 6.08B on 730B."""
    return f"{amount(parameters, 'parameters')} on {amount(tokens, 'tokens')}"


def lifetime(unit: str) -> str:
    """What the objective counts, in words: lifetime compute, lifetime cost."""
    return f"lifetime {THING[unit]}"
