"""What a word describes: a config, a model of the library, or a model in words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.document import Document, dotted, load_file, suggest
from optimizer.reading.fields import FieldError, read_model
from optimizer.reading.quantity import shown
from optimizer.reading.yamltext import Steps
from optimizer.world.architecture.load import described, is_config, load_record
from optimizer.world.architecture.record import Record
from optimizer.world.architecture.words import Words, record_of_words
from optimizer.world.built import passed_once
from optimizer.world.models import library_record, model_names, shaped_names, told
from optimizer.world.shapes import Shape, record_of_shape


def record_named(name: str) -> Record:
    """What a model is made of: one of the library, or of a config.json.

    Args:
        name: of the library, else a config file or a folder with one, or a YAML file
            that says it in words.

    Raises:
        InputError: there is no such model or file, or it is not known what it is.
    """
    if name.lower().endswith((".yaml", ".yml")):
        return _in_words(name)
    if _is_path(name, Path()):
        return load_record(name)
    return told(library_record(name))


def _is_path(name: str, base: Path) -> bool:
    return "/" in name or is_config(str(base / name)) or os.path.isdir(base / name)


def _in_words(name: str) -> Record:
    """A model that a file says in words, or a scenario in its architecture."""
    document = load_file(name)
    value = document.value
    at: Steps = ()
    if isinstance(value, dict) and "architecture" in value:
        at = ("architecture",)
    record = record_at(document, at, Path(name).parent)
    if record is None:
        record = record_of_shape(read_model(document, Shape, at=at), Path(name).stem)
    return record


def layered(value: object) -> bool:
    """Whether a word of a file is a config, its path, or a model layer by layer."""
    if isinstance(value, dict):
        return "model_type" in value or isinstance(value.get("layers"), list)
    return isinstance(value, str)


def record_at(document: Document, at: Steps, base: Path) -> Record | None:
    """The record that a word of a file names or spells out; None where it does not.

    Args:
        document: the file.
        at: the path of the word.
        base: the folder that relative paths start from.

    Raises:
        InputError: the config cannot be read, or is not known.
    """
    node: Any = document.value
    for step in at:
        node = node.get(step) if isinstance(node, dict) else None
    found = _record_at(document, at, base, node)
    if found is None:
        return None
    return passed_once(found, document.mark(at), dotted(at))


def _record_at(document: Document, at: Steps, base: Path, node: Any) -> Record | None:
    if isinstance(node, str):
        try:
            return _named(node, base)
        except InputError as error:
            place = document.mark(at)
            raise InputError(
                p if p.mark.line else Problem(place, dotted(at), str(p))
                for p in error.problems
            ) from None
    if isinstance(node, dict) and "model_type" in node:
        return _inline(document, at, node)
    if layered(node):
        return record_of_words(read_model(document, Words, at=at), "in words")
    return None


def _inline(document: Document, at: Steps, node: Mapping[str, Any]) -> Record:
    try:
        return described(node, str(node["model_type"]))
    except FieldError as error:
        raise InputError(
            Problem(document.mark((*at, *steps)), dotted((*at, *steps)), message)
            for steps, message in error.found
        ) from None


def _named(name: str, base: Path) -> Record:
    """The record of a path, else of a name of the library."""
    if _is_path(name, base):
        return load_record(name, base)
    known = shaped_names()
    if name in known or name in model_names():
        return library_record(name)
    message = (
        "must be a model of the library, such as llama-3-8b (overtrain model NAME "
        "shows it), the path of a config.json, or the words of a shape, got "
        f"{shown(name)}{suggest(name, known)}"
    )
    raise InputError([Problem(Mark(name), "", message)])
