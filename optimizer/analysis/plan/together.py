"""Searches that go hand in hand: what they ask at one time is solved in one go.

A search is a generator. It yields questions, is sent their solutions, and returns what
it found. A choice of six chips is six searches whose programs share a shape, and the
engine takes a batch in little more time than one.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeAlias, TypeVar

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan.saturation import of_target
from optimizer.engine.solve import solve_each
from optimizer.question.asked import Question

R = TypeVar("R")
Search: TypeAlias = Generator[Sequence[Question], list[Solution], R]


def together(searches: Sequence[Search[R]]) -> list[R]:
    """What each search finds.

    A program that cannot be certified, as where bounds leave next to no room, has a
    solution without a point.

    Raises:
        Exception: what one of them raises; the others are not heard to the end.
    """
    found: dict[int, R] = {}
    asked: dict[int, Sequence[Question]] = {}

    def go(place: int, solutions: list[Solution] | None) -> None:
        try:
            asked[place] = searches[place].send(solutions)  # type: ignore[arg-type]
        except StopIteration as end:
            found[place] = end.value

    for place in range(len(searches)):
        go(place, None)
    while asked:
        waiting, asked = asked, {}
        questions = [question for each in waiting.values() for question in each]
        programs = [question.program for question in questions]
        starts = [question.start(question.program) for question in questions]
        solved = iter(solve_each(programs, starts))
        for place, each in waiting.items():
            go(place, [next(solved) for _ in each])
    return [found[place] for place in range(len(searches))]


def certified(questions: Sequence[Question]) -> Search[list[Solution]]:
    """The certified optima of questions, or solutions without a point.

    Where data that repeat without end are what a target needs, its edge is found too.
    """
    found = yield questions
    return [
        (of_target(question) or one) if one.status is Status.INFEASIBLE else one
        for question, one in zip(questions, found, strict=True)
    ]
