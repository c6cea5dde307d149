"""Random programs of every kind that scenarios make, and of harder ones.

A feature is on or off for a whole batch, so that all members have one shape; the
numbers of each member are its own.
"""

from dataclasses import replace

import numpy as np

from optimizer.algebra.batch_value import Many
from optimizer.algebra.composite import Composite, compose
from optimizer.algebra.posynomial import Posynomial, Term, build
from optimizer.algebra.program import Constraint, GeometricProgram
from optimizer.world.repetition import Repetition
from optimizer.world.surface import Surface

FEATURES = (
    *("attention", "data price", "fixed cost", "roofline", "latency", "memory"),
    *("parameters", "tokens", "compute", "cost", "decided", "budget"),
    *("repetition", "excess parameters"),
)
# Exponents from 0.076 to 1.15 and sizes from 1e4 on; a loss that grows with D; one size
# but for a part of 1e-6 to 0.1, and as few tokens; costs over 30 decades.
HARD = ("edges", "quantization", "narrow", "spread")
UNIT = 30  # decades up and down, of the units in which `elsewhere` puts a program


def programs(features, seed, count=200):
    """Random programs of one shape: scaling laws, costs and limits of all sizes."""
    return _drawn(features, seed, count)[0]


def _drawn(features, seed, count):  # noqa: PLR0912, PLR0915
    """Random programs, and what a plan of each may cost."""
    random = np.random.default_rng(seed)

    def even(low, high):
        return Many(random.uniform(low, high, count))

    def wide(low, high):
        return Many(10 ** random.uniform(low, high, count))

    def one(name, *terms):
        return Constraint(name, build(variables, [Term("", c, a) for c, a in terms]))

    repeats = "repetition" in features
    variables = ("N", "D", "U") if repeats else ("N", "D")
    variables += ("b", "t") if "roofline" in features else ()
    A, B = wide(0.5, 3.5), wide(0.5, 4.5)
    alpha, beta, s = even(0.15, 0.6), even(0.15, 0.6), even(0.05, 1.5)
    if "edges" in features:
        alpha, beta = even(0.076, 1.15), even(0.1, 0.9)
        A = s * beta / (alpha + beta) * wide(4, 14) ** alpha
        B = s * alpha / (alpha + beta) * wide(5, 16) ** beta
    N0 = (A * (alpha / beta + 1) / s) ** (1 / alpha)
    D0 = (B * (beta / alpha + 1) / s) ** (1 / beta)
    far = 15 if "spread" in features else 0
    T = D0 * wide(-4 - far, (0 if "roofline" in features else 4) + far)
    bounds = []
    size, tokens, curves = "N", "D", []
    if repeats:
        unique = D0 * wide(-1.5, 1)
        surface = Surface(1.0, A, B, alpha, beta)
        excess = even(1.0, 12.0) if "excess parameters" in features else None
        repetition = Repetition(unique, even(5.0, 30.0), excess)
        tokens, curves = "D'", [repetition.tokens()]
        if excess is not None:
            size = "N'"
            curves.append(repetition.parameters(surface))
        for wall in (repetition.limit(), *repetition.physics()):
            terms = [(t.coefficient / wall.bound, t.exponents) for t in wall.terms]
            bounds.append(one(wall.name, *terms))
    loss = [(A, {size: -alpha}), (B, {tokens: -beta})]
    if "quantization" in features:
        up, down = even(0.3, 0.6), even(0.2, 0.5)
        harm = s * wide(-6, 0) * N0**down * D0 ** (-up)
        loss.append((harm, {"D": up, "N": -down}))
    cost = [(6.0, {"N": 1.0, "D": 1.0}), (2 * T, {"N": 1.0})]
    if "attention" in features:
        cost.append((6 * N0 * wide(-3 - far, far), {"D": 1.0}))
    if "data price" in features:
        cost.append((6 * N0 * wide(-3 - far, 1 + far), {"D": 1.0}))
    if "fixed cost" in features:
        cost.append((6 * N0 * D0 * wide(-3 - far, 1 + far), {}))
    if "roofline" in features:
        F, W = wide(14, 16), wide(12, 14)
        cache = wide(7, 9)
        cost[1] = (T * F * wide(-1, 1), {"t": 1.0, "b": -1.0})
        moved = [(1 / W, {"N": 1.0, "t": -1.0}), (cache / W, {"b": 1.0, "t": -1.0})]
        bounds += [
            one("compute", (2 / F, {"N": 1.0, "b": 1.0, "t": -1.0})),
            one("traffic", *moved),
            one("batch", (1.0, {"b": -1.0})),
        ]
        if "latency" in features:
            bounds.append(one("latency", (W / N0 * wide(-2, 0.5), {"t": 1.0})))
        room = N0 * wide(-0.2, 2) + cache * wide(0.3, 3)
        bounds.append(one("hbm", (1 / room, {"N": 1.0}), (cache / room, {"b": 1.0})))
    if "memory" in features:
        bounds.append(one("memory", (1 / (N0 * wide(-0.2, 1)), {"N": 1.0})))
    if "parameters" in features:
        bounds.append(one("parameters", (1 / (N0 * wide(-0.3, 1)), {"N": 1.0})))
    if "tokens" in features:
        bounds.append(one("tokens", (1 / (D0 * wide(-0.3, 1)), {"D": 1.0})))
    if "compute" in features:
        most = 6 * N0 * D0 * wide(-0.1, 1)
        bounds.append(one("training", (6 / most, {"N": 1.0, "D": 1.0})))
    if "cost" in features or "budget" in features:
        most = (6 * N0 * D0 + 2 * T * N0) * wide(0, 2)
        bounds.append(one("cost", *((c / most, a) for c, a in cost)))
    if "narrow" in features:
        least = N0 * wide(0.1, 1)
        needed = (B / (s - A * least ** (-alpha))) ** (1 / beta)
        bounds += [
            one("at least", (least, {"N": -1.0})),
            one("at most", (1 / (least * (wide(-6, -1) + 1)), {"N": 1.0})),
            one("enough", (1 / (needed * (wide(-6, -1) + 1)), {"D": 1.0})),
        ]

    def lossy(bound):
        names = (*variables, *(curve.name for curve in curves))
        inner = build(names, [Term("", c / bound, a) for c, a in loss])
        return compose(inner, curves) if curves else inner

    if "budget" in features:
        program = GeometricProgram(lossy(1.0), tuple(bounds))
    else:
        objective = build(variables, [Term("", c, a) for c, a in cost])
        target = Constraint("target", lossy(s))
        program = GeometricProgram(objective, (target, *bounds))
    if "decided" in features:
        program = program.fixing({"N": N0 * wide(-0.5, 0.5)})
    return program, 6 * N0 * D0 + 2 * T * N0


