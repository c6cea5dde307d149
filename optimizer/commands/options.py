"""Options that several commands share, and what they do."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from optimizer.commands.output import piped, refuse_input
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.question.portfolio import Portfolio
    from optimizer.question.scenario import Scenario
    from optimizer.reading.document import Document
    from optimizer.reading.kinds import Kind

F = TypeVar("F", bound=Callable[..., Any])
FORMATS = {
    **{"table": "", "json": ".json", "markdown": ".md", "csv": ".csv"},
    **{"html": ".html", "xlsx": ".xlsx", "pdf": ".pdf"},
}
TEXT = ("", ".txt", ".text", ".log")  # endings of tables
STDIN = "-"
DEPTH = "overtrain.depth"  # of what is printed, in the context

files = click.argument("files", nargs=-1, required=True, metavar="FILES...")

overrides = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change a line of every scenario, such as demand.tokens=5T. Repeatable.",
)

laws = click.option(
    "--law",
    "laws",
    multiple=True,
    metavar="NAME",
    help="A law in place of the scenario's: a name, a law file, or all. Repeatable; "
    "with several, the same scenario is shown under each.",
)

given = click.option(
    "--given",
    "given",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="A column that the file does not have, such as accelerator=h100-sxm or "
    "weights=fp8. Repeatable.",
)

output = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write to a file instead of the terminal.",
)

fail_on = click.option(
    "--fail-on",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Exit with 4 where a plan meets a condition: on a number of the JSON answer, "
    "such as 'cost.total > $2M', or on its warnings: 'warnings' for any, or the code "
    "of one, such as 'outside-range'. Repeatable.",
)


def _deep(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[DEPTH] = value


def depth(command: F) -> F:
    """The options --full and --brief; see `asked_depth`."""
    for word, told in (
        ("brief", "One line a plan, for a table or Markdown."),
        ("full", "All that is known, in place of one screen, likewise."),
    ):
        command = click.option(
            f"--{word}",
            "depth",
            flag_value=word,
            expose_value=False,
            callback=_deep,
            help=told,
        )(command)
    return command


def asked_depth() -> str:
    """`full`, `brief`, or `screen` where neither was asked for."""
    found: str = click.get_current_context().meta.get(DEPTH, "screen")
    return found


def both_forms(command: F) -> F:
    """The option --forms."""
    return click.option(
        "--forms",
        is_flag=True,
        help="Under the law and under its pair, the law of the other form that was "
        "fitted to the same runs.",
    )(command)


def _engine(context: click.Context, _: click.Parameter, value: str) -> None:
    """Has cvxpy answer whatever the command solves, where it is asked for."""
    if value == "cvxpy":
        from optimizer.engine.solve import asking_cvxpy  # noqa: PLC0415 - heavy

        context.with_resource(asking_cvxpy())


engine = click.option(
    "--engine",
    type=click.Choice(("own", "cvxpy")),
    default="own",
    expose_value=False,
    callback=_engine,
    help="Who finds the optimum: overtrain itself, or as a second opinion cvxpy with "
    "Clarabel, which takes a second to start. The certificate is the same.",
)


def formats(*allowed: str) -> Callable[[F], F]:
    """The option --format with some of the formats."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(allowed),
        help="How to show it; by default as the name of the file says, else a table.",
    )


def chosen(form: str | None, output: Path | None, *allowed: str) -> str:
    """The format that was asked for, or that the name of the file asks for.

    Raises:
        InputError: the name has an ending that asks for none of them.
    """
    if form is not None:
        return form
    if output is None or str(output) == STDIN:
        return "table"
    if (found := by_ending(output, *allowed)) is not None:
        return found
    known = (*(FORMATS[name] for name in allowed if FORMATS[name]), ".txt")
    message = (
        f"no format here has the ending {output.suffix}; give one of "
        f"{', '.join(known)}, or say which with --format"
    )
    raise InputError([Problem(Mark(str(output)), "", message)])


def by_ending(output: Path, *allowed: str) -> str | None:
    """The format that the name of a file asks for; None where it asks for another."""
    ending = output.suffix.lower()
    # os.path, which takes what is no name of a file for one that is not there
    if ending in TEXT or (os.path.exists(output) and not os.path.isfile(output)):
        return "table"
    return next((name for name in allowed if ending == FORMATS[name]), None)


def read_all(
    paths: Sequence[str], overrides: Sequence[str], laws: Sequence[str] = ()
) -> list[Scenario]:
    """Reads every scenario before any is solved.

    Args:
        paths: files; `-` is standard input.
        overrides: assignments for each of them.
        laws: as for `read_files`.

    Raises:
        InputError: every mistake of every file, or a file holds several models.
    """
    from optimizer.question.portfolio import Portfolio  # noqa: PLC0415 - heavy

    found: list[Scenario] = []
    for read in read_files(paths, overrides, laws):
        if isinstance(read, Portfolio):
            message = (
                "holds several models that share; this command takes one model a "
                "file: solve the portfolio, or write each model to a file of its own"
            )
            raise InputError([Problem(read.place("models"), "models", message)])
        found.append(read)
    return found


def countable(
    context: click.Context, parameter: click.Parameter, value: int | None
) -> int | None:
    """Refuses whole numbers beyond 64 bits, of which nothing can be had so many."""
    if value is not None and value >= 2**63:
        raise click.BadParameter("must be below 2^63, about 9.2e18", context, parameter)
    return value


