"""The JSON contract, key by key, as the project's design fixes it."""

import json
import math
from dataclasses import replace
from pathlib import Path

from optimizer.analysis.plan.answer import (
    Alternative,
    Fixed,
    LimitUsed,
)
from optimizer.analysis.plan.practice import TrainingRun, UnitCost
from optimizer.report.formats.data import document, write

PLAN = {
    *("scenario", "file", "status", "law", "target_loss", "demand", "plan"),
    *("training_optimal", "overtraining", "critical", "cost", "amounts", "unit_cost"),
    *("training_run", "serving", "savings", "near_optimal", "fixed", "choice"),
    *("alternatives", "parties", "limits", "sensitivities", "certificate", "warnings"),
    "infeasibility",
}
GROWN = {
    "own",
    "distillation",
    "post_training",
    "engine",
    "objective",
    "question",
    "reference",
    "others",
    "snap",
    "epochs",
}
GROWN |= {"cheapest", "extrapolation", "free", "reached", "same_loss", "capped"}
GROWN |= {"erred", "other_form", "relaxed", "samples", "mixture"}
PAIR = {"parameters", "tokens", "tokens_per_parameter", "loss", "samples"}
COST = {"unit", "training", "inference", "other", "total", "lines"}
PARTS = {
    "law": {"name", "E", "A", "B", "alpha", "beta"},
    "demand": {"tokens", "counted_tokens", "effective_tokens", "streams"},
    "plan": PAIR,
    "training_optimal": PAIR | {"feasible", "cost"},
    "overtraining": {"factor", "parameters_ratio", "tokens_ratio", "cost_ratio"},
    "critical": {"floor", "size", "training_overhead"},
    "cost": COST,
    "amounts": {"FLOP", "USD", "kWh", "kgCO2e"},
    "unit_cost": {"input", "output", "total", "with_training"},
    "training_run": {"accelerator_hours", "time"},
    "savings": {"amount", "fraction"},
    "fixed": {"optimum", "extra", "fraction"},
    "parties": {"lab", "community", "social"},
    "certificate": {"stationarity", "violation", "gap"},
}
MEMBERS = {
    "near_optimal": {"within", "parameters", "tokens", "tokens_per_parameter"},
    "limits": {
        *("name", "bound", "value", "binding", "elasticity", "shadow_price", "line"),
    },
    "sensitivities": {"input", "value", "elasticity", "left", "right", "line"},
    "warnings": {"code", "message"},
}


def full(answer):
    return replace(
        answer,
        fixed=Fixed(answer.plan, 1e22, 0.1, 9e13),
        unit_cost=UnitCost(None, None, 0.05, 0.09),
        training_run=TrainingRun(150e3, None),
        others=(Alternative("buy", 1e23, 5e10, None, 3e12),),
        limits=(
            LimitUsed("limits.tokens", 4e11, 4e11, "tokens", True, -0.01, -1, -2, 5),
        ),
    )


def test_every_key_of_the_contract(answer):
    data = document([full(answer)], "1.2.3")
    assert set(data) == {"format_version", "tool", "plans"}
    assert data["format_version"] == 1
    assert data["tool"] == {"name": "overtrain", "version": "1.2.3"}
    (plan,) = data["plans"]
    assert set(plan) == PLAN | GROWN
    for key, parts in PARTS.items():
        assert parts <= set(plan[key]), key
    for key, parts in MEMBERS.items():
        assert plan[key], key
        assert all(parts <= set(member) for member in plan[key]), key
    assert set(plan["fixed"]["optimum"]) == PAIR
    assert set(plan["training_optimal"]["cost"]) == COST
    assert set(plan["cost"]["lines"][0]) == {"name", "amount", "share"}
    streams = plan["demand"]["streams"]
    assert {"name", "tokens", "input_tokens", "output_tokens"} <= set(streams[0])
    assert plan["serving"] == plan["alternatives"] == []
    assert plan["choice"] == {}
    assert plan["status"] == "optimal"
    assert plan["infeasibility"] is None
    assert plan["plan"]["parameters"] == 6.97e9


def test_the_docs_name_every_key(answer):
    page = (Path(__file__).parents[3] / "docs/json.md").read_text()
    (plan,) = document([full(answer)], "1")["plans"]
    keys = set(plan)
    for value in plan.values():
        members = value if isinstance(value, list) else [value]
        keys |= {key for m in members if isinstance(m, dict) for key in m}
    keys -= set(plan["law"]["coefficients"])
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []


def test_the_parts_of_an_infeasible_plan_are_null(infeasible):
    (plan,) = document([infeasible], "1")["plans"]
    assert set(plan) == PLAN | GROWN
    assert plan["status"] == "infeasible"
    nulls = (
        *("plan", "training_optimal", "overtraining", "critical", "cost", "amounts"),
        *("unit_cost", "training_run", "savings", "fixed", "parties", "certificate"),
    )
    assert [plan[key] for key in nulls] == [None] * len(nulls)
    assert plan["near_optimal"] == plan["limits"] == plan["sensitivities"] == []
    why = plan["infeasibility"]
    assert {"reason", "conflict", "relaxations", "nearest_loss"} <= set(why)
    first, second = why["relaxations"]
    assert {"name", "from", "to"} <= set(first)
    assert (first["from"], first["to"], second["to"]) == (1.9, 2.1697, None)
    assert why["conflict"] == ["target", "limits.tokens"]


def test_numbers_that_json_cannot_say_are_null(answer):
    odd = replace(
        answer,
        plan=replace(answer.plan, loss=math.nan),
        demand=replace(answer.demand, effective_tokens=math.inf),
    )
    (plan,) = json.loads(write(document([odd], "1")))["plans"]
    assert plan["plan"]["loss"] is None
    assert plan["demand"]["effective_tokens"] is None


def test_text_is_written_so_that_it_reads_back_the_same(answer):
    name = 'Größe "7B" \u2028 \ud83d\ude00'.encode("utf-16", "surrogatepass")
    named = replace(answer, scenario=name.decode("utf-16"))
    text = write(document([named], "1"))
    assert text.endswith("}\n")
    assert json.loads(text)["plans"][0]["scenario"] == named.scenario
