"""`overtrain solve`: the main job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.condition import read_conditions, refuse_unlike
from optimizer.commands.output import refuse_unwritable
from optimizer.commands.progress import progress
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.analysis.plan.snap import Snap
    from optimizer.question.portfolio import Portfolio
    from optimizer.question.scenario import Scenario
    from optimizer.question.sizes import Candidate
    from optimizer.report.formats.blocks import Blocks
    from optimizer.report.pages.solution import Solved

ALLOWED = ("table", "json", "markdown", "csv")
EXAMPLES = """\b
Examples:
  overtrain solve open-release.yaml
  overtrain solve open-release.yaml --full
  overtrain solve *.yaml --brief
  overtrain solve a.yaml --set demand.tokens=5T --set objective=dollars
  overtrain solve a.yaml --law all
  overtrain solve a.yaml --forms
  overtrain solve a.yaml --snap 1B,3B,7B,llama-2-13b
  overtrain solve a.yaml --snap '7B, layers=32 width=4096 vocabulary=32000'
  overtrain solve a.yaml --snap architectures.yaml
  overtrain solve *.yaml --format json -o plans.json
  overtrain solve a.yaml --fail-on 'overtraining.factor > 20'
"""


@click.command("solve", epilog=EXAMPLES)
@options.files
@options.overrides
@options.laws
@options.both_forms
@click.option(
    "--snap",
    metavar="SIZES",
    help="Round to what exists: sizes such as 1B,3B,7B, published models, "
    "architectures in words such as 'layers=32 width=4096', .yaml files of "
    "architectures, and config.json, with commas between them. Words: layers, width, "
    "heads, kv_heads, head_size, ffn_width, gated, vocabulary, tied, experts, "
    "active_experts, sequence, cache, parameters, name.",
)
@click.option(
    "--shape-factor",
    is_flag=True,
    help="Give each size of --snap the loss of its shape, by a formula that was fitted "
    "to small models.",
)
@options.depth
@options.formats(*ALLOWED)
@options.engine
@options.output
@options.fail_on
def command(  # noqa: PLR0913, PLR0917 - one argument an option
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    laws: tuple[str, ...],
    forms: bool,
    snap: str | None,
    shape_factor: bool,
    form: str | None,
    output: Path | None,
    conditions: tuple[str, ...],
) -> int:
    """Find the plan of least lifetime cost, with its proof.

    FILES are scenarios in YAML; - is standard input. All are read first: if one has
    a mistake, nothing is solved. What is printed fits on a screen; --full prints all
    of it. One of them may be a portfolio: several models that
    share data, a budget or a cluster.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    judged = read_conditions(conditions)
    sizes = _sizes(snap)
    if shape_factor and not sizes:
        message = "is of the sizes of --snap; add --snap 7B,llama-3-8b"
        raise InputError([Problem(Mark("--shape-factor"), "", message)])
    read = options.read_files(files, overrides, laws)
    _refuse(read, bool(laws), forms, bool(sizes))
    refuse_unlike(judged, read)
    groups = options.under(read, laws, forms)
    if sizes:
        from optimizer.question.one_loss import refuse_chosen_loss  # noqa: PLC0415
        from optimizer.question.sizes import refuse_unfit  # noqa: PLC0415 - only where asked for

        refuse_chosen_loss([one for group in groups for one in group], "--snap")
        refuse_unfit(sizes, [scenario for group in groups for scenario in group])

    from optimizer.commands.outcome import code, show  # noqa: PLC0415

    with progress("solving", sum(map(len, groups))) as advance:
        parts = [
            _solved(one, group, sizes, laws, shape_factor, advance)
            for one, group in zip(read, groups, strict=True)
        ]
    answers = [answer for part in parts for answer in part.answers]
    snaps = [snapped for part in parts for snapped in part.snaps]
    portfolios = [part.portfolio for part in parts if part.portfolio is not None]

    def pages() -> list[Blocks]:
        from optimizer.report.pages.solution import brief, solved_blocks  # noqa: PLC0415

        depth = options.asked_depth()
        if depth == "brief":
            return [brief(parts)]
        return [list(solved_blocks(part, depth == "full")) for part in parts]

    def content() -> dict[str, object]:
        from optimizer.report.formats.decisions import solved  # noqa: PLC0415

        found = solved(answers, snaps, portfolios)
        left = {law: why for part in parts for law, why in part.left.items()}
        return {**found, "left_out": left} if left else found

    def sheet() -> str:
        from optimizer.report.formats.csv import write  # noqa: PLC0415

        return write(answers, snaps)

    show(pages, content, sheet, form, output)
    return code(answers, judged, portfolios)


def _solved(
    read: Scenario | Portfolio,
    scenarios: tuple[Scenario, ...],
    sizes: tuple[Candidate, ...],
    laws: tuple[str, ...],
    shapes: bool,
    advance: Callable[[int], None],
) -> Solved:
    from optimizer.analysis.plan.optimum import solve  # noqa: PLC0415 - heavy
    from optimizer.question.portfolio import Portfolio  # noqa: PLC0415
    from optimizer.report.pages.solution import Solved  # noqa: PLC0415

    if isinstance(read, Portfolio):
        from optimizer.analysis.portfolio.joint_plan import solve_portfolio  # noqa: PLC0415

        portfolio = solve_portfolio(read)
        return Solved(
            read.name, portfolio.members, (None,) * len(portfolio.members), portfolio
        )
    snaps: list[Snap | None] = [None] * len(scenarios)
    answers = []
    for scenario in scenarios:
        answers.append(solve(scenario))
        advance(1)
    if sizes:
        from optimizer.analysis.plan.snap import snap  # noqa: PLC0415

        exist = [(size.name, size.what) for size in sizes]
        snaps = [snap(scenario, exist, shapes=shapes) for scenario in scenarios]
    return Solved(
        read.name, tuple(answers), tuple(snaps), left=options.left_out(read, laws)
    )


def _sizes(text: str | None) -> tuple[Candidate, ...]:
    if text is None:
        return ()
    from optimizer.question.sizes import read_sizes  # noqa: PLC0415 - only where asked for

    return read_sizes(text)


def _refuse(
    read: list[Scenario | Portfolio], laws: bool, forms: bool, sizes: bool
) -> None:
    """What cannot be asked of a portfolio.

    Raises:
        InputError: there are two of them, or options that round or vary one model.
    """
    from optimizer.question.portfolio import Portfolio  # noqa: PLC0415 - heavy

    portfolios = [each for each in read if isinstance(each, Portfolio)]
    problems = []
    for portfolio in portfolios:
        place = portfolio.place("models")
        for flag, used, cure in (
            ("--law", laws, "--set law=NAME puts all of its models under one"),
            ("--forms", forms, "--set law=NAME puts all of its models under one"),
            ("--snap", sizes, "fix: {parameters: 3B} holds a model to a size"),
        ):
            if used:
                message = f"{flag} is for files of one model; {cure}"
                problems.append(Problem(place, "models", message))
    for portfolio in portfolios[1:]:
        message = (
            f"is a second portfolio beside {portfolios[0].file}; solve one at a time"
        )
        problems.append(Problem(portfolio.place("models"), "models", message))
    if problems:
        raise InputError(problems)
