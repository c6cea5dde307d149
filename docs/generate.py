"""Writes the generated pages of the documentation; a test compares them.

    python docs/generate.py

What a page says about a word, a law or an accelerator stands once, in the code or
the data file that the tool itself reads.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import click

from optimizer.commands.group import COMMANDS, overtrain
from optimizer.commands.schema import text as schema
from optimizer.reading import kinds
from optimizer.reading.quantity import significant, write
from optimizer.world.formulas import FORMULAS
from optimizer.world.hardware import Hardware, hardware_names, load_hardware
from optimizer.world.law import Interval, Law
from optimizer.world.laws import builtin_names, load_law

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # tests run this file by its path
from tables import table  # noqa: E402
from words import machines, scenario  # noqa: E402

OTHERS = "laws-others.md"
LIBRARY = "cli-library.md"
# What answers questions about scenarios; the other commands have a page of their own.
PLANS = {
    *("solve", "compare", "diff", "report", "plot", "audit", "sweep", "frontier"),
    *("uncertainty", "explore"),
}
NOTE = "<!-- Written by docs/generate.py; change the code, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """Returns the text of every generated page by file name."""
    return {
        "cli.md": NOTE + "\n".join(_cli(PLANS)),
        LIBRARY: NOTE + "\n".join(_cli(set(COMMANDS) - PLANS)),
        "hardware.md": NOTE + "\n".join(_hardware()),
        "laws.md": NOTE + "\n".join(_laws()),
        OTHERS: NOTE + "\n".join(_other_laws()),
        "scenario.md": NOTE + "\n".join(scenario()),
        "scenario-machines.md": NOTE + "\n".join(machines()),
        "scenario.schema.json": schema(),
    }


# Laws


def _laws() -> Iterator[str]:
    laws = [load_law(name) for name in builtin_names()]
    yield from (
        "# The built-in laws",
        "",
        "A law says what loss N parameters trained on D tokens reach. The tool has no",
        "default law, because published laws disagree: choose one, say why, and try",
        "another. `overtrain laws NAME` prints a law; a file of your own has the same",
        "form as those in `optimizer/data/laws`.",
        "",
        "Losses of different laws are measured on different data and tokenizers. They",
        "are not comparable. A target that names a reference model carries over; a",
        "loss does not.",
        "",
    )
    rows = (
        (
            f"[{law.name}]({_page(law)}#{law.name.replace('.', '')})",
            law.form,
            law.counts,
            _interval(law.range.parameters, kinds.PARAMETERS),
            _interval(law.range.tokens_per_parameter, None),
        )
        for law in laws
    )
    yield from table(("law", "form", "N counts", "fitted N", "fitted D/N"), rows)
    for law in laws:
        if not _page(law):
            yield from _law(law)


def _other_laws() -> Iterator[str]:
    yield from (
        "# Laws of other forms",
        "",
        "Those of the additive form stand with [the list](laws.md).",
        "",
    )
    for law in map(load_law, builtin_names()):
        if _page(law):
            yield from _law(law)


def _page(law: Law) -> str:
    """The page of a law, where that is not the one of the list."""
    return "" if law.form == "chinchilla" else OTHERS


def _law(law: Law) -> Iterator[str]:
    yield from (f"## {law.name}", "", f"{FORMULAS[law.form]}", "")
    if law.coefficients:
        numbers = ", ".join(f"{k} {v:.8g}" for k, v in law.coefficients.items())
        yield f"- Coefficients: {numbers}"
    if law.pair:
        yield f"- The other form, fitted to the same runs: {law.pair}"
    yield f"- N counts {COUNTS[law.counts]}; loss in {law.loss_unit}"
    for what, interval, kind in (
        ("parameters", law.range.parameters, kinds.PARAMETERS),
        ("tokens", law.range.tokens, kinds.TOKENS),
        ("tokens per parameter", law.range.tokens_per_parameter, None),
        ("compute", law.range.compute, kinds.COMPUTE),
        ("activation", law.range.activation, kinds.FRACTION),
        ("granularity", law.range.granularity, None),
    ):
        if interval is not None:
            yield f"- Fitted {what}: {_interval(interval, kind)}"
    if law.data:
        yield f"- Data: {law.data}"
    if law.tokenizer:
        yield f"- Tokenizer: {law.tokenizer}"
    if law.covariance is not None:
        yield f"- Covariance of {', '.join(law.covariance.order)}"
    yield f"- Source: {_line(law.source)}"
    yield f"- Checked: {_line(law.checked)}"
    yield from (f"- Caveat: {_line(text)}" for text in law.caveats)
    yield ""


COUNTS = {
    "total": "all parameters, embeddings included",
    "non-embedding": "parameters without the embeddings",
    "active": "the parameters active for a token",
}


def _interval(interval: Interval | None, kind: kinds.Kind | None) -> str:
    if interval is None:
        return "not known"
    low, high = (significant(x) if kind is None else write(x, kind) for x in interval)
    return f"{low} to {high}" if interval[0] > 0 else f"up to {high}"


def _line(text: str) -> str:
    return " ".join(text.split())


# Accelerators


def _hardware() -> Iterator[str]:
    yield from (
        "# The built-in accelerators",
        "",
        "Dense peaks as the makers state them, without sparsity. A peak that no source",
        "states is absent: the tool refuses the question, and never derives one peak",
        "from another. Give your own accelerator in a file or inline, in the form of",
        "`optimizer/data/hardware.yaml`.",
        "",
    )
    chips = [load_hardware(name) for name in hardware_names()]
    precisions = ("bf16", "fp8", "int8", "fp4")
    head = (
        "key",
        *(f"{p} [TFLOP/s]" for p in precisions),
        "memory",
        "bandwidth",
        "link",
    )
    rows = ((chip.key, *_chip(chip, precisions)) for chip in chips)
    yield from table((*head, "TDP", "source", "read"), rows)
    for chip in chips:
        if chip.note:
            yield f"- {chip.key}: {_line(chip.note)}"
        if chip.secondary:
            told = ", ".join(chip.secondary)
            yield f"- {chip.key}: from secondary sources only: {told}"
    yield ""


def _chip(chip: Hardware, precisions: tuple[str, ...]) -> Iterator[str]:
    for precision in precisions:
        peak = chip.peaks.get(precision)
        yield "–" if peak is None else f"{peak / 1e12:g}"
    yield "–" if chip.memory is None else f"{chip.memory / 2**30:.4g} GiB"
    yield "–" if chip.bandwidth is None else f"{chip.bandwidth / 1e9:g} GB/s"
    yield "–" if chip.link is None else f"{chip.link / 1e9:g} GB/s"
    yield "–" if chip.tdp is None else f"{chip.tdp:g} W"
    yield _line(chip.source)
    yield str(chip.date)


# The command line


def _cli(shown: Collection[str]) -> Iterator[str]:
    first = shown == PLANS
    title = "The command line" if first else "Commands for files, runs and models"
    yield from (
        f"# {title}",
        "",
        "`overtrain --help` and `overtrain COMMAND --help` print what stands here.",
        "",
    )
    context = click.Context(overtrain, info_name="overtrain")
    if first:
        yield from table(("command", "what it does"), _commands())
    for name in (name for name in COMMANDS if name in shown):
        command = overtrain.get_command(context, name)
        if command is not None:
            yield from _command(click.Context(command, context, info_name=name))
    if not first:
        yield from ("The other commands and the exit codes are [here](cli.md).", "")
        return
    yield from ("## Exit codes", "")
    yield from table(("code", "meaning"), iter(EXIT_CODES))
    yield from (
        "Results go to standard output, messages to standard error. With `-o FILE`",
        "the file is written whole, or not at all.",
        "",
    )


def _commands() -> Iterator[tuple[str, ...]]:
    for name, what in COMMANDS.items():
        page = "" if name in PLANS else LIBRARY
        yield f"[{name}]({page}#overtrain-{name})", what


def _command(context: click.Context) -> Iterator[str]:
    """One command: its usage, its text, and its options."""
    command = context.command
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f"## {context.command_path}", "")
    yield from ("```text", f"{context.command_path} {usage}", "```", "")
    for paragraph in _paragraphs(command.help, command.epilog):
        text = paragraph.replace("\b", "").strip("\n")
        if text != paragraph.strip("\n"):
            text = f"```text\n{text}\n```"
        yield from (text, "")
    options = [p for p in command.params if isinstance(p, click.Option)]
    yield from table(("option", "meaning"), (_option(option) for option in options))


def _paragraphs(*texts: str | None) -> Iterator[str]:
    for text in texts:
        yield from inspect.cleandoc(text or "").split("\n\n") if text else ()


def _option(option: click.Option) -> tuple[str, str]:
    value = option.metavar or ""
    if isinstance(option.type, click.Choice):
        value = "|".join(str(choice) for choice in option.type.choices)
    names = ", ".join(sorted(option.opts, key=len))
    return f"`{names} {value}`".replace(" `", "`"), str(option.help)


EXIT_CODES = (
    ("0", "answered"),
    ("1", "the tool failed: a defect, please report it"),
    ("2", "bad input; all files are read first, and if one is bad nothing is solved"),
    ("3", "a scenario has no plan; all answers are printed, with the reason"),
    ("4", "a condition of `--fail-on` held"),
    ("130", "interrupted: by Ctrl-C, or asked to end (SIGTERM, SIGHUP)"),
)


def main() -> None:
    """Writes the pages."""
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
