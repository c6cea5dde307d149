"""The plan of each draw with its machines in whole numbers, many draws at once.

As `solve` makes one: beside the optimum in fractions the replicas that stand are a
whole number, and then the batches, each a program of its own. Here all draws try the
same side together. With whole replicas and batches in fractions a plan costs no more
than with both whole, so that a draw tries the batches of its dearer replicas only where
those may still be cheaper.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from optimizer.algebra.batch_value import Mask
from optimizer.algebra.posynomial import Array, Integers
from optimizer.analysis.plan.pointwise import completed
from optimizer.analysis.plan.rounded import fractions
from optimizer.analysis.plan.steps import EQUAL, MOST, ROUNDS
from optimizer.analysis.plan.whole import MANY, SEVERAL
from optimizer.analysis.sweep.beside import beside as stood_beside
from optimizer.analysis.sweep.beside import further
from optimizer.analysis.sweep.rows import training_optimal
from optimizer.analysis.sweep.sweep import (
    RESULTS,
    STATUSES,
    Rows,
    cheapest,
    least,
    single_rows,
)
from optimizer.analysis.uncertainty.machines import (
    Decided,
    Numbers,
    Taken,
    beside,
    priced,
    taken,
)
from optimizer.question.sampling import left_open
from optimizer.question.vary import Plan, groups
from optimizer.records import dataclass, replace

OPTIMAL, INFEASIBLE = STATUSES.index("optimal"), STATUSES.index("infeasible")
AT = {word: place for place, word in enumerate(RESULTS)}


def whole_rows(plan: Plan, start: int, stop: int) -> Rows:
    """The rows of a sweep from `start` up to `stop`, with whole machines.

    With all that a scenario asks for, as `sweep.told` has it. A student is held against
    the plan with machines in fractions, as its own are.
    """
    inputs, scenario = plan.columns(start, stop), plan.scenario
    singles = [replace(plan, scenario=one) for one in scenario.singles]
    with np.errstate(all="ignore"):
        some = [single_rows(one, inputs) for one in singles]
        parts = _all_made(singles, some, AT[least(scenario)])
    found, _ = cheapest(parts, least(scenario))
    if not further(scenario):
        return found
    amounts, picked = cheapest(some, least(scenario))
    totals, whole = (one.results[:, AT["cost_total"]] for one in (amounts, found))
    more = stood_beside(plan, start, totals, picked, whole)
    more[found.status > INFEASIBLE] = np.nan
    return replace(found, results=np.concatenate([found.results, more], axis=1))


def _all_made(singles: Sequence[Plan], some: Sequence[Rows], by: int) -> list[Rows]:
    """The rows of each choice in whole numbers, as far as they may be the best."""
    values = [_values(one, by) for one in some]
    best = np.full(len(values[0]), np.inf)
    made = list(some)
    for place in np.argsort([np.median(each) for each in values], kind="stable"):
        may = values[place] < best * (1 - EQUAL)
        made[place] = _made(singles[place], some[place], may)
        best = np.minimum(best, _values(made[place], by))
    return made


def _made(plan: Plan, some: Rows, may: Mask) -> Rows:
    """Rows of a scenario without choices, made whole where there is something to.

    Args:
        plan: the sweep.
        some: the same rows with machines and samples in fractions.
        may: which of them may be better than what is known; the others have no plan.
    """
    if not fractions(plan.scenario):
        return some
    planned = some.status == OPTIMAL
    rows = np.flatnonzero(planned & may)
    part = _part(some, rows)
    status, results = some.status.copy(), some.results.copy()
    status[planned & ~may], results[planned & ~may] = INFEASIBLE, np.nan
    if not rows.size:
        return replace(some, status=status, results=results)
    if left_open(plan.scenario) is None or plan.scenario.samples is not None:
        made = _Search(plan, part, Decided()).run()
    else:
        made = _drawn(plan, part)
    status[rows], results[rows] = made.status, made.results
    return replace(some, status=status, results=results, alone=some.alone + made.alone)


def _drawn(plan: Plan, part: Rows) -> Rows:
    """Makes the number of samples whole, and then the machines."""
    ways = []
    for number in beside(part.results[:, AT["samples"]]):
        decided = Decided(samples=number)
        one = single_rows(plan, part.inputs, decided.also)
        rows = np.flatnonzero(one.status == OPTIMAL)
        if rows.size:
            search = _Search(plan, _part(one, rows), decided.of(rows))
            made = search.run()
            one.status[rows], one.results[rows] = made.status, made.results
        ways.append(one)
    return cheapest(ways, least(plan.scenario))[0]


def _part(all_: Rows, rows: Integers) -> Rows:
    return Rows(all_.inputs[rows], all_.status[rows], all_.results[rows])


@dataclass
class _Best:
    """The best of each row so far.

    Attributes:
        value: that is least.
        status: of the row.
        results: its own.
        decided: in whole numbers of the best.
        alone: rows that were answered one by one.
    """

    value: Array
    status: Integers
    results: Array
    decided: Decided
    alone: int = 0

    def take(self, rows: Integers, value: Array, found: Rows, decided: Decided) -> None:
        """Takes what is better than the best so far."""
        self.alone += found.alone
        known = self.value[rows]
        better = np.where(np.isinf(known), np.isfinite(value), value < known)
        to = rows[better]
        self.value[to] = value[better]
        self.status[to] = OPTIMAL
        self.results[to] = found.results[better]
        self.decided = self.decided.put(
            to, decided.of(np.flatnonzero(better)), len(self.value)
        )


class _Search:
    """The whole numbers of rows of one scenario, all with a plan in fractions."""

    def __init__(self, plan: Plan, part: Rows, decided: Decided) -> None:
        self.plan, self.part, self.decided = plan, part, decided
        self.by = AT[least(plan.scenario)]
        count = len(part.status)
        self.best = _Best(
            value=np.full(count, np.inf),
            status=np.full(count, INFEASIBLE),
            results=np.full(part.results.shape, np.nan),
            decided=decided,
        )

    def run(self) -> Rows:
        """The rows in whole numbers; those that have no plan there are infeasible."""
        all_ = np.arange(len(self.part.status))
        first = self._taken(all_, self.decided, self.part)
        if first.needs:
            self._standing(all_, first, more=0)
            if (rows := self._open).size:
                # Whole batches may leave what is needed too little room.
                self._standing(rows, first, more=1)
            most = np.max(list(first.needs.values()), axis=0)
            if (rows := np.flatnonzero(self._missing | (most > MANY))).size:
                self._batches_first(rows, first)
        else:
            self._batched(all_, self.decided, self.part)
            if (rows := self._open).size:
                # A batch that cannot be certified when whole stays as it is.
                self._take(rows, self.decided.of(rows), _part(self.part, rows))
        if len(self.best.decided.batches) >= SEVERAL:
            self._further()
        return self._told()

    @property
    def _missing(self) -> Mask:
        """Whether a row has no plan yet."""
        return np.isinf(self.best.value)

    @property
    def _open(self) -> Integers:
        return np.flatnonzero(self._missing)

    def _solved(self, rows: Integers, decided: Decided) -> Rows:
        return single_rows(self.plan, self.part.inputs[rows], decided.also)

    def _taken(self, rows: Integers, decided: Decided, found: Rows) -> Taken:
        N, D = (found.results[:, AT[word]] for word in ("parameters", "tokens"))
        return taken(self.plan, self.part.inputs[rows], decided, N, D)

    def _take(self, rows: Integers, decided: Decided, found: Rows) -> None:
        self.best.take(rows, _values(found, self.by), found, decided)

    def _standing(self, rows: Integers, first: Taken, more: int) -> None:
        """Tries the whole numbers of replicas beside what is needed, or one more.

        Args:
            rows: which.
            first: what all rows take in fractions.
            more: 0, or 1 for one replica more than is needed.
        """
        needs = {suffix: need[rows] for suffix, need in first.needs.items()}
        picks = list(_picks(needs, more))
        held = [self._stood(rows, first, pick) for pick in picks]
        found = [self._solved(rows, one) for one in held]
        values = np.array([_values(one, self.by) for one in found])
        order = values.argsort(axis=0, kind="stable")
        each = np.arange(len(rows))
        for which in order:
            # With batches in fractions it costs no more than with them whole.
            may = values[which, each] < self.best.value[rows] * (1 - EQUAL)
            for place in np.unique(which[may]):
                here = np.flatnonzero(may & (which == place))
                part = _part(found[place], here)
                self._batched(rows[here], held[place].of(here), part)

    def _stood(self, rows: Integers, of: Taken, pick: Numbers) -> Decided:
        """Some rows with replicas, paid by each phase for its load."""
        parts = {
            suffix: {key: part[rows] for key, part in of.parts[suffix].items()}
            for suffix in pick
        }
        return replace(self.decided.of(rows), replicas=pick, parts=parts)

    def _batched(self, rows: Integers, decided: Decided, found: Rows) -> None:
        """Tries the whole batches beside the best ones, for all that is decided."""
        batches = self._taken(rows, decided, found).batches
        if not batches:
            self._take(rows, decided, found)
            return
        for pick in _picks(batches):
            one = replace(decided, batches=pick)
            self._take(rows, one, self._solved(rows, one))

    def _batches_first(self, rows: Integers, first: Taken) -> None:
        """Tries whole batches first, and then the replicas that those need."""
        batches = {suffix: some[rows] for suffix, some in first.batches.items()}
        for pick in _picks(batches):
            alone = replace(self.decided.of(rows), batches=pick)
            found = self._solved(rows, alone)
            here = np.flatnonzero(found.status == OPTIMAL)
            if not here.size:
                continue
            part, places = _part(found, here), rows[here]
            then = self._taken(places, alone.of(here), part)
            for more in (0, 1):
                for stand in _picks(then.needs, more):
                    one = replace(alone.of(here), replicas=stand, parts=then.parts)
                    self._take(places, one, self._solved(places, one))

    def _further(self) -> None:
        """Goes on by steps of one, where the batches of several machines are open."""
        steps = list(itertools.product((-1.0, 0.0, 1.0), repeat=SEVERAL))
        suffixes = list(self.best.decided.batches)
        rows = np.flatnonzero(~self._missing)
        for _ in range(ROUNDS):
            before = self.best.value.copy()
            now = self.best.decided.of(rows)
            for pair, step in itertools.product(
                itertools.combinations(suffixes, SEVERAL), steps
            ):
                moved = {
                    suffix: np.maximum(now.batches[suffix] + by, 1.0)
                    for suffix, by in zip(pair, step, strict=True)
                }
                one = replace(now, batches={**now.batches, **moved})
                if any(step):
                    self._take(rows, one, self._solved(rows, one))
            rows = np.flatnonzero(self.best.value < before * (1 - EQUAL))
            if not rows.size:
                break

    def _told(self) -> Rows:
        """The rows, each beside the training-optimal model as that would be served."""
        best, results = self.best, self.best.results
        rows = np.flatnonzero(~self._missing)
        if rows.size:
            inputs = self.part.inputs[rows]
            decided = replace(self.decided.of(rows), batches={}, replicas={})
            N, D = (results[rows, AT[word]] for word in ("parameters", "tokens"))
            asked = groups(self.plan, inputs, lambda *_: None, decided.also)
            N0, D0 = N.copy(), D.copy()
            for group in asked:
                if (question := group.question) is not None:
                    at = group.rows
                    point = completed(question, {"N": N[at], "D": D[at]})
                    model = training_optimal(question, point, len(at))
                    N0[at], D0[at] = model["N"], model["D"]
            base, _ = priced(self.plan, inputs, decided, N0, D0)
            results[rows, AT["saving"]] = 1 - results[rows, AT["cost_total"]] / base
        return Rows(self.part.inputs, best.status, results, best.alone)


def _values(found: Rows, by: int) -> Array:
    """What is to be least; infinite without a plan."""
    return np.where(found.status == OPTIMAL, found.results[:, by], np.inf)


def _picks(numbers: Numbers, more: int = 0) -> Iterator[Numbers]:
    """Each mixture of the whole numbers beside some, or of so many more than those."""
    ends: dict[str, Sequence[Array]] = {}
    for suffix, some in numbers.items():
        down, up = beside(some)
        ends[suffix] = (up + more,) if more or (down == up).all() else (down, up)
    places = list(itertools.product(*(range(len(each)) for each in ends.values())))
    if len(places) > MOST:  # all one way
        places = [places[0], places[-1]]
    for picked in places:
        pairs = zip(ends.items(), picked, strict=True)
        yield {suffix: each[place] for (suffix, each), place in pairs}