def finite(
    _ctx: click.Context, option: click.Parameter, value: float | None
) -> float | None:
    """A number that is one: every range lets NaN through."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"must be a number, got {value}", param=option)
    return value


def checkpoints(
    _ctx: click.Context, option: click.Parameter, value: str | None
) -> str | float | None:
    """Which rows of a run are taken: ends, all, or a share of it that is left out."""
    if value is None or value in ("ends", "all"):
        return value
    try:
        share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not 0 <= share < 1:
        message = f'must be ends, all, or a share such as 0.3, got "{value}"'
        raise click.BadParameter(message, param=option)
    return share


def opened(path: str) -> tuple[Document, Path]:
    """A file as a document, and the folder that relative paths in it start from.

    Args:
        path: of the file; `-` is standard input.

    Raises:
        InputError: it cannot be read, or is no YAML.
    """
    from optimizer.reading.document import load_file, load_text  # noqa: PLC0415 - heavy
    from optimizer.reading.yamltext import SIZE  # noqa: PLC0415

    if path == STDIN:
        return load_text(piped(SIZE), "<stdin>"), Path()
    return load_file(path), Path(path).parent


def read_files(
    paths: Sequence[str], overrides: Sequence[str], laws: Sequence[str] = ()
) -> list[Scenario | Portfolio]:
    """Reads every scenario and portfolio before any is solved.

    Args:
        paths: files; `-` is standard input.
        overrides: assignments for each of them.
        laws: of `--law`; a scenario that does not suit its own law is checked
            against the first of them.

    Raises:
        InputError: every mistake of every file.
    """
    from optimizer.question.portfolio_file import is_portfolio, read_portfolio  # noqa: PLC0415

    found: list[Scenario | Portfolio] = []
    problems: list[Problem] = []
    if list(paths).count(STDIN) > 1:
        message = "standard input can be read only once; name it only once"
        raise InputError([Problem(Mark("<stdin>"), "", message)])
    for path in paths:
        try:
            document, base = opened(path)
            _keep_law(document, base)
            if is_portfolio(document):
                found.append(read_portfolio(document, base, overrides))
            else:
                found.append(_read(document, base, overrides, laws))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return found


def _read(
    document: Document, base: Path, overrides: Sequence[str], laws: Sequence[str]
) -> Scenario:
    from optimizer.question.load import read_document  # noqa: PLC0415
    from optimizer.question.under_laws import ALL, read_under  # noqa: PLC0415

    try:
        return read_document(document, base, overrides)
    except InputError:
        if not laws or ALL in laws:
            raise
        return read_under(document, base, overrides, laws)


def _keep_law(document: Document, base: Path) -> None:
    """Refuses to write over the law file of a scenario."""
    context = click.get_current_context(silent=True)
    output = None if context is None else context.params.get("output")
    law = document.value.get("law") if isinstance(document.value, dict) else None
    if isinstance(output, Path) and isinstance(law, str):
        refuse_input(output, base / law)


def left_out(read: Scenario | Portfolio, laws: Sequence[str]) -> dict[str, str]:
    """What `--law all` leaves out of a scenario's laws, with the reasons."""
    from optimizer.question.portfolio import Portfolio  # noqa: PLC0415 - heavy
    from optimizer.question.under_laws import ALL, left_out  # noqa: PLC0415

    if ALL not in laws or isinstance(read, Portfolio):
        return {}
    found = left_out(read.spec.mixture, read.law.name)
    return {name: reason for name, reason in found.items() if name not in laws}


def under(
    read: Sequence[Scenario | Portfolio], laws: Sequence[str], forms: bool = False
) -> list[tuple[Scenario, ...]]:
    """Each scenario under each law of `--law`, or as it is where none is given.

    With `--forms` under its own law and the pair of that.

    A portfolio has none of its own: its models are solved together.

    Raises:
        InputError: every law that is none, or does not fit.
    """
    from optimizer.question.portfolio import Portfolio  # noqa: PLC0415 - heavy

    if laws and forms:
        message = "stands instead of --law: it takes each file's own law and its pair"
        raise InputError([Problem(Mark("--forms"), "", message)])
    if not laws and not forms:
        return [() if isinstance(one, Portfolio) else (one,) for one in read]
    from optimizer.question.under_laws import in_both_forms, under_laws  # noqa: PLC0415

    found: list[tuple[Scenario, ...]] = []
    problems: list[Problem] = []
    for one in read:
        try:
            if isinstance(one, Portfolio):
                found.append(())
            else:
                found.append(in_both_forms(one) if forms else under_laws(one, laws))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return found


def number(
    option: str, text: str, kind: Kind, fits: Callable[[float], bool], wanted: str
) -> float:
    """Reads an option that is a number with a unit.

    Args:
        option: its name, for messages.
        text: what was typed.
        kind: what the number means.
        fits: whether a value will do.
        wanted: what will, such as `must be above 1`.

    Raises:
        InputError: it is no such number, or does not fit.
    """
    from optimizer.reading.quantity import read  # noqa: PLC0415 - only where one is given

    try:
        value = read(text, kind)
        if not fits(value):
            raise ValueError(f"{wanted}, got {text}")
    except ValueError as error:
        raise InputError([Problem(Mark(option), "", str(error))]) from None
    return value
