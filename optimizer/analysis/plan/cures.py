"""What each cure of an infeasible scenario leads to, and the one that is sensible.

The least change of a bound leaves a single model, often one trained on absurdly many
tokens. Beside it stands the change from which on training takes at most twice the least
compute for its loss: de Vries' critical size, for any bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.every_case import (
    FARTHEST,
    FIRST,
    Least,
    along,
    of_all,
)
from optimizer.analysis.plan.explain import notes
from optimizer.analysis.plan.extremes import training_optimal, training_overhead
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.loosened import moved
from optimizer.analysis.plan.reach import (
    beyond_law,
    called,
    change,
    cure,
    needed,
    only_near,
    printed,
)
from optimizer.analysis.plan.rounded import fractions
from optimizer.analysis.plan.search import best_planned, made_whole
from optimizer.analysis.plan.tried import Tried
from optimizer.analysis.plan.wording import either, safely, unbounded
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.crossing import crossing
from optimizer.errors import Defect, InputError
from optimizer.question.asked import Question
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import FAR, read
from optimizer.records import dataclass, replace
from optimizer.world.law import Law
from optimizer.world.surface import Surface

Ask = Callable[[Scenario], Answer]
TWICE = 1.0  # training overhead of a sensible plan, at most
CLOSE = 1e-5  # in the logarithm of a bound
MACHINES = "accelerators"


@dataclass(frozen=True)
class Led:
    """What a change leads to.

    Attributes:
        total: lifetime cost of the plan.
        overhead: its training compute over the least for its loss, less 1; of several
            models the greatest.
        stretch: its N or D over the most of the law's runs, whichever is farther
            beyond them; of several models the greatest. 0 where no runs are known.
        ratio: its D/N over the most of them, in the same way.
    """

    total: float
    overhead: float
    stretch: float = 0.0
    ratio: float = 0.0

    @property
    def beyond(self) -> float:
        """How far beyond the law's runs it is; at most 1 within them."""
        return max(self.stretch, self.ratio)


Move = Callable[[str, float], Led | None]  # a bound's name, and where it goes


def cured(
    scenario: Scenario,
    question: Question,
    why: Infeasibility,
    ask: Ask,
    lists: Scenario | None = None,
) -> Infeasibility:
    """Adds to each relaxation what it costs, and the sensible one.

    Args:
        scenario: without lists and without a plan.
        question: the same as mathematics.
        why: there is none.
        ask: solves a scenario.
        lists: the scenario with all of its choices, of which a cure leaves the best.
    """
    if why.beside:
        why = _in_whole(Tried(scenario, question, why))
    refused: dict[str, str] = {}

    def every(name: str, value: float) -> Scenario | None:
        if moved(scenario, name, value) is None:
            return None
        return (lists or scenario).every(lambda one: moved(one, name, value) or one)

    def move(name: str, value: float) -> Led | None:
        if (other := every(name, value)) is None:
            return None
        try:
            best = best_planned(other) if other.variants else None
            answer = ask(other.singles[0] if best is None else best[0])
        except InputError as error:
            refused.setdefault(name, error.problems[0].message)
            return None
        except (Defect, UncertifiedError):
            return None
        if answer.critical is None or answer.cost is None or answer.plan is None:
            return None
        N, D = answer.plan.parameters, answer.plan.tokens
        over = answer.critical.training_overhead
        return Led(answer.cost.total, over, *beyond_runs(scenario.law, N, D))

    def light(name: str, value: float) -> Led | None:
        other = every(name, value)
        return None if other is None else _led(other)

    far = bool(beyond_law(scenario, question))
    tried = Tried(scenario, question, why)

    whole = bool(fractions(scenario))

    def further(way: Relaxation) -> float | None:
        return tried.least(way.name) if whole and way.name in tried.ways else None

    ways = [
        priced(way, move, question.surface, light, further, far)
        for way in why.relaxations
    ]
    told = []
    for place, way in enumerate(ways):
        if way.cost is not None or way.after is None:
            continue
        if way.name in refused:
            what = refused[way.name].partition(":")[0]
            article = "A " if way.unit == "nats" else ""
            told.append(f"{article}{called(way.name)} of {needed(way)} {what}")
        elif moved(scenario, way.name, way.after) is None:
            continue
        # Otherwise it would do in fractions, and no whole machines do.
        ways[place] = replace(way, after=None)
    pairs = zip(ways, why.relaxations, strict=True)
    changed = {a.name for a, b in pairs if a.after != b.after}
    if "target" in changed - refused.keys():
        why = only_near(why)
    if changed:
        shown = sorted(ways, key=partial(change, surface=question.surface))
        why = replace(why, cure=why.cure and cure(shown), advice=tuple(told))
    if whole:
        why = replace(why, uniform=None)  # it is of batches and replicas in fractions
    count = scenario.spec.training.accelerators
    return advised(why, ways, machines(ways, "limits.training_time", count))


def _in_whole(tried: Tried) -> Infeasibility:
    """What holds for all whole numbers, in place of what does for the nearest ones."""
    question = tried.question

    def movable(way: Relaxation) -> bool:
        return way.name in tried.ways

    why = of_all(
        tried.why,
        f"in whole {made_whole(question)}",
        lambda _: question.surface,
        movable,
        tried.without,
        lambda way: tried.least(way.name),
    )
    return replace(why, notes=tuple(notes(question, why.relaxations, why.conflict)))


def _led(scenario: Scenario) -> Led | None:
    """The optimum and its overhead, without what else an answer says."""
    made = best_planned(scenario)
    if made is None:
        return None
    _, asked, found = made
    question = found.plan.question
    point = question.complete(found.plan.size)
    s = question.reducible or question.reducible_at(point)
    try:
        best = training_optimal(asked, s, point)
    except UncertifiedError:
        return None
    over = training_overhead(question, point, best)
    far = beyond_runs(scenario.law, point["N"], point["D"])
    return Led(found.plan.total, over, *far)


