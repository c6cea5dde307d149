"""Who is served next: one at a time, few in line, and nobody who has left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition


class TooManyError(Exception):
    """The line is full."""


class GoneError(Exception):
    """Who stood in line has left it."""


class Turns:
    """A line in which the first works and the others wait.

    A solve takes the whole interpreter, so that two at a time are no faster than one
    after the other, and the answer to a page that was closed is of use to nobody.

    Args:
        most: how many may stand in line, with the one who works.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.changed = Condition()
        self.line: list[Callable[[], bool]] = []

    @contextmanager
    def turn(self, gone: Callable[[], bool]) -> Iterator[None]:
        """Waits for the turn of one, and has it.

        Args:
            gone: whether this one has left; asked when the turn comes, and when others
                find no place.

        Raises:
            TooManyError: all places are taken by others that are still there.
            GoneError: this one left while it waited.
        """
        with self.changed:
            if len(self.line) >= self.most:
                self.line[1:] = [one for one in self.line[1:] if not one()]
                self.changed.notify_all()
            if len(self.line) >= self.most:
                raise TooManyError
            self.line.append(gone)
            self.changed.notify_all()
            self.changed.wait_for(lambda: gone not in self.line or self.line[0] is gone)
            if gone not in self.line:
                raise GoneError
        try:
            if gone():
                raise GoneError
            yield
        finally:
            with self.changed:
                self.line.remove(gone)
                self.changed.notify_all()
