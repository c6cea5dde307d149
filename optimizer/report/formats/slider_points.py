"""The explorer's stops in words, so that its script needs no arithmetic."""

from __future__ import annotations

from typing import Any

from optimizer.analysis.plan.wording import (
    amount,
    more,
)
from optimizer.analysis.story.explorer import Explorer, Point
from optimizer.reading.quantity import significant

WHAT_IF = (
    *("parameters", "training tokens", "overtraining factor", "training"),
    *("serving", "lifetime total", "against training-optimal", "loss"),
)
TARGETS = {
    "parameters": "Quality: as good as a training-optimal model of",
    "loss": "Target loss",
}


def sliders(place: int, explorer: Explorer) -> dict[str, Any]:
    """What the template of the sliders needs."""
    return {
        "kind": "sliders",
        "id": f"explorer-{place}",
        "demands": len(explorer.demands),
        "targets": len(explorer.targets),
        "at": explorer.here,
        "demand_label": "Served over the life:",
        "target_label": f"{TARGETS.get(explorer.target, _budget(explorer.target))}:",
        "names": WHAT_IF,
    }


def _budget(word: str) -> str:
    return f"Budget, {word.replace('_', ' ')}"


def points(explorer: Explorer) -> dict[str, Any]:
    """Every stop in words, so that the script needs no arithmetic."""
    return {
        "demands": [f"{amount(v, 'tokens')} tokens" for v in explorer.demands],
        "targets": [_aim(v, explorer) for v in explorer.targets],
        "here": explorer.here,
        "points": [[told(p, explorer) for p in row] for row in explorer.points],
    }


def _aim(value: float, explorer: Explorer) -> str:
    if explorer.unit == "nats":
        return f"{value:.3f}"
    return amount(value, explorer.unit)


def told(point: Point, explorer: Explorer) -> list[str]:
    """What the tiles of the explorer say at a point."""
    unit = explorer.cost_unit
    values = (
        point.parameters,
        point.tokens,
        point.overtraining_factor,
        point.cost_training,
        point.cost_inference,
        point.cost_total,
        point.saving,
        point.loss,
    )
    if any(value is None for value in values):
        return ["no plan", *([""] * (len(WHAT_IF) - 1))]
    N, D, factor, training, serving, total, saving, loss = (v or 0.0 for v in values)
    saved = more(-saving) if saving else "as much"
    return [
        amount(N, "parameters"),
        amount(D, "tokens"),
        f"{significant(factor, 2)} ×",
        *(amount(value, unit) for value in (training, serving, total)),
        saved,
        f"{loss:.4f}",
    ]
