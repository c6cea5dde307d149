"""The mathematics of a scaling law: a loss surface, or its compute-optimal line.

Everything here is plain arithmetic on `**`, so that arguments and fields may be
complex: derivatives are taken by a complex step, exact to the last digit. Losses are
in the law's own unit (mostly nats a token), N in parameters, D in tokens, compute in
FLOP by C = 6·N·D.
"""

from __future__ import annotations

import cmath
import math
from bisect import bisect_left
from typing import Any, cast

from optimizer.records import dataclass


def power(base: float, exponent: float) -> float:
    """`base ** exponent`, infinite where that overflows; complex goes through."""
    try:
        value: float = base**exponent
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return value


def ln(value: float) -> float:
    """The natural logarithm of a positive number; complex goes through."""
    if isinstance(value, complex):
        answer: Any = cmath.log(value)
        return cast(float, answer)
    return math.log(value)


@dataclass(frozen=True)
class Surface:
    """The loss surface L(N, D) = E + (A·N^-alpha + B·D^-beta)^outer.

    The sum in the bracket is s, the reducible part: a posynomial, which is what makes
    the problem a geometric program. With `outer` = 1 (the additive laws) s is L − E in
    the law's unit of loss; Kaplan's law has E = 0, a coupled one has both.

    Source: Hoffmann et al. 2022, eq. 2; Rosenfeld et al. 2019 for the form; Busbridge
    et al. 2025 (arXiv 2502.08606), table 6, for an outer exponent beside E.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    outer: float = 1.0

    @property
    def gamma(self) -> float:
        """αβ/(α+β): s falls as compute to the −γ along the training-optimal line."""
        return self.alpha * self.beta / (self.alpha + self.beta)

    def loss(self, N: float, D: float) -> float:
        """The loss of N parameters trained on D tokens."""
        return self.loss_of(self.sum(N, D))

    def sum(self, N: float, D: float) -> float:
        """The reducible part s of N parameters trained on D tokens."""
        return self.A * power(N, -self.alpha) + self.B * power(D, -self.beta)

    def loss_of(self, s: float) -> float:
        """The loss whose reducible part is s."""
        return self.E + power(s, self.outer)

    def reducible(self, loss: float) -> float:
        """The reducible part s of a loss; at or below 0 no model reaches it."""
        rest = loss - self.E
        # A negative number has no real power; it says "none" as it stands.
        return power(rest, 1 / self.outer) if rest.real > 0 else rest

    def optimal_tokens(self, N: float) -> float:
        """D_opt(N): the tokens for which N parameters are training-optimal."""
        ratio = self.beta * self.B / (self.alpha * self.A)
        return power(ratio * power(N, self.alpha), 1 / self.beta)

    def optimal_parameters(self, D: float) -> float:
        """The parameters for which D tokens are training-optimal."""
        ratio = self.alpha * self.A / (self.beta * self.B)
        return power(ratio * power(D, self.beta), 1 / self.alpha)

    def training_optimal(self, s: float) -> tuple[float, float]:
        """The (N, D) of least 6·N·D whose reducible loss is s > 0.

        Source: Sardana et al. 2024, `compute_optimal`; at the optimum the parameters
        keep the share β/(α+β) of s and the data α/(α+β).
        """
        alpha, beta = self.alpha, self.beta
        N = power(self.A * (alpha / beta + 1) / s, 1 / alpha)
        D = power(self.B * (beta / alpha + 1) / s, 1 / beta)
        return N, D

    def compute_optimal(self, C: float) -> tuple[float, float]:
        """The (N, D) of least loss for the training compute C = 6·N·D [FLOP].

        Source: Hoffmann et al. 2022, eq. 4.
        """
        total = self.alpha + self.beta
        G = power(self.alpha * self.A / (self.beta * self.B), 1 / total)
        N = G * power(C / 6, self.beta / total)
        D = power(C / 6, self.alpha / total) / G
        return N, D

    def weight(self, N: float, D: float) -> float:
        """The weight w = (∂s/∂ln N)/(∂s/∂ln D), 1 where (N, D) is training-optimal."""
        ratio = self.alpha * self.A / (self.beta * self.B)
        return ratio * power(N, -self.alpha) * power(D, self.beta)

    def floor(self, s: float) -> float:
        """The size (A/s)^(1/α) that must be exceeded to reach s on any data."""
        return power(self.A / s, 1 / self.alpha)

    def tokens_for(self, N: float, s: float) -> float:
        """The least tokens with which N parameters reach s; infinite at the floor."""
        rest = s - self.A * power(N, -self.alpha)
        return power(self.B / rest, 1 / self.beta) if rest.real > 0 else math.inf

    def parameters_for(self, D: float, s: float) -> float:
        """The least parameters that reach s on D tokens; infinite if none do."""
        rest = s - self.B * power(D, -self.beta)
        return power(self.A / rest, 1 / self.alpha) if rest.real > 0 else math.inf


@dataclass(frozen=True)
class Frontier:
    """The compute-optimal line alone: which tokens go with which parameters.

    Between the rows it is a power law through the neighbours (linear in logs);
    beyond them it goes on with the exponent between the first row and the last.
    It knows no loss, so it answers compute-optimal questions only.

    Attributes:
        parameters: [parameters], rising.
        tokens: [tokens] that are optimal for each, rising.
    """

    parameters: tuple[float, ...]
    tokens: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """The slope d ln D / d ln N from the first row to the last."""
        rise = ln(self.tokens[-1] / self.tokens[0])
        return rise / ln(self.parameters[-1] / self.parameters[0])

    def optimal_tokens(self, N: float) -> float:
        """D_opt(N): the tokens for which N parameters are compute-optimal."""
        return _follow(N, self.parameters, self.tokens)

    def optimal_parameters(self, D: float) -> float:
        """The parameters for which D tokens are compute-optimal."""
        return _follow(D, self.tokens, self.parameters)

    def compute_optimal(self, C: float) -> tuple[float, float]:
        """The compute-optimal (N, D) for C = 6·N·D [FLOP]."""
        pairs = zip(self.parameters, self.tokens, strict=True)
        N = _follow(C, tuple(6 * n * d for n, d in pairs), self.parameters)
        return N, C / (6 * N)


def _follow(x: float, xs: tuple[float, ...], ys: tuple[float, ...]) -> float:
    """The broken power law through (xs, ys), at x."""
    if x.real < xs[0]:
        start, first, last = 0, 0, len(xs) - 1
    elif x.real > xs[-1]:
        start, first, last = len(xs) - 1, 0, len(xs) - 1
    else:
        last = max(1, bisect_left(xs, x.real))
        start = first = last - 1
    slope = ln(ys[last] / ys[first]) / ln(xs[last] / xs[first])
    return ys[start] * power(x / xs[start], slope)
