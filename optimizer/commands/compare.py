"""`overtrain compare`: scenarios side by side, and a plan for not knowing which."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.commands import options
from optimizer.commands.condition import read_conditions, refuse_unlike
from optimizer.commands.output import refuse_unwritable
from optimizer.commands.progress import progress

ALLOWED = ("table", "json", "markdown", "csv")
EXAMPLES = """\b
Examples:
  overtrain compare internal.yaml release.yaml
  overtrain compare a.yaml b.yaml --tail '10 %' --format json
  overtrain compare a.yaml --law besiroglu-2024 --law hoffmann-2022-devries
  overtrain compare a.yaml --forms
"""


@click.command("compare", epilog=EXAMPLES)
@options.files
@options.overrides
@options.laws
@options.both_forms
@click.option(
    "--tail",
    metavar="PART",
    help="The worst part of the futures that the CVaR plan looks at; 20 % unless "
    "given. Needs a probability in every scenario.",
)
@click.option(
    "--move",
    metavar="PART",
    help="The change of size that counts as a moved plan, where cost shares are "
    "given; 10 % unless given.",
)
@click.option(
    "--pairs",
    is_flag=True,
    help="Also of more than three scenarios say what each plan costs in each other, "
    "and what each difference does alone; of more than 20 that takes long.",
)
@options.formats(*ALLOWED)
@options.engine
@options.output
@options.fail_on
def command(  # noqa: PLR0913, PLR0917 - one argument an option
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    laws: tuple[str, ...],
    forms: bool,
    tail: str | None,
    move: str | None,
    pairs: bool,
    form: str | None,
    output: Path | None,
    conditions: tuple[str, ...],
) -> int:
    """Solve scenarios and show them side by side, one column each.

    It says what differs between the files and what each difference does, what the
    plan for one scenario costs in the others, and which plan to choose when it is
    not known which will come. More than three scenarios are one table, in which
    the first two wait for --pairs. CSV is the same as that of solve.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    judged = read_conditions(conditions)
    worst, moved = _part("--tail", tail, 1.0), _part("--move", move, 0.99)
    bare = options.read_all(files, overrides, laws)
    refuse_unlike(judged, bare)
    groups = options.under(bare, laws, forms)

    from optimizer.analysis.comparison.compare import MANY, compare  # noqa: PLC0415 - heavy
    from optimizer.commands.outcome import code, show  # noqa: PLC0415
    from optimizer.report.formats.blocks import Blocks  # noqa: PLC0415

    scenarios = [s for group in groups for s in group]
    steps = len(scenarios) * (1 + len(scenarios) * (pairs or len(scenarios) <= MANY))
    with progress("comparing", steps) as advance:
        found = compare(scenarios, worst, moved, pairs=pairs or None, advance=advance)

    def pages() -> list[Blocks]:
        from optimizer.report.pages.comparison import comparison_blocks  # noqa: PLC0415
        from optimizer.report.pages.under_laws import laws_side_blocks  # noqa: PLC0415

        plans = iter(found.plans)
        own = [[next(plans) for _ in group] for group in groups]
        tables = [
            list(
                laws_side_blocks(
                    scenario.name, answers, left=options.left_out(scenario, laws)
                )
            )
            for scenario, answers in zip(bare, own, strict=True)
            if len(answers) > 1
        ]
        tabled = len(tables) == len(groups)
        return [*tables, comparison_blocks(found, pairs, tabled)]

    def content() -> dict[str, object]:
        from optimizer.report.formats.decisions import compared  # noqa: PLC0415

        return compared(found)

    def sheet() -> str:
        from optimizer.report.formats.csv import write  # noqa: PLC0415

        return write(found.plans)

    show(pages, content, sheet, form, output)
    return code(found.plans, judged)


def _part(option: str, text: str | None, most: float) -> float | None:
    """Reads a part such as 10 % or 0.1, above 0."""
    if text is None:
        return None
    from optimizer.reading.kinds import FRACTION  # noqa: PLC0415 - only where given

    wanted = f"must be above 0 % and at most {100 * most:g} %"
    return options.number(option, text, FRACTION, lambda x: 0 < x <= most, wanted)
