"""How far a plan may be trusted: draws of law, demand and prices, and their plans.

Each draw is a scenario with a certified plan of its own, its machines in whole numbers.
Their percentiles say where the right model lies; the robust plan is one model for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.chance import DRAWS, SEED, unasked
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.ranges import RANGE, reaching
from optimizer.analysis.plan.rounded import fractions
from optimizer.analysis.plan.wording import either
from optimizer.analysis.sweep.beside import further
from optimizer.analysis.sweep.sweep import STATUSES, results_of, sweep
from optimizer.analysis.uncertainty.beside import Beside, Interval, beside, intervals
from optimizer.analysis.uncertainty.robust import RobustPlan, cheapest, robust_plan
from optimizer.analysis.uncertainty.ways import Way, ways
from optimizer.analysis.uncertainty.whole import whole_rows
from optimizer.errors import InputError, Mark
from optimizer.question.draws import Draws
from optimizer.question.law_draws import Drawn, drawn
from optimizer.question.one_loss import refuse_chosen_loss
from optimizer.question.sampling import left_open
from optimizer.question.scenario import Scenario
from optimizer.question.vary import Plan
from optimizer.question.vary import plan as varied
from optimizer.reading.loss_words import NATS
from optimizer.records import dataclass, replace
from optimizer.world.costs import UNITS

SHOWN = (
    *("parameters", "tokens", "tokens_per_parameter", "loss"),
    *("cost_total", "saving"),
)
FEW = 10  # draws beyond the quantile below which the robust plan is a guess


@dataclass(frozen=True)
class Expected:
    """The plan for the law as published and the expected numbers.

    Attributes:
        parameters: N.
        tokens: D.
        tokens_per_parameter: D/N.
        loss: under the law as published.
        cost_total: in the objective's unit.
        saving: against the training-optimal model, a fraction.
        reached: the part of the draws in which it reaches the target; None where
            that is not asked.
    """

    parameters: float
    tokens: float
    tokens_per_parameter: float
    loss: float
    cost_total: float
    saving: float
    reached: float | None


@dataclass(frozen=True)
class Uncertainty:
    """What the draws say.

    Attributes:
        scenario: its name.
        file: where it was read.
        unit: of costs.
        target_loss: under the law as published; None under a budget.
        draws: how many.
        seed: of their generator.
        varied: what is drawn, by its path.
        unreachable: the part of the draws in which no plan meets target and limits.
        left_out: the part that is no law, or has no certified plan.
        intervals: of N, D, D/N, loss, cost and saving; empty where no draw has a
            plan.
        plan: for the expected numbers; None where there is none.
        robust: None where there is none; `reason` says why.
        reason: why there is no robust plan, or empty.
        notes: what the numbers leave out, in sentences.
        sizes: N of each draw that has a plan.
        law: its name.
        fixed: whether the scenario fixes the size, so that no draw chooses it.
        warnings: of the plan for the expected numbers, and how far the draws reach.
        loss_unit: of its losses.
        beside: the draws of a plan of the user's own and of a student; None without.
        ways: training, buying and what exists, where the scenario asks about them.
    """

    scenario: str
    file: str
    unit: str
    target_loss: float | None
    draws: int
    seed: int
    varied: tuple[str, ...]
    unreachable: float
    left_out: float
    intervals: dict[str, Interval]
    plan: Expected | None
    robust: RobustPlan | None
    reason: str
    notes: tuple[str, ...]
    sizes: tuple[float, ...] = ()
    law: str = ""
    fixed: bool = False
    warnings: tuple[Warning, ...] = ()
    loss_unit: str = NATS
    beside: Beside | None = None
    ways: tuple[Way, ...] = ()

    @property
    def lawful(self) -> bool:
        """Whether the law's own error is in the draws."""
        return any(name.startswith("law.") for name in self.varied)

    @property
    def ranged(self) -> bool:
        """Whether numbers that the scenario gives as ranges are."""
        return any(not name.startswith("law.") for name in self.varied)


