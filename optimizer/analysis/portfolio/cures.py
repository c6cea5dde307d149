"""What each cure of a portfolio leads to, and the one that is sensible."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial

from optimizer.algebra.program import Status
from optimizer.analysis.plan.cures import (
    Led,
    advised,
    beyond_runs,
    machines,
    priced,
)
from optimizer.analysis.plan.every_case import nearest, of_all
from optimizer.analysis.plan.extremes import training_optimal, training_overhead
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.loosened import freed, moved
from optimizer.analysis.plan.reach import beyond_law, printed
from optimizer.analysis.portfolio.deadlock import notes
from optimizer.analysis.portfolio.drawn import decided
from optimizer.analysis.portfolio.whole_joint import in_whole_numbers, jointly
from optimizer.engine.certify import UncertifiedError
from optimizer.errors import Defect, InputError
from optimizer.question.asked import SIZE
from optimizer.question.portfolio import (
    JointQuestion,
    Portfolio,
    formulate_portfolio,
    own,
    variable,
)
from optimizer.records import replace
from optimizer.world.surface import Surface

Total = Callable[[Portfolio], float | None]
SHARED = "shared.training_time"
WHOLE = "batches, replicas and samples"


def cured(
    portfolio: Portfolio, joint: JointQuestion, why: Infeasibility, total: Total
) -> Infeasibility:
    """Adds to each relaxation what it costs, and the sensible one.

    Sensible is a plan in which no model takes more than twice the least compute for
    its loss.

    Args:
        portfolio: without a joint plan.
        joint: the same as mathematics.
        why: there is none.
        total: solves a portfolio for its cost; None where it has no plan.
    """
    if why.beside:
        why = _in_whole(portfolio, joint, why)

    def light(name: str, value: float) -> Led | None:
        other = _moved(portfolio, name, value)
        return None if other is None else _led(other)

    def whole(name: str, value: float) -> Led | None:
        other = _moved(portfolio, name, value)
        led = None if other is None else _led(other)
        if other is None or led is None:
            return None
        cost = total(other)
        return None if cost is None else replace(led, total=cost)

    def further(way: Relaxation) -> float | None:
        if way.after is None:
            return None
        return _least(portfolio, joint, way, printed(way, way.after))

    ways = []
    for way in why.relaxations:
        surface = _surface(joint, way)
        model = way.name.rpartition(": ")[0]
        far = False
        if model:
            index = joint.names.index(model)
            far = bool(beyond_law(portfolio.members[index], joint.questions[index]))
        ways.append(priced(way, whole, surface, light, further, far))
    more = None
    counts = {m.spec.training.accelerators for m in portfolio.members}
    if len(counts) == 1:
        # Models that train one after another, all on the same machines.
        more = machines(ways, SHARED, counts.pop())
    return advised(why, ways, more)


def _in_whole(
    portfolio: Portfolio, joint: JointQuestion, why: Infeasibility
) -> Infeasibility:
    """What holds for all whole numbers, in place of what does for the nearest ones."""

    def movable(way: Relaxation) -> bool:
        return _moved(portfolio, way.name, way.before) is not None

    def without(names: Collection[str]) -> bool:
        return any(map(_has_plan, _freed(portfolio, joint, names)))

    why = of_all(
        why,
        f"in whole {WHOLE}",
        partial(_surface, joint),
        movable,
        without,
        lambda way: _least(portfolio, joint, way, way.before),
    )
    return replace(why, notes=tuple(notes(joint, why.relaxations, why.conflict)))


def _surface(joint: JointQuestion, way: Relaxation) -> Surface:
    """That of the model whose bound it is."""
    model = way.name.rpartition(": ")[0]
    return joint.questions[joint.names.index(model) if model else 0].surface


def _least(
    portfolio: Portfolio, joint: JointQuestion, way: Relaxation, start: float
) -> float | None:
    """Where a bound must go from a start for a joint plan in whole numbers."""

    def at(value: float) -> bool:
        other = _moved(portfolio, way.name, value)
        return other is not None and _has_plan(other)

    return nearest(way, start, _surface(joint, way), at)


def _has_plan(portfolio: Portfolio) -> bool:
    """Whether a portfolio has a joint plan in whole numbers."""
    try:
        made = in_whole_numbers(decided(jointly(portfolio)))
    except (InputError, Defect, UncertifiedError):
        return False
    return made.solution.status is Status.OPTIMAL


def _freed(
    portfolio: Portfolio, joint: JointQuestion, names: Collection[str]
) -> Iterator[Portfolio]:
    """A portfolio without some bounds; targets are raised, ever further."""
    shared = {
        name.partition(".")[2]: None for name in names if name.startswith("shared.")
    }
    ways = []
    for member, question in zip(portfolio.members, joint.questions, strict=True):
        prefix = own(member.name, "")
        mine = [n.removeprefix(prefix) for n in names if n.startswith(prefix)]
        ways.append(list(freed(member, question, mine)))
    kept = portfolio.shared.model_copy(update=shared)
    for turn in range(max(map(len, ways))):
        members = tuple(each[min(turn, len(each) - 1)] for each in ways)
        yield replace(portfolio, members=members, shared=kept)


def _led(portfolio: Portfolio) -> Led | None:
    """The joint optimum, with machines in fractions, and its greatest overhead."""
    try:
        joint = formulate_portfolio(portfolio)
        if any(not (q.reducible or 0.0) > 0 for q in joint.questions):
            return None
        found = jointly(portfolio)
    except InputError:
        return None
    if found.solution.status is not Status.OPTIMAL:
        return None
    at, joint = found.point, found.question
    overheads, far = [], []
    for member, (name, question) in zip(portfolio.members, joint.models, strict=True):
        size = {v: at[variable(v, name)] for v in SIZE}
        point = question.complete(size)
        best = training_optimal(question, question.reducible or 0.0, point)
        overheads.append(training_overhead(question, point, best))
        far.append(beyond_runs(member.law, point["N"], point["D"]))
    farthest = (max(of) for of in zip(*far, strict=True))
    return Led(found.solution.value, max(overheads), *farthest)


def _moved(portfolio: Portfolio, name: str, value: float) -> Portfolio | None:
    """A portfolio with one bound moved, of a model or shared."""
    section, _, word = name.partition(".")
    if section == "shared":
        shared = portfolio.shared.model_copy(update={word: value})
        return replace(portfolio, shared=shared)
    members = list(portfolio.members)
    for index, member in enumerate(members):
        prefix = own(member.name, "")
        if not name.startswith(prefix):
            continue
        other = moved(member, name.removeprefix(prefix), value)
        if other is None:
            return None
        members[index] = other
        return replace(portfolio, members=tuple(members))
    return None
