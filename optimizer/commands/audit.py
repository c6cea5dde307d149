"""`overtrain audit`: was this model right, and for what demand?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.output import refuse_unwritable
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.question.scenario import Scenario
    from optimizer.report.formats.blocks import Blocks
    from optimizer.world.models import PublishedModel

ALLOWED = ("table", "json", "markdown", "csv")
EXAMPLES = """\b
Examples:
  overtrain audit llama-3-8b
  overtrain audit --parameters 8B --tokens 15T --law all
  overtrain audit smollm3-3b --scenario open-release.yaml
  overtrain audit models/config.json --tokens 15T
  overtrain audit --all --format csv -o audit.csv
"""


@click.command("audit", epilog=EXAMPLES)
@click.argument("names", nargs=-1, metavar="[MODELS]...")
@click.option("--parameters", metavar="N", help="Of a model of your own, such as 8B.")
@click.option(
    "--tokens",
    metavar="D",
    help="That it was trained on, such as 15T; also of MODELS.",
)
@click.option("--all", "every", is_flag=True, help="Every published model.")
@click.option(
    "--scenario",
    metavar="FILE",
    help="Prices the model by its costs, demand, limits and law. Alone, it audits "
    "the model that the scenario matches or says exists.",
)
@options.overrides
@options.laws
@click.option(
    "--experts",
    type=click.IntRange(min=1),
    callback=options.countable,
    metavar="E",
    help="Of a joint-MoE law.",
)
@options.formats(*ALLOWED)
@options.output
def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    names: tuple[str, ...],
    parameters: str | None,
    tokens: str | None,
    every: bool,
    scenario: str | None,
    overrides: tuple[str, ...],
    laws: tuple[str, ...],
    experts: int | None,
    form: str | None,
    output: Path | None,
) -> int:
    """Say for what demand a model is right, and what it costs to be wrong.

    MODELS are published ones by name, or a config.json or a size such as 8B with its
    --tokens. Without --scenario, FLOPs are counted and nothing is limited.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    if overrides and scenario is None:
        raise _wrong("--set", "changes a scenario; add --scenario FILE")
    read = [] if scenario is None else options.read_all([scenario], overrides, laws)
    priced = next(iter(read), None)
    models = list(_models(names, parameters, tokens, every, priced))

    from optimizer.analysis.audit import audit_models  # noqa: PLC0415 - heavy
    from optimizer.commands.outcome import show  # noqa: PLC0415
    from optimizer.functions.audits import LAWS, judges  # noqa: PLC0415
    from optimizer.report.formats.decisions import audited  # noqa: PLC0415

    judging, experts = judges(laws, experts, priced)
    audits = audit_models(models, judging, priced, experts)
    left = _left_out(laws, experts)
    told = ""
    if not laws and priced is None and experts is None:
        told = f"Laws unless --law names others: {' and '.join(LAWS)}."

    def pages() -> list[Blocks]:
        from optimizer.report.pages.audit import audits_blocks  # noqa: PLC0415

        return [audits_blocks(audits, told, left)]

    def content() -> dict[str, object]:
        found = audited(audits)
        return {**found, "left_out": left} if left else found

    def sheet() -> str:
        from optimizer.report.formats.csv import audits as rows  # noqa: PLC0415

        return rows(audited(audits)["audits"])

    show(pages, content, sheet, form, output)
    return 0


def _left_out(laws: Sequence[str], experts: int | None) -> dict[str, str]:
    """What `--law all` leaves out of the built-in laws, with the reasons."""
    from optimizer.question.under_laws import ALL, left_out  # noqa: PLC0415 - heavy

    if ALL not in laws:
        return {}
    found = left_out(experts)
    return {name: reason for name, reason in found.items() if name not in laws}


def _wrong(place: str, message: str) -> InputError:
    return InputError([Problem(Mark(place), "", message)])


def _models(
    names: tuple[str, ...],
    parameters: str | None,
    tokens: str | None,
    every: bool,
    scenario: Scenario | None,
) -> Iterator[PublishedModel]:
    """The models to audit: by name, by size, or the one that a scenario is about.

    Raises:
        InputError: no model is named, or one is not known.
    """
    from optimizer.functions.audits import existing, number, unnamed  # noqa: PLC0415
    from optimizer.reading.quantity import PARAMETERS, TOKENS  # noqa: PLC0415
    from optimizer.world.architecture.load import is_config  # noqa: PLC0415
    from optimizer.world.models import model_names  # noqa: PLC0415

    if parameters is not None and tokens is None:
        raise _wrong("--parameters", "says half of a model; add --tokens 15T")
    if tokens is not None and parameters is None and not names:
        raise _wrong("--tokens", "says half of a model; add --parameters 8B")
    trained = number("--tokens", tokens, TOKENS)
    size = number("--parameters", parameters, PARAMETERS)
    chosen = model_names() if every else tuple(dict.fromkeys(names))
    for name in chosen:
        # Beside a size they are the tokens of that model.
        its = trained if size is None or is_config(name) else None
        yield existing(name, its)
    if size is not None and trained is not None:
        yield unnamed(size, trained)
    elif not chosen:
        if scenario is None:
            message = (
                "nothing to audit; name a published model, or give --parameters 8B "
                "--tokens 15T, or --all"
            )
            raise _wrong("audit", message)
        yield _of_scenario(scenario)


def _of_scenario(scenario: Scenario) -> PublishedModel:
    """The model that a scenario matches as it was trained, or says exists."""
    from optimizer.functions.audits import unnamed  # noqa: PLC0415
    from optimizer.world.built import Built  # noqa: PLC0415
    from optimizer.world.models import load_model, of_record  # noqa: PLC0415

    if (own := scenario.spec.plan) is not None:
        return unnamed(own.parameters, own.tokens)
    target, existing = scenario.spec.target, scenario.spec.existing
    match = None if target is None else target.match
    for named in (match, existing):
        if named is None:
            continue
        if named.model is not None:
            return load_model(named.model)
        if named.parameters is not None and named.tokens is not None:
            return unnamed(named.parameters, named.tokens)
    known = scenario.existing
    if known is not None and isinstance(known.what, Built) and known.tokens is not None:
        return of_record(known.what.record, known.tokens)
    raise InputError(
        [
            Problem(
                scenario.place("target"),
                "target",
                "names no model as it was trained; say which to audit: a published "
                "model, or --parameters 8B --tokens 15T",
            )
        ]
    )
