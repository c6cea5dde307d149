"""A law as the text of its file, which reads back as the same law."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence

from optimizer.report.formats.blocks import printable
from optimizer.world.law import Law
from optimizer.world.ranges import Interval

WIDTH = 88
CHOSEN = ("activation", "granularity")  # of a check of sparse experts


def law_text(law: Law, head: Sequence[str] = ()) -> str:
    """Writes a law file.

    Args:
        law: any law with coefficients.
        head: lines of a comment above it.
    """
    lines = [f"# {printable(line)}".rstrip() for line in head]
    return "\n".join([*lines, *_law(law)]) + "\n"


def _law(law: Law) -> Iterator[str]:
    yield f"name: {_value(law.name)}"
    yield f"form: {law.form}"
    yield from _mapping("coefficients", law.coefficients)
    if law.extras:
        yield from _mapping("extras", law.extras)
    if law.experts:
        yield f"experts: {_value(law.experts)}"
    yield f"counts: {law.counts}"
    yield f"loss_unit: {_value(law.loss_unit)}"
    for word in ("pair", "data", "tokenizer", "source", "not_for_planning"):
        if told := getattr(law, word):
            yield f"{word}: {_value(told)}"
    if spans := law.range.told:
        yield "range:"
        yield from (f"  {word}: {_interval(pair)}" for word, pair in spans.items())
    yield from _extrapolation(law)
    yield from _past(law)
    yield from _uncertain(law)


def _extrapolation(law: Law) -> Iterator[str]:
    if law.extrapolation:
        yield "extrapolation:"
    for told in law.extrapolation:
        words = ("by", "fitted_to", "up_to", "runs")
        first, *rest = (f"{word}: {_value(getattr(told, word))}" for word in words)
        yield f"  - {first}"
        yield from (f"    {line}" for line in rest)
        yield "    forms:"
        for form, miss in told.forms.items():
            values = {"mean": miss.mean, "largest": miss.largest}
            known = {word: value for word, value in values.items() if value is not None}
            yield f"      {form}: {_flow(known)}"


def _past(law: Law) -> Iterator[str]:
    if law.check:
        yield "check:"
    for check in law.check:
        words = ("parameters", "tokens", "loss", "experts", "within", *CHOSEN)
        told = {w: v for w in words if (v := getattr(check, w)) is not None}
        yield f"  - {_flow(told)}"
    if law.checked:
        yield f"checked: {_value(law.checked)}"
    if law.caveats:
        yield "caveats:"
        yield from (f"  - {_value(caveat)}" for caveat in law.caveats)
    if law.fit:
        yield "fit:"
        for word, value in law.fit.items():
            if isinstance(value, Mapping):
                yield from _mapping(word, value, "  ")
            else:
                yield f"  {word}: {_value(value)}"


def _uncertain(law: Law) -> Iterator[str]:
    if law.covariance is not None:
        yield "covariance:"
        yield f"  order: [{', '.join(law.covariance.order)}]"
        yield "  matrix:"
        yield from (f"    - {_value(row)}" for row in law.covariance.matrix)
    if law.error is not None:
        yield "error:"
        for word in ("epsilon", "k", "gamma"):
            yield f"  {word}: {_value(getattr(law.error, word))}"
        if law.error.draws:
            yield from _draws(law.error.draws, "  ")
    if law.extra_draws:
        yield from _draws(law.extra_draws, "", "extra_draws")
    if law.draws:
        yield from _draws(law.draws, "")


def _draws(
    draws: Mapping[str, Sequence[float]], indent: str, word: str = "draws"
) -> Iterator[str]:
    yield f"{indent}{word}:"
    for symbol, values in draws.items():
        yield f"{indent}  {symbol}: ["
        line = indent + "   "
        for value in values:
            cell = f" {_value(value)},"
            if len(line) + len(cell) > WIDTH:
                yield line
                line = indent + "   "
            line += cell
        yield line
        yield f"{indent}  ]"


def _mapping(
    word: str, values: Mapping[str, object], indent: str = ""
) -> Iterator[str]:
    yield f"{indent}{word}:"
    yield from (f"{indent}  {key}: {_value(value)}" for key, value in values.items())


def _flow(values: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{k}: {_value(v)}" for k, v in values.items()) + "}"


def _interval(pair: Interval) -> str:
    low, high = pair
    ends = None if low == 0 else low, None if math.isinf(high) else high
    return _value(ends)


def _value(value: object) -> str:
    """A value as YAML 1.2, of which JSON is a part."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        return json.dumps(printable(value), ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
