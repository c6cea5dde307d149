"""The libraries of laws and accelerators as blocks and as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optimizer.analysis.plan.wording import amount, either
from optimizer.reading.quantity import (
    BANDWIDTH,
    BYTES,
    FLOPS,
    POWER,
    PRICE_HOUR,
    significant,
    write,
)
from optimizer.report.formats.blocks import (
    GAP,
    Block,
    Column,
    Heading,
    Table,
    Text,
    facts,
)
from optimizer.report.formats.data import plain
from optimizer.report.pages.form_test import held_out
from optimizer.world.hardware import ExamplePrice, Hardware, listed_price
from optimizer.world.law import Check, Law
from optimizer.world.ranges import Interval

ADVICE = (
    "Best is a law of your own runs: overtrain fit. For a small model that is trained "
    "for long take openeurollm-2026 or gemstones-2025-coupled, whose runs go far past "
    "Chinchilla; to compare with the literature besiroglu-2024-refit. Then see what "
    "the choice is worth: compare FILE --law all."
)
SYMBOLS = ("E", "A", "B", "alpha", "beta", "k")


def laws_blocks(laws: Sequence[Law]) -> list[Block]:
    """The laws with their coefficients, and which of them to take."""
    plain = [law for law in laws if law.form in ("chinchilla", "coupled")]
    columns = (
        Column("law", "left"),
        *(Column(symbol) for symbol in SYMBOLS),
        Column("D/N to"),
    )
    rows = tuple(
        (
            law.name,
            *(_coefficient(symbol, law.coefficients) for symbol in SYMBOLS),
            _furthest(law),
        )
        for law in plain
    )
    return [
        Text(ADVICE, lead=True),
        Table(columns, rows, apart=True),
        Text(
            "L = E + (A/N^alpha + B/D^beta)^k, with k = 1 where none stands. D/N to: "
            "the most tokens per parameter of the runs that it was fitted to."
        ),
        *_counted(plain),
        *_of_their_own(laws),
        Text("Source, range, checks and caveats of one: overtrain laws NAME"),
    ]


def _coefficient(symbol: str, values: Mapping[str, float]) -> str:
    """A coefficient short enough for one line a law; its page has all digits."""
    value = values.get(symbol)
    if value is None:
        return GAP
    if symbol in ("A", "B"):
        return significant(value, 3 if value < 1e5 else 2)
    return f"{value:.2f}" if symbol == "E" else f"{value:.3f}"


def _furthest(law: Law) -> str:
    """The most tokens per parameter of a law's runs, where it says so."""
    span = law.range.tokens_per_parameter
    return GAP if span is None or math.isinf(span[1]) else significant(span[1])


def _counted(laws: Sequence[Law]) -> Iterator[Block]:
    """The laws whose N leaves parameters out."""
    few = [law.name for law in laws if law.counts == "non-embedding"]
    if few:
        yield Text(f"{either(few, 'and')}.", label="N without embeddings")


def _of_their_own(laws: Sequence[Law]) -> Iterator[Block]:
    """The laws that have other coefficients."""
    forms = {
        "frontier": "compute-optimal models only",
        "kaplan": "a form of its own, not to plan a run by",
        "joint-moe": "for mixtures of experts",
        "leverage": "for sparse experts",
    }
    for form, words in forms.items():
        names = [law.name for law in laws if law.form == form]
        if names:
            yield Text(f"{either(names, 'and')}.", label=words)


def law_blocks(law: Law) -> list[Block]:
    """Everything that is known about one law."""
    return [Heading(law.name, 1), *_law(law)]


def _law(law: Law) -> Iterator[Block]:
    rows = [
        ("form", law.form),
        ("N counts", f"{law.counts} parameters"),
        ("loss in", law.loss_unit),
        ("data", law.data or GAP),
        ("tokenizer", law.tokenizer or GAP),
        ("fitted on", _ranges(law)),
        ("pair", _pair(law)),
        ("experts", ", ".join(map(str, law.experts or ()))),
        (
            "covariance",
            "of " + ", ".join(law.covariance.order) if law.covariance else GAP,
        ),
        ("draws", f"{len(next(iter(law.draws.values())))}" if law.draws else GAP),
        ("source", law.source),
    ]
    yield facts([row for row in rows if row[1]])
    pairs = [*law.coefficients.items(), *law.extras.items()]
    if pairs:
        yield Heading("Coefficients")
        yield Table(
            (Column("", "left"), Column("")),
            tuple((symbol, f"{value:.8g}") for symbol, value in pairs),
        )
    if law.line is not None:
        yield Heading("Compute-optimal line")
        sizes = zip(law.line.parameters, law.line.tokens, strict=True)
        yield Table(
            (Column("parameters"), Column("tokens")),
            tuple((amount(n, "parameters"), amount(d, "tokens")) for n, d in sizes),
        )
    if law.check:
        yield Heading("It reproduces")
        columns = (Column("parameters"), Column("tokens"), Column("loss", "left"))
        yield Table(columns, tuple(_check(check) for check in law.check))
    if law.extrapolation:
        yield Heading("Held out: which form foresees far runs")
        yield held_out(law.extrapolation)
        yield Text(
            "Predicted over measured loss, less 1: below 0 the form promised too low a "
            "loss."
        )
    if law.checked:
        yield Heading("Checked")
        yield Text(law.checked)
    if law.caveats:
        yield Heading("Caveats")
        yield from (Text(caveat) for caveat in law.caveats)


