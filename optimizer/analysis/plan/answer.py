"""The records of an answer, field by field as the JSON contract names them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from optimizer.algebra.program import Certificate, Engine, Status
from optimizer.analysis.plan.capped import Capped, SameLoss
from optimizer.analysis.plan.doubts import Beyond, Chance, Erred, OtherForm, Warning
from optimizer.analysis.plan.drawings import Drawings
from optimizer.analysis.plan.infeasibility import Infeasibility
from optimizer.analysis.plan.mixture import Mixture
from optimizer.analysis.plan.practice import (
    Parties,
    PostTrainingRun,
    Relaxed,
    ServingUse,
    StreamTokens,
    TrainingRun,
    UnitCost,
)
from optimizer.analysis.plan.priced import Cost, Own, Pair
from optimizer.analysis.plan.sensitivity import Sensitivity
from optimizer.analysis.plan.students import Distillation
from optimizer.records import dataclass, field
from optimizer.world.extrapolation import Extrapolation
from optimizer.world.repetition import Repetition

UNSERVED = ("serving.memory", "serving.max_time_per_output_token")
TOUCHING = 1e-9  # of a loss that counts as reached


@dataclass(frozen=True)
class LawUsed:
    """The law behind an answer, as the surface that was solved.

    Attributes:
        name: of the law.
        repetition: how repeated data replace N and D in it, or None.
        quantization: what stored weights add to the loss, `coefficient` ·
            D^`tokens` · N^`parameters`, or None.
    """

    name: str
    E: float
    A: float
    B: float
    alpha: float
    beta: float
    outer: float
    counts: str
    loss_unit: str
    coefficients: Mapping[str, float]
    source: str
    form: str = "chinchilla"
    pair: str | None = None
    extrapolation: tuple[Extrapolation, ...] = ()
    delta: float = 0.0
    repetition: Repetition | None = None
    quantization: Mapping[str, float] | None = None


@dataclass(frozen=True)
class DemandTotal:
    """Lifetime tokens: as served, as counted, and as the objective weighs them.

    Attributes:
        tokens: served in all.
        counted_tokens: after each stream's cost share.
        effective_tokens: T_eff; 6·N·D + 2·N·T_eff is then the objective up to a
            factor and a constant. None where none is.
        streams: each one's tokens.
    """

    tokens: float
    counted_tokens: float
    effective_tokens: float | None
    streams: tuple[StreamTokens, ...]


@dataclass(frozen=True)
class TrainingOptimal:
    """The model of the same loss with the least training compute.

    Attributes:
        parameters: N.
        tokens: D.
        tokens_per_parameter: D/N.
        loss: under the law.
        feasible: whether limits, budget and fixed values allow it.
        cost: what it costs over the same life.
        breaks: names of the limits that it breaks.
        samples: a request, as many as the plan; None where the law asks for none.
    """

    parameters: float
    tokens: float
    tokens_per_parameter: float
    loss: float
    feasible: bool
    cost: Cost
    breaks: tuple[str, ...] = ()
    samples: float | None = None

    @property
    def unservable(self) -> bool:
        """Whether no replica serves it, so that what serving it costs means nothing.

        It does not fit the memory, or one sequence alone takes too long for a token.
        """
        return any(name.startswith(UNSERVED) for name in self.breaks)


@dataclass(frozen=True)
class Overtraining:
    """How far past Chinchilla-optimal; ratios are plan over training-optimal.

    Attributes:
        factor: D over the training-optimal tokens for this N.
        parameters_ratio: of N.
        tokens_ratio: of D.
        cost_ratio: of the lifetime totals.
        attention: whether the training-optimal tokens are those of compute with
            attention, as the scenario asks.
        optimal_factor: of the training-optimal model: 1 but where something that is
            left out makes it take more or fewer tokens; None where its optimal tokens
            are fewer than numbers hold.
        left_out: of what the training-optimal tokens know nothing: `repetition`, so
            that they are those of data read once, or `quantization`.
    """

    factor: float
    parameters_ratio: float
    tokens_ratio: float
    cost_ratio: float
    attention: bool = False
    optimal_factor: float | None = 1.0
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Critical:
    """De Vries' critical size for the plan's loss.

    Attributes:
        floor: N that no amount of data can go below; 0 where the parameters are worth
            more with every token, as under a law of leverage.
        size: N at which training costs twice the least possible.
        training_overhead: the plan's training compute over the least possible, − 1.
    """

    floor: float
    size: float
    training_overhead: float


@dataclass(frozen=True)
class Savings:
    """Against the training-optimal model serving the same demand."""

    amount: float
    fraction: float


@dataclass(frozen=True)
class NearOptimal:
    """The sizes whose best plan is within a fraction of the optimum, at both ends.

    Attributes:
        within: the fraction.
        parameters: N, from the least on.
        tokens: D at both.
        tokens_per_parameter: D/N at both.
        held_by: the limit that ends the range before the cost does, at both; or None.
    """

    within: float
    parameters: tuple[float, float]
    tokens: tuple[float, float]
    tokens_per_parameter: tuple[float, float]
    held_by: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True)
class Fixed:
    """What a decision already taken costs against the optimum.

    Attributes:
        optimum: the plan with nothing fixed.
        extra: cost above the optimum's; loss above it under a budget.
        fraction: the same over the optimum's cost; over its reducible loss.
        implied_demand: served tokens at which this model is the cheapest of its loss;
            negative where it is too large even for none, None where none suits it.
        implied_within: the fraction of the cost that the cheapest plan saves there:
            0, or up to a hundredth where machines come in whole numbers.
        implied_reason: why no demand suits it; None where one does.
        implied_replicas: that this demand fills to the last token; None where none.
        extrapolation: what of the optimum lies outside the law's runs.
    """

    optimum: Pair
    extra: float
    fraction: float
    implied_demand: float | None
    implied_within: float | None = None
    implied_reason: str | None = None
    implied_replicas: int | None = None
    extrapolation: tuple[Beyond, ...] = ()


@dataclass(frozen=True)
class LimitUsed:
    """One limit at the plan.

    Attributes:
        name: the user's word for it.
        bound: in its unit.
        value: what the plan uses of it.
        unit: of both.
        binding: whether it holds the plan back.
        one_percent: the relative change of the optimum with 1 % more of the bound,
            0 or below, solved anew; None where that has no proof.
        elasticity: d ln optimum / d ln bound, 0 or below; near the edge of what can
            be reached far steeper than 1 % more is.
        shadow_price: d optimum / d bound.
        line: where it stands.
        source: the same in words: `--set …` where that gave it, or the place.
    """

    name: str
    bound: float
    value: float
    unit: str
    binding: bool
    one_percent: float | None
    elasticity: float
    shadow_price: float
    line: int | None
    source: str = ""

    @property
    def used_up(self) -> bool:
        """Whether nothing that a page shows is left of a limit that has no price."""
        return not self.binding and self.value > self.bound * (1 - 1e-6)


@dataclass(frozen=True)
class Choice:
    """One combination of the scenario's lists.

    Attributes:
        choice: word → value.
        total: its lifetime cost, or its loss under a budget; None without a plan.
        status: `best`, `optimal`, `infeasible` or `refused`.
        reason: why it has no plan; may be empty.
    """

    choice: Mapping[str, str]
    total: float | None
    status: str
    reason: str


@dataclass(frozen=True)
class Alternative:
    """Another way to serve the scenario's demand.

    Attributes:
        name: `buy`, or `existing` and its name.
        total: its counted lifetime cost; None where it cannot serve the demand.
        per_token: likewise.
        loss: of an existing model under the law; None where it is not known.
        overtaken_at: served tokens above which a new model is cheaper at every demand;
            None: at none for good.
        cheaper_below: served tokens below which this way is, likewise; None: at any, or
            none is told. Both are one but where whole replicas stand.
        choice: of the lists, that serves an existing model; `serving`: its machines.
        certificate: that no other batch serves it for less, on a roofline.
        reason: why it cannot serve it; None where it can.
    """

    name: str
    total: float | None
    per_token: float | None
    loss: float | None
    overtaken_at: float | None
    cheaper_below: float | None = None
    choice: Mapping[str, str] = field(default_factory=dict)
    serving: tuple[ServingUse, ...] = ()
    certificate: Certificate | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to one scenario; see `docs/json.md` for every field."""

    scenario: str
    file: str
    status: Status
    objective: str
    question: str
    law: LawUsed
    target_loss: float | None
    reference: Pair | None
    demand: DemandTotal
    plan: Pair | None = None
    mixture: Mixture | None = None
    training_optimal: TrainingOptimal | None = None
    overtraining: Overtraining | None = None
    critical: Critical | None = None
    cost: Cost | None = None
    amounts: Mapping[str, float | None] | None = None
    unit_cost: UnitCost | None = None
    training_run: TrainingRun | None = None
    post_training: PostTrainingRun | None = None
    savings: Savings | None = None
    near_optimal: tuple[NearOptimal, ...] = ()
    fixed: Fixed | None = None
    own: Own | None = None
    distillation: Distillation | None = None
    others: tuple[Alternative, ...] = ()
    serving: tuple[ServingUse, ...] = ()
    relaxed: Relaxed | None = None
    samples: Drawings | None = None
    choice: Mapping[str, str] = field(default_factory=dict)
    alternatives: tuple[Choice, ...] = ()
    epochs: float | None = None
    parties: Parties | None = None
    same_loss: SameLoss | None = None
    capped: Capped | None = None
    limits: tuple[LimitUsed, ...] = ()
    sensitivities: tuple[Sensitivity, ...] = ()
    certificate: Certificate | None = None
    engine: Engine | None = None
    warnings: tuple[Warning, ...] = ()
    extrapolation: tuple[Beyond, ...] = ()
    erred: Erred | None = None
    other_form: OtherForm | None = None
    reached: Chance | None = None
    free: Pair | None = None
    infeasibility: Infeasibility | None = None

    @property
    def cheaper(self) -> list[tuple[Alternative, float]]:
        """Ways to serve this for less than the plan, cheapest first, with totals.

        Where there is no plan, whatever they cost. Models that are known to miss its
        loss are left out. The loss of what is bought is not known, nor is that of a
        model whose tokens nobody published; the list ends with the first way that is
        known to be as good.
        """
        aim = self.target_loss if self.plan is None else self.plan.loss
        if aim is None:
            return []
        most = math.inf if self.cost is None else self.cost.total
        enough = aim * (1 + TOUCHING)
        found: list[tuple[Alternative, float]] = []
        priced = [(way, way.total) for way in self.others if way.total is not None]
        for way, total in sorted(priced, key=lambda pair: pair[1]):
            if total >= most or (way.loss or 0.0) > enough:
                continue
            found.append((way, total))
            if way.loss is not None:
                break
        return found

    @property
    def saved(self) -> Savings | None:
        """What is saved, where the training-optimal model could be served at all."""
        best = self.training_optimal
        return None if best is None or best.unservable else self.savings

    @property
    def held_by(self) -> tuple[LimitUsed, ...]:
        """The limits that hold the plan back."""
        return tuple(
            wall
            for wall in self.limits
            if wall.binding and wall.name.startswith("limits.")
        )

    @property
    def cheapest(self) -> str | None:
        """`train`, or the name of the cheapest other way; None where none is."""
        if self.cheaper:
            return self.cheaper[0][0].name
        return None if self.plan is None else "train"