def beyond_runs(law: Law, N: float, D: float) -> tuple[float, float]:
    """A model's N or D, and its D/N, over the most of a law's runs; 0 where unknown."""
    known = law.range
    sizes = ((N, known.parameters), (D, known.tokens))
    size = max((size / ends[1] for size, ends in sizes if ends), default=0.0)
    ratio = known.tokens_per_parameter
    return size, D / N / ratio[1] if ratio else 0.0


def advised(
    why: Infeasibility, ways: Sequence[Relaxation], more: int | None
) -> Infeasibility:
    """Says the sensible changes too.

    Args:
        why: there is no plan.
        ways: out of it, with what they cost.
        more: accelerators that would do, or None.
    """
    advice = [*why.advice]
    if more is not None:
        told = safely(more, MACHINES, up=True)
        advice.append(f"In place of more time, {told} accelerators would do")
    if any(way.sensible is not None for way in ways):
        what = (
            "The cheapest plan takes at most twice the least training compute for its "
            "loss with"
        )
        inside = any(way.within_runs for way in ways)
        if inside:
            what = (
                "The cheapest plan is inside the runs that the law was fitted to with"
            )
        sensible = [
            f"{'a ' if way.unit == 'nats' else ''}{called(way.name)} of "
            f"{needed(replace(way, after=way.sensible or way.after))}"
            for way in ways
            if way.sensible is not None or (_enough(way) and not inside)
        ]
        advice.append(f"{what} {either(sensible)}")
    return replace(
        why, advice=tuple(advice), relaxations=tuple(ways), accelerators=more
    )


def _enough(way: Relaxation) -> bool:
    """Whether the least change leaves a sensible plan already."""
    return way.cost is not None and (way.overhead or 0.0) <= TWICE


def priced(
    way: Relaxation,
    move: Move,
    surface: Surface,
    light: Move,
    further: Least,
    far: bool = False,
) -> Relaxation:
    """A way out with the plan that it leaves, and the sensible one.

    Args:
        way: out.
        move: what a change of a bound leads to; None where there is no plan.
        surface: of the model whose target it is, if it is one.
        light: finds only the overhead, for a search.
        further: where a bound must go if whole batches and replicas need more.
        far: whether the law allows no such target: the least that it allows is far
            beyond its runs, and a sensible one is within them.
    """
    if way.after is None or abs(way.after) > FAR:
        return replace(way, after=None)  # beyond it no word takes a number
    up = way.after > way.before
    # As it is printed, for that is what will be typed.
    least = printed(way, way.after)
    led = move(way.name, least)
    if led is None:
        after = further(way)
        if after is not None and after != way.after:
            way = replace(way, after=after)
            least = printed(way, after)
            led = move(way.name, least)
    if led is None:
        return way
    way = replace(way, cost=led.total, overhead=led.overhead)
    inside = far and led.beyond > 1
    if led.overhead <= TWICE and not inside:
        return way
    found = _sensible(way, least, light, surface, inside)
    if found is None:
        return way
    then = move(way.name, read(safely(found, way.unit, up), unbounded(way.unit)))
    if then is None or then.overhead > TWICE:
        return way  # with lists another choice may be the best there
    return replace(way, sensible=found, sensible_cost=then.total, within_runs=inside)


def _beyond(
    way: Relaxation, least: float, surface: Surface
) -> Callable[[float], float]:
    """A bound by how far it is moved further than the least, in logarithms."""
    return along(way, least, surface, 1 if least > way.before else -1)


def _sensible(
    way: Relaxation, least: float, move: Move, surface: Surface, inside: bool
) -> float | None:
    """The bound, beyond the least, at which training takes twice the least compute.

    Or, `inside`, from which on the plan is in the law's runs, too.
    """
    bound = _beyond(way, least, surface)

    def led(log: float) -> Led | None:
        return move(way.name, bound(log))

    of: list[Callable[[Led], float]] = [lambda led: led.overhead / TWICE]
    if inside:
        # Their way in may be narrow: a model small enough for them is soon one that is
        # trained on more tokens per parameter than they were. So its near end first.
        of = [
            lambda led: led.stretch,
            lambda led: max(led.overhead / TWICE, led.beyond),
        ]
    log: float | None = 0.0
    for most in of:
        log = None if log is None else _first(led, most, log)
    return None if log is None else bound(log)


def _first(
    led: Callable[[float], Led | None], most: Callable[[Led], float], start: float
) -> float | None:
    """The first place from the start on where what is asked of a plan is at most 1."""
    at = cache(led)

    def excess(log: float) -> float:
        found = at(log)
        return math.inf if found is None else math.log(max(most(found), 1e-9))

    before = excess(start)
    if before <= 0:
        return start
    low, step = start, FIRST
    while not (after := excess(start + step)) <= 0:
        if math.isfinite(after) and at(low) == at(start + step):
            return None  # what does not bind changes nothing, however far it goes
        low, before, step = start + step, after, 2 * step
        if step > math.log(FARTHEST):
            return None
    if not math.isfinite(before):
        return None
    return crossing(excess, low, start + step, CLOSE) + 2 * CLOSE


def machines(ways: Sequence[Relaxation], name: str, count: float | None) -> int | None:
    """How many accelerators would do where time is short: as many times more.

    Args:
        ways: out.
        name: of the bound of time.
        count: of those that there are.
    """
    for way in ways:
        if way.name == name and count and way.after is not None:
            return math.ceil(count * way.after / way.before)
    return None