def _pair(law: Law) -> str:
    """The law of the other form that was fitted to the same runs."""
    if law.pair is None:
        return ""
    return f"{law.pair}, of another form and the same runs: compare --forms"


def _check(check: Check) -> tuple[str, str, str]:
    size = amount(check.parameters, "parameters")
    count = check.experts
    experts = "" if count is None else f", {count} expert{'s' if count > 1 else ''}"
    loss = "compute-optimal" if check.loss is None else f"{check.loss:.6g}"
    return size, amount(check.tokens, "tokens"), loss + experts


def _ranges(law: Law) -> str:
    span = law.range
    parts = (
        (span.parameters, "parameters", "N"),
        (span.tokens, "tokens", "D"),
        (span.tokens_per_parameter, "", "D/N"),
        (span.compute, "FLOP", "6·N·D"),
        (span.activation, "", "activation"),
        (span.granularity, "", "granularity"),
    )
    told = [f"{s} {_interval(pair, unit)}" for pair, unit, s in parts if pair]
    return ", ".join(told)


def _interval(pair: Interval, unit: str) -> str:
    low, high = (amount(value, unit) if unit else significant(value) for value in pair)
    if math.isinf(pair[1]):
        return f"from {low}"
    return f"up to {high}" if pair[0] == 0 else f"{low} to {high}"


def law_data(law: Law) -> dict[str, Any]:
    """One law as plain data."""
    data: dict[str, Any] = plain(law)
    return data


def chips_blocks(
    chips: Sequence[Hardware], prices: Mapping[str, ExamplePrice | None]
) -> list[Block]:
    """The list of accelerators, with the example prices that are known by key."""
    columns = (
        Column("name", "left"),
        Column("bf16"),
        Column("fp8"),
        Column("memory"),
        Column("bandwidth"),
        Column("power"),
        Column("read on"),
        Column("example"),
    )
    rows = tuple(
        (
            chip.key,
            _peak(chip.peaks.get("bf16")),
            _peak(chip.peaks.get("fp8")),
            GAP if chip.memory is None else write(chip.memory, BYTES),
            GAP if chip.bandwidth is None else write(chip.bandwidth, BANDWIDTH),
            GAP if chip.tdp is None else write(chip.tdp, POWER),
            chip.date,
            _price(prices.get(chip.key)),
        )
        for chip in chips
    )
    return [
        Table(columns, rows),
        Text(
            "Peaks are dense, in TFLOP/s. An example price is one provider's on one "
            "day; it is used only where a scenario says price: example. All "
            "precisions, source and price of one: overtrain hardware NAME"
        ),
    ]


def _price(price: ExamplePrice | None) -> str:
    return GAP if price is None else write(price.value, PRICE_HOUR)


def _peak(flops: float | None) -> str:
    return GAP if flops is None else significant(flops / 1e12)


def chip_blocks(chip: Hardware, price: ExamplePrice | None) -> list[Block]:
    """Everything that is known about one accelerator."""
    rows = [
        *((f"peak {name}", write(v, FLOPS)) for name, v in chip.peaks.items()),
        ("memory", GAP if chip.memory is None else write(chip.memory, BYTES)),
        (
            "bandwidth",
            GAP if chip.bandwidth is None else write(chip.bandwidth, BANDWIDTH),
        ),
        ("link, one way", GAP if chip.link is None else write(chip.link, BANDWIDTH)),
        ("power (TDP)", GAP if chip.tdp is None else write(chip.tdp, POWER)),
        ("source", chip.source),
        ("secondary sources only", ", ".join(chip.secondary)),
        ("read on", chip.date),
        ("note", chip.note),
    ]
    if price is not None:
        offer = f"{write(price.value, PRICE_HOUR)}, {price.provider}, {price.note}"
        rows.append(("example price", f"{offer}, read on {price.date}"))
    known = [row for row in rows if row[1]]
    return [Heading(f"{chip.name} ({chip.key})", 1), facts(known)]


def known_blocks(chip: Hardware) -> list[Block]:
    """Everything about one accelerator, with its example price where there is one."""
    return chip_blocks(chip, listed_price(chip))


def known_data(chip: Hardware) -> dict[str, Any]:
    """Likewise as plain data."""
    return chip_data(chip, listed_price(chip))


def chip_data(chip: Hardware, price: ExamplePrice | None) -> dict[str, Any]:
    """One accelerator as plain data."""
    data: dict[str, Any] = plain(chip)
    return {**data, "example_price": plain(price)}
