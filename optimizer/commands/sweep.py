"""`overtrain sweep`: many scenarios at once, one row each."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.condition import CONDITION_HELD
from optimizer.commands.output import colourful, refuse_unwritable
from optimizer.commands.progress import progress
from optimizer.errors import InputError, Mark, Problem
from optimizer.records import replace

if TYPE_CHECKING:
    from optimizer.analysis.sweep.sweep import Rows, Summary
    from optimizer.analysis.sweep.swept import Sweep
    from optimizer.commands.row_condition import Judge
    from optimizer.commands.rowtext import Head
    from optimizer.report.formats.blocks import Block

INTERRUPTED = 130
UNASKED = 10_000_000  # rows that start without --yes
STOPS = [signal.SIGINT, signal.SIGTERM]
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
    STOPS.append(signal.SIGHUP)  # not under nohup


FORMS = ("table", "markdown", "csv", "jsonl", "json", "parquet")
PAGES = ("table", "markdown")  # of which the rows are a part
EXAMPLES = """\b
Examples:
  overtrain sweep a.yaml --vary demand.tokens=1T,2T,5T
  overtrain sweep a.yaml --vary demand.tokens=1e9:1e15:log:200 -o sweep.parquet
  overtrain sweep a.yaml --vary law=all --vary demand.tokens=1T,5T -o - --format csv
  overtrain sweep a.yaml --vary serving.hardware=h100-sxm,b200
  overtrain sweep portfolio.yaml --vary shared.training_cost=$800k,$1M
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
    help="What to vary: LOW:HIGH:STEPS, LOW:HIGH:log:STEPS, or a list A,B,C of numbers "
    "or of words, such as law=all, or law=forms for a law and its pair. Repeatable; "
    "all combinations are taken.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Draw N times from the uncertainties that the scenario and its law state.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    callback=options.countable,
    default=0,
    help="Of the draws.",
)
@options.overrides
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the rows go: a .parquet, .csv, .jsonl or .json file, - for the "
    "terminal; on a cluster a directory.",
)
@options.formats(*FORMS)
@options.engine
@options.fail_on
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Work on a Dask cluster, such as tcp://10.0.0.1:8786, or on one that is "
    "started here with local. The same command goes on where it stopped.",
)
@click.option(
    "--chunk",
    type=click.IntRange(min=1),
    callback=options.countable,
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
    form: str | None,
    conditions: tuple[str, ...],
    cluster: str | None,
    chunk: int | None,
    yes: bool,
) -> int:
    """Solve a scenario for every combination of what varies, a row each.

    Any number or word of the scenario can vary, of a portfolio too. Each row has the
    plan, its costs and its certificate; a row without a plan has a status that says
    so. Up to 30 rows are shown. --fail-on also takes infeasible, a row without a plan.
    Ctrl-C ends early and keeps the rows that are done.
    """
    if output is not None and str(output) == "-":
        output, form = None, form or "csv"
    form = _refuse(varied, sample, output, form, cluster, chunk)
    read = options.read_files([file], overrides)[0]

    from optimizer.analysis.sweep.forecast import lengthy  # noqa: PLC0415
    from optimizer.analysis.sweep.sweep import Summary, compiles_first  # noqa: PLC0415
    from optimizer.analysis.sweep.swept import swept  # noqa: PLC0415 - heavy
    from optimizer.commands.row_condition import Judge, read_conditions  # noqa: PLC0415
    from optimizer.commands.rowtext import Head  # noqa: PLC0415
    from optimizer.report.pages.sweep import FEW, beforehand, sweep_blocks  # noqa: PLC0415

    asked = swept(read, varied, sample, seed)
    judged = Judge(
        read_conditions(conditions, asked.results, asked.unit), asked.results
    )
    if asked.parts and compiles_first(asked.parts[0].plan):
        click.echo("compiling once, about 25 s", err=True)
    head = Head(asked.words, asked.inputs, asked.results)
    if lengthy([part.plan.scenario for part in asked.parts], asked.count):
        _foretold(asked, output, (form, head) if cluster is None else None, yes)
    by_words: dict[tuple[str, ...], Summary] = {}
    few: list[tuple[tuple[str, ...], Rows]] = []
    shown = form in PAGES and asked.count <= FEW
    with ExitStack() as stack:
        pressed = stack.enter_context(_interruptible())
        rows = None
        if cluster is None and form not in PAGES:
            from optimizer.commands.rowfile import row_file  # noqa: PLC0415

            head = replace(head, warned=tuple(beforehand(asked)))
            rows = stack.enter_context(row_file(output, form, head))
        advance = stack.enter_context(progress("solving", asked.count))
        if cluster is not None:
            whole = Summary.of(asked.unit, len(asked.results))
            by_words[()] = whole
            for found in _clustered(asked, cluster, output, chunk, pressed, conditions):
                whole.join(found)
                advance(found.done)
        else:
            for words, part in asked.blocks(pressed):
                if rows is not None:
                    rows.write(part, words)
                few += [(words, part)] * shown
                if words not in by_words:
                    by_words[words] = Summary.of(asked.unit, len(asked.results))
                by_words[words].add(part)
                judged.add(part)
                advance(len(part.status))
        interrupted = pressed()
    if form in PAGES or output is not None:
        _show(sweep_blocks(asked, by_words, str(output or ""), few), form)
    done = sum(summary.done for summary in by_words.values())
    return _ended(judged, read.file, interrupted and done < asked.count, output)


