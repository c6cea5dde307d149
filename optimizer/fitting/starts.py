"""Where the search starts: Hoffmann's lattice, and what linear algebra can tell.

For given exponents the rest of a law is linear in the loss, L = E + A·p + B·q, so a
grid of exponents with least squares for the others (variable projection) covers the
ground with good starts. The lattice is there to contradict it.

*Source*: Hoffmann et al. 2022, appendix D.3, for the lattice; Golub & Pereyra 1973.
"""

from __future__ import annotations

import itertools

import numpy as np

from optimizer.fitting.forms import SYMBOLS, Centre, Choice
from optimizer.fitting.objective import ABSENT, TERMS, Array, Problem

EXPONENTS = np.geomspace(0.03, 1.5, 12)
OUTER = np.geomspace(0.03, 0.8, 8)


def starts(problem: Problem, choice: Choice, centre: Centre, count: int) -> Array:
    """Starts for the free coefficients, (batch, free).

    Args:
        problem: what is fitted.
        choice: the form.
        centre: of the runs.
        count: how many of the lattice's 4,500, in an order that covers it evenly.
    """
    theta = np.concatenate(
        [_projected(problem, choice), _lattice(choice, centre, count)]
    )
    own = [TERMS.index(SYMBOLS[choice.law][symbol]) for symbol in choice.free]
    z = theta[:, own]
    return np.asarray(np.clip(z, problem.low, problem.high))


def _lattice(choice: Choice, centre: Centre, count: int) -> Array:
    sizes, exponents = np.arange(0, 30, 5.0), np.arange(0, 2.5, 0.5)
    floors, outer = (
        np.exp(np.arange(-1, 1.5, 0.5)),
        np.array([0.05, 0.1, 0.2, 0.4, 0.8]),
    )
    one = np.ones(1)
    if choice.law == "kaplan":
        exponents = np.array([0.25, 0.5, 0.75, 1.0, 1.5])
        axes = [sizes * 2, sizes * 2, one * 0, exponents, one, outer]
    else:
        axes = [sizes, sizes, floors, exponents, exponents, one]
    theta = np.array(list(itertools.product(*axes)))
    theta[:, 0] -= theta[:, 3] * centre.x
    theta[:, 1] -= theta[:, 4] * centre.y
    order = np.random.default_rng(0).permutation(len(theta))
    return theta[order[:count]]


def _projected(problem: Problem, choice: Choice) -> Array:
    """Exponents on a grid, the linear coefficients by weighted least squares."""
    grid = EXPONENTS
    if choice.law == "kaplan":
        pairs = [(a, 1.0, o) for a in grid for o in OUTER]
    elif choice.law == "hestness":
        pairs = [(0.0, b, 1.0) for b in grid]
    elif choice.tied:
        pairs = [(a, a, 1.0) for a in grid]
    else:
        pairs = [(a, b, 1.0) for a in grid for b in grid]
    alpha, beta, outer = np.array(pairs).T[:, :, None]
    weight = problem.weight / problem.weight.sum()
    # Relative residuals of L^(1/outer) are those of ln L, for small ones.
    inverse = np.exp(-problem.target / outer)
    columns = [
        np.exp(-alpha * problem.x) * inverse,
        np.exp(-beta * problem.y) * inverse,
        np.broadcast_to(inverse, (len(pairs), problem.x.size)),
    ]
    used = [0, 1, 2]
    if choice.law == "kaplan":
        used = [0, 1]
    elif choice.law == "hestness":
        used = [1, 2]
    design = np.stack([columns[i] for i in used], 2)
    left = design.transpose(0, 2, 1) * weight
    size = np.sqrt(np.einsum("bij,bji->bi", left, design))
    normal = left @ design / (size[:, :, None] * size[:, None, :])
    normal += 1e-9 * np.eye(len(used))
    right = left.sum(2) / size
    linear = np.linalg.solve(normal, right[:, :, None])[:, :, 0] / size
    # A share that came out negative starts small instead.
    middle = np.exp(np.median(problem.target) / outer)
    linear = np.maximum(linear, 1e-3 * middle)
    theta = np.full((len(pairs), 6), ABSENT)
    theta[:, used] = np.log(linear)
    theta[:, 2] = np.exp(theta[:, 2])
    theta[:, 3], theta[:, 4], theta[:, 5] = alpha[:, 0], beta[:, 0], outer[:, 0]
    return theta
