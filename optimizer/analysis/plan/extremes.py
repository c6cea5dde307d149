"""The ends of a loss: its training optimum, its smallest model, its critical size.

On a bare surface these are closed forms; where data repeat or weights are quantized
they are geometric programs of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from optimizer.algebra.posynomial import Array, Posynomial, Term, build, merge
from optimizer.algebra.program import Constraint, GeometricProgram, Solution, Status
from optimizer.analysis.plan.pointwise import completed, reached
from optimizer.analysis.plan.saturation import approach
from optimizer.engine.arrays import near
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.cone import weights
from optimizer.engine.diagnose import infimum
from optimizer.engine.own import hemmed
from optimizer.engine.solve import closed, refine, solve
from optimizer.question.asked import SIZE, Question
from optimizer.world.costs import value
from optimizer.world.repetition import COVERED
from optimizer.world.surface import Surface

SMALLER = 30.0  # times, among how many sizes, a critical size is looked for
SIZES = 60
ROOM = 0.1  # ln of a bound over what it bounds: beyond it a guess is well within
LOOSER = (1e-8, 1e-7, 1e-6)  # relative, of a reducible loss
STEPS = 100  # of Newton; six are usual
TWICE = 2.0  # de Vries: the critical size trains at twice the least compute


def training_optimal(
    question: Question, s: float, plan: Mapping[str, float] | None = None
) -> dict[str, float]:
    """The model of reducible loss s of least training compute, and its best serving.

    The compute is what the scenario counts: 6·N·D, with attention where it has it.

    Args:
        question: the scenario.
        s: of the loss.
        plan: N and D of a model with that loss, to start from where the training
            optimum without repetition and quantization is far away.
    """
    N, D = question.surface.training_optimal(s)
    if question.closed:
        return question.complete({"N": N, "D": D})
    compute = build(question.core, merge(question.training))
    sizes = [{"N": N, "D": D}, *([] if plan is None else [plan])]
    best = _near(
        lambda slack: GeometricProgram(compute, bounds(question, s * (1 + slack))),
        [question.complete(size) for size in sizes],
    )
    return question.complete({name: best[name] for name in SIZE})


def training_compute(question: Question, point: Mapping[str, float]) -> float:
    """The training compute [FLOP] of a model, as the scenario counts it."""
    return sum(value(term, point) for term in question.training)


def training_overhead(
    question: Question, point: Mapping[str, float], best: Mapping[str, float]
) -> float:
    """The training compute of a model over that of the best of its loss, less 1."""
    least = training_compute(question, best)  # 0 where that is below what numbers hold
    return training_compute(question, point) / least - 1 if least else math.inf


def smallest(question: Question, s: float) -> float:
    """The N that no number of tokens can go below."""
    if question.plain:
        return question.surface.floor(s)
    bare = len(question.loss) == len(SIZE) and not question.outside
    if question.unique is not None and bare:
        return _on_repeated(question, s, question.unique)
    return infimum(GeometricProgram(_size(question), bounds(question, s))).value


def _on_repeated(question: Question, s: float, unique: float) -> float:
    """The same where unique tokens are read as often as a law covers.

    Nothing but tokens is missing then, and N' rises with N alone.
    """
    point = {"D": COVERED * unique, "U": unique}
    worth = {quantity.name: quantity for quantity in question.quantities}
    needed = question.surface.parameters_for(worth["D'"].worth(point), s)
    fading = worth.get("N'")
    return needed if fading is None else fading.sources(needed, point)


def critical(question: Question, s: float, best: Mapping[str, float]) -> float:
    """The smaller N at which training costs twice the least compute for s."""
    if question.closed:
        return critical_size(question.surface, s)
    least = training_compute(question, best)
    compute = build(question.core, merge(question.training)).scaled(1 / (TWICE * least))

    def program(slack: float) -> GeometricProgram:
        walls = (*bounds(question, s * (1 + slack)), Constraint("compute", compute))
        return GeometricProgram(_size(question), walls)

    asked = program(0.0)
    inside = np.log([best[name] for name in asked.variables])
    if (found := closed(asked, inside)) is not None and found.z is not None:
        return found.point["N"]
    ratio = critical_size(question.surface, s) / question.surface.training_optimal(s)[0]
    guesses = [
        question.complete({"N": N, "D": TWICE * best["D"] * best["N"] / N})
        for N in (_crossed(question, s, best), best["N"] * ratio, best["N"] * 0.9)
    ]
    return _near(program, guesses)["N"]


def _crossed(question: Question, s: float, best: Mapping[str, float]) -> float:
    """About where models of twice the training-optimal N·D reach s no longer."""
    N = best["N"] * np.geomspace(1.0, 1.0 / SMALLER, SIZES)
    point = completed(question, {"N": N, "D": TWICE * best["D"] * best["N"] / N})
    above = np.log(reached(question, point) / s)
    short = np.flatnonzero(above > 0)
    if not short.size or short[0] == 0:
        return float(N[-1])
    i, j = short[0] - 1, short[0]
    part = above[i] / (above[i] - above[j])
    return float(N[i] * (N[j] / N[i]) ** part)


def _near(
    easier: Callable[[float], GeometricProgram], guesses: Sequence[Mapping[str, float]]
) -> Mapping[str, float]:
    """Solves from the first guess that leads to a certificate, or by `approach`.

    A target at the edge of what can be reached at all leaves no room for a certificate;
    it is loosened by up to a millionth, within which models count as equally good.

    Args:
        easier: the program, with a relative slack of its target.
        guesses: points that may be near.

    Raises:
        UncertifiedError: nothing does.
    """
    program = easier(0.0)
    for guess in guesses:
        try:
            solution = solved_near(program, guess)
        except UncertifiedError:
            if hemmed(program):
                break
            continue
        if solution.status is Status.OPTIMAL:
            return solution.point
    first = np.log([guesses[0][name] for name in program.variables])
    if (entered := approach(easier, first)) is not None:
        return entered.point
    for slack in LOOSER:
        if hemmed(looser := easier(slack)):
            continue
        try:
            entered = solve(looser, first)
        except UncertifiedError:
            continue
        if entered.status is Status.OPTIMAL:
            return entered.point
    raise UncertifiedError("a training optimum was not certified")


def solved_near(
    program: GeometricProgram, guess: Mapping[str, float], start: Array | None = None
) -> Solution:
    """As `refine`, from a point whose multipliers are guessed too, or by a root.

    Args:
        program: a program of one member.
        guess: a point that may be near its optimum.
        start: as for `refine`.
    """
    z = np.log([guess[name] for name in program.variables])
    return closed(program, z) or refine(program, z, _prices(program, z), start)


def _prices(program: GeometricProgram, z: Array) -> Array:
    """Multipliers that come nearest to making a point stationary.

    What is well within its bound there has none.
    """
    found = np.zeros(len(program.constraints))
    at = near(program, z)
    tight = np.flatnonzero(at.value[0, 1:] > -ROOM)
    if tight.size:
        found[tight] = weights(at.gradient[0, 1 + tight], -at.gradient[0, 0])
    return found


def critical_size(surface: Surface, s: float, overhead: float = 1.0) -> float:
    """The smaller N at which training costs (1 + overhead) times the least for s.

    With n = ln N/N_opt, t = ln(1 + overhead), D/D_opt = e^(t−n) and p = β/(α+β−δ) the
    share that parameters keep at the optimum, p·e^(−(α−δ)n−δt) + (1−p)·e^(β(n−t)) is 1
    there. Its logarithm is convex in n and above 0 where that of its first term is 0:
    from there Newton rises to the root and never crosses it.

    Source: de Vries, "Go smol or go home" (2023).
    """
    beta, left = surface.beta, surface.alpha - surface.delta
    target, rates = math.log1p(overhead), left + beta
    kept = math.log(beta / rates) - surface.delta * target
    fresh = math.log(left / rates) - beta * target
    n = kept / left
    for _ in range(STEPS):
        parameters, data = math.exp(kept - left * n), math.exp(fresh + beta * n)
        whole = parameters + data
        fall = (left * parameters - beta * data) / whole
        if not (fall > 0 and (closer := n + math.log(whole) / fall) > n):
            break
        n = closer
    return surface.training_optimal(s)[0] * math.exp(n)


def _size(question: Question) -> Posynomial:
    return build(question.core, [Term("size", 1.0, {"N": 1.0})])


def bounds(question: Question, s: float) -> tuple[Constraint, ...]:
    """The target, and what repeated data allow."""
    core = question.core
    data = (Constraint(w.name, w.posynomial.over(core)) for w in question.data)
    return (Constraint("target", question.lossy(s).over(core)), *data)
