"""A sweep of numbers and words, of one model or of several that share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import Status
from optimizer.analysis.portfolio.joint_plan import JointPlan, solve_portfolio
from optimizer.analysis.sweep.sweep import STATUSES, Rows, results_of, sweep
from optimizer.errors import InputError, Mark, Problem
from optimizer.question.axes import (
    Axis,
    Number,
    Wanted,
    axis,
    axis_of,
    counted,
    wanted,
)
from optimizer.question.portfolio import Portfolio, Shared
from optimizer.question.portfolio_file import read_portfolio
from optimizer.question.sampling import left_open
from optimizer.question.scenario import Scenario
from optimizer.question.vary_words import Part, parts
from optimizer.reading.loss_words import NATS, common, said_in
from optimizer.records import dataclass, replace
from optimizer.world.costs import UNITS

Block = tuple[tuple[str, ...], Rows]  # the words of some rows, and the rows
MODEL = ("parameters", "tokens", "loss")  # of each model of a portfolio
JOINT = ("cost_total", "stationarity", "violation", "gap")
PERIOD = re.compile(r"/(hour|day|week|month|year)")


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a sweep asks, and how its rows are had.

    Attributes:
        name: of the scenario or the portfolio.
        words: the columns of words that vary.
        numbers: what varies, one column each.
        results: the columns of what is found, each with its unit.
        unit: of the costs.
        count: of the rows.
        parts: one a combination of words; none of a portfolio.
        blocks: works the rows out, in their order, until it is told to stop.
    """

    name: str
    words: tuple[str, ...]
    numbers: tuple[Number, ...]
    results: Mapping[str, str]
    unit: str
    count: int
    parts: tuple[Part, ...]
    blocks: Callable[[Callable[[], bool]], Iterator[Block]]

    @property
    def inputs(self) -> dict[str, str]:
        """The columns of numbers that vary, with their units."""
        return {number.name: number.unit for number in self.numbers}


def swept(
    asked: Scenario | Portfolio,
    varied: Sequence[str],
    sample: int | None = None,
    seed: int = 0,
) -> Sweep:
    """Reads what a sweep varies.

    Args:
        asked: from `load`.
        varied: texts as `--vary` takes them.
        sample: how many draws from the stated uncertainties, or None for none.
        seed: of the draws.

    Raises:
        InputError: every mistake of the first wrong text.
    """
    if isinstance(asked, Portfolio):
        return _joint(asked, varied, sample)
    words, found = parts(asked, varied, sample, seed)
    first = found[0].plan.scenario
    unit = UNITS[first.spec.objective]
    losses = common(part.plan.scenario.law.loss_unit for part in found)
    units = {"cost": unit, NATS: losses}

    def blocks(stopped: Callable[[], bool]) -> Iterator[Block]:
        for part in found:
            for rows in sweep(part.plan, stopped):
                yield part.words, rows

    return Sweep(
        name=asked.name,
        words=words,
        numbers=tuple(
            replace(number, unit=said_in(number.unit, losses))
            for number in found[0].plan.numbers
        ),
        results={w: units.get(of, of) for w, of in results_of(first).items()},
        unit=unit,
        count=sum(part.plan.count for part in found),
        parts=found,
        blocks=blocks,
    )


def _joint(portfolio: Portfolio, varied: Sequence[str], sample: int | None) -> Sweep:
    """A sweep of a portfolio, whose joint program is solved row by row.

    Raises:
        InputError: a text is wrong, or draws are asked for.
    """
    if sample is not None:
        message = "draws are of one model; sweep each model of the portfolio by itself"
        raise InputError([Problem(Mark("--sample"), "", message)])
    wants = [wanted(text) for text in varied]
    axes = [_axis(portfolio, want) for want in wants]
    unit = UNITS[portfolio.members[0].spec.objective]
    results = {
        f"{member.name}.{word}": unit_of
        for member in portfolio.members
        for word, unit_of in zip(
            MODEL, ("parameters", "tokens", member.law.loss_unit), strict=True
        )
    }
    results |= {
        f"{member.name}.samples": ""
        for member in portfolio.members
        if left_open(member) is not None
    }
    results |= dict.fromkeys(JOINT, "") | {"cost_total": unit}

    shape = [one.count for one in axes]

    def row(place: int) -> tuple[list[str], Array]:
        """The assignments of a row, and their values."""
        at = [int(i) for i in np.unravel_index(place, shape)] if shape else []
        values = [
            float(one.at(np.array([i]))[0, 0]) for one, i in zip(axes, at, strict=True)
        ]
        asked = zip(wants, axes, at, values, strict=True)
        return [_text(*each) for each in asked], np.array(values)

    def blocks(stopped: Callable[[], bool]) -> Iterator[Block]:
        for place in range(counted(axes)):
            if stopped():
                return
            yield (), _row(portfolio, *row(place), list(results))

    _read(portfolio, row(0)[0])  # tells mistakes before any is solved
    return Sweep(
        name=portfolio.name,
        words=(),
        numbers=tuple(one.number for one in axes),
        results=results,
        unit=unit,
        count=counted(axes),
        parts=(),
        blocks=blocks,
    )


def _axis(portfolio: Portfolio, want: Wanted) -> Axis:
    """The values of a `--vary`, in the units of the model's field or the shared one."""
    first, _, rest = want.name.partition(".")
    if first == "shared":
        return axis_of(want, Shared, tuple(rest.split(".")))
    member, _, inner = rest.partition(".")
    named = {one.name: one for one in portfolio.members}
    if first == "models" and member in named:
        found = axis(replace(want, name=inner), named[member])
    else:
        found = axis(want, portfolio.members[0])
    return replace(found, number=replace(found.number, name=want.name))


def _text(want: Wanted, one: Axis, index: int, value: float) -> str:
    """The assignment of one value, as `--set` takes it."""
    if not want.count:
        return f"{want.name}={want.values[index]}"
    per = PERIOD.search(one.number.unit)
    told = str(int(value)) if one.number.whole else repr(value)
    return f"{want.name}={told}{per[0] if per else ''}"


def _read(portfolio: Portfolio, sets: Sequence[str]) -> Portfolio:
    return read_portfolio(portfolio.document, portfolio.members[0].base, sets)


def _row(
    portfolio: Portfolio, sets: Sequence[str], values: Array, names: Sequence[str]
) -> Rows:
    """One row: the joint plan, or why there is none."""
    results = np.full((1, len(names)), np.nan)
    problems: tuple[str, ...] = ()
    status = "invalid"
    try:
        found = solve_portfolio(_read(portfolio, sets), whole=False)
    except InputError as error:
        problems = (str(error),)
    else:
        status = "infeasible"
        if found.status is Status.OPTIMAL:
            status = "optimal"
            told = _found(found)
            results[0] = [told[name] for name in names]
    place = np.array([STATUSES.index(status)])
    return Rows(values[None, :], place, results, problems=problems)


def _found(joint: JointPlan) -> dict[str, float]:
    told: dict[str, float] = {"cost_total": joint.total or 0.0}
    for answer in joint.members:
        if answer.plan is not None:
            for word in MODEL:
                told[f"{answer.scenario}.{word}"] = getattr(answer.plan, word)
            if answer.plan.samples is not None:
                told[f"{answer.scenario}.samples"] = answer.plan.samples
    if joint.certificate is not None:
        for word in JOINT[1:]:
            told[word] = getattr(joint.certificate, word)
    return told
