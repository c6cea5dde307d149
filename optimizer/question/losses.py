"""The reducible loss of a scenario as monomials, and that of a plan of its own."""

from __future__ import annotations

from optimizer.algebra.posynomial import Term
from optimizer.algebra.saturating import Saturating
from optimizer.question.scenario import OwnPlan, Scenario
from optimizer.world.costs import value
from optimizer.world.law import POWERS
from optimizer.world.laws import load_law
from optimizer.world.quantization import BITS, penalty
from optimizer.world.repetition import Repetition
from optimizer.world.surface import Surface, power


def repetition_of(scenario: Scenario) -> Repetition | None:
    """How data repeat, where their unique tokens are given."""
    unique = scenario.spec.data.unique_tokens
    if unique is None:
        return None
    stars = scenario.law.extras
    if "R_D_star" not in stars:
        stars = load_law("muennighoff-2023").extras
    return Repetition(unique, stars["R_D_star"], stars.get("R_N_star"))


def loss_of(
    surface: Surface, repetition: Repetition | None
) -> tuple[tuple[Term, ...], tuple[Saturating, ...]]:
    """The reducible loss, with repeated data where asked."""
    names = {"N": "N", "D": "D"}
    quantities: list[Saturating] = []
    if repetition is not None:
        names["D"] = "D'"
        quantities.append(repetition.tokens())
        if (parameters := repetition.parameters(surface)) is not None:
            names["N"] = "N'"
            quantities.append(parameters)
    powers = {names["N"]: -surface.alpha}
    if surface.mixed:
        powers[names["D"]] = -surface.delta
    terms = (
        Term("parameters", surface.A, powers),
        Term("tokens", surface.B, {names["D"]: -surface.beta}),
    )
    return terms, tuple(quantities)


def penalties_of(scenario: Scenario) -> tuple[Term, ...]:
    """What quantized serving adds to the loss where that is asked."""
    bits = [
        BITS[serving.weights or serving.arithmetic]
        for serving in scenario.servings or (scenario.spec.serving,)
        if serving.quantization_penalty
    ]
    if not bits:
        return ()
    # The fewest bits lose most at every N and D, so theirs is the loss.
    return (penalty(load_law("kumar-2024").extras, min(bits)),)


def made(scenario: Scenario, own: OwnPlan, surface: Surface) -> float:
    """The reducible loss of a plan, all effects included, on all its unique data."""
    point: dict[str, float] = {"N": own.parameters, "D": own.tokens}
    unique = scenario.spec.data.unique_tokens
    if unique is not None:
        point["U"] = unique if own.tokens.real > unique.real else own.tokens
    terms, quantities = loss_of(surface, repetition_of(scenario))
    for quantity in quantities:
        point[quantity.name] = quantity.worth(point)
    s = sum(value(term, point) for term in terms)
    added = sum(value(term, point) for term in penalties_of(scenario))
    if scenario.law.form not in POWERS:
        return s + added
    return power(power(s, surface.outer) + added, 1 / surface.outer)
