"""Where the search starts: Hoffmann's lattice, and what linear algebra can tell.

For given exponents the rest of a law is linear in the loss, L = E + A·p + B·q, so a
grid of exponents with least squares for the others (variable projection) covers the
ground with good starts. The lattice is there to contradict it.

*Source*: Hoffmann et al. 2022, appendix D.3, for the lattice; Golub & Pereyra 1973.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from optimizer.fitting.forms import SYMBOLS, Centre, Choice
from optimizer.fitting.objective import ABSENT, EVERY, Array, Problem
from optimizer.fitting.sampled import with_samples

EXPONENTS = np.geomspace(0.03, 1.5, 12)
OUTER = np.geomspace(0.03, 0.8, 8)
LINKS = {
    "chinchilla": np.ones(1),
    "samples": np.ones(1),
    "hestness": np.ones(1),
    "coupled": np.array([0.2, 0.4, 0.7, 1.0]),
    "saturating": np.array([0.7, 2.0, 5.0]),
    "kaplan": np.array([0.05, 0.1, 0.2, 0.4, 0.8]),
}


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
    if choice.shape == "samples":
        theta = with_samples(theta, float(np.exp(problem.target.min())))
    own = [EVERY.index(SYMBOLS[choice.shape][symbol]) for symbol in choice.free]
    z = theta[:, own]
    return np.asarray(np.clip(z, problem.low, problem.high))


def _lattice(choice: Choice, centre: Centre, count: int) -> Array:
    sizes, exponents = np.arange(0, 30, 5.0), np.arange(0, 2.5, 0.5)
    floors = np.exp(np.arange(-1, 1.5, 0.5))
    links = LINKS[choice.shape]
    if choice.shape == "kaplan":
        exponents = np.array([0.25, 0.5, 0.75, 1.0, 1.5])
        axes = [sizes * 2, sizes * 2, np.zeros(1), exponents, np.ones(1), links]
    else:
        axes = [sizes, sizes, floors, exponents, exponents, links]
    theta = np.array(list(itertools.product(*axes)))
    theta[:, 0] -= theta[:, 3] * centre.x
    theta[:, 1] -= theta[:, 4] * centre.y
    order = np.random.default_rng(0).permutation(len(theta))
    return theta[order[:count]]


def _grid(choice: Choice, least: float) -> Array:
    """Exponents, links and floors, (rows, 4); a floor of NaN is fitted."""
    grid, free = EXPONENTS, math.nan
    if choice.shape == "kaplan":
        rows = [(a, 1.0, o, 0.0) for a in grid for o in OUTER]
    elif choice.shape == "hestness":
        rows = [(0.0, b, 1.0, free) for b in grid]
    elif choice.shape in ("coupled", "saturating"):
        # As they are seen in the loss, which falls like N^(-k·alpha).
        seen = np.geomspace(0.05, 0.6, 6)
        slower = LINKS["coupled"] if choice.shape == "coupled" else np.ones(1)
        floors = least * np.array([0.3, 0.6, 0.85])
        pairs = [(a, a if choice.tied else b) for a in seen for b in seen]
        rows = [(a / k, b / k, k, f) for a, b in pairs for k in slower for f in floors]
    elif choice.tied:
        rows = [(a, a, 1.0, free) for a in grid]
    else:
        rows = [(a, b, 1.0, free) for a in grid for b in grid]
    return np.unique(np.array(rows), axis=0)


def _projected(problem: Problem, choice: Choice) -> Array:
    """Exponents on a grid, the linear coefficients by weighted least squares."""
    least = float(np.exp(problem.target.min()))
    alpha, beta, outer, floor = _grid(choice, least).T[:, :, None]
    weight = problem.weight / problem.weight.sum()
    # Relative residuals of (L − E)^(1/outer) are those of ln L, for small ones.
    given = np.where(np.isnan(floor), 0.0, floor)
    inverse = (np.exp(problem.target) - given) ** (-1 / outer)
    columns = [
        np.exp(-alpha * problem.x) * inverse,
        np.exp(-beta * problem.y) * inverse,
        np.broadcast_to(inverse, (len(alpha), problem.x.size)),
    ]
    used = [0, 1, 2]
    if not np.isnan(floor).any():
        used = [0, 1]
    elif choice.shape == "hestness":
        used = [1, 2]
    design = np.stack([columns[i] for i in used], 2)
    left = design.transpose(0, 2, 1) * weight
    size = np.sqrt(np.einsum("bij,bji->bi", left, design))
    normal = left @ design / (size[:, :, None] * size[:, None, :])
    normal += 1e-9 * np.eye(len(used))
    right = left.sum(2) / size
    linear = np.linalg.solve(normal, right[:, :, None])[:, :, 0] / size
    # A share that came out negative starts small instead.
    middle = (np.exp(np.median(problem.target)) - given) ** (1 / outer)
    linear = np.maximum(linear, 1e-3 * middle)
    theta = np.full((len(alpha), 6), ABSENT)
    theta[:, used] = np.log(linear)
    theta[:, 2] = np.where(np.isnan(floor[:, 0]), np.exp(theta[:, 2]), floor[:, 0])
    theta[:, 3], theta[:, 4], theta[:, 5] = alpha[:, 0], beta[:, 0], outer[:, 0]
    if choice.shape == "saturating":
        # Far from saturation it is the additive form with R taken out.
        rows = [theta + np.array([-r, -r, 0, 0, 0, 0]) for r in LINKS["saturating"]]
        for part, r in zip(rows, LINKS["saturating"], strict=True):
            part[:, 5] = r
        theta = np.concatenate(rows)
    return theta
