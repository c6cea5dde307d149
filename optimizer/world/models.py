"""Published models: how many parameters, on how many tokens, and who says so.

The library is `data/models.yaml`; every figure is from the model's paper or card.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from optimizer.document import Document, load_file, suggest
from optimizer.errors import InputError, Mark, Problem
from optimizer.fields import Model, Parameters, Tokens, read_model
from optimizer.quantity import shown

_FILE = Path(__file__).resolve().parent.parent / "data" / "models.yaml"


@dataclass(frozen=True)
class PublishedModel:
    """A model as its makers trained it.

    Attributes:
        name: its name in the library.
        title: the name for people.
        parameters: all of them, embeddings included.
        active_parameters: those a token passes, for a mixture of experts; else None.
        tokens: pretraining tokens seen.
        source: the paper or card with these figures.
        note: what a comparison with a scaling law should bear in mind; may be empty.
    """

    name: str
    title: str
    parameters: float
    active_parameters: float | None
    tokens: float
    source: str
    note: str = ""


class _Entry(Model):
    title: str
    parameters: Parameters
    active_parameters: Parameters | None = None
    tokens: Tokens
    source: str
    note: str = ""


def model_names() -> tuple[str, ...]:
    """Return the names of the library, in its order."""
    models = _library().value
    if not isinstance(models, dict):
        raise TypeError(f"{_FILE.name} is not a mapping")
    return tuple(models)


def load_model(
    name: str, mark: Mark | None = None, path: str = "model"
) -> PublishedModel:
    """Return a published model by its name.

    Args:
        name: such as `llama-3-8b`.
        mark: where the name was written, for messages.
        path: the dotted path of the field with the name, for messages.

    Raises:
        InputError: the library has no such model.
    """
    names = model_names()
    if name not in names:
        message = (
            f"must be one of {', '.join(names)}, got {shown(name)}"
            f"{suggest(name, names)}"
        )
        raise InputError([Problem(mark or Mark(path), path, message)])
    entry = read_model(_library(), _Entry, at=(name,))
    return PublishedModel(
        name=name,
        title=entry.title,
        parameters=entry.parameters,
        active_parameters=entry.active_parameters,
        tokens=entry.tokens,
        source=entry.source,
        note=entry.note,
    )


@cache
def _library() -> Document:
    return load_file(_FILE)