def uncertainty(
    scenario: Scenario,
    draws: int = DRAWS,
    seed: int = SEED,
    probability: float = 0.9,
    advance: Callable[[int], object] = lambda _: None,
) -> Uncertainty:
    """Draws from all that is uncertain in a scenario, and plans for each draw.

    Args:
        scenario: from `load_scenario`; of lists, each draw takes its best choice.
        draws: how many.
        seed: with the same one on the same machine, the same to the last bit.
        probability: of reaching the target that the robust plan is to have.
        advance: told how many more draws are done, for a progress bar.

    Raises:
        InputError: nothing is uncertain, or each draw would choose a loss of its own.
    """
    refuse_chosen_loss([scenario], "uncertainty")
    singles = scenario.singles
    # Lists do not change what is drawn, but experts change the surface.
    drawing = _drawing(singles[0], draws, seed)
    plans = [replace(drawing, scenario=single) for single in singles]
    status, results = _solved(replace(drawing, scenario=scenario), advance)
    answer = solve(scenario)
    reason = unasked(scenario)
    if not reason and not any(n.path[0] == "law" for n in drawing.numbers):
        reason = (
            f"{scenario.law.name} says nothing of its own error, so that no plan is "
            "surer than another"
        )
    if left_open(scenario) is not None and answer.plan is not None:
        # A plan that is sure to reach the target draws as many samples as the best.
        decide = partial(replace, samples=answer.plan.samples)
        scenario, singles = scenario.every(decide), tuple(map(decide, singles))
        plans = [replace(plan, scenario=decide(plan.scenario)) for plan in plans]
    laws = [] if reason else [drawn(plan) for plan in plans]
    robust = cheapest(
        [
            robust_plan(single, law, probability)
            for single, law in zip(singles, laws, strict=False)
        ]
    )
    if robust is None and not reason:
        reason = "no model reaches the target within the limits that often"
    known = status == STATUSES.index("optimal")
    missed = status == STATUSES.index("infeasible")
    drawn_plans = intervals(results, SHOWN, known)
    return Uncertainty(
        scenario=scenario.name,
        file=scenario.file,
        unit=UNITS[scenario.spec.objective],
        target_loss=answer.target_loss,
        draws=draws,
        seed=seed,
        varied=tuple(number.name for number in drawing.numbers),
        unreachable=float(missed.mean()),
        left_out=float((~(known | missed)).mean()),
        intervals=drawn_plans,
        plan=_expected(answer, scenario, laws),
        robust=robust,
        reason=reason,
        notes=tuple(_notes(scenario, drawing, status, robust)),
        law=scenario.law.name,
        sizes=tuple(results["parameters"][known].tolist()),
        fixed=scenario.spec.fix is not None
        and scenario.spec.fix.parameters is not None,
        warnings=(
            *_reach(scenario, drawn_plans),
            *(one for one in answer.warnings if one.code not in RANGE),
        ),
        loss_unit=scenario.law.loss_unit,
        beside=beside(scenario, results, known),
        ways=ways(answer, replace(drawing, scenario=scenario), results, known | missed),
    )


def _reach(
    scenario: Scenario, intervals: Mapping[str, Interval]
) -> tuple[Warning, ...]:
    """How far the plans of nine draws in ten reach beyond the law's runs."""
    if not intervals:
        return ()
    sizes = {
        word: intervals[word]
        for word in ("parameters", "tokens", "tokens_per_parameter")
    }
    low = {word: ends.p5 for word, ends in sizes.items()}
    high = {word: ends.p95 for word, ends in sizes.items()}
    ends = "at the ends of nine draws in ten"
    return reaching(scenario.law, low, high, "plans of the draws", ends)


def _drawing(scenario: Scenario, draws: int, seed: int) -> Plan:
    try:
        return varied(replace(scenario, variants=()), (), draws, seed)
    except InputError as error:
        asked = f"--sample {draws}"
        raise InputError(
            replace(p, mark=Mark("uncertainty")) if p.mark.file == asked else p
            for p in error.problems
        ) from None