def portfolios(features, seed, models, count=200):
    """Several models with targets of their own, and one sum for all of them."""
    random = np.random.default_rng([seed, models])
    features = set(features) - {"budget"}
    drawn = [_drawn(features, [seed, models, i], count) for i in range(models)]
    names, variables = [], []
    for i, (program, _) in enumerate(drawn):
        used = {*program.variables, "D'", "N'"}
        names.append({name: f"{name}[{i}]" for name in used})
        variables += [names[i][name] for name in program.variables]

    def joint(function, i):
        return function.renamed(names[i]).over(tuple(variables))

    bounds = [
        Constraint(f"{i}: {c.name}", joint(c.posynomial, i))
        for i, (program, _) in enumerate(drawn)
        for c in program.constraints
    ]
    costs = [joint(program.objective, i) for i, (program, _) in enumerate(drawn)]
    cost = Posynomial(
        tuple(variables),
        np.concatenate([_whole(c.coefficients, count) for c in costs], axis=1),
        np.concatenate([_whole(c.exponents, count) for c in costs], axis=1),
        tuple(label for c in costs for label in c.labels),
    )
    most = sum(usual for _, usual in drawn) * Many(10 ** random.uniform(0, 1.5, count))
    bounds.append(Constraint("shared", cost.scaled(1 / np.asarray(most)[:, None])))
    return GeometricProgram(cost, tuple(bounds))


def _whole(array, count):
    return np.broadcast_to(array, (count, *array.shape[1:]))


def elsewhere(program, seed, count=200):
    """The same programs in other units: coefficients over sixty decades and more."""
    random = np.random.default_rng(seed)
    shift = random.uniform(-UNIT, UNIT, (count, len(program.variables))) * np.log(10)
    moved = [
        _moved(function, program.variables, shift) for function in program.functions
    ]
    names = [constraint.name for constraint in program.constraints]
    bounds = tuple(map(Constraint, names, moved[1:]))
    return GeometricProgram(moved[0], bounds)


def _moved(function, variables, shift):
    """A function of x·e^shift."""
    if isinstance(function, Composite):
        inner = function.inner
        extended = np.zeros((len(shift), len(inner.variables)))
        extended[:, : len(variables)] = shift
        quantities = []
        for quantity in function.quantities:
            places = [variables.index(name) for name in quantity.variables]
            lines = []
            for line in (quantity.reach, quantity.level):
                whole = np.array(_whole(line, len(shift)))
                whole[:, 0] += (whole[:, 1:] * shift[:, places]).sum(axis=1)
                lines.append(whole)
            quantities.append(replace(quantity, reach=lines[0], level=lines[1]))
        return Composite(
            function.variables,
            _moved(inner, inner.variables, extended),
            tuple(quantities),
        )
    factor = np.exp(
        np.einsum("btv,bv->bt", _whole(function.exponents, len(shift)), shift)
    )
    coefficients = function.coefficients * factor
    return Posynomial(variables, coefficients, function.exponents, function.labels)
