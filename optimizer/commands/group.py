"""The group of commands; each is imported only when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

COMMANDS = {
    "solve": "Find the plan of least lifetime cost, with its proof.",
    "compare": "Solve scenarios and show them side by side.",
    "diff": "Say what moved between two answers, for a pull request.",
    "report": "Write a report for those who pay: HTML, Markdown, Excel.",
    "plot": "Draw one chart as SVG or PNG.",
    "audit": "Say for what demand a model is right.",
    "sweep": "Solve a scenario for many values at once, a row each.",
    "frontier": "Show what each loss costs, and training against serving.",
    "uncertainty": "Say how far a plan may be trusted, and find one that is safe.",
    "explore": "Open a page in which every number can be moved.",
    "check": "Check scenario files without solving them.",
    "init": "Write a commented scenario to start from.",
    "fit": "Fit a scaling law to training runs, with error bars.",
    "serving": "Set measured serving beside what is predicted.",
    "calibrate": "Fit the constants of serving to measured points.",
    "laws": "List the scaling laws, or all about one.",
    "hardware": "List the accelerators, or all about one.",
    "model": "Say what a model is made of: parameters, layers, cache.",
    "schema": "Print the JSON Schema of the scenario file.",
}

QUIET = "--quiet"

HELP = """How large a language model, and on how many tokens?

The least lifetime cost, training and serving, at which a model reaches a quality:
with proof, and how far past Chinchilla-optimal that is.

\b
Start here:
  overtrain init
  overtrain solve internal-use.yaml
"""

EPILOG = """\b
Exit codes: 0 answered, 1 the tool failed, 2 bad input, 3 a plan is
infeasible, 4 a --fail-on condition held, 130 interrupted.
"""


class Lazy(click.Group):
    """A group that knows its commands by name and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a first day with the tool."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, from its own file."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"optimizer.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a name that is not known gets a suggestion."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from optimizer.reading.document import suggest  # noqa: PLC0415 - errors only

            hint = suggest(args[0], COMMANDS, f"commands: {', '.join(COMMANDS)}")
            ctx.fail(f'there is no command "{args[0]}"{hint}')
        words = args[: args.index("--")] if "--" in args else args
        if QUIET in words:  # it may stand after the command, as people expect
            args = [word for word in words if word != QUIET] + args[len(words) :]
            ctx.params["quiet"] = True
        return super().resolve_command(ctx, args)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Writes the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from optimizer import __version__  # noqa: PLC0415 - reads the metadata

        click.echo(f"overtrain {__version__}")
        ctx.exit()


@click.group(
    cls=Lazy,
    help=HELP,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version and exit.",
)
@click.option(
    QUIET,
    is_flag=True,
    help="Say nothing of files that are written, nor of how far work is.",
)
def overtrain(quiet: bool) -> None:
    """The command itself; its text is `HELP`."""


def run(arguments: Sequence[str]) -> int:
    """Runs a command line and returns its exit code; raises what it raises.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C.
        BrokenPipeError: who reads standard output has seen enough.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # × and − on a terminal without them
    try:
        code = overtrain.main(
            list(arguments), prog_name="overtrain", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:
        # The one way in which click still ends a process: its reader has gone.
        raise BrokenPipeError from None
    return code if isinstance(code, int) else 0
