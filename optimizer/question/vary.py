"""A scenario with one number for each member in place of single ones.

`formulate` is plain arithmetic on the scenario's numbers, so it takes `Many` as it
takes a complex step. Where members part ways (a longer life has more months, no demand
has no serving) each side is formulated by itself; a member that cannot be formulated
is one with a problem, not an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np

from optimizer.algebra.batch_value import Divided, Many
from optimizer.algebra.posynomial import Array, Integers
from optimizer.errors import InputError, Mark, Problem
from optimizer.question.asked import Question
from optimizer.question.axes import Axis, Number, Wanted, axis, counted, wanted
from optimizer.question.draws import Draws, draws, law_draws
from optimizer.question.formulate import formulate
from optimizer.question.inputs import all_changed
from optimizer.question.load import read_document
from optimizer.question.one_loss import refuse_chosen_loss
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import significant
from optimizer.records import dataclass, replace

T = TypeVar("T")
V = TypeVar("V")

# What is decided further of some members, by their numbers.
Also: TypeAlias = Callable[[Scenario, Integers], Scenario]

MOST = 10**12  # rows of a sweep: weeks of the fastest ones


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep: a scenario and what varies in it; the last axis varies fastest.

    Attributes:
        scenario: with the first value of each axis.
        axes: grids and lists in the order in which they were given, then the draws.
    """

    scenario: Scenario
    axes: tuple[Axis | Draws, ...]

    @property
    def count(self) -> int:
        """The number of rows."""
        return counted(self.axes)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """What varies, one column each."""
        return tuple(number for one in self.axes for number in one.numbers)

    def columns(self, start: int, stop: int) -> Array:
        """The values of some rows, `(rows, numbers)`, which may be read only."""
        if not self.axes:
            return np.zeros((stop - start, 0))
        if len(self.axes) == 1:
            one = self.axes[0]
            if isinstance(one, Draws):
                return one.between(start, stop)
            return one.at(np.arange(start, stop))
        shape = [one.count for one in self.axes]
        places = np.unravel_index(np.arange(start, stop), shape)
        parts = [one.at(at) for one, at in zip(self.axes, places, strict=True)]
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True, eq=False)
class Group(Generic[T]):
    """Many that take the same path through `formulate`.

    Attributes:
        rows: their numbers.
        question: with `Many` for what differs; None where it cannot be asked.
        view: what the caller made of it.
        problem: why it cannot be asked.
    """

    rows: Integers
    question: Question | None = None
    view: T | None = None
    problem: str = ""


def plan(
    scenario: Scenario,
    varied: Sequence[str],
    sample: int | None = None,
    seed: int = 0,
) -> Plan:
    """Reads what a sweep varies.

    Args:
        scenario: from `load_scenario`.
        varied: texts as `--vary` takes them.
        sample: how many draws from the stated uncertainties, or None for none.
        seed: of the draws.

    Raises:
        InputError: every mistake of the first wrong text; or each row would choose
            a loss of its own.
    """
    refuse_chosen_loss([scenario], "a sweep")
    wants = [wanted(text) for text in varied]
    names = [want.name for want in wants]
    for i, want in enumerate(wants):
        if want.name in names[:i]:
            raise want.wrong("is varied twice; keep one of them")
    base = scenario
    for at in (-1, 0):
        base = _overridden(scenario, wants, at)
    axes: list[Axis | Draws] = [axis(want, base) for want in wants]
    if sample is not None:
        fixed = frozenset(number.path for one in axes for number in one.numbers)
        axes.append(draws(base, sample, seed, fixed))
    if (count := counted(axes)) > MOST:
        message = (
            f"makes {significant(count)} rows, and at most {significant(MOST)} can be "
            "counted; take fewer steps or draws"
        )
        raise InputError([Problem(Mark("sweep"), "", message)])
    return Plan(base, tuple(axes))


def of_law(scenario: Scenario, count: int, seed: int) -> Plan:
    """The draws of a law alone; what else is uncertain stays as it is expected."""
    return Plan(scenario, (law_draws(scenario, count, seed),))


def _overridden(scenario: Scenario, wants: Sequence[Wanted], at: int) -> Scenario:
    """The scenario with the first or last value of each, checked like a file."""
    if not wants:
        return scenario
    texts = {f"--set {w.name}={w.values[at]}": w.text for w in wants}
    overrides = [text.removeprefix("--set ") for text in texts]
    try:
        return read_document(scenario.document, scenario.base, overrides)
    except InputError as error:
        raise InputError(
            replace(p, mark=Mark(f"--vary {texts[p.mark.file]}"))
            if p.mark.file in texts
            else p
            for p in error.problems
        ) from None


def member(plan: Plan, row: int) -> Scenario:
    """The scenario of one row."""
    return placed(plan, plan.columns(row, row + 1), np.array([0]))


def as_it_is(scenario: Scenario, _: Integers) -> Scenario:
    """Decides nothing more."""
    return scenario


def groups(
    plan: Plan,
    columns: Array,
    view: Callable[[Scenario, Question], T],
    also: Also = as_it_is,
) -> Iterator[Group[T]]:
    """Formulates the members of a block, as many at a time as go together.

    Args:
        plan: the sweep.
        columns: values of `(rows, numbers)`.
        view: what to make of each question; members may part in there too.
        also: decides more of each.
    """

    def asked(scenario: Scenario) -> tuple[Question, T]:
        question = formulate(scenario)
        return question, view(scenario, question)

    for rows, found in parted(plan, columns, asked, also):
        if isinstance(found, str):
            yield Group(rows, problem=found)
        else:
            yield Group(rows, *found)


def parted(
    plan: Plan,
    columns: Array,
    view: Callable[[Scenario], V],
    also: Also = as_it_is,
) -> Iterator[tuple[Integers, V | str]]:
    """What is made of the members of a block, as many at a time as go together.

    Args:
        plan: the sweep.
        columns: values of `(rows, numbers)`.
        view: what to make of scenarios, no text; members may part in there.
        also: decides more of each.

    Yields:
        The numbers of some, and their view, or why they have none.
    """
    waiting = [np.arange(len(columns))]
    while waiting:
        rows = waiting.pop()
        try:
            with np.errstate(all="ignore"):
                seen = view(also(placed(plan, columns, rows), rows))
            yield rows, seen
        except Divided as parting:
            waiting += [rows[~parting.mask], rows[parting.mask]]
        except (InputError, ValueError, ArithmeticError) as error:
            yield rows, str(error)
        except TypeError:
            # Some step knows plain numbers only: one member at a time.
            if len(rows) == 1:
                raise
            waiting += [rows[i : i + 1] for i in range(len(rows))]


def placed(plan: Plan, columns: Array, rows: Integers) -> Scenario:
    """The scenario of some members.

    Args:
        plan: the sweep.
        columns: values of `(rows, numbers)`.
        rows: which of them.
    """
    numbers = plan.numbers
    own = columns if len(rows) == len(columns) else columns[rows]
    changes = [
        (number.path, _always(together(column, number.whole)))
        for number, column in zip(numbers, np.ascontiguousarray(own.T), strict=True)
    ]
    return all_changed(plan.scenario, changes)


def together(column: Array, whole: bool = False) -> Any:
    """`Many`, or one number where it is the same for all."""
    first = column[0]
    if len(column) == 1 or (first == column[-1] and (column == first).all()):
        return int(column[0]) if whole else float(column[0])
    return Many(column)


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _: value
