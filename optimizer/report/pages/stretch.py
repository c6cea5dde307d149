"""How far a model lies beyond the runs of the law that gives its loss."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.analysis.plan.doubts import Beyond
from optimizer.analysis.plan.wording import either, times


def stretch(found: Sequence[Beyond], law: str, what: str) -> str:
    """A sentence on what lies outside the runs of a law; empty where nothing does.

    Args:
        found: what lies outside.
        law: its name.
        what: the model is called.
    """
    if not found:
        return ""
    parts = []
    for one in found:
        word = one.what.replace("_", " ")
        far = f"{times(one.factor)} × the most {word}"
        if one.side == "below":
            far = f"1/{times(one.factor)} of the fewest {word}"
        parts.append(far)
    told = either(parts, "and")
    return f"{what} is an extrapolation: {told} that {law} was fitted to."
