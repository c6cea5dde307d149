"""The JSON contract: every key of `docs/json.md`, in its order, for other programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.reach import printed
from optimizer.analysis.plan.wording import typed
from optimizer.reading.loss_words import said_in
from optimizer.records import names

if TYPE_CHECKING:
    from optimizer.analysis.plan.snap import Snap

FORMAT_VERSION = 1


def document(answers: Sequence[Answer], version: str) -> dict[str, Any]:
    """The document of some answers.

    Args:
        answers: in the order in which they were asked.
        version: of this tool.
    """
    return wrapped({"plans": [plan(answer) for answer in answers]}, version)


def wrapped(content: Mapping[str, Any], version: str) -> dict[str, Any]:
    """What every document of this tool starts with, then its own content."""
    tool = {"name": "overtrain", "version": version}
    return {"format_version": FORMAT_VERSION, "tool": tool, **content}


def plan(answer: Answer, snapped: Snap | None = None) -> dict[str, Any]:
    """One answer as plain data, and its rounding where it was asked for."""
    content: dict[str, Any] = {
        "scenario": answer.scenario,
        "file": answer.file,
        "status": answer.status.value,
        "objective": answer.objective,
        "question": answer.question,
        "law": answer.law,
        "target_loss": answer.target_loss,
        "reference": answer.reference,
        "demand": answer.demand,
        "plan": answer.plan,
        "mixture": answer.mixture,
        "training_optimal": answer.training_optimal,
        "overtraining": answer.overtraining,
        "critical": answer.critical,
        "cost": answer.cost,
        "amounts": answer.amounts,
        "unit_cost": answer.unit_cost,
        "training_run": answer.training_run,
        "post_training": answer.post_training,
        "serving": answer.serving,
        "relaxed": answer.relaxed,
        "samples": answer.samples,
        "savings": answer.savings,
        "near_optimal": answer.near_optimal,
        "fixed": answer.fixed,
        "own": answer.own,
        "distillation": answer.distillation,
        "same_loss": answer.same_loss,
        "capped": answer.capped,
        "choice": answer.choice,
        "alternatives": answer.alternatives,
        "others": answer.others,
        "cheapest": answer.cheapest,
        "snap": snapped,
        "epochs": answer.epochs,
        "parties": answer.parties,
        "limits": answer.limits,
        "sensitivities": answer.sensitivities,
        "certificate": answer.certificate,
        "engine": answer.engine and answer.engine.value,
        "warnings": answer.warnings,
        "extrapolation": answer.extrapolation,
        "erred": answer.erred,
        "other_form": answer.other_form,
        "reached": answer.reached,
        "free": answer.free,
        "infeasibility": infeasibility(answer.infeasibility, answer.law.loss_unit),
    }
    data: dict[str, Any] = plain(content)
    return data


def write(data: Mapping[str, Any]) -> str:
    """JSON text with its last newline; what JSON cannot say is an error."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Records as mappings, tuples as lists, and numbers JSON cannot say as null."""
    if words := names(type(value)):
        return {word: plain(getattr(value, word)) for word in words}
    if isinstance(value, Mapping):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, tuple | list):
        return [plain(member) for member in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def infeasibility(why: Infeasibility | None, losses: str) -> dict[str, Any] | None:
    """Why there is no plan, as plain data; of a portfolio a lowest loss each model.

    Args:
        why: as found.
        losses: their unit, which stands where it is not nats per token.
    """
    if why is None:
        return None
    return {
        "reason": why.reason,
        "conflict": why.conflict,
        "relaxations": [
            {
                "name": way.name,
                "from": way.before,
                "to": _printed(way, way.after),
                "unit": said_in(way.unit, losses),
                "line": way.line,
                "source": str(way.place),
                "cost": way.cost,
                "training_overhead": way.overhead,
                "sensible": _printed(way, way.sensible),
                "sensible_cost": way.sensible_cost,
                "within_runs": way.within_runs,
            }
            for way in why.relaxations
        ],
        "nearest_loss": why.nearest_losses or why.nearest_loss,
        "nearest_reached": why.nearest_reached,
        "uniform": why.uniform,
        "accelerators": why.accelerators,
        "certificate": why.certificate,
    }


def _printed(way: Relaxation, value: float | None) -> float | None:
    """A change as pages have it, which its cost is of; None where no file takes it."""
    if value is None or not typed(value, way.unit):
        return None
    return printed(way, value)
