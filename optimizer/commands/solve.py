"""`overtrain solve`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.condition import read_conditions
from optimizer.commands.output import refuse_unwritable
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.analysis.snap import Snap
    from optimizer.portfolio import Portfolio
    from optimizer.report.blocks import Blocks
    from optimizer.report.solved import Solved
    from optimizer.scenario import Scenario

ALLOWED = ("table", "json", "markdown", "csv")
EXAMPLES = """\b
Examples:
  overtrain solve open-release.yaml
  overtrain solve a.yaml --set demand.tokens=5T --set objective=dollars
  overtrain solve a.yaml --law all
  overtrain solve a.yaml --snap 1B,3B,7B,13B
  overtrain solve *.yaml --format json -o plans.json
  overtrain solve a.yaml --fail-on 'overtraining.factor > 20'
"""


@click.command("solve", epilog=EXAMPLES)
@options.files
@options.overrides
@options.laws
@click.option(
    "--snap",
    metavar="SIZES",
    help="Round to sizes that exist, such as 1B,3B,7B or names of published models.",
)
@options.formats(*ALLOWED)
@options.output
@options.fail_on
def command(
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    laws: tuple[str, ...],
    snap: str | None,
    form: str | None,
    output: Path | None,
    conditions: tuple[str, ...],
) -> int:
    """Find the plan of least lifetime cost, with its proof.

    FILES are scenarios in YAML; - is standard input. All are read first: if one has
    a mistake, nothing is solved. One of them may be a portfolio: several models that
    share data, a budget or a cluster.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    judged = read_conditions(conditions)
    sizes = [] if snap is None else _sizes(snap)
    read = options.read_files(files, overrides)
    _refuse(read, bool(laws), bool(sizes))
    groups = options.under(read, laws)

    from optimizer.commands.answered import code, show  # noqa: PLC0415

    parts = [_solved(*each, sizes) for each in zip(read, groups, strict=True)]
    answers = [answer for part in parts for answer in part.answers]
    snaps = [snapped for part in parts for snapped in part.snaps]
    families = [part.family for part in parts if part.family is not None]

    def pages() -> list[Blocks]:
        from optimizer.report.solved import solved_blocks  # noqa: PLC0415

        return [list(solved_blocks(part)) for part in parts]

    def content() -> dict[str, object]:
        from optimizer.report.decisions import solved  # noqa: PLC0415

        return solved(answers, snaps, families)

    def sheet() -> str:
        from optimizer.report.sheet import write  # noqa: PLC0415

        return write(answers, snaps)

    show(pages, content, sheet, form, output)
    return code(answers, judged, families)


def _solved(
    read: Scenario | Portfolio,
    scenarios: tuple[Scenario, ...],
    sizes: list[tuple[str, float]],
) -> Solved:
    from optimizer.analysis.compare import solve_all  # noqa: PLC0415 - imports cvxpy
    from optimizer.portfolio import Portfolio  # noqa: PLC0415
    from optimizer.report.solved import Solved  # noqa: PLC0415

    if isinstance(read, Portfolio):
        from optimizer.analysis.family import solve_portfolio  # noqa: PLC0415

        family = solve_portfolio(read)
        return Solved(read.name, family.members, (None,) * len(family.members), family)
    snaps: list[Snap | None] = [None] * len(scenarios)
    answers = solve_all(scenarios).plans
    if sizes:
        from optimizer.analysis.snap import snap  # noqa: PLC0415

        snaps = [snap(scenario, sizes) for scenario in scenarios]
    return Solved(read.name, answers, tuple(snaps))


def _sizes(text: str) -> list[tuple[str, float]]:
    """Reads `1B,3B,llama-3-8b`: sizes, and names of published models.

    Raises:
        InputError: every entry that is neither.
    """
    from optimizer.document import suggest  # noqa: PLC0415 - only where asked for
    from optimizer.quantity import PARAMETERS, read, shown  # noqa: PLC0415
    from optimizer.world.models import load_model, model_names  # noqa: PLC0415

    names = model_names()
    found: dict[str, float] = {}
    problems = []
    for word in filter(None, map(str.strip, text.split(","))):
        if word in names:
            model = load_model(word)
            found[word] = model.active_parameters or model.parameters
            continue
        try:
            found[word] = read(word, PARAMETERS)
        except ValueError as error:
            told = str(error)
            if word[0].isalpha():
                told = (
                    "must be a size such as 7B, or a published model, got "
                    f"{shown(word)}{suggest(word, names)}"
                )
            problems.append(Problem(Mark("--snap"), "", told))
    if not found and not problems:
        message = "needs sizes, as in --snap 1B,3B,7B"
        problems.append(Problem(Mark("--snap"), "", message))
    if problems:
        raise InputError(problems)
    return list(found.items())


def _refuse(read: list[Scenario | Portfolio], laws: bool, sizes: bool) -> None:
    """What cannot be asked of a portfolio.

    Raises:
        InputError: there are two of them, or options that round or vary one model.
    """
    from optimizer.portfolio import Portfolio  # noqa: PLC0415 - heavy

    families = [each for each in read if isinstance(each, Portfolio)]
    problems = []
    for family in families:
        place = family.place("models")
        for flag, used, cure in (
            ("--law", laws, "--set law=NAME puts all of its models under one"),
            ("--snap", sizes, "fix: {parameters: 3B} holds a model to a size"),
        ):
            if used:
                message = f"{flag} is for files of one model; {cure}"
                problems.append(Problem(place, "models", message))
    for family in families[1:]:
        message = (
            f"is a second portfolio beside {families[0].file}; solve one at a time"
        )
        problems.append(Problem(family.place("models"), "models", message))
    if problems:
        raise InputError(problems)
