"""The draws of a law: how many tokens each size needs in every one of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.algebra.saturating import saturation
from optimizer.question.aim import aimed, surfaces
from optimizer.question.formulate import trained_by
from optimizer.question.inputs import number_at
from optimizer.question.losses import made, repetition_of
from optimizer.question.scenario import Scenario
from optimizer.question.vary import Plan, parted
from optimizer.records import dataclass, names, replace
from optimizer.world.repetition import Repetition
from optimizer.world.surface import Surface

TOUCHING = 1e-9  # of a target that counts as reached
STEPS = 40  # of Newton; five are usual
FARTHEST = 1e30  # tokens beyond which no size is asked for
SMALL = 1e-12  # a step in ln D that ends it


@dataclass(frozen=True, eq=False)
class Drawn:
    """The draws of a law's surface and of the target under it, `(draws,)` each.

    Attributes:
        A: of the surface; so are B, alpha and beta.
        B: likewise.
        alpha: likewise.
        beta: likewise.
        s: the reducible loss to reach; at or below 0 no model does.
        delta: likewise, where the parameters fall with tokens too; else None.
        unique: the tokens that there are; None where data do not repeat.
        R_D: repetitions after which a token is worth 1/e; None likewise.
        R_N: the same of parameters; None where they keep their worth.
    """

    A: Array
    B: Array
    alpha: Array
    beta: Array
    s: Array
    unique: float | None = None
    R_D: Array | None = None
    R_N: Array | None = None
    delta: Array | None = None

    @property
    def count(self) -> int:
        """How many draws are a law."""
        return len(self.s)

    def floors(self) -> Array:
        """The size that must be exceeded in each draw, `(draws,)`.

        Where every token makes the parameters worth more, that of `FARTHEST` tokens.
        """
        if self.delta is None:
            return _root(self.A, self.s, self.alpha)
        rest = self.s - self.B * FARTHEST**-self.beta
        return _root(self.A * FARTHEST**-self.delta, rest, self.alpha)

    def fewest(self) -> Array:
        """The tokens that no size makes unnecessary, `(draws,)`."""
        return _root(self.B, self.s, self.beta)

    def of(self, draws: Integers) -> Drawn:
        """Some of the draws, in any order."""
        parts = {name: getattr(self, name) for name in names(Drawn)}
        arrays = {w: v for w, v in parts.items() if isinstance(v, np.ndarray)}
        some: dict[str, Any] = {word: values[draws] for word, values in arrays.items()}
        return replace(self, **some)

    def tokens(self, N: Array) -> Array:
        """The least tokens with which each size reaches each target.

        Args:
            N: sizes, `(sizes,)`.

        Returns:
            `(sizes, draws)`; infinite where no number of tokens does.
        """
        sizes = N[:, None]
        if self.unique is None or self.R_D is None:
            return self.fresh(sizes)
        return _repeated(self, self.unique, self.R_D, sizes)

    def reached(self, N: float, D: float) -> float:
        """The part of the draws in which a model reaches the target; 0 of none."""
        with np.errstate(all="ignore"):
            least = self.tokens(np.array([N]))[0]
        reaching = int((least <= D * (1 + TOUCHING)).sum())
        return reaching / max(self.count, 1)

    def fresh(self, sizes: Array) -> Array:
        """The same on data that never repeat, for sizes that broadcast to the draws."""
        if self.delta is not None:
            return self._both(self.delta, sizes)
        rest = self.s - self.A * sizes**-self.alpha
        return _root(self.B, rest, self.beta)

    def _both(self, delta: Array, sizes: Array) -> Array:
        """The same where both terms fall with D; see `Surface.tokens_for`."""
        s = np.where(self.s > 0, self.s, np.nan)
        of_N, of_D = np.log(self.A * sizes**-self.alpha / s), np.log(self.B / s)
        log = np.fmax(of_N / delta, of_D / self.beta)
        for _ in range(STEPS):
            first, second = np.exp(of_N - delta * log), np.exp(of_D - self.beta * log)
            whole = first + second
            step = np.log(whole) * whole / (delta * first + self.beta * second)
            log = log + step
            if np.nanmax(np.abs(step), initial=0.0) < SMALL:
                break
        return np.asarray(np.where(np.isnan(log), np.inf, np.exp(log)))


def drawn(plan: Plan) -> Drawn:
    """Takes the surface and target of every draw from a plan of one axis of draws.

    Draws whose coefficients are no law are left out.
    """
    scenario = plan.scenario
    # The loss alone matters here: no demand, and data that repeat come later.
    bare = scenario
    if scenario.spec.data.unique_tokens is not None:
        data = scenario.spec.data.model_copy(update={"unique_tokens": None})
        bare = replace(scenario, spec=scenario.spec.model_copy(update={"data": data}))
    columns = plan.columns(0, plan.count)
    others = [i for i, number in enumerate(plan.numbers) if number.path[0] != "law"]
    if others:
        columns = columns.copy()
        for index in others:
            columns[:, index] = number_at(scenario, plan.numbers[index].path)

    # The law alone varies, and what training costs has nothing of it.
    training = partial(trained_by, bare)

    def repeating(member: Scenario) -> tuple[Surface, Repetition | None, float | None]:
        """The surface, how data repeat, and the target, which repeated data are in."""
        whole = member
        if bare is not scenario:
            whole = replace(member, spec=scenario.spec)
        published, surface = surfaces(member)
        s, own = aimed(member, published, surface, training).reducible, whole.spec.plan
        if own is not None and whole.spec.target is None:
            s = made(whole, own, surface)
        return surface, repetition_of(whole), s

    found = np.full((8, plan.count), np.nan)
    mixed = False
    for rows, view in parted(Plan(bare, plan.axes), columns, repeating):
        if isinstance(view, str):
            continue
        surface, stars, s = view
        if s is None:
            continue
        mixed = mixed or surface.mixed
        of_law = (surface.A, surface.B, surface.alpha, surface.beta, s, surface.delta)
        of_data = (0.0, 0.0) if stars is None else (stars.R_D, stars.R_N or 0.0)
        part = found if len(rows) == plan.count else np.empty((8, len(rows)))
        for row, each in enumerate((*of_law, *of_data)):
            part[row] = np.asarray(each, dtype=float)
        if part is not found:
            found[:, rows] = part
    kept = np.isfinite(found).all(axis=0)
    A, B, alpha, beta, s, delta, R_D, R_N = found[
        :, slice(None) if kept.all() else kept
    ]
    law = Drawn(A, B, alpha, beta, s, delta=delta if mixed else None)
    repetition = repetition_of(scenario)
    if repetition is None:
        return law
    fading = None if repetition.R_N is None else R_N
    return replace(law, unique=repetition.unique, R_D=R_D, R_N=fading)


def _root(factor: Array, rest: Array, power: Array) -> Array:
    """(factor/rest)^(1/power); infinite where nothing is left."""
    left = np.where(rest > 0, rest, np.nan)
    found = (factor / left) ** (1 / power)
    return np.where(np.isnan(found), np.inf, found)


def _repeated(law: Drawn, unique: float, R: Array, sizes: Array) -> Array:
    """The least tokens where data repeat; either all unique ones are read, or few.

    With all of them D' = U·(1 + R·(1 − exp(−(D/U − 1)/R))) is solved for D. With
    D < U there is no repetition, but N' depends on D where D supports fewer than N
    parameters.
    """
    needed = _needed(law, sizes, np.log(unique))
    more = np.maximum(needed / unique - 1, 0.0)
    left = 1 - more / R
    many = unique * (1 - R * np.log(np.where(left > 0, left, np.nan)))
    many = np.where(left > 0, many, np.inf)
    if law.R_N is None:
        return np.where(needed < unique, needed, many)
    fresh = law.fresh(sizes)
    supported = _needed(law, sizes, np.log(fresh)) <= fresh * (1 + TOUCHING)
    many = np.where((needed < unique) & supported, fresh, many)
    rows, draws = np.nonzero((needed < unique) & ~supported)
    many[rows, draws] = _without_support(law.of(draws), sizes[rows, 0])
    return many


def _without_support(law: Drawn, sizes: Array) -> Array:
    """The least D < U of sizes that no such D supports, one for each draw.

    ln of the loss over s is convex in ln D and not negative at the D that N = N' needs,
    so that Newton rises from there to the root.
    """
    log = np.log(law.fresh(sizes))
    for _ in range(STEPS):
        worth, slope = _worth(law, sizes, log)
        parameters, tokens = law.A * worth**-law.alpha, law.B * np.exp(-law.beta * log)
        loss = parameters + tokens
        falls = law.beta * (parameters * (1 - slope) + tokens) / loss
        step = np.log(loss / law.s) / falls
        log = log + step
        if np.abs(step).max(initial=0.0) < SMALL:
            break
    return np.asarray(np.exp(log))


def _needed(law: Drawn, sizes: Array, log_unique: Array) -> Array:
    """The D' that N needs where so many unique tokens are read."""
    worth, _ = _worth(law, sizes, log_unique)
    return _root(law.B, law.s - law.A * worth**-law.alpha, law.beta)


def _worth(law: Drawn, sizes: Array, log_unique: Array) -> tuple[Array, Array]:
    """N' of N parameters on so many unique tokens, and d ln N'/d ln N."""
    if law.R_N is None:
        return sizes, np.ones_like(sizes)
    ratio = law.alpha * law.A / (law.beta * law.B)
    supported = (np.log(ratio) + law.beta * log_unique) / law.alpha
    gain, slope, _ = saturation(np.log(sizes) - supported, law.R_N)
    return np.exp(supported + gain), slope
