"""Sparse experts: how much less compute they take than a dense model of their loss.

    EL = C_dense/C = Â^(a + d·lg C + γ·(log2 G)² + β_G·log2 G),
    1/Â = 1/(A + 1/(1/A_start − 1/A_max)) + 1/A_max

at equal loss and tokens, with A the share of the experts that a token passes, G the
granularity 2·width/(width of an expert) and C = 6·N·D of the active N. For given A and
G that is κ·C^e, e = d·lg Â, so that the dense model of the same loss on the same tokens
has κ·6^e·N^(1+e)·D^e parameters. Under a dense law the loss of the sparse one is then

    E + A_N·(κ·6^e)^(−α)·N^(−α(1+e))·D^(−αe) + B·D^(−β),

a sum of powers of both: each choice of A and G is a geometric program of its own.

*Source*: Tian et al. 2025, arXiv 2507.17702, for EL; its text gives no bases, and lg
and log2 are those with which its constants give the leverage and the best granularity
that it tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from optimizer.reading.fields import Field, Fraction, Model, Positive
from optimizer.world.ranges import Range
from optimizer.world.surface import Surface, ln, power

DENSE = ("E", "A", "B", "alpha", "beta")
OWN = ("a", "d", "gamma", "beta_G", "A_start", "A_max")
INSIST = "sparse.beyond_fit: true"
NO_AUDIT = (
    "a law of leverage judges no published model, whose activation and granularity it "
    "was not fitted to; price one with plan: {parameters: , tokens: } in a scenario "
    "that has its sparse"
)


class Sparse(Model):
    """The routed experts of a law of their leverage; each a list to choose from."""

    activation: Fraction = Field(
        description="the share of the experts that a token passes, the shared ones "
        "counted; 100 % is the dense model"
    )
    granularity: Positive = Field(
        description="twice the model's width over the width of an expert"
    )
    beyond_fit: bool = Field(
        False, description="answer outside what the leverage was fitted to as well"
    )

    @property
    def dense(self) -> bool:
        """Whether it is the model that leverage is measured against."""
        return self.activation.real >= 1

    @property
    def stored(self) -> float:
        """All parameters over the active ones, at most: attention is active too."""
        return 1.0 / self.activation


def leverage(c: Mapping[str, float], sparse: Sparse) -> tuple[float, float]:
    """κ and e of a leverage of κ·C^e.

    Args:
        c: the coefficients `OWN` of the law.
        sparse: activation and granularity.

    Raises:
        ValueError: the coefficients are no leverage.
    """
    if not c["A_start"].real < c["A_max"].real:
        raise ValueError("A_start must be below A_max")
    spread = 1 / (1 / c["A_start"] - 1 / c["A_max"])
    effective = 1 / (1 / (sparse.activation + spread) + 1 / c["A_max"])
    fine = ln(sparse.granularity) / math.log(2)
    at = c["a"] + c["gamma"] * fine * fine + c["beta_G"] * fine
    return power(effective, at), c["d"] * ln(effective) / math.log(10)


def levered(c: Mapping[str, float], sparse: Sparse | None) -> Surface:
    """The loss surface of sparse models; of dense ones for None, or all experts active.

    Args:
        c: the coefficients `DENSE` and `OWN` of the law.
        sparse: activation and granularity.

    Raises:
        ValueError: the leverage falls so fast with compute that no surface is left.
    """
    dense = Surface(**{symbol: c[symbol] for symbol in DENSE})
    if sparse is None or sparse.dense:
        return dense
    factor, e = leverage(c, sparse)
    alpha, delta = dense.alpha * (1 + e), dense.alpha * e
    if not e.real >= 0 or not delta.real < dense.beta.real:
        raise ValueError(
            f"an activation of {sparse.activation:.3g} leaves no leverage that grows "
            "with compute; give less, or 100 % for the dense model"
        )
    worth = power(factor * power(6.0, e), -dense.alpha)
    return Surface(dense.E, dense.A * worth, dense.B, alpha, dense.beta, delta=delta)


def outside(fitted: Range, sparse: Sparse) -> str:
    """What of the choices the leverage was not fitted to, in words; or empty."""
    told = []
    words = (("activation", sparse.activation), ("granularity", sparse.granularity))
    for word, value in words:
        span = getattr(fitted, word)
        known = span is None or sparse.dense
        if not known and not span[0] <= value.real <= span[1]:
            low, high = (_written(word, end) for end in span)
            told.append(
                f"{word} {_written(word, value.real)} (fitted: {low} to {high})"
            )
    return " and ".join(told)


def _written(word: str, value: float) -> str:
    return f"{100 * value:g} %" if word == "activation" else f"{value:g}"


def refuse_beyond(name: str, fitted: Range, sparse: Sparse) -> None:
    """Refuses choices outside the fit where nobody insists.

    Raises:
        ValueError: they are, with what to do.
    """
    if not sparse.beyond_fit and (where := outside(fitted, sparse)):
        raise ValueError(
            f"law {name}: its leverage was not fitted to {where}. Choose within, "
            f"or insist with {INSIST}, which marks the answer as an extrapolation"
        )
