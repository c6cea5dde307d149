"""`overtrain fit`: a scaling law of your own, from training runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from optimizer.commands import options
from optimizer.commands.command_line import typed
from optimizer.commands.fit_answer import (
    laws_of_groups,
    one_law,
    told_what_was_left_out,
)
from optimizer.commands.fit_pictures import refuse_folder
from optimizer.commands.fit_words import (
    ENVELOPE,
    failed,
    read_compute,
    read_fixed,
    read_pairs,
    read_side,
)
from optimizer.commands.output import YAML, emit, refuse_ending, refuse_unwritable
from optimizer.commands.progress import progress

ALLOWED = ("table", "json", "markdown")
FORMS = (
    *("chinchilla", "coupled", "samples", "gadre", "kaplan", "hestness"),
    "data-constrained",
)
ALONE = "none"
LARGE = 10_000_000  # bytes from which reading takes seconds
SECONDS = 1e-6  # a byte takes at most, in short rows
MOST = 6000  # draws; a law file with more is longer than may be read
EXAMPLES = """\b
Examples:
  overtrain fit runs.csv -o my-law.yaml
  overtrain fit runs.csv --column "loss=Smoothed Loss" --unit tokens=B
  overtrain fit runs.csv --exclude "tokens_per_parameter > 500" --compare
  overtrain fit runs.csv --by dataset -o my-law.yaml
  overtrain fit runs.csv --next 1e22 --for my-scenario.yaml
  overtrain fit runs.csv -o my-law.yaml --plots pictures
