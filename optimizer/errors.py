"""What can go wrong, as values: a problem with its place, and three exceptions.

`InputError` is the user's to mend and carries every problem at once; `Defect` is
ours. An infeasible scenario is neither: it is an answer (`program.Status`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from optimizer.records import dataclass

T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Mark:
    """A place in a text: file name, line and column, counted from 1.

    A `line` of 0 means that the text has no lines of its own, as with `--set`.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One mistake: where it stands, which field it concerns, and the cure.

    Attributes:
        mark: the place in the file.
        path: the dotted path of the field, such as `demand.tokens`; may be empty.
        message: what was read, what is allowed and what to do.
    """

    mark: Mark
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.mark}: {self.path}" if self.path else str(self.mark)
        return f"{place}: {self.message}"


def needs(library: str, part: str) -> str:
    """What to type where an optional part of the installation is missing.

    It works in a checkout, which is where the distribution can be had from.
    """
    return f"needs {library}; in the checkout of overtrain: pip install '.[{part}]'"


class OvertrainError(Exception):
    """The root of what this package raises on purpose."""


class InputError(OvertrainError):
    """Bad input, with every problem that was found, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.mark))
        super().__init__("\n".join(str(p) for p in self.problems))


class Defect(OvertrainError):
    """The tool failed: an answer did not pass its own certificate."""


class Collector:
    """Runs steps that may each find problems, and keeps them all."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def __call__(self, step: Callable[[], T]) -> T | None:
        """What a step gives, or None where it found problems."""
        try:
            return step()
        except InputError as error:
            self.problems += error.problems
            return None

    def error(self) -> InputError:
        """All problems, each once."""
        return InputError(dict.fromkeys(self.problems))
