"""Was this model right? What a law says of a model that exists, or might.

Along a loss surface, training compute over its least is a function of w alone, the
ratio of what parameters and tokens still give:

    C/C_min = ((α + β·w)/(α + β))^(1/γ) · w^(−1/α),   γ = αβ/(α+β),

and a model is lifetime-optimal for the demand at which w is what the costs ask:
T = 3·D·(w − 1) in FLOPs. *Source*: Sardana et al. 2024, first-order conditions;
de Vries 2023 for k_N, k_D and the critical size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from optimizer.analysis.plan.answer import Critical
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.extremes import (
    critical,
    critical_size,
    training_optimal,
    training_overhead,
)
from optimizer.analysis.plan.fitted_law import fitted_warnings
from optimizer.analysis.plan.implied import implied_demand
from optimizer.analysis.plan.kept import told
from optimizer.analysis.plan.lifetime import at_loss
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.own_plan import cheapest
from optimizer.analysis.plan.priced import Cost, Pair
from optimizer.analysis.plan.ranges import outside
from optimizer.analysis.plan.referred import pair
from optimizer.analysis.plan.reshaped import SAME, alike, all_settled, with_own_data
from optimizer.analysis.plan.tokens import demand_total
from optimizer.analysis.plan.wording import either
from optimizer.question.asked import SIZE, Question
from optimizer.question.at_size import held_at
from optimizer.question.scenario import Scenario
from optimizer.question.target import Match, Target
from optimizer.records import dataclass, replace
from optimizer.world.costs import value
from optimizer.world.law import Counts, Law
from optimizer.world.laws import builtin_names, load_law
from optimizer.world.leverage import NO_AUDIT
from optimizer.world.models import Exists, PublishedModel, size_in, unsure
from optimizer.world.surface import Surface


@dataclass(frozen=True)
class Implied:
    """The demand for which a model is lifetime-optimal.

    Attributes:
        tokens: served tokens; negative where it is undertrained even for none; None
            where no demand suits it.
        low: the least, where a binding limit makes it an interval; else `tokens`.
        high: the greatest; None without bound.
        within: the fraction of the cost that the cheapest plan saves at `tokens`; 0,
            or up to a hundredth where machines come in whole numbers.
        reason: why no demand suits it; None where one does.
        replicas: that this demand fills to the last token; None where none.
    """

    tokens: float | None
    low: float | None
    high: float | None
    within: float | None = None
    reason: str | None = None
    replicas: int | None = None


@dataclass(frozen=True)
class Asked:
    """What a law without a loss surface says of a size.

    Attributes:
        law: its name.
        tokens: that it asks of this size.
        ratio: the model's tokens over those.
    """

    law: str
    tokens: float
    ratio: float


@dataclass(frozen=True)
class Audit:
    """One model under one law.

    Attributes:
        name: of the model.
        law: of the law.
        parameters: N, in the law's unit.
        tokens: D.
        loss: that the law gives.
        w: the weight (∂s/∂ln N)/(∂s/∂ln D); 1 at the training optimum.
        implied_demand: see `Implied`.
        overhead: training compute over the least for this loss, − 1.
        k_N: N over that of the training-optimal model of this loss.
        k_D: D over that of it.
        overtraining: D over the training-optimal tokens for this N.
        critical: floor, critical size and training overhead for this loss.
        training_optimal: the model of this loss with the least training compute.
        lifetime: the lifetime cost under the scenario, or None without one.
        frontier: what laws without a surface ask.
        demand: tokens that it would serve in the scenario; None without one.
        samples: that it draws there, where the law says what they are worth.
        lifetime_optimal: the plan of the same loss that is best under the scenario;
            None without one, or where its limits leave none.
        lifetime_overhead: lifetime cost over that of this plan, − 1; below 0 where an
            architecture of its own makes the model cheaper.
        held_by: the limits of the scenario that hold that plan back.
        cannot: which limits of the scenario the model does not keep, so that it has
            no price; empty where it keeps them.
        outside: where the model lies outside the runs that the law was fitted to.
        note: what a comparison should bear in mind; may be empty.
        attention: whether training compute counts attention, as the scenario asks.
        reshaped: whether its own architecture costs something else than the scenario's.
        warnings: what a law that was fitted to the user's runs says of itself.
    """

    name: str
    law: str
    parameters: float
    tokens: float
    loss: float
    w: float
    implied_demand: Implied
    overhead: float
    k_N: float  # noqa: N815 - de Vries' symbol
    k_D: float  # noqa: N815 - de Vries' symbol
    overtraining: float
    critical: Critical
    training_optimal: Pair
    lifetime: Cost | None
    frontier: tuple[Asked, ...]
    demand: float | None = None
    samples: float | None = None
    lifetime_optimal: Pair | None = None
    lifetime_overhead: float | None = None
    cannot: str = ""
    outside: tuple[str, ...] = ()
    note: str = ""
    attention: bool = False
    reshaped: bool = False
    held_by: tuple[str, ...] = ()
    warnings: tuple[Warning, ...] = ()


def audit(
    name: str,
    parameters: float,
    tokens: float,
    law: Law,
    experts: int | None = None,
    scenario: Scenario | None = None,
    note: str = "",
    what: Exists | None = None,
) -> Audit:
    """Judges a model of N parameters trained on D tokens.

    Args:
        name: for the report.
        parameters: N > 0, in the law's unit.
        tokens: D > 0, seen in training.
        law: a law with a loss surface.
        experts: for a joint-MoE law.
        scenario: its costs, demand and limits price the model; its target and its
            law are not used. None counts FLOPs without a limit.
        note: passed on.
        what: the model, whose own shape and stored weights are priced; a bare size
            unless given.

    Raises:
        ValueError: the law has no surface.
    """
    if law.form == "leverage":
        raise ValueError(NO_AUDIT)
    surface = law.surface(experts)
    s = surface.sum(parameters, tokens)
    ends = _ends(surface, s, parameters, tokens)
    w = surface.weight(parameters, tokens)
    point = {"N": parameters, "D": tokens}
    implied = Implied(*(3 * tokens * (w - 1),) * 3)
    lifetime = best = above = demand = samples = None
    cannot, reshaped = "", False
    held_by: tuple[str, ...] = ()
    if scenario is not None:
        matched = Target(match=Match(parameters=parameters, tokens=tokens))
        priced = scenario.every(lambda one: _priced(one, matched, law, experts))
        own = priced.every(with_own_data)
        held = all_settled(held_at(own, what or parameters, fix=None))
        found = cheapest(held, point)
        question, lifetime = found.question, found.cost
        cannot = either(told(found.breaks), "and")
        plain = all_settled(held_at(own, parameters, fix=None))
        reshaped = not alike(held, plain, point)
        if question.attention and question.plain:
            ends = _attended(question, s, point)
        others = all_settled(own.singles) if reshaped else ()
        implied = _implied(held, others, question, point)
        as_served = question.reducible_at(question.complete(point))
        if as_served > s * (1 + SAME):  # its weights are stored in few bits
            priced = priced.every(
                partial(at_loss, question=question, s=as_served, budget=None)
            )
        answer = solve(priced, whole=False)
        demand, samples = demand_total(question).tokens, question.samples
        if answer.plan is not None and answer.cost is not None:
            best = answer.plan
            held_by = tuple(wall.name for wall in answer.held_by)
            above = None if cannot else lifetime.total / answer.cost.total - 1
    return Audit(
        name=name,
        law=law.name,
        parameters=parameters,
        tokens=tokens,
        loss=surface.loss_of(s),
        w=w,
        implied_demand=implied,
        overhead=ends.critical.training_overhead,
        k_N=parameters / ends.best.parameters,
        k_D=tokens / ends.best.tokens,
        overtraining=tokens / ends.tokens,
        critical=ends.critical,
        training_optimal=ends.best,
        lifetime=None if cannot else lifetime,
        cannot=cannot,
        frontier=frontier(parameters, tokens),
        demand=demand,
        samples=samples,
        lifetime_optimal=best,
        lifetime_overhead=above,
        held_by=held_by,
        outside=tuple(outside(law, parameters, tokens)),
        note=note,
        attention=ends.attention,
        reshaped=reshaped,
        warnings=tuple(fitted_warnings(law)),
    )


@dataclass(frozen=True)
class _Ends:
    """The training-optimal model of a loss, the ends of it, and D_opt of a size."""

    best: Pair
    critical: Critical
    tokens: float
    attention: bool = False


def _ends(surface: Surface, s: float, N: float, D: float) -> _Ends:
    """By 6·N·D, in closed form."""
    N0, D0 = surface.training_optimal(s)
    limits = Critical(
        surface.floor(s), critical_size(surface, s), N * D / (N0 * D0) - 1
    )
    return _Ends(pair(surface, N0, D0), limits, surface.optimal_tokens(N))


def _attended(question: Question, s: float, point: Mapping[str, float]) -> _Ends:
    """With attention, as `solve` counts it for the same scenario."""
    best = training_optimal(question, s, point)
    over = training_overhead(question, question.complete(point), best)
    surface = question.surface
    return _Ends(
        best=pair(surface, best["N"], best["D"]),
        critical=Critical(surface.floor(s), critical(question, s, best), over),
        tokens=question.optimal_tokens(point["N"]),
        attention=True,
    )


def _priced(
    scenario: Scenario, target: Target, law: Law, experts: int | None
) -> Scenario:
    """A scenario that asks for the loss of a model, with nothing decided."""
    decided = dict.fromkeys(("budget", "fix", "plan"))
    words = {**decided, "target": target, "experts": experts}
    words["training"] = scenario.spec.training.plainly()
    spec = scenario.spec.model_copy(update=words)
    return replace(scenario, law=law, spec=spec, reference=None)


def _implied(
    held: Sequence[Scenario],
    others: Sequence[Scenario],
    question: Question,
    size: Mapping[str, float],
) -> Implied:
    """The implied demand under a scenario's costs, an interval at a binding limit.

    A limit with the log-gradient (a_N, a_D) binds with any multiplier μ ≥ 0:
    ∂C/∂ln N + μ·a_N = w·(∂C/∂ln D + μ·a_D), so that T may move by a positive multiple
    of w·a_D − a_N from what it is at μ = 0. Among lists, other shapes and machines in
    whole numbers something else may win further on, and no interval is told.

    Args:
        held: the combinations of the scenario's lists with the model's own shape.
        others: the same with the scenario's, where that costs something else.
        question: of the one that serves it.
        size: N and D of the model.
    """
    point = question.complete(size)
    suits = implied_demand(held, size, question.reducible_at(point), others)
    low = high = suits.tokens
    alone = len(held) == 1 and not others and not question.replicas
    alone = alone and not any(line.load for line in question.bill)
    for limit in question.limits if alone else ():
        if any(set(t.exponents) - set(SIZE) for t in limit.terms):
            continue  # a machine's bound: its batch gives way, not the model
        used = sum(value(t, point) for t in limit.terms)
        if abs(used / limit.bound - 1) > 1e-6:
            continue
        slopes = {
            name: sum(t.exponents.get(name, 0.0) * value(t, point) for t in limit.terms)
            / used
            for name in ("N", "D")
        }
        w = question.surface.weight(point["N"], point["D"])
        if w * slopes["D"] > slopes["N"]:
            high = None
        elif w * slopes["D"] < slopes["N"]:
            low = None
    why = suits.reason or None
    return Implied(suits.tokens, low, high, suits.within, why, suits.filled)


def frontier(parameters: float, tokens: float) -> tuple[Asked, ...]:
    """What the built-in laws without a surface ask of a size, beside what it had."""
    found = []
    for name in builtin_names():
        law = load_law(name)
        if law.form == "frontier":
            asked = law.frontier().optimal_tokens(parameters)
            found.append(Asked(name, asked, tokens / asked))
    return tuple(found)


def audit_models(
    models: Sequence[PublishedModel],
    laws: Sequence[Law],
    scenario: Scenario | None,
    experts: int | None = None,
) -> tuple[Audit, ...]:
    """Judges published models under several laws, model by model.

    Args:
        models: from the library, or made up.
        laws: each with a loss surface.
        scenario: as for `audit`.
        experts: of a joint-MoE law; 1, a dense model, unless given.
    """
    return tuple(
        audit(
            model.name,
            size_in(model, law.counts),
            model.tokens,
            law,
            experts=(experts or 1) if law.experts else None,
            scenario=scenario,
            note=_note(model, law.counts),
            what=model,
        )
        for model in models
        for law in laws
    )


def _note(model: PublishedModel, counts: Counts) -> str:
    active = "a mixture of experts, judged by its active parameters"
    parts = (
        active if model.active_parameters else "",
        unsure(model, counts),
        model.note,
    )
    return "; ".join(part for part in parts if part)