"""


@click.command("fit", epilog=EXAMPLES)
@click.argument("runs", metavar="RUNS...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the law to a file (.yaml), ready for law: in a scenario.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="WORD=NAME",
    help="The column of parameters, tokens, loss, compute, "
    "tokens_per_parameter, unique_tokens, error or weight, where its name differs; or "
    "a sum of products, such as 'tokens=step*batch'. Repeatable.",
)
@click.option(
    "--unit",
    "units",
    multiple=True,
    metavar="WORD=UNIT",
    help="The unit of plain numbers, such as tokens=B, compute=GFLOP or log10, "
    "loss=bits, bpb, bpc or ppl. Repeatable.",
)
@click.option(
    "--bytes-per-token",
    type=click.FloatRange(0, 1000, min_open=True),
    callback=options.finite,
    metavar="NUMBER",
    help="Bytes (for bpc: characters) of a token, to have a law in nats per token from "
    "losses per byte.",
)
@click.option(
    "--table",
    "more",
    metavar="FILE",
    help="A table with what the files of runs lack, such as their parameters; one of "
    "its columns has the names of the runs.",
)
@click.option(
    "--exclude",
    "rules",
    multiple=True,
    metavar="RULE",
    help="Leave out runs of which this holds, such as 'tokens_per_parameter > 500'; "
    "it is written into the law. Repeatable.",
)
@click.option(
    "--best",
    is_flag=True,
    help="Of runs of one size on the same tokens, keep the one of least loss.",
)
@click.option(
    "--loss",
    "side",
    metavar="overestimate=FACTOR|envelope",
    help="A law for the lower side: predictions above a measured loss count FACTOR "
    "times; or of sizes and tokens within a tenth only the run of least loss counts.",
)
@click.option(
    "--group",
    metavar="COLUMN",
    help="Rows of one value here are checkpoints of one run and are resampled "
    "together; none: each row is a run of its own.",
)
@click.option(
    "--by",
    metavar="COLUMN",
    help="One law for each value here, such as a data set; all share their exponents.",
)
@click.option(
    "--checkpoints",
    metavar="ends|all|SHARE",
    callback=options.checkpoints,
    help="Of the rows of a run: only the last, all, or those after a share of it.",
)
@click.option(
    "--form",
    "shape",
    type=click.Choice(FORMS),
    default="chinchilla",
    show_default=True,
    help="The form of the law.",
)
@click.option("--tie", is_flag=True, help="One exponent for parameters and tokens.")
@click.option(
    "--fix",
    "fixed",
    multiple=True,
    metavar="SYMBOL=VALUE",
    help="Give a coefficient instead of fitting it, such as E=1.7. Repeatable.",
)
@click.option(
    "--resample",
    type=click.Choice(("pairs", "residuals")),
    default="pairs",
    show_default=True,
    help="What the bootstrap draws.",
)
@click.option(
    "--draws",
    type=click.IntRange(50, MOST),
    default=1000,
    show_default=True,
    help="Resamples of the bootstrap.",
)
@click.option(
    "--starts",
    type=click.IntRange(0, 4500),
    default=500,
    show_default=True,
    help="Starts from Hoffmann's lattice, besides those of the projection.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    callback=options.countable,
    default=0,
    help="Of the bootstrap.",
)
@click.option(
    "--hold-out",
    type=click.FloatRange(0, 0.5),
    callback=options.finite,
    default=0.2,
    show_default=True,
    help="The share of runs, the largest, to predict from the others.",
)
@click.option("--compare", is_flag=True, help="Set it beside the published laws.")
@click.option(
    "--next",
    "ahead",
    metavar="COMPUTE",
    help="Rank further runs of at most this compute, such as 1e21; by default that of "
    "the largest run.",
)
@click.option(
    "--for",
    "scenario",
    metavar="FILE",
    help="The scenario whose plan further runs should narrow.",
)
@click.option(
    "--plots",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write residuals.svg, profiles.svg, isoflop.svg and holdout.svg here.",
)
@click.option("--name", help="Name of the law; by default that of its file.")
@click.option(
    "--counts",
    type=click.Choice(("total", "non-embedding", "active")),
    help="What the parameters of the runs count; by default what the name of their "
    "column says, else total.",
)
@click.option(
    "--vocabulary",
    type=click.FloatRange(1, 1e8),
    callback=options.finite,
    metavar="NUMBER",
    help="Of the runs' tokenizer, where no column has it; with a column of widths the "
    "plan is told under other counts of N.",
)
@click.option("--untied", is_flag=True, help="The head is no copy of the embedding.")
@options.formats(*ALLOWED)
def command(  # noqa: PLR0913, PLR0917 - one argument an option
    runs: tuple[str, ...],
    output: Path | None,
    columns: tuple[str, ...],
    units: tuple[str, ...],
    bytes_per_token: float | None,
    more: str | None,
    rules: tuple[str, ...],
    best: bool,
    side: str | None,
    group: str | None,
    by: str | None,
    checkpoints: Any,
    shape: str,
    tie: bool,
    fixed: tuple[str, ...],
    resample: str,
    draws: int,
    starts: int,
    seed: int,
    hold_out: float,
    compare: bool,
    ahead: str | None,
    scenario: str | None,
    folder: Path | None,
    name: str | None,
    counts: Any,
    vocabulary: float | None,
    untied: bool,
    form: str | None,
) -> int:
    """Fit a scaling law to training runs, with error bars.

    RUNS is a table with the columns parameters, tokens and loss (compute may stand for
    either of the first two), or with other usual names of these: CSV, JSON, Parquet or
    Excel, also gzipped; or a folder, a pattern or several files, of one run each, also
    logs. The law is Hoffmann's approach 3; whatever is odd about a run is told with its
    line.
    """
    _refuse_output(output)
    if folder is not None:
        # Before the work: a missing library, or a place that cannot be written.
        refuse_folder(folder)

    from optimizer.analysis.law.judged_groups import judge_groups  # noqa: PLC0415 - imports numpy
    from optimizer.analysis.law.judgement import Asked, judge, judging  # noqa: PLC0415
    from optimizer.commands.options import read_all  # noqa: PLC0415
    from optimizer.fitting.by_group import fit_by_group  # noqa: PLC0415
    from optimizer.fitting.fit import Settings, fit, work  # noqa: PLC0415
    from optimizer.fitting.fitlaw import About  # noqa: PLC0415
    from optimizer.fitting.forms import Choice  # noqa: PLC0415
    from optimizer.fitting.rules import read_rules  # noqa: PLC0415
    from optimizer.fitting.runs import COLUMNS, Options, read_runs  # noqa: PLC0415

    compute = None if ahead is None else read_compute(ahead)
    choice = Choice(shape, tie, read_fixed(fixed))
    law = name or (output.stem if output else "my-law")
    _refuse_name(law)
    _foretold(runs)
    table = read_runs(
        runs,
        read_pairs("--column", columns, COLUMNS),
        read_pairs("--unit", units, COLUMNS),
        Options(
            exclude=read_rules(rules),
            sized=shape != "hestness",
            samples=shape == "samples",
            best=best,
            envelope=side == ENVELOPE,
            group=None if group == ALONE else group,
            checkpoints=checkpoints,
            per_token=bytes_per_token,
            table=more,
            command=typed(),
            by=by,
        ),
    )
    question = None if scenario is None else read_all([scenario], ())[0]
    settings = Settings(
        choice,
        starts=starts,
        draws=draws,
        resample=resample,
        seed=seed,
        apart=group == ALONE,
        over=read_side(side),
    )
    kinds: Any = counts or table.counts or "total"
    asked = Asked(hold_out, compute, question, compare, vocabulary, not untied)

    def about(group: str = "") -> About:
        named = f"{law}-{group}" if group else law
        return About(named, typed(), _tool(), kinds, loss_unit=table.loss_unit)

    chosen = options.chosen(form, None, *ALLOWED)
    if by is not None:
        with progress("fitting", work(settings)) as step, told_what_was_left_out(table):
            groups = fit_by_group(table, settings, step)
        with progress("judging", judging(settings)) as step:
            several = judge_groups(groups, about, asked, step)
        emit(laws_of_groups(several, law, chosen, output, folder), None)
        return 0
    with progress("fitting", work(settings)) as step, told_what_was_left_out(table):
        found = fit(table, settings, step)
    with progress("judging", judging(settings)) as step:
        judged = judge(found, about(), asked, progress=step)
    emit(one_law(judged, chosen, output, folder), None)
    return 0


def _foretold(runs: tuple[str, ...]) -> None:
    """Says what large tables will take to read."""
    from optimizer.fitting.tables.read import files_of  # noqa: PLC0415
    from optimizer.reading.quantity import BYTES, DURATION, write  # noqa: PLC0415

    files, _ = files_of(runs)
    size = sum(os.path.getsize(file) for file in files if os.path.isfile(file))
    if size < LARGE:
        return
    times = write(round(SECONDS * size), DURATION)
    click.echo(f"{write(size, BYTES)} of runs to read, up to {times}", err=True)


def _tool() -> str:
    from optimizer import __version__  # noqa: PLC0415

    return f"overtrain {__version__}"


def _refuse_output(output: Path | None) -> None:
    refuse_unwritable(output)
    refuse_ending(output, YAML, "a law file ends in .yaml; for JSON: --format json")


def _refuse_name(name: str) -> None:
    from optimizer.world.laws import builtin_names  # noqa: PLC0415

    if name in builtin_names():
        raise failed(name, "is the name of a built-in law; choose another with --name")
