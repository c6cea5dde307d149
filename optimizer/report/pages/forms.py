"""What the form of a law does to a plan: how it has erred, and what the other says."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.comparison.compare import Comparison
from optimizer.analysis.comparison.forms import Forms
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.doubts import Erred
from optimizer.analysis.plan.wording import (
    above,
    amount,
    compared,
    model,
    off,
    percent,
    times,
)
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import Text
from optimizer.report.pages.verdicts import verdicts
from optimizer.world.extrapolation import NAMES

TITLE = "the other form"
REGRET = " compare --forms has the regret of each."
BOTH = " compare --forms sets both side by side."
EVEN = 1e-6  # of a cost, below which there is no regret
SAME = 1e-7  # of a loss, which no certificate tells from none
MORE = ": expect to need more tokens"


def form_trust(answer: Answer) -> Iterator[str]:
    """How laws of this form have erred, where D/N lies beyond the law's runs."""
    told = answer.erred
    if told is None:
        return
    yield _own(told) if told.own else _public(told)


def _own(told: Erred) -> str:
    way = "low" if told.low < 0 else "high"
    most = ""
    if told.high != told.low:
        turn = "" if (told.high < 0) == (told.low < 0) else f" too {_way(told.high)}"
        most = f", {percent(abs(told.high))}{turn} at most"
    cure = MORE if told.low < 0 else ""
    return (
        f"Fitted to those of the law's runs up to {significant(told.fitted_to or 0)} "
        f"tokens per parameter, its form promised a loss {percent(abs(told.low))} too "
        f"{way} in the mean of the others{most}{cure}."
    )


def _way(off: float) -> str:
    return "low" if off < 0 else "high"


def _public(told: Erred) -> str:
    name = _name(told.form).capitalize()
    sets = f"in {told.sets} of {told.among} public sets of runs"
    low, high = 100 * abs(told.low), 100 * abs(told.high)
    where = "beyond the tokens per parameter that they were fitted to"
    if told.low * told.high < 0:
        return f"{name} laws were right to {high:.2g} % {sets} {where}."
    cure = MORE if told.low < 0 else ""
    return (
        f"{name} laws promised too {_way(told.low)} a loss, by {low:.2g} to "
        f"{high:.2g} %, {sets} {where}{cure}."
    )


def other_form(answer: Answer, full: bool = True) -> Iterator[Text]:
    """The plan under the other form that was fitted to the same runs.

    Args:
        answer: of a law that has a pair.
        full: whether to say, too, at what loss and what it saves.
    """
    told = answer.other_form
    if told is None:
        return
    what = f"{told.law}, {_a(_name(told.form))} law of the same runs,"
    if told.parameters is None or told.tokens is None or told.loss is None:
        first = told.reason.split(". ")[0]
        why = " either" if answer.plan is None else f": {first}"
        yield Text(f"{what} has no plan{why}.", label=TITLE)
        return
    would = f"{what} would train {model(told.parameters, told.tokens)} tokens"
    far = ""
    if told.extrapolation:
        farthest = max(one.factor for one in told.extrapolation)
        far = f", {times(farthest)} × beyond its runs"
    # What is fixed, or bought with a loss of its own, is no size that goes on to train.
    unlike = answer.fixed is not None or answer.question == "lifetime"
    more = BOTH if unlike or answer.plan is None else REGRET
    if not full:
        yield Text(f"{would}{far}.{more}", TITLE)
        return
    end = ""
    if told.saving is not None and answer.cost is not None:
        than = compared(-told.saving, answer.cost.unit)
        end = f" That {than} the model that is cheapest to train to it."
    yield Text(f"{would} to a loss of {told.loss:.4f}{far}.{end}{more}", TITLE)


def far_runs(answer: Answer) -> Iterator[Text]:
    """How far off each form was on the far ones of the law's runs."""
    for told in answer.law.extrapolation:
        if told.by != "tokens_per_parameter":
            continue
        parts = [f"{_name(form)} {off(miss.mean)}" for form, miss in told.forms.items()]
        yield Text(
            f"fitted up to {significant(told.fitted_to)} tokens per parameter, the "
            f"forms were off in the mean of the {told.runs} runs beyond by "
            f"{', '.join(parts)}.",
            label="far runs",
        )


def _name(form: str) -> str:
    return NAMES.get(form, form)


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def form_regret(comparison: Comparison) -> list[Text]:
    """What building by the wrong form costs, and the size that is safe against both."""
    told, plans = comparison.forms, comparison.plans
    if told is None:
        return []
    laws = [plan.law.name for plan in plans]
    first = list(verdicts(plans, laws, "under", "these laws"))
    lines = [Text(" ".join((*first, *_decided(told, bool(first)))), lead=True)]
    for row in told.regrets:
        what = f"{row.built}'s {amount(row.parameters, 'parameters')}"
        if row.excess is not None and row.tokens is not None:
            loss = f"a loss {_above(row.excess)}"
            text = (
                f"{what} has {amount(row.tokens, 'tokens')} tokens for the budget and "
                f"{loss} that of the best plan"
            )
        elif row.ratio is None or row.tokens is None:
            text = f"no tokens that the scenario allows bring {what} to the target"
        else:
            much = "as much as"
            if row.ratio - 1 > EVEN:
                much = f"{times(row.ratio, 3)} ×"
            text = (
                f"{what} needs {amount(row.tokens, 'tokens')} tokens and costs "
                f"{much} the best plan"
            )
        lines.append(Text(f"{text}.", label=f"if {row.true} is true"))
    return lines


def _above(excess: float, most: str = "") -> str:
    """How far a loss is above another, which follows."""
    return f"{most}{significant(excess)} above" if excess > SAME else "no higher than"


def _decided(told: Forms, instead: bool) -> Iterator[str]:
    """The safe size, which where something is cheaper is the safe one of new models."""
    if told.safe is None or told.tokens is None:
        yield "No size from one plan to the other reaches the target under both forms."
        return
    first, second = (amount(D, "tokens") for D in told.tokens)
    one, two = (row.built for row in told.regrets)
    start = "If it is not known which form is true, build"
    if instead:
        start = "If you train, not knowing which form is true, build"
    start += f" {amount(told.safe, 'parameters')}"
    if told.worst is None:
        lost = told.excess or 0.0
        yield (
            f"{start} and train until the budget is spent: its loss is "
            f"{_above(lost, 'at most ')} that of the best plan of whichever is true."
        )
        return
    whole = ", with machines in fractions" if told.fractions else ""
    new = "new model" if instead else "plan"
    most = f"that is the best {new} under both"
    if told.worst - 1 > EVEN:
        most = f"at most {above(told.worst - 1)} the best {new} of whichever is true"
    yield (
        f"{start} and train until the target is met, "
        f"{first} tokens by {one} and {second} by {two}: {most}{whole}."
    )
