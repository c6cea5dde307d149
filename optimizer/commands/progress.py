"""How far long work is, on standard error where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

QUIET = 2.0  # seconds of work that need no word
EVERY = 0.2  # seconds between two lines
WIDTH = 60  # characters that are wiped at the end


def talkative() -> bool:
    """Whether somebody looks on who did not ask for quiet."""
    if sys.stderr is None or not sys.stderr.isatty():
        return False
    context = click.get_current_context(silent=True)
    return context is None or not context.find_root().params.get("quiet")


@contextmanager
def progress(
    label: str, total: int, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int], None]]:
    """Tells the share that is done and the time left, from the third second on.

    Args:
        label: what is done, such as `fitting`.
        total: steps in all, about; more of them count as nearly done.
        clock: seconds since some moment.
    """
    if not talkative():
        yield lambda _steps: None
        return
    begun = clock()
    done, told = 0, 0.0

    def advance(steps: int) -> None:
        nonlocal done, told
        done += steps
        now = clock() - begun
        if now < max(QUIET, told + EVERY):
            return
        told = now
        share = min(done / max(total, 1), 0.99)
        left = now * (1 - share) / share if share else 0.0
        line = f"{label}: {share:.0%}, about {_time(left)} left"
        print(f"\r{line:<{WIDTH}}", end="", file=sys.stderr, flush=True)

    try:
        yield advance
    finally:
        if told:
            print(f"\r{'':<{WIDTH}}\r", end="", file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:
        return f"{max(whole, 1)} s"
    return f"{round(seconds / 60)} min"