def _solved(
    plan: Plan, advance: Callable[[int], object]
) -> tuple[Integers, Mapping[str, Array]]:
    """Status and shown results of each draw, of its best choice; nothing else is kept.

    Where no choice has a plan, the first speaks for the draw.
    """
    status = np.empty(plan.count, dtype=np.int64)
    kept = (*SHOWN, *further(plan.scenario))
    results = {word: np.empty(plan.count) for word in kept}
    done = 0
    for rows in sweep(plan, lambda: False, work=whole_rows):
        here = slice(done, done := done + len(rows.status))
        status[here] = rows.status
        names = results_of(plan.scenario)
        for word, column in zip(names, rows.results.T, strict=True):
            if word in results:
                results[word][here] = column
        advance(len(rows.status))
    return status, results


def _expected(
    answer: Answer, scenario: Scenario, laws: Sequence[Drawn]
) -> Expected | None:
    plan, cost, saved = answer.plan, answer.cost, answer.savings
    if plan is None or cost is None or saved is None:
        return None
    reached = None
    if laws:
        choices = [v.choice for v in scenario.variants if v.scenario is not None]
        index = choices.index(answer.choice) if choices else 0
        reached = laws[index].reached(plan.parameters, plan.tokens)
    return Expected(
        plan.parameters,
        plan.tokens,
        plan.tokens_per_parameter,
        plan.loss,
        cost.total,
        saved.fraction,
        reached,
    )


def _notes(
    scenario: Scenario, plan: Plan, status: Integers, robust: RobustPlan | None
) -> list[str]:
    stated = [number.name for number in plan.numbers if number.path[0] != "law"]
    lawful = [number.path for number in plan.numbers if number.path[0] == "law"]
    together = [n for one in plan.axes if isinstance(one, Draws) for n in one.together]
    found = []
    if not lawful:
        found.append(
            f"{scenario.law.name} carries neither a covariance nor draws, so only "
            "the demand and the prices that are given as ranges vary: the law's own "
            "error is not in these numbers."
        )
    if stated:
        verb = "is" if len(stated) == 1 else "are"
        found.append(
            f"{either(stated, 'and')} {verb} drawn log-normal, with low and high as "
            "the 10th and 90th percentiles; expected is what single plans are "
            "priced at, and is not drawn."
        )
        found += [f"{either(names, 'and')} are high together." for names in together]
    else:
        found.append(
            "Only the law varies: neither a number of the demand nor a price is given "
            "as {low: 1T, expected: 2T, high: 4T}."
        )
    if scenario.spec.distillation is not None:
        found.append("The single plans, expected and robust, are without a teacher.")
        if fractions(scenario):
            found.append(
                "Students have batches, replicas that stand and open samples in "
                "fractions, and are held against plans that have them so; all other "
                "plans have them whole."
            )
    target = scenario.spec.target
    parts = {
        "extras": (scenario.spec.data.unique_tokens, "how repeated data count"),
        "error": (target and target.error, "the map from loss to error"),
    }
    for part, (asked, what) in parts.items():
        if lawful and asked and not any(path[1] == part for path in lawful):
            found.append(
                f"{what.capitalize()} is not drawn: the law has no draws of it."
            )
    for word, text in (
        ("invalid", "have coefficients that are no law, or numbers beyond any"),
        ("failed", "have no plan that could be certified"),
    ):
        count = int((status == STATUSES.index(word)).sum())
        if count:
            found.append(f"{count} of the draws {text}; they are left out.")
    if robust is not None and lawful:
        worse = len(status) * (1 - robust.probability)
        if worse < FEW:
            found.append(
                f"Of {len(status)} draws, {max(round(worse), 0)} lie beyond the "
                "robust plan, too few to trust it: take more draws."
            )
    return found