def _ended(judged: Judge, file: str, early: bool, output: Path | None) -> int:
    """The exit code; tells on standard error which condition held."""
    held = list(judged.told())
    for told in held:
        click.echo(f"{file}: {told}", err=True)
    if not early:
        return CONDITION_HELD if held else 0
    if output is not None and output.is_dir():
        click.echo("the same command goes on from here", err=True)
    return INTERRUPTED


def _show(blocks: list[Block], form: str) -> None:
    """Prints the page: what varied, how the rows ended, and how far they reach."""
    if form == "markdown":
        from optimizer.report.formats import markdown  # noqa: PLC0415

        click.echo(markdown.render(blocks), nl=False)
        return
    from optimizer.report.formats import text  # noqa: PLC0415

    click.echo(text.render(blocks, text.width(), colourful(None)), nl=False)


def _clustered(
    asked: Sweep,
    cluster: str,
    output: Path | None,
    chunk: int | None,
    pressed: Callable[[], bool],
    conditions: tuple[str, ...],
) -> Iterator[Summary]:
    """Works the rows out elsewhere.

    Raises:
        InputError: words vary, a portfolio is asked about, or rows are to be judged.
    """
    from optimizer.commands.dataset import clustered  # noqa: PLC0415

    if asked.words or not asked.parts:
        what = f"words such as {asked.words[0]}" if asked.words else "a portfolio"
        message = f"does not sweep {what}; leave --cluster out, or sweep one at a time"
        raise InputError([Problem(Mark(f"--cluster {cluster}"), "", message)])
    if conditions:
        message = "is for this process, not for a cluster; leave one of them out"
        raise InputError([Problem(Mark("--fail-on"), "", message)])
    columns = (asked.inputs, dict(asked.results))
    plan = asked.parts[0].plan
    yield from clustered(plan, cluster, output, columns, chunk, pressed)


def _refuse(
    varied: tuple[str, ...],
    sample: int | None,
    output: Path | None,
    form: str | None,
    cluster: str | None,
    chunk: int | None,
) -> str:
    """Tells early what is wrong with the options, and which format is meant.

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
        return "table"
    if output is None and form in (None, *PAGES):
        return form or "table"
    if form in PAGES:
        message = "is a page, not rows; leave it or -o out"
        raise InputError([Problem(Mark(f"--format {form}"), "", message)])
    from optimizer.commands.rowfile import checked  # noqa: PLC0415

    refuse_unwritable(output)
    return checked(output, form)


def _foretold(
    asked: Sweep, output: Path | None, written: tuple[str, Head] | None, yes: bool
) -> None:
    """Says what the rows will take; a great many need a yes.

    Args:
        asked: what varies.
        output: where the rows go.
        written: the format in which this process writes them, and their head.
        yes: whether to start all the same.

    Raises:
        InputError: there are too many to start unasked.
    """
    from optimizer.analysis.sweep import forecast  # noqa: PLC0415 - heavy
    from optimizer.commands.rowfile import rehearsed  # noqa: PLC0415
    from optimizer.reading.quantity import BYTES, DURATION, write  # noqa: PLC0415

    def kept(rows: Rows) -> None:
        if written is not None and written[0] not in PAGES:
            rehearsed(rows, asked.parts[0].words, *written)

    told = [f"{asked.count:,} rows"]
    ending = None if output is None else output.suffix
    if asked.parts:
        found = forecast.forecast(asked.parts[0].plan, ending, kept)
    else:
        rows = (part for _, part in asked.blocks(lambda: False))
        found = forecast.forecast_joint(rows, asked.count, ending)
    more = asked.count / found.rows
    if found.bytes is not None:
        told.append(f"about {write(more * found.bytes, BYTES)}")
    told.append(f"about {write(more * found.seconds, DURATION)} of work here")
    if asked.count > UNASKED and not yes:
        message = (
            f"makes {', '.join(told)}; more than {UNASKED:,} rows start only with --yes"
        )
        raise InputError([Problem(Mark("sweep"), "", message)])
    click.echo(", ".join(told), err=True)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C or the like into a wish to stop; a second stops it."""
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
