"""Which form foresees far runs: a table and one sentence for each end held out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from optimizer.analysis.plan.wording import amount, off, percent
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import Block, Heading, Table, Text, named
from optimizer.world.extrapolation import ADDITIVE, NAMES, Extrapolation, Miss

if TYPE_CHECKING:
    from optimizer.analysis.law.form_test import FormTest


def form_test_blocks(tests: Sequence[FormTest]) -> Iterator[Block]:
    """The section of a fit's page; nothing where no runs could be held out."""
    if not tests:
        return
    yield Heading("Which form foresees far runs")
    yield held_out([test.result for test in tests])
    for test in tests:
        yield Text(sentence(test))
        for form, why in test.refused.items():
            yield Text(why, label=f"{NAMES.get(form, form)}: no fit")


def held_out(results: Sequence[Extrapolation]) -> Table:
    """How far off each form was on the runs that were held out."""
    rows = tuple(
        (
            NAMES.get(form, form),
            beyond(told),
            str(told.runs),
            signed(miss.mean),
            signed(miss.largest),
        )
        for told in results
        for form, miss in told.forms.items()
    )
    columns = named("fitted up to", "runs held out", "off in the mean", "at most")
    return Table(columns, rows)


def sentence(test: FormTest) -> str:
    """Which form predicts the far runs, and how far the additive one is off."""
    told, best = test.result, test.best
    what = "far overtraining" if told.by != "compute" else "larger runs"
    if best is None:
        return f"No form can be fitted to the runs up to {beyond(told)}."
    additive = told.forms.get(ADDITIVE)
    start = f"On these runs {_form(best)} predicts {what} best: fitted up to "
    start += f"{beyond(told)}, it is off by {_off(told.forms[best])} on the "
    start += f"{told.runs} runs up to {_value(told, told.up_to)}"
    if additive is None or best == ADDITIVE:
        return f"{start}."
    lean = "too optimistic" if additive.mean < 0 else "too pessimistic"
    end = f"; the additive form is off by {_off(additive)}, {lean}"
    if test.scatter is not None and abs(additive.mean) <= test.scatter:
        end += ", which is no more than the runs scatter"
    return f"{start}{end}."


def beyond(told: Extrapolation) -> str:
    """The largest value fitted, with its unit."""
    return _value(told, told.fitted_to)


def _value(told: Extrapolation, value: float) -> str:
    if told.by == "compute":
        return amount(value, "FLOP")
    return f"{significant(value)} tokens per parameter"


def _form(form: str) -> str:
    name = NAMES.get(form, form)
    head, comma, rest = name.partition(",")
    return f"the {head} form{' with' + rest if comma else ''}"


def _off(miss: Miss) -> str:
    if miss.largest is None:
        return f"{signed(miss.mean)} in the mean"
    return f"{signed(miss.mean)} in the mean and {percent(abs(miss.largest))} at most"


def signed(fraction: float | None) -> str:
    """A signed percentage; empty where not known."""
    if fraction is None or math.isnan(fraction):
        return ""
    return off(fraction)
