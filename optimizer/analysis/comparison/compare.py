"""Scenarios side by side: what differs, what each plan costs in the others' worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.optimum import solve, with_free, with_students
from optimizer.errors import InputError, Mark, Problem
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass, replace

if TYPE_CHECKING:
    from optimizer.analysis.comparison.community_share import ShareThreshold
    from optimizer.analysis.comparison.differences import Difference
    from optimizer.analysis.comparison.forms import Forms
    from optimizer.analysis.comparison.regret import Regret
    from optimizer.analysis.comparison.safe_plan import Robust


MANY = 20  # scenarios from which on pairs of them are compared only where asked for
LEFT_OUT = (
    f"Of more than {MANY} scenarios only --pairs says what each plan costs in the "
    "others, what each difference does alone, and what moves each plan."
)
MOST = 1000  # scenarios whose pairs can be asked for, a million
JOINTLY = (
    "One plan for all of them is found with batches and replicas that stand as "
    "amounts, in fractions, and so are the costs that it is held against; what each "
    "plan costs elsewhere is with whole ones"
)


@dataclass(frozen=True)
class Comparison:
    """The answers to several scenarios, in the order in which they were asked.

    Attributes:
        plans: one answer a scenario.
        regret: each plan in each scenario; None for fewer than two, and for many.
        robust: plans for not knowing which comes; None for fewer than two.
        differences: for each scenario after the first, what it changes.
        forms: two forms of law against each other, where that is what differs.
        shares: for each scenario, the cost shares at which its plan moves.
        unlike: what makes them different questions, in words; no plan is robust then.
        notes: how the plans for all count machines and what is left out of many, in
            sentences.
        students: each student of a teacher in each scenario; None without a teacher.
    """

    plans: tuple[Answer, ...]
    regret: Regret | None = None
    robust: Robust | None = None
    differences: tuple[tuple[Difference, ...], ...] = ()
    shares: tuple[tuple[ShareThreshold, ...], ...] = ()
    forms: Forms | None = None
    unlike: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    students: Regret | None = None

    @property
    def fractions(self) -> bool:
        """Whether the plans for all have machines as amounts."""
        return f"{JOINTLY}." in self.notes


def compare(
    scenarios: Sequence[Scenario],
    tail: float | None = None,
    move: float | None = None,
    changes: bool = True,
    plans: Sequence[Answer] | None = None,
    pairs: bool | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> Comparison:
    """Solves several scenarios; an infeasible one is a column that says why.

    Args:
        scenarios: with a `probability` each, or none with one.
        tail: the worst part of the futures that the CVaR looks at; a fifth if None.
        move: the change of N that counts as a moved plan; a tenth if None.
        changes: whether to say what each difference between the files does alone.
        plans: the answers to the scenarios, where they are known already.
        pairs: whether to run each plan in each other scenario, and to solve each
            difference and each cost share alone; if None, for up to `MANY` scenarios.
            Without, the plans are short ones, as of `solve` that is not whole, with
            students where they have a teacher, and with what no limit would leave.
        advance: told how many more plans and pairs are done, for a progress bar.

    Raises:
        InputError: some scenarios have a probability and others none, or they do not
            sum to 1; or pairs are asked for of more than `MOST` scenarios.
    """
    # Here, because `solve` does without them.
    from optimizer.analysis.comparison.community_share import MOVE, share_thresholds  # noqa: PLC0415
    from optimizer.analysis.comparison.differences import differences  # noqa: PLC0415
    from optimizer.analysis.comparison.forms import forms  # noqa: PLC0415
    from optimizer.analysis.comparison.regret import regret  # noqa: PLC0415
    from optimizer.analysis.comparison.safe_plan import TAIL, robust  # noqa: PLC0415
    from optimizer.analysis.comparison.taught import taught  # noqa: PLC0415
    from optimizer.analysis.comparison.unlike import unlike  # noqa: PLC0415
    from optimizer.analysis.plan.rounded import fractions  # noqa: PLC0415

    weights = probabilities(scenarios)
    count = len(scenarios)
    if pairs and count > MOST:
        message = (
            f"{count:,} scenarios have {count**2:,} pairs; at most {MOST**2:,} fit"
        )
        raise InputError([Problem(Mark("--pairs"), "", message)])
    paired = count <= MANY if pairs is None else pairs
    if plans is None:
        plans = list(_solved(scenarios, paired, advance))
    if count < 2:
        return Comparison(tuple(plans))
    first = scenarios[0], plans[0]
    apart = unlike(plans)
    notes = [] if apart or not any(map(fractions, scenarios)) else [f"{JOINTLY}."]
    students = taught(scenarios, plans) if paired else None
    if students is not None and not apart:
        notes.append("One plan for all of them is one without a teacher.")
    found = Comparison(
        plans=tuple(plans),
        robust=None if apart else robust(scenarios, plans, weights, tail or TAIL),
        unlike=apart,
        notes=tuple(notes if paired else [*notes, LEFT_OUT]),
    )
    if not paired:
        return found
    return replace(
        found,
        regret=regret(scenarios, plans, advance),
        differences=tuple(
            differences(*first, scenario, plan)
            for scenario, plan in zip(scenarios[1:], plans[1:], strict=True)
            if changes
        ),
        shares=tuple(
            share_thresholds(scenario, move or MOVE) for scenario in scenarios
        ),
        forms=forms(scenarios, plans),
        students=students,
    )


def _solved(
    scenarios: Sequence[Scenario], whole: bool, advance: Callable[[int], object]
) -> Iterator[Answer]:
    for scenario in scenarios:
        answer = solve(scenario, whole, near=True)
        if not whole:
            answer = with_free(scenario, with_students(scenario, answer))
        yield answer
        advance(1)


def probabilities(scenarios: Sequence[Scenario]) -> list[float] | None:
    """The scenarios' probabilities; None where none has one.

    Raises:
        InputError: some have one and others none, or they do not sum to 1.
    """
    given = [scenario.spec.probability for scenario in scenarios]
    known = [p for p in given if p is not None]
    if not known or len(scenarios) < 2:
        return None
    if len(known) < len(given):
        lacking = scenarios[given.index(None)]
        message = (
            "is missing, and other scenarios have one; give every scenario one, or none"
        )
        raise InputError([Problem(lacking.place(""), "probability", message)])
    if abs(sum(known) - 1) > 1e-9:
        message = (
            "those of all scenarios must sum to 100 %, and they sum to "
            f"{100 * sum(known):.6g} %"
        )
        place = scenarios[0].place("probability")
        raise InputError([Problem(place, "probability", message)])
    return known
