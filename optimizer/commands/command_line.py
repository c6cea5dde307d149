"""A command as it was typed, to be written into what it made."""

from __future__ import annotations

import shlex
from typing import Any

import click


def typed() -> str:
    """The command as it was typed, ready for a shell."""
    context = click.get_current_context()
    told = ["overtrain", str(context.command.name)]
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        if isinstance(parameter, click.Argument):
            told += map(str, value if isinstance(value, tuple) else (value,))
        elif isinstance(parameter, click.Option):
            told += _option(parameter, value)
    return shlex.join(told)


def _option(option: click.Option, value: Any) -> list[str]:
    flag = max(option.opts, key=len)
    if option.is_flag:
        return [flag] if value else []
    if isinstance(value, tuple):
        return [word for member in value for word in (flag, str(member))]
    return [] if value is None or value == option.default else [flag, str(value)]
