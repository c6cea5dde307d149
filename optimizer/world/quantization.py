"""Quantized serving: what weights of few bits cost in loss.

    δ = C_T · D^γ_D · N^-γ_N · exp(−P/γ)

for P bits after training: a monomial in N and D, so that the loss stays a posynomial,
but one that more tokens may raise. The authors warn that their constants are unlikely
to be useful elsewhere. *Source*: Kumar et al. 2024 (arXiv 2411.04330), eq. 2 and
appendix K, table 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from optimizer.algebra.posynomial import Term

BITS = {"bf16": 16, "fp8": 8, "int8": 8, "fp4": 4, "int4": 4}


def penalty(constants: Mapping[str, float], bits: int) -> Term:
    """The loss added by storing weights in some bits [nats per token].

    Args:
        constants: `C_T`, `gamma_D`, `gamma_N` and `gamma_post` of the law.
        bits: P.
    """
    size = constants["C_T"] * math.exp(-bits / constants["gamma_post"])
    powers = {"N": -constants["gamma_N"], "D": constants["gamma_D"]}
    return Term("quantization", size, powers)
