"""A config.json, or the folder of a model, to its record, with errors in place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Problem
from optimizer.reading.document import dotted, legible
from optimizer.reading.fields import FieldError
from optimizer.reading.jsontext import JsonFile, load_json
from optimizer.reading.yamltext import Steps
from optimizer.world.architecture.record import Record

CONFIG = "config.json"


def is_config(text: str) -> bool:
    """Whether a word names a config: a .json file, or a folder with config.json."""
    return text.lower().endswith(".json") or os.path.isfile(os.path.join(text, CONFIG))


def load_record(path: str | Path, base: Path | None = None) -> Record:
    """Reads the config of a model.

    Args:
        path: the file, or the folder that it stands in.
        base: the folder that a relative path starts from.

    Raises:
        InputError: it cannot be read, or says what is not known or cannot be.
    """
    place = Path(path) if base is None else base / path
    try:
        if os.path.isdir(place):
            place = place / CONFIG
    except (OSError, ValueError):
        pass  # told when it is opened
    return record_of(load_json(place), _named(place))


def record_of(config: JsonFile, name: str) -> Record:
    """The record of a config that is read already.

    Raises:
        InputError: it says what is not known or cannot be.
    """
    try:
        return described(config.value, name)
    except FieldError as error:
        raise InputError(
            Problem(config.mark(steps), dotted(_shown(steps)), message)
            for steps, message in error.found
        ) from None


def described(config: Mapping[str, Any], name: str) -> Record:
    """The record of a config's words; see `read.read_config`."""
    from optimizer.world.architecture.read import read_config  # noqa: PLC0415 - 16 files

    return read_config(config, name)


def _shown(steps: Steps) -> Steps:
    """Steps whose words are short enough to show."""
    return tuple(x if isinstance(x, int) else legible(x, 100) for x in steps)


def _named(place: Path) -> str:
    """A model is called by its folder, or by its file where that is not the usual."""
    if place.name.lower() != CONFIG:
        return place.stem
    return place.absolute().parent.name or CONFIG
