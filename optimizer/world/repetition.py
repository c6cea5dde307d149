"""Repeated data: what tokens read again, and parameters beyond them, are worth.

    D' = U + U·R_D*·(1 − exp(−R/R_D*)),     R = D/U − 1
    N' = U_N + U_N·R_N*·(1 − exp(−R/R_N*)), R = N/U_N − 1 for N > U_N, else N' = N
    U_N = N_opt(U),                         U = min(D, unique tokens)

U, the unique tokens that are read, is a variable: U ≤ D and U ≤ unique. Neither D' nor
N' falls in U, so that the optimum has it as large as it may be; and all is concave in
logarithms, ln D' = ln U + H(ln D − ln U) and ln N' = u + H(n − u) with u affine in
ln U. *Source*: Muennighoff et al. 2023 (arXiv 2305.16264), eq. 5, 6, 16 and 17.
"""

from __future__ import annotations

import numpy as np

from optimizer.algebra.posynomial import Term, columns
from optimizer.algebra.saturating import Saturating
from optimizer.records import dataclass
from optimizer.world.limits import Limit
from optimizer.world.surface import Surface

COVERED = 500.0  # epochs that the law's runs went through
WITHIN = 690.0  # of 0, for a logarithm whose number a float holds


@dataclass(frozen=True)
class Repetition:
    """How data repeat.

    Attributes:
        unique: the tokens that there are.
        R_D: repetitions after which a token is worth 1/e.
        R_N: likewise for parameters beyond U_N; None leaves N' = N.
    """

    unique: float
    R_D: float
    R_N: float | None

    def limit(self) -> Limit:
        """U ≤ unique, which the user can move."""
        read = Term("unique tokens", 1.0, {"U": 1.0})
        return Limit("data.unique_tokens", self.unique, "tokens", (read,))

    def physics(self) -> tuple[Limit, ...]:
        """U ≤ D, and no more epochs than the law covers."""
        read = Term("unique tokens", 1.0, {"U": 1.0, "D": -1.0})
        epochs = Term("epochs", 1.0, {"D": 1.0, "U": -1.0})
        return (
            Limit("data.read", 1.0, "", (read,)),
            Limit("data.epochs", COVERED, "", (epochs,)),
        )

    def tokens(self) -> Saturating:
        """D' as a concave quantity of D and U."""
        return Saturating(
            "D'",
            ("D", "U"),
            reach=columns([0.0, 1.0, 0.0]),
            level=columns([0.0, 0.0, 1.0]),
            R=np.atleast_1d(np.asarray(self.R_D)),
        )

    def parameters(self, surface: Surface) -> Saturating | None:
        """N' as a concave quantity of N and U; None where N' = N.

        Raises:
            ValueError: N_opt is so steep in U that no number holds that of one token.
        """
        if self.R_N is None:
            return None
        # ln N_opt(U) = base + ratio·ln U along the training-optimal line.
        with np.errstate(divide="ignore"):
            base = np.log(np.asarray(surface.optimal_parameters(1.0)))
        if not (abs(base.real) < WITHIN).all():
            ratio = np.max(surface.beta / surface.alpha).real
            raise ValueError(
                "cannot be counted under this law: the parameters that they support "
                f"grow by the power beta/alpha = {ratio:.3g} of them, beyond what "
                "numbers hold; remove unique_tokens, or check the law"
            )
        return Saturating(
            "N'",
            ("N", "U"),
            reach=columns([0.0, 1.0, 0.0]),
            level=columns([base, 0.0, surface.beta / surface.alpha]),
            R=np.atleast_1d(np.asarray(self.R_N)),
        )
