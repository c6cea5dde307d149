"""What the overtraining factor is a multiple of: tokens of data read once."""

from __future__ import annotations

import math

from optimizer.question.asked import Question

ROUNDING = 1e-6  # of a factor


def factor(question: Question, N: float, D: float) -> float:
    """Tokens over those with which N is the cheapest to train to its loss.

    Those are of data read once, and of weights that are stored as they are trained; ∞
    where they are fewer than numbers hold.
    """
    tokens = question.optimal_tokens(N)
    found = D / tokens if tokens else math.inf
    return 1.0 if abs(found - 1) < ROUNDING else found


def left_out(question: Question, D: float) -> tuple[str, ...]:
    """What bears on the loss of D tokens and not on the tokens of that rule."""
    terms = (*question.loss, *question.outside)
    found = {
        "repetition": question.unique is not None and question.unique < D,
        "quantization": any(term.label == "quantization" for term in terms),
    }
    return tuple(name for name, here in found.items() if here)
