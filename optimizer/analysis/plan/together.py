"""Searches that go hand in hand: what they ask at one time is solved in one go.

A search is a generator. It yields questions, is sent their solutions, and returns what
it found. A choice of six chips is six searches whose programs share a shape, and the
engine takes a batch in little more time than one.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol, TypeAlias, TypeVar

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import GeometricProgram, Solution, Status
from optimizer.analysis.plan.saturation import of_target
from optimizer.engine.solve import solve_each
from optimizer.engine.stacking import shape
from optimizer.question.asked import Question

R = TypeVar("R")


class Posed(Protocol):
    """A question, of one model or of several."""

    @property
    def program(self) -> GeometricProgram:
        """What the engine solves."""

    def start(self, program: GeometricProgram) -> Array:
        """Ln of a point of reasonable size."""


Search: TypeAlias = Generator[Sequence[Posed], list[Solution], R]


def together(searches: Sequence[Search[R]]) -> list[R]:
    """What each search finds.

    A program that cannot be certified, as where bounds leave next to no room, has a
    solution without a point.

    Raises:
        Exception: what one of them raises; the others are not heard to the end.
    """
    found: dict[int, R] = {}
    before: dict[int, Solution] = {}  # the last optimum of each
    asked: dict[int, Sequence[Posed]] = {}

    def go(place: int, solutions: list[Solution] | None) -> None:
        try:
            asked[place] = searches[place].send(solutions)  # type: ignore[arg-type]
        except StopIteration as end:
            found[place] = end.value

    for place in range(len(searches)):
        go(place, None)
    while asked:
        waiting, asked = asked, {}
        programs, starts, guesses = [], [], []
        for place, each in waiting.items():
            for question in each:
                start, guess = _begun(question, before.get(place))
                programs.append(question.program)
                starts.append(start)
                guesses.append(guess)
        solved = iter(solve_each(programs, starts, guesses))
        for place, each in waiting.items():
            ends = [next(solved) for _ in each]
            for end in ends:
                if end.status is Status.OPTIMAL:
                    before[place] = end
            go(place, ends)
    return [found[place] for place in range(len(searches))]


def _begun(question: Posed, before: Solution | None) -> tuple[Array, Array | None]:
    """Ln of a point near the optimum of a question, and a guess of its λ.

    Both are those of what the same search asked before, if that is of one shape.
    """
    program = question.program
    if before is not None and shape(before.program) == shape(program):
        return before.optimum
    return question.start(program), None


def certified(questions: Sequence[Posed]) -> Search[list[Solution]]:
    """The certified optima of questions, or solutions without a point.

    Where data that repeat without end are what a target needs, its edge is found too.
    """
    found = yield questions
    return [
        (of_target(question) or one)
        if one.status is Status.INFEASIBLE and isinstance(question, Question)
        else one
        for question, one in zip(questions, found, strict=True)
    ]
