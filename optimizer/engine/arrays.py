"""A batch of programs as a few arrays: all terms of all functions side by side.

So few terms are quickest as one array, and numpy then takes one program or ten
thousand in the same calls. A saturating quantity is one more column of exponents whose
logarithm is a function of the others; the chain rule puts it back to them.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from optimizer.algebra.posynomial import Array, Integers, cut, side_by_side
from optimizer.algebra.program import GeometricProgram, Solution
from optimizer.algebra.saturating import saturation
from optimizer.engine.certify import Mask
from optimizer.engine.enclose import opened, quantities
from optimizer.records import dataclass, names, replace


@dataclass(frozen=True, eq=False)
class Arrays:
    """Programs of one shape; a leading axis of 1 stands for any number of members.

    Attributes:
        logs: ln c of all terms, objective first, `(batch or 1, terms)`.
        powers: their exponents, `(batch or 1, terms, variables + quantities)`.
        starts: first term of each function, `(functions,)`.
        reach: of each quantity, `(batch or 1, quantities, 1 + variables)`; see
            `Saturating`.
        level: likewise.
        R: likewise, `(batch or 1, quantities)`.
    """

    logs: Array
    powers: Array
    starts: Integers
    reach: Array
    level: Array
    R: Array

    @property
    def variables(self) -> int:
        """How many there are."""
        return int(self.reach.shape[2]) - 1

    @cached_property
    def owner(self) -> Integers:
        """The function that each term belongs to, `(terms,)`."""
        counts = np.diff(np.append(self.starts, self.logs.shape[1]))
        return np.repeat(np.arange(len(self.starts)), counts)

    @cached_property
    def sums(self) -> Array:
        """1 where a term belongs to a function, else 0, `(functions, terms)`."""
        return np.equal.outer(np.arange(len(self.starts)), self.owner).astype(float)

    @cached_property
    def along(self) -> Array:
        """The direction in which each quantity bends; see `Jet`."""
        return self.reach[:, :, 1:] - self.level[:, :, 1:]

    def members(self, rows: Integers) -> Arrays:
        """Those of some numbers."""
        if max(map(len, (self.logs, self.powers, self.reach, self.level, self.R))) == 1:
            return self  # one stands for all
        return Arrays(
            cut(self.logs, rows),
            cut(self.powers, rows),
            self.starts,
            cut(self.reach, rows),
            cut(self.level, rows),
            cut(self.R, rows),
        )


@dataclass(frozen=True, eq=False)
class Jet:
    """All functions of a batch at a point, to second order.

    Attributes:
        value: ln of each function, `(batch, functions)`.
        gradient: `(batch, functions, variables)`.
        share: of each term in its function, `(batch, terms)`.
        apart: of each term's exponents from their mean, `(batch, terms, variables)`.
        pull: what each term's share lends to the bend of each quantity,
            `(batch or 1, terms, quantities)`.
        bends: H'' of each quantity, `(batch, quantities)`.
        along: the direction in which it bends, `(batch or 1, quantities, variables)`.
    """

    value: Array
    gradient: Array
    share: Array
    apart: Array
    pull: Array
    bends: Array
    along: Array

    def members(self, chosen: Mask) -> Jet:
        """Those that are chosen."""
        rows, size = np.flatnonzero(chosen), len(chosen)
        parts = (getattr(self, name) for name in names(Jet))
        return Jet(*(part[rows] if len(part) == size else part for part in parts))


@lru_cache(maxsize=8)  # what solves a program is followed by what asks about it
def arrays(program: GeometricProgram) -> Arrays:
    """The arrays of a batch, with composites as posynomials of quantities."""
    functions = opened(program)
    curves = list(quantities(program).values())
    n = len(program.variables)
    counts = [len(p.labels) for p in functions]
    longest = max((curve.batch for curve in curves), default=1)
    reach, level = np.zeros((2, longest, len(curves), 1 + n))
    R = np.zeros((longest, len(curves)))
    for k, curve in enumerate(curves):
        places = [0, *(1 + program.variables.index(v) for v in curve.variables)]
        reach[:, k, places] = curve.reach
        level[:, k, places] = curve.level
        R[:, k] = curve.R
    return Arrays(
        logs=side_by_side([p.logs for p in functions]),
        powers=side_by_side([p.exponents for p in functions]),
        starts=np.cumsum([0, *counts[:-1]]),
        reach=reach,
        level=level,
        R=R,
    )


def relaxed(given: Arrays) -> Arrays:
    """Minimise u subject to g_i ≤ u: arrays in the variables and then ln u."""
    own = int(given.starts[1]) if len(given.starts) > 1 else given.logs.shape[1]
    n = given.variables
    powers = np.insert(given.powers[:, own - 1 :], n, -1.0, axis=2)
    powers[:, 0] = 0.0
    powers[:, 0, n] = 1.0
    logs = given.logs[:, own - 1 :].copy()
    logs[:, 0] = 0.0
    starts = given.starts - own + 1
    starts[0] = 0
    return replace(
        given,
        logs=logs,
        powers=powers,
        starts=starts,
        reach=np.insert(given.reach, n + 1, 0.0, axis=2),
        level=np.insert(given.level, n + 1, 0.0, axis=2),
    )


def middle(given: Arrays) -> Array:
    """The point of the first member at which its terms are nearest to 1.

    In other units of the variables it is the same point.
    """
    n = given.variables
    logs, powers = given.logs[0], given.powers[0]
    steep = powers[:, :n] + powers[:, n:] @ given.reach[0, :, 1:]
    flat = logs + powers[:, n:] @ given.reach[0, :, 0]
    return np.asarray(np.linalg.lstsq(steep, -flat, rcond=1e-10)[0])


def value(given: Arrays, z: Array) -> Array:
    """Ln of each function at z, `(batch, functions)`."""
    terms = (
        given.logs + np.matmul(given.powers, _columns(given, z)[0][:, :, None])[..., 0]
    )
    top = np.maximum.reduceat(terms, given.starts, axis=1)
    parts = np.exp(terms - top[:, given.owner])
    return np.asarray(top + np.log(np.add.reduceat(parts, given.starts, axis=1)))


def jet(given: Arrays, z: Array) -> Jet:
    """All functions of a batch at ln x = z `(batch, variables)`."""
    n = given.variables
    columns, slope, bends = _columns(given, z)
    terms = given.logs + np.matmul(given.powers, columns[:, :, None])[..., 0]
    top = np.maximum.reduceat(terms, given.starts, axis=1)
    parts = np.exp(terms - top[:, given.owner])
    whole = np.add.reduceat(parts, given.starts, axis=1)
    share = parts / whole[:, given.owner]
    pull = given.powers[:, :, n:]
    powers = given.powers[:, :, :n]
    if pull.shape[2]:
        steep = given.level[:, :, 1:] + slope[:, :, None] * given.along
        powers = powers + pull @ steep
    gradient = np.matmul(given.sums, share[:, :, None] * powers)
    apart = powers - np.take(gradient, given.owner, axis=1)
    return Jet(top + np.log(whole), gradient, share, apart, pull, bends, given.along)


def near(program: GeometricProgram, z: Array) -> Jet:
    """All functions of a program of one member at ln x = z `(variables,)`."""
    return jet(arrays(program), z[None])


@lru_cache(maxsize=8)
def at(solution: Solution) -> Jet:
    """The same at an optimum."""
    return near(solution.program, solution.optimum[0])


def bend(given: Arrays, at: Jet, weights: Array, ranks: Array | None = None) -> Array:
    """Σ_i w_i ∇²f_i + Σ_i v_i ∇f_i ∇f_iᵀ, `(batch, variables, variables)`.

    Args:
        given: the batch.
        at: its functions at a point.
        weights: w ≥ 0, `(batch, functions)`.
        ranks: v ≥ 0, likewise; all 0 if None.
    """
    mass = weights[:, given.owner] * at.share
    matrix = (at.apart * mass[:, :, None]).transpose(0, 2, 1) @ at.apart
    if ranks is not None:
        weighted = (at.gradient * ranks[:, :, None]).transpose(0, 2, 1)
        matrix = matrix + weighted @ at.gradient
    if at.bends.shape[1]:
        # Quantities enter with exponents ≤ 0 and bend down: both signs make it convex.
        lent = np.matmul(mass[:, None, :], at.pull)[:, 0] * at.bends
        matrix = matrix + (at.along * lent[:, :, None]).transpose(0, 2, 1) @ at.along
    return np.asarray(matrix)


def _columns(given: Arrays, z: Array) -> tuple[Array, Array, Array]:
    """Ln of variables and quantities; H' and H'' of the latter."""
    if not given.R.shape[1]:
        nothing = np.zeros((len(z), 0))
        return z, nothing, nothing
    x = given.reach[:, :, 0] + np.matmul(given.reach[:, :, 1:], z[:, :, None])[..., 0]
    v = given.level[:, :, 0] + np.matmul(given.level[:, :, 1:], z[:, :, None])[..., 0]
    h, slope, bends = saturation(x - v, given.R)
    return np.concatenate([z, v + h], axis=1), slope, bends
