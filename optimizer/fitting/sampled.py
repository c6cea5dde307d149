"""Fits of a law of samples, L = E + A·N^-α + B·D^-β + G·k^-γ: objective and starts.

A model that was sampled several times has a row for each number of samples; its rows
err together, and are resampled together.
"""

from __future__ import annotations

import numpy as np

from optimizer.errors import InputError, Mark
from optimizer.errors import Problem as Told
from optimizer.fitting.objective import Array, Point, Problem, evaluate, huber
from optimizer.fitting.runs import Runs
from optimizer.records import replace

FEWEST = 3  # numbers of samples of a model from which it tells something of gamma
MODELS = 2  # that need as many
SPAN = 4.0  # of the samples of one model


def evaluated(problem: Problem, z: Array, delta: Array, *, exact: bool = True) -> Point:
    """The objective and its derivatives, whatever the form."""
    if problem.third is None:
        return evaluate(problem, z, delta, exact=exact)
    return _sum(problem, problem.third, z, delta, exact)


def _sum(problem: Problem, third: Array, z: Array, delta: Array, exact: bool) -> Point:
    """The same for f = ln(E + Σ_j e^(m_j)), m_j affine in the coefficients.

    With J = ∂f/∂θ and d_j = ∂m_j/∂θ the curvature of f is Σ_j q_j·d_j·d_jᵀ − J·Jᵀ,
    q_j being the share of a term.
    """
    theta = problem.full(z)
    columns = ((0, 3, problem.x), (1, 4, problem.y), (6, 7, third))
    terms = [
        np.exp(theta[:, size, None] - theta[:, power, None] * at)
        for size, power, at in columns
    ]
    total = theta[:, 2, None] + sum(terms)
    shares = [term / total for term in terms]
    J = np.zeros((*total.shape, theta.shape[1]))
    J[:, :, 2] = 1 / total
    for (size, power, at), q in zip(columns, shares, strict=True):
        J[:, :, size], J[:, :, power] = q, -q * at
    residual = np.log(total) - problem.target
    clipped = np.clip(residual, -delta[:, None], delta[:, None])
    weight = np.broadcast_to(problem.weight, residual.shape)
    if problem.over != 1.0:
        weight = weight * np.where(residual > 0, problem.over, 1.0)
    flat, pull = weight * (clipped == residual), weight * clipped
    lean = flat - pull if exact else flat
    hessian = (J * lean[:, :, None]).transpose(0, 2, 1) @ J
    if exact:
        for (size, power, at), q in zip(columns, shares, strict=True):
            force = pull * q
            hessian[:, size, size] += force.sum(1)
            hessian[:, size, power] -= force @ at
            hessian[:, power, size] -= force @ at
            hessian[:, power, power] += force @ (at * at)
    S = problem.spread
    return Point(
        value=(weight * huber(residual, delta[:, None])).sum(1),
        gradient=np.einsum("br,brp->bp", pull, J) @ S,
        hessian=S.T @ hessian @ S,
        damping=np.einsum("br,brp->bp", weight, J * J) @ S**2,
        reach=np.einsum("br,brp->bp", weight, np.abs(J)) @ np.abs(S),
        inside=flat.sum(1),
    )


def with_samples(theta: Array, least: float) -> Array:
    """Starts of the additive law as ones of a law of samples, (batch, 8).

    What stands for E is shared with G·k^-γ, of which gamma goes through what is usual.
    """
    gamma = np.resize(np.array([0.2, 0.4, 0.8, 1.2]), len(theta))
    share = np.resize(np.array([0.2, 0.5, 0.8]), len(theta))
    floor = np.clip(theta[:, 2], 0.05 * least, least)
    found = np.column_stack([theta, np.log(share * floor), gamma])
    found[:, 2] = (1 - share) * floor
    return np.asarray(found)


def refuse_no_samples(runs: Runs) -> None:
    """Refuses runs that say nothing of samples.

    Raises:
        InputError: no column has them, or no model was sampled more and less.
    """
    if runs.samples is None:
        raise _failed(
            runs, 'samples needs the column "samples", the k of each row\'s −ln pass@k'
        )
    models: dict[tuple[float, float], set[float]] = {}
    rows = zip(runs.parameters, runs.tokens, runs.samples, strict=True)
    for N, D, k in rows:
        models.setdefault((float(N), float(D)), set()).add(float(k))
    told = [
        ks for ks in models.values() if len(ks) >= FEWEST and max(ks) / min(ks) >= SPAN
    ]
    if len(told) < MODELS:
        raise _failed(
            runs,
            f"these runs say nothing of gamma: {len(told)} of {len(models)} models "
            f"have a loss at {FEWEST} numbers of samples that span a factor {SPAN:g}. "
            "Add such rows of two models or more, or give gamma (--fix gamma=0.5)",
        )


def by_model(runs: Runs) -> Runs:
    """Runs whose rows of one model err together, where no column says otherwise."""
    if runs.samples is None or runs.group is not None:
        return runs
    pairs = np.stack([runs.parameters, runs.tokens], axis=1)
    models, place = np.unique(pairs, axis=0, return_inverse=True)
    if len(models) == runs.count:
        return runs
    return replace(runs, group=np.asarray(place, dtype=np.int64).ravel())


def _failed(runs: Runs, message: str) -> InputError:
    return InputError([Told(Mark(runs.file), "", message)])
