"""`overtrain sweep`: many scenarios at once, one row each."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.output import colourful, refuse_unwritable
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.analysis.sweep.sweep import Rows
    from optimizer.question.vary import Plan

INTERRUPTED = 130
UNASKED = 10_000_000  # rows that start without --yes
STOPS = (signal.SIGINT, signal.SIGTERM)
LONG = 100_000  # rows from which on it is said beforehand what they will take


EXAMPLES = """\b
Examples:
  overtrain sweep a.yaml --vary demand.tokens=1e9:1e15:log:200 -o sweep.parquet
  overtrain sweep a.yaml --vary target.loss=1.9:2.2:50 --vary serving.mfu=0.2,0.4
  overtrain sweep a.yaml --sample 10000 --seed 1 -o draws.parquet
  overtrain sweep a.yaml --sample 100000000 --yes --cluster local -o draws.parquet
"""


@click.command("sweep", epilog=EXAMPLES)
@click.argument("file", metavar="FILE")
@click.option(
    "--vary",
    "varied",
    multiple=True,
    metavar="PATH=VALUES",
    help="What to vary: LOW:HIGH:STEPS, LOW:HIGH:log:STEPS, or a list A,B,C. "
    "Repeatable; all combinations are taken.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Draw N times from the uncertainties that the scenario and its law state.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the draws.")
@options.overrides
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the rows go: a .parquet or .csv file; on a cluster a directory.",
)
@options.engine
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Work on a Dask cluster, such as tcp://10.0.0.1:8786, or on one that is "
    "started here with local. The same command goes on where it stopped.",
)
@click.option(
    "--chunk",
    type=click.IntRange(min=1),
    metavar="ROWS",
    help="Rows of one task on a cluster, and of one file.",
)
@click.option(
    "--yes",
    is_flag=True,
    help=f"Start also where there are more than {UNASKED:,} rows.",
)
def command(  # noqa: PLR0913, PLR0917 - one argument an option
    file: str,
    varied: tuple[str, ...],
    sample: int | None,
    seed: int,
    overrides: tuple[str, ...],
    output: Path | None,
    cluster: str | None,
    chunk: int | None,
    yes: bool,
) -> int:
    """Solve a scenario for every combination of what varies, a row each.

    Any number of the scenario can vary. Each row has the plan, its costs and its
    certificate; a row without a plan has a status that says so. Ctrl-C ends early
    and keeps the rows that are done.
    """
    _refuse(varied, sample, output, cluster, chunk)
    scenario = options.read_all([file], overrides)[0]

    from optimizer.analysis.sweep.sweep import (  # noqa: PLC0415 - heavy
        Summary,
        compiles_first,
        sweep,
    )
    from optimizer.question.vary import plan as read  # noqa: PLC0415
    from optimizer.report.formats import text  # noqa: PLC0415
    from optimizer.report.pages import sweep as sweep_page  # noqa: PLC0415
    from optimizer.world.costs import UNITS  # noqa: PLC0415

    plan = read(scenario, varied, sample, seed)
    if compiles_first(plan):
        click.echo("compiling once, about 25 s", err=True)
    if plan.count > LONG:
        _foretold(plan, None if output is None else output.suffix, yes)
    few: list[Rows] = []
    summary = Summary(UNITS[scenario.spec.objective])
    with ExitStack() as stack:
        pressed = stack.enter_context(_interruptible())
        columns = sweep_page.units(plan, summary.unit)
        rows = None
        if output is not None and cluster is None:
            from optimizer.commands.rowfile import row_file  # noqa: PLC0415

            rows = stack.enter_context(row_file(output, *columns))
        advance = stack.enter_context(_progress(plan.count))
        if cluster is not None:
            from optimizer.commands.dataset import clustered  # noqa: PLC0415

            for done in clustered(plan, cluster, output, columns, chunk, pressed):
                summary.join(done)
                advance(done.done)
        else:
            for part in sweep(plan, pressed):
                if rows is not None:
                    rows.write(part)
                elif plan.count <= sweep_page.FEW:
                    few.append(part)
                summary.add(part)
                advance(len(part.status))
        interrupted = pressed()
    where = "" if output is None else str(output)
    page = sweep_page.sweep_blocks(plan, summary, where, few)
    click.echo(text.render(page, text.width(), colourful(None)), nl=False)
    if not interrupted or summary.done >= plan.count:
        return 0
    if cluster is not None and output is not None:
        click.echo("the same command goes on from here", err=True)
    return INTERRUPTED


def _refuse(
    varied: tuple[str, ...],
    sample: int | None,
    output: Path | None,
    cluster: str | None,
    chunk: int | None,
) -> None:
    """Tells early what is wrong with the options.

    Raises:
        InputError: nothing varies, or the rows have no place to go.
    """
    if not varied and sample is None:
        message = "nothing varies; add --vary demand.tokens=1e9:1e15:log:200"
        raise InputError([Problem(Mark("sweep"), "", message)])
    if chunk is not None and cluster is None:
        message = "is for a cluster; add --cluster local"
        raise InputError([Problem(Mark(f"--chunk {chunk}"), "", message)])
    if cluster is not None:
        from optimizer.commands.dataset import refuse  # noqa: PLC0415
        from optimizer.engine.solve import cvxpy_asked  # noqa: PLC0415

        if cvxpy_asked():
            message = "is for this process, not for a cluster; leave one of them out"
            raise InputError([Problem(Mark("--engine cvxpy"), "", message)])
        refuse(output, cluster)
    elif output is not None:
        from optimizer.commands.rowfile import checked  # noqa: PLC0415

        refuse_unwritable(output)
        checked(output)


def _foretold(plan: Plan, ending: str | None, yes: bool) -> None:
    """Says what the rows will take; a great many need a yes.

    Raises:
        InputError: there are too many to start unasked.
    """
    from optimizer.analysis.sweep.forecast import forecast  # noqa: PLC0415 - heavy
    from optimizer.reading.quantity import BYTES, DURATION, write  # noqa: PLC0415

    found = forecast(plan, ending)
    told = [
        f"{found.rows:,} rows",
        f"about {write(found.seconds, DURATION)} of solving here",
    ]
    if found.bytes is not None:
        told.insert(1, f"about {write(found.bytes, BYTES)}")
    if found.rows > UNASKED and not yes:
        message = (
            f"makes {', '.join(told)}; more than {UNASKED:,} rows start only with --yes"
        )
        raise InputError([Problem(Mark("sweep"), "", message)])
    click.echo(", ".join(told), err=True)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C or SIGTERM into a wish to stop; a second stops at once."""
    pressed = False

    def note(number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, note) for number in STOPS}
    try:
        yield lambda: pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=count, file=sys.stderr, label="rows") as bar:
        yield bar.update
