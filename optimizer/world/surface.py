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

from optimizer.algebra.batch_value import Many
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
    if isinstance(value, complex | Many):
        answer: Any = value.ln() if isinstance(value, Many) else cmath.log(value)
        return cast(float, answer)
    return math.log(value)


def exp(value: float) -> float:
    """E to a power that is not large; complex goes through."""
    if isinstance(value, complex | Many):
        answer: Any = value.exp() if isinstance(value, Many) else cmath.exp(value)
        return cast(float, answer)
    return math.exp(value)


_STEPS = 200  # of Newton; a dozen are usual
_SMALL = 1e-15  # a step in ln D that ends it


@dataclass(frozen=True)
class Surface:
    """The loss surface L(N, D) = E + (A·N^-alpha·D^-delta + B·D^-beta)^outer.

    The sum in the bracket is s, the reducible part: a posynomial, which is what makes
    the problem a geometric program. With `outer` = 1 (the additive laws) s is L − E in
    the law's unit of loss; Kaplan's law has E = 0, a coupled one has both. A `delta`
    above 0, below alpha and beta, is that of experts which are worth more the longer
    they are trained: its term needs both N and D, and no size is then too small.

    Source: Hoffmann et al. 2022, eq. 2; Rosenfeld et al. 2019 for the form; Busbridge
    et al. 2025 (arXiv 2502.08606), table 6, for an outer exponent beside E; for delta
    `leverage`.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    outer: float = 1.0
    delta: float = 0.0

    @property
    def mixed(self) -> bool:
        """Whether the term of the parameters falls with tokens too."""
        return not (isinstance(self.delta, float) and self.delta == 0)

    @property
    def powered(self) -> bool:
        """Whether s is raised to a power, as by a coupled law."""
        return not (isinstance(self.outer, float) and self.outer == 1)

    @property
    def gamma(self) -> float:
        """αβ/(α+β−δ): s falls as compute to the −γ on the training-optimal line."""
        return self.alpha * self.beta / self._total

    @property
    def _total(self) -> float:
        return self.alpha + self.beta - self.delta

    def loss(self, N: float, D: float) -> float:
        """The loss of N parameters trained on D tokens."""
        return self.loss_of(self.sum(N, D))

    def sum(self, N: float, D: float) -> float:
        """The reducible part s of N parameters trained on D tokens."""
        return self._parameters(D) * power(N, -self.alpha) + self.B * power(
            D, -self.beta
        )

    def _parameters(self, D: float) -> float:
        """A·D^-delta: what the parameters leave at N = 1."""
        return self.A * power(D, -self.delta) if self.mixed else self.A

    def loss_of(self, s: float) -> float:
        """The loss whose reducible part is s."""
        return self.E + (power(s, self.outer) if self.powered else s)

    def reducible(self, loss: float) -> float:
        """The reducible part s of a loss; at or below 0 no model reaches it."""
        rest = loss - self.E
        # A negative number has no real power; it says "none" as it stands.
        return power(rest, 1 / self.outer) if rest.real > 0 else rest

    def optimal_tokens(self, N: float, share: float = 1.0) -> float:
        """D_opt(N): the tokens for which N parameters are training-optimal.

        Args:
            N: the size.
            share: ∂ln C/∂ln N over ∂ln C/∂ln D; 1 of a compute of 6·N·D.
        """
        left, right = self.alpha, self.beta
        if self.mixed:
            left, right = left - share * self.delta, right - self.delta
        ratio = self.beta * self.B / (left * self.A)
        if not (isinstance(share, float) and share == 1):
            ratio = share * ratio
        return power(ratio * power(N, self.alpha), 1 / right)

    def optimal_parameters(self, D: float) -> float:
        """The parameters for which D tokens are training-optimal."""
        ratio = (self.alpha - self.delta) * self.A / (self.beta * self.B)
        return power(ratio * power(D, self.beta - self.delta), 1 / self.alpha)

    def training_optimal(self, s: float) -> tuple[float, float]:
        """The (N, D) of least 6·N·D whose reducible loss is s > 0.

        Source: Sardana et al. 2024, `compute_optimal`; at the optimum the parameters
        keep the share β/(α+β−δ) of s and the data the rest.
        """
        left = self.alpha - self.delta
        D = power(self.B * (self.beta / left + 1) / s, 1 / self.beta)
        worth = self._parameters(D) * (left / self.beta + 1)
        return power(worth / s, 1 / self.alpha), D

    def compute_optimal(self, C: float) -> tuple[float, float]:
        """The (N, D) of least loss for the training compute C = 6·N·D [FLOP].

        Source: Hoffmann et al. 2022, eq. 4.
        """
        left = self.alpha - self.delta
        G = power(left * self.A / (self.beta * self.B), 1 / self._total)
        N = G * power(C / 6, (self.beta - self.delta) / self._total)
        D = power(C / 6, self.alpha / self._total) / G
        return N, D

    def weight(self, N: float, D: float) -> float:
        """The weight w = (∂s/∂ln N)/(∂s/∂ln D), 1 where (N, D) is training-optimal."""
        of_N = self.alpha * self._parameters(D) * power(N, -self.alpha)
        of_D = self.beta * self.B * power(D, -self.beta)
        return of_N / (of_D + self.delta / self.alpha * of_N)

    def floor(self, s: float) -> float:
        """The size (A/s)^(1/α) that must be exceeded to reach s on any data.

        0 where the parameters are worth more with every token.
        """
        return 0.0 if self.mixed else power(self.A / s, 1 / self.alpha)

    def tokens_for(self, N: float, s: float) -> float:
        """The least tokens with which N parameters reach s; infinite at the floor."""
        if self.mixed:
            return self._tokens_both(N, s)
        rest = s - self.A * power(N, -self.alpha)
        return power(self.B / rest, 1 / self.beta) if rest.real > 0 else math.inf

    def _tokens_both(self, N: float, s: float) -> float:
        """The same where both terms fall with D: Newton on ln of their sum.

        That is convex in ln D and falls: from where one term alone is s, which is
        to the left of the root, every step goes towards it and none beyond.
        """
        of_N = self.A * power(N, -self.alpha)
        logs = (ln(of_N / s) / self.delta, ln(self.B / s) / self.beta)
        log = max(logs, key=lambda value: value.real)
        for _ in range(_STEPS):
            first = of_N * exp(-self.delta * log) / s
            second = self.B * exp(-self.beta * log) / s
            slope = self.delta * first + self.beta * second
            step = ln(first + second) * (first + second) / slope
            log = log + step
            if abs(step) < _SMALL * max(1.0, abs(log)):
                break
        return power(math.e, log)

    def parameters_for(self, D: float, s: float) -> float:
        """The least parameters that reach s on D tokens; infinite if none do."""
        rest = s - self.B * power(D, -self.beta)
        if not rest.real > 0:
            return math.inf
        return power(self._parameters(D) / rest, 1 / self.alpha)


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
