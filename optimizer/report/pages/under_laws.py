"""One scenario under several laws: the spread is the message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from optimizer.analysis.plan.answer import Answer, LimitUsed
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.wording import (
    amount,
    either,
    figure,
    model,
    percent,
    ratio,
    several,
    times,
)
from optimizer.report.formats.blocks import GAP, Block, Column, Heading, Table, Text
from optimizer.report.pages.cautions import all_warned
from optimizer.report.pages.other_ways import called
from optimizer.report.pages.snap import snap_sentence
from optimizer.report.pages.verdicts import span, verdicts

if TYPE_CHECKING:
    from optimizer.analysis.plan.snap import Snap

TELLING = 1.05  # laws that differ by less than this factor agree
SAME = 1e-6  # of a size that no law has a say in
ONE = Text("One law in full: --set law=NAME")  # of no use to a report


def laws_side_blocks(
    name: str,
    answers: Sequence[Answer],
    snaps: Sequence[Snap | None] = (),
    left: Mapping[str, str] | None = None,
) -> Iterator[Block]:
    """Law against law.

    Args:
        name: of the scenario.
        answers: the same scenario under each law.
        snaps: the rounding of each to sizes that exist, where it was asked for.
        left: laws that `all` leaves out, with the reasons.
    """
    yield Heading(f"{name}: law against law", 1)
    yield Text(" ".join(_lead(answers)), lead=True)
    yield from all_warned(answers, lambda answer: answer.law.name)
    yield Heading("Plans")
    met = {id(answer): wall.name for answer, wall in _met(answers)}
    held = bool(met) or any(answer.held_by or answer.free for answer in answers)
    free = any(answer.free for answer in answers)
    losses = _budget(answers)
    more = ["loss"] if losses else [] if held else ["tokens per parameter"]
    columns = (
        Column("law", "left"),
        *(Column(title) for title in ("size", "tokens", *more)),
        Column("lifetime cost"),
        *([Column("held by", "left")] if held else [Column("factor")]),
        *([Column("else")] if free else []),
    )
    rows = []
    for answer in answers:
        walls = [wall.name for wall in answer.held_by] or [met.get(id(answer), "")]
        rows.append(_row(answer, held, walls, losses)[: len(columns)])
    yield Table(columns, tuple(rows))
    if free:
        yield Text(f"Else: the size that the law would choose{_without(answers)}.")
    elif not held:
        yield Text("Factor: the overtraining factor.")
    for answer in answers:
        if answer.infeasibility is not None:
            yield Text(f"{answer.infeasibility.reason}.", label=answer.law.name)
    if any(snaps):
        yield Heading("Sizes that exist")
    for answer, snapped in zip(answers, snaps, strict=False):
        if snapped is not None:
            yield Text(snap_sentence(answer, snapped), label=answer.law.name)
    paired = len(answers) == 2 and any(
        (answer.law.pair or "").endswith(other.law.name)  # that may be a path
        for answer, other in zip(answers, reversed(answers), strict=True)
    )
    what = "" if losses else "; each law says itself what loss the target has"
    if not (losses and paired):
        yield Text(f"Losses of different laws do not compare{what}.")
    yield ONE
    yield from laws_left_out(left or {})


def laws_left_out(left: Mapping[str, str]) -> Iterator[Block]:
    """The laws that `all` leaves out, those of one reason together."""
    if left:
        yield Heading("Laws left out")
    reasons: dict[str, list[str]] = {}
    for law, reason in left.items():
        reasons.setdefault(reason, []).append(law)
    for reason, names in reasons.items():
        several = len(names) > 1 and reason.startswith("it ")
        told = f"each {reason.removeprefix('it ')}" if several else reason
        yield Text(f"{told}.", label=either(names, "and"))


def _row(
    answer: Answer, held: bool, walls: Sequence[str], losses: bool
) -> tuple[str, ...]:
    plan, cost, over = answer.plan, answer.cost, answer.overtraining
    free = answer.free
    other = GAP if free is None else figure(free.parameters, "parameters")
    if plan is None or cost is None or over is None:
        return answer.law.name, "no plan", *[GAP] * (3 + (held and losses)), other
    names = ", ".join(wall.removeprefix("limits.") for wall in walls)
    each = [] if held else [ratio(plan.tokens_per_parameter)]
    return (
        answer.law.name,
        figure(plan.parameters, "parameters"),
        figure(plan.tokens, "tokens"),
        *([f"{plan.loss:.4f}"] if losses else each),
        figure(cost.total, cost.unit),
        *([names, other] if held else [ratio(over.factor)]),
    )


def _lead(answers: Sequence[Answer]) -> Iterator[str]:
    """Under which laws not to train, and how far the plans of all of them differ."""
    yield from _verdicts(answers)
    first, *rest = list(spread(answers)) or [""]
    if any(answer.cheaper and answer.plan for answer in answers):
        first = f"If you train: {first[:1].lower()}{first[1:]}"
    yield from filter(None, (first, *rest))


def _verdicts(answers: Sequence[Answer]) -> Iterator[str]:
    names = [answer.law.name for answer in answers]
    told = list(verdicts(answers, names, "under", "these laws"))
    yield from told
    train = all(answer.cheapest == "train" for answer in answers)
    if not told and train and answers[0].others:
        asked = [called(way.name) for way in answers[0].others]
        yield f"Under none of these laws is {either(asked)} as good for less: train."


def spread(answers: Sequence[Answer]) -> Iterator[str]:
    """How far laws differ: in what they choose freely, and what limits make of it."""
    known = [answer for answer in answers if answer.plan is not None]
    held = [answer for answer in known if answer.held_by]
    plans = [answer.free if answer.held_by else answer.plan for answer in known]
    plans += [answer.free for answer in answers if answer.plan is None]
    pairs = [plan for plan in plans if plan is not None]
    if not known:
        yield "Under none of these laws is there a plan."
    if not pairs:
        return
    free = _without(answers)
    if len(pairs) == 1:
        size = model(pairs[0].parameters, pairs[0].tokens)
        yield f"Only one law gives a plan{free}: {size}."
    elif any(answer.fixed is not None for answer in known):
        yield _of_fixed(pairs, free)
    elif len({id(answer) for answer, _ in _met(known)}) == len(known):
        yield _apart(
            pairs, free, "A limit of the machines leaves each law the same size"
        )
    else:
        yield _apart(pairs, free)
    yield from _bought(known)
    if any(answer.free is None for answer in held):
        lost = either([a.law.name for a in held if a.free is None], "and")
        yield f"Nothing is known of {lost}{free}."
    walls: dict[str, list[str]] = {}
    for answer in held:
        for wall in answer.held_by:
            bound = f"{wall.name} of {amount(wall.bound, wall.unit)}"
            walls.setdefault(bound, []).append(answer.law.name)
    for answer, wall in _met(known):
        bound = f"{wall.name} of {amount(wall.bound, wall.unit)}"
        walls.setdefault(bound, []).append(answer.law.name)
    for bound, names in walls.items():
        all_of = "all of them" if len(names) == len(answers) else several(names)
        yield f"{bound} holds {all_of}: meeting there is no agreement."


def _apart(pairs: Sequence[Pair], free: str, same: str = "") -> str:
    """How far apart the plans of laws are, and that they agree where they do."""
    sizes, data = _ends(pairs)
    size, tokens = span(sizes, "parameters"), span(data, "tokens")
    wide, long = (ends[1] / ends[0] for ends in (sizes, data))
    if max(wide, long) < TELLING:
        agreed = same or "The laws agree"
        if not same and " " in size + tokens:
            agreed += f" within {percent(max(wide, long) - 1)}"
        return f"{agreed}{free}: train {size} on {tokens}."
    apart = [f"{times(long)} in tokens"] if " " in tokens else []
    if wide >= TELLING:
        size = f"anywhere from {size}"
        apart.insert(0, f"{times(wide)} in size")
    return (
        f"Across laws, the best size{free} is {size}, on {tokens} tokens: they differ "
        f"by a factor of {either(apart, 'and')}."
    )


def _of_fixed(pairs: Sequence[Pair], free: str) -> str:
    """What laws say of what is fixed: no law has chosen that."""
    sizes, data = _ends(pairs)
    size, tokens = span(sizes, "parameters"), span(data, "tokens")
    wide, long = (ends[1] / ends[0] for ends in (sizes, data))
    if max(wide, long) - 1 < SAME:
        return f"No law has a choice{free}: each trains {size} on {tokens} tokens."
    if wide < long:
        told = f"The fixed {size} takes {tokens} tokens{free}, by the law"
        return f"{told}: they differ by a factor of {times(long)}."
    told = f"The fixed {tokens} tokens take {size} parameters{free}, by the law"
    return f"{told}: they differ by a factor of {times(wide)}."


def _ends(pairs: Sequence[Pair]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The least and the most parameters and tokens."""
    sizes, data = [p.parameters for p in pairs], [p.tokens for p in pairs]
    return (min(sizes), max(sizes)), (min(data), max(data))


