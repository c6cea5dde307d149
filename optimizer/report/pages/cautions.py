"""Warnings, which stand before any table: of one plan in full, of several by code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.wording import MANY, either
from optimizer.report.formats.blocks import Block, Heading, Text

TOLD = ("outside-range", "extreme-ratio")
END = r"(?<=[\w)%])(?:\. (?=[A-Z])|; |(?<!itself): )"  # of what is said first


def warned(answer: Answer) -> Iterator[Block]:
    """Every warning of a plan with its reason and its cure."""
    yield from told(answer.warnings)


def ended(sentence: str) -> str:
    """A sentence with its full stop, unless it asks."""
    return sentence if sentence.endswith("?") else f"{sentence.rstrip('.')}."


def told(warnings: Sequence[Warning]) -> Iterator[Block]:
    """Warnings in full, one after another."""
    if warnings:
        yield Heading("Warnings")
    for warning in warnings:
        yield Text(ended(warning.message), label=warning.code)


def briefly_warned(answer: Answer) -> Iterator[Block]:
    """Every warning of a plan by its first sentence.

    How far the law is stretched, the first paragraph has told where it is.
    """
    told = TOLD if answer.extrapolation else ()
    shown = [warning for warning in answer.warnings if warning.code not in told]
    for warning in shown:
        first = re.split(END, warning.message)[0]
        yield Text(ended(first), label=f"warning {warning.code}")


def all_warned(
    answers: Sequence[Answer],
    name: Callable[[Answer], str] = lambda answer: answer.scenario,
) -> Iterator[Block]:
    """The warnings of several plans: whose they are, and what they say if all agree.

    Args:
        answers: the plans.
        name: how a page calls a plan.
    """
    planned = [answer for answer in answers if answer.plan is not None]
    told: dict[str, dict[str, list[str]]] = {}
    for answer in answers:
        for warning in answer.warnings:
            whose = told.setdefault(warning.code, {}).setdefault(warning.message, [])
            whose.append(name(answer))
    if told:
        yield Heading("Warnings")
    for code, messages in told.items():
        names = list(dict.fromkeys(n for some in messages.values() for n in some))
        of = either(names, "and")
        if len(names) == len(planned) > MANY:
            of = "all" if len(planned) == len(answers) else "all that have a plan"
        whole = f"{of}."
        if len(messages) == 1:
            whole = f"{of}: {ended(next(iter(messages)))}"
        yield Text(whole, label=code)
