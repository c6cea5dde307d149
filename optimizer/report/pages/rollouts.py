"""The rows on what follows pre-training: rollouts, and training on them."""

from __future__ import annotations

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import amount, percent
from optimizer.reading.quantity import REQUESTS, write


def rollout_rows(answer: Answer) -> list[tuple[str, str]]:
    """Tokens and accelerator-hours of both, and their part of the compute."""
    after = answer.post_training
    if after is None:
        return []
    return [
        ("rollouts", _amount(after.rollout_tokens, after.generation_hours)),
        ("trained on", _amount(after.trained_tokens, after.training_hours)),
        ("compute after training", f"{percent(after.share)} of pre-training"),
    ]


def _amount(tokens: float, hours: float | None) -> str:
    time = "" if hours is None else f", {write(hours, REQUESTS)} accelerator-hours"
    return f"{amount(tokens, 'tokens')} tokens{time}"