def _bought(known: Sequence[Answer]) -> Iterator[str]:
    """The loss of a budget, which is its answer, where laws count it in one unit."""
    losses = [answer.plan.loss for answer in known if answer.plan is not None]
    units = {answer.law.loss_unit for answer in known}
    if not _budget(known) or len(losses) < 2 or len(units) > 1:
        return
    low, high = f"{min(losses):.4f}", f"{max(losses):.4f}"
    told = f"{low} by each" if low == high else f"{low} to {high}, each by its own"
    yield f"The budget buys a loss of {told} law."


def _budget(answers: Sequence[Answer]) -> bool:
    """Whether it is the loss that is asked for."""
    return any(answer.question in ("budget", "lifetime") for answer in answers)


def _without(answers: Sequence[Answer]) -> str:
    """Of what the sizes are free that `free` tells; empty where nothing holds any."""
    if not any(answer.held_by or answer.free for answer in answers):
        return ""
    words = (w.name for answer in answers for w in answer.limits)
    told = dict.fromkeys(word for word in words if word.startswith("limits."))
    return f" without {either(list(told), 'or')}" if told else " without its limits"


def at_limits(answers: Sequence[Answer]) -> list[bool]:
    """Whether a limit and not the law decides the size of each."""
    met = {answer.law.name for answer, _ in _met(answers)}
    return [bool(a.held_by) or a.law.name in met for a in answers]


def _met(answers: Sequence[Answer]) -> list[tuple[Answer, LimitUsed]]:
    """Those that a machine's limit holds to a size that another law has too.

    To more digits than laws agree in: a limit may also hold the batch alone.
    """
    sizes = [f"{a.plan.parameters:.6g}" if a.plan else GAP for a in answers]
    return [
        (answer, wall)
        for answer, N in zip(answers, sizes, strict=True)
        for wall in answer.limits
        if sizes.count(N) > 1 and wall.binding and wall.name.startswith("serving.")
    ]
