"""Targets that no model reaches, told before any solver runs, by arithmetic alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from optimizer.algebra.posynomial import Term, build
from optimizer.algebra.program import Constraint, GeometricProgram
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.wording import (
    amount,
    either,
    nats,
    safely,
    typed,
    unbounded,
)
from optimizer.engine.diagnose import FAR, ROOM, Infimum, infimum
from optimizer.question.asked import SIZE, Question
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import read
from optimizer.records import replace
from optimizer.world.limits import Limit
from optimizer.world.surface import Surface, power

PRECISION = 1e-7  # s/L below which double precision cannot certify a plan
LARGEST = 1e60
TOUCHING = 1e-12  # bounds that meet the target exactly are met
# What each bound of a size leaves of the loss: the factor and the exponent.
_POWERS = {"limits.parameters": ("A", "alpha"), "limits.tokens": ("B", "beta")}


def unreachable(scenario: Scenario, question: Question) -> Infeasibility | None:
    """Explains a target that the law, or limits on N and D alone, put out of reach."""
    s, loss = question.reducible, question.target
    if s is None or loss is None:
        return None
    reason = beyond_law(scenario, question)
    if not reason:
        return _beyond_limits(scenario, question, s, loss)
    way, nearest = raised(scenario, question, lowest(question))
    return Infeasibility(reason, ("target",), (way,), nearest, None, None)


def out_of_reach(scenario: Scenario, question: Question) -> bool:
    """Whether a target is, without the reasons, which know no batches."""
    s = question.reducible
    if s is None or question.target is None:
        return False
    if beyond_law(scenario, question):
        return True
    left = _lefts(question)
    return bool(left) and sum(left.values()) > s * (1 + TOUCHING)


def beyond_law(scenario: Scenario, question: Question) -> str:
    """Why no plan for a target can be reckoned with, whatever the limits; or empty."""
    s, loss = question.reducible, question.target
    if s is None or loss is None:
        return ""
    surface = question.surface
    close = loss - surface.E < PRECISION * loss
    if s > 0 and not close and not _too_large(question, s):
        return ""  # the rule, which needs no words
    least = nats(surface.loss_of(0.0))
    enough = f"Choose at least {surface.loss_of(_closest(surface)):.10g} nats"
    if s <= 0:
        return (
            f"the target of {nats(loss)} is at or below the {scenario.law.floor} of "
            f"{scenario.law.name}, {least}: no model reaches it, however large. "
            "Choose a higher loss, or name a model to match: "
            "target: {match: {parameters: 13B}}"
        )
    if close:
        return (
            f"the target of {nats(loss)} is so close to the {scenario.law.floor} of "
            f"{scenario.law.name}, {least}, that double precision cannot certify a "
            f"plan. {enough}"
        )
    return (
        f"under {scenario.law.name} the target of {nats(loss)} needs more than "
        f"{LARGEST:.0e} parameters or tokens. {enough}"
    )


def _too_large(question: Question, s: float) -> bool:
    """Whether a reducible loss needs a size that nobody will reckon with."""
    most = max(question.surface.training_optimal(s))
    if not most < LARGEST:
        return True
    if question.plain or most < math.sqrt(LARGEST):
        return False
    # What stored weights lose grows with the tokens, and so asks for larger models.
    walls = [
        Constraint(
            name, build(question.variables, [Term("", 1 / LARGEST, {name: 1.0})])
        )
        for name in SIZE
    ]
    least = infimum(GeometricProgram(question.lossy(), (*question.nested, *walls)))
    return not least.value < s


def _closest(surface: Surface) -> float:
    """The least reducible loss that a plan can be certified for."""
    left = surface.alpha - surface.delta
    sizes = (
        surface.A * (1 + left / surface.beta) / power(LARGEST, surface.alpha),
        surface.B * (1 + surface.beta / left) / power(LARGEST, surface.beta),
    )
    near = power(2 * PRECISION * surface.E, 1 / surface.outer)
    return max(near, *(size * (1 + FAR) for size in sizes))


def raised(
    scenario: Scenario, question: Question, within: Infimum
) -> tuple[Relaxation, float | None]:
    """How far a target that the law excludes must rise, and the lowest loss there is.

    Args:
        scenario: with the target.
        question: the same as mathematics.
        within: the lowest reducible loss that all other bounds allow.
    """
    surface = question.surface
    nearest = after = None
    if math.isfinite(within.value):
        room = ROOM if within.attained else FAR
        nearest = surface.loss_of(within.value)
        after = surface.loss_of(max(within.value * (1 + room), _closest(surface)))
    place = scenario.place("target")
    return Relaxation("target", question.target or 0.0, after, place), nearest


def lowest(question: Question) -> Infimum:
    """The lowest reducible loss within the limits; ∞ where they exclude each other.

    By arithmetic where nothing but N and D is limited, else by a program.
    """
    if _simple(question):
        left = sum(_left(question, cap, cap.bound) for cap in question.limits)
        return Infimum(left, len(question.limits) == len(_POWERS), None)
    walls = GeometricProgram(question.lossy(), question.walls)
    return infimum(walls.fixing(question.fixed))


def _simple(question: Question) -> bool:
    """Whether N and D are all that is limited, on the bare surface."""
    known = {limit.name for limit in question.limits} <= set(_POWERS)
    bare = question.plain and not question.surface.mixed
    return known and bare and not (question.fixed or question.physics)


def _beyond_limits(
    scenario: Scenario, question: Question, s: float, loss: float
) -> Infeasibility | None:
    """A target below what the greatest model on the most tokens reaches.

    Only where nothing else is limited or fixed, so that this arithmetic is all.
    """
    caps = question.limits
    left = _lefts(question)
    if not left:
        return None
    # With one limit the least has the other variable at infinity.
    reached = len(caps) > 1
    room = ROOM if reached else FAR
    short = sum(left.values())
    if short <= s * (1 + TOUCHING):
        return None
    alone = [cap for cap in caps if left[cap.name] >= s]
    conflict = alone[:1] or list(caps)
    named = [f"{cap.name} of {amount(cap.bound, cap.unit)}" for cap in conflict]
    nearest = question.surface.loss_of(short)
    changes = [
        (
            math.log(short / s),
            Relaxation(
                "target",
                loss,
                question.surface.loss_of(short * (1 + room)),
                scenario.place("target"),
            ),
        )
    ]
    for cap in caps:
        rest = s - (short - left[cap.name])
        after = None
        if rest > 0:
            least = cap.bound * (left[cap.name] / rest) ** (1 / _power(question, cap))
            after = least * (1 + room)
        place = scenario.place(cap.name)
        change = 0.0 if after is None else math.log(after / cap.bound)
        changes.append(
            (change, Relaxation(cap.name, cap.bound, after, place, cap.unit))
        )
    nearest_first = [way for _, way in sorted(changes, key=lambda pair: pair[0])]
    return Infeasibility(
        opening=(
            f"no model meets the target of {nats(loss)} and {either(named, 'and')} "
            "together"
        ),
        conflict=("target", *(cap.name for cap in conflict)),
        relaxations=tuple(way for _, way in changes),
        nearest_loss=nearest,
        uniform=_uniform(question, caps, s),
        certificate=None,
        nearest_reached=reached,
        lowest=lowest_words(nearest, reached),
        cure=cure(nearest_first),
    )


def only_near(why: Infeasibility) -> Infeasibility:
    """The same where whole machines stay above a lowest loss that is in fractions."""
    if why.nearest_loss is None:
        return why
    lowest = why.lowest and lowest_words(why.nearest_loss, reached=False)
    return replace(why, nearest_reached=False, lowest=lowest)


def lowest_words(loss: float, reached: bool) -> str:
    """The lowest loss of all plans, or what all of them stay above."""
    if reached:
        return f"within the limits the lowest loss is {nats(loss)}"
    return f"within the limits every loss stays above {safely(loss, 'nats', up=False)}"


def _power(question: Question, cap: Limit) -> float:
    exponent: float = getattr(question.surface, _POWERS[cap.name][1])
    return exponent


def _lefts(question: Question) -> dict[str, float]:
    """What each limit leaves, where nothing else is limited or fixed; else empty."""
    if not _simple(question):
        return {}
    return {cap.name: _left(question, cap, cap.bound) for cap in question.limits}


def _left(question: Question, cap: Limit, bound: float) -> float:
    """The reducible loss that a bound alone leaves."""
    factor: float = getattr(question.surface, _POWERS[cap.name][0])
    return factor / power(bound, _power(question, cap))


def _uniform(question: Question, caps: Sequence[Limit], s: float) -> float:
    """The factor by which all bounds and s must grow together, by bisection."""
    low, high = 0.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        u = math.exp(middle)
        short = sum(_left(question, cap, u * cap.bound) for cap in caps)
        low, high = (middle, high) if short > u * s else (low, middle)
    return math.exp(high)


def cure(relaxations: Sequence[Relaxation]) -> str:
    """Says in words which single changes restore a plan.

    Args:
        relaxations: the smallest change first.
    """
    given = [r for r in relaxations if r.after and typed(r.after, r.unit)]
    ways = [f"{called(r.name)} to {needed(r)}" for r in given]
    if not ways:
        return "No single change restores a plan; relax several of them together"
    least = f"The smallest change that restores a plan is {ways[0]}"
    return f"{least}; {either(ways[1:])} would do too" if ways[1:] else least


def change(way: Relaxation, surface: Surface) -> float:
    """How far a bound moves, in logarithms, of a target its reducible loss; ∞: none."""
    before, after = way.before, way.after
    if after is None:
        return math.inf
    if way.unit == "nats":
        before, after = surface.reducible(before), surface.reducible(after)
    return abs(math.log(after / before)) if before > 0 and after > 0 else math.inf


def owned(name: str) -> str:
    """A bound by the user's word, with the model after it where there are several."""
    model, _, word = name.rpartition(": ")
    return f"{word} ({model})" if model else word


def called(name: str) -> str:
    """A bound in a sentence; the memory of a replica is no word of the file."""
    return owned(name).replace("serving.memory", "the memory of a serving replica")


def stated(way: Relaxation) -> str:
    """A bound with its value: limits.tokens of 2.0T."""
    if way.unit == "nats":
        return f"the {called(way.name)} of {nats(way.before)}"
    return f"{called(way.name)} of {amount(way.before, way.unit)}"


def needed(way: Relaxation) -> str:
    """Writes where a bound must go, rounded so that this number will do."""
    after = way.before if way.after is None else way.after
    return safely(after, way.unit, after > way.before)


def printed(way: Relaxation, value: float) -> float:
    """The number that a page has of where a bound must go, which is what is typed."""
    text = needed(replace(way, after=value))
    return read(text.removesuffix(" nats"), unbounded(way.unit))
