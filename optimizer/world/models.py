"""Sizes that exist: published models, architectures, and their parameters.

The library of models is `data/models.yaml`; every figure is from the model's paper or
card. What they are made of stands there too, or in `data/architectures.yaml`, in the
words of their configs.
"""

from functools import cache
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.document import suggest
from optimizer.reading.entries import Entries
from optimizer.reading.fields import Model, Parameters, Tokens, read_model
from optimizer.reading.quantity import PARAMETERS, TOKENS, shown, significant, write
from optimizer.records import dataclass, replace
from optimizer.world.architecture.load import described, load_record
from optimizer.world.architecture.record import Record
from optimizer.world.built import Built, built, passed_once
from optimizer.world.law import Counts
from optimizer.world.shapes import Shape, record_of_shape

_DATA = Path(__file__).resolve().parent.parent / "data"
_TRAINED = Entries(_DATA / "models.yaml")
_CONFIGS = Entries(_DATA / "architectures.yaml")


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
        architecture: its shape, where its parameters follow from one; else None.
        non_embedding: its parameters without embeddings, of a mixture those that a
            token passes, where its makers tell; else None.
        embeddings_up_to: the most that its embeddings can be, where nobody tells.
    """

    name: str
    title: str
    parameters: float
    active_parameters: float | None
    tokens: float
    source: str
    note: str = ""
    architecture: Shape | None = None
    non_embedding: float | None = None
    embeddings_up_to: float | None = None


class _Config(Model):
    """What a published config says, and what its makers say of the training."""

    title: str | None = None
    tokens: Tokens | None = None
    licence: str | None = None
    source: str | None = None
    architecture: dict[str, Any]


class _Entry(Model):
    title: str
    parameters: Parameters
    active_parameters: Parameters | None = None
    tokens: Tokens
    licence: str | None = None
    source: str
    note: str = ""
    architecture: Shape | None = None
    non_embedding: Parameters | None = None
    embeddings_up_to: Parameters | None = None


Exists = float | Shape | PublishedModel  # a size, alone or with what it is of


def size_in(what: Exists, counts: Counts) -> float:
    """N of a size that exists, as a law counts it.

    Of a mixture of experts these are the parameters that a token passes. A model whose
    embeddings nobody tells is counted with them; `unsure` says how far that is off.

    Args:
        what: a number is N already.
        counts: what the law's N counts.

    Raises:
        ValueError: embeddings count, and the architecture does not tell of them.
    """
    if isinstance(what, Shape):
        return float(what.size(counts))
    if isinstance(what, PublishedModel):
        size = what.active_parameters or what.parameters
        if counts == "non-embedding":
            if what.non_embedding is not None:
                return what.non_embedding
            if what.architecture is not None:
                size -= what.architecture.embeddings
        return size
    return what


def unsure(what: Exists, counts: Counts) -> str:
    """How uncertain N of a size is under a law, in words; empty where it is known."""
    if counts != "non-embedding" or not isinstance(what, PublishedModel):
        return ""
    if what.non_embedding is not None or what.architecture is not None:
        return ""
    whole = what.active_parameters or what.parameters
    if what.embeddings_up_to is None:
        return "counted with its embeddings, of which nobody tells"
    share = 100 * what.embeddings_up_to / whole
    return (
        "counted with its embeddings, which nobody tells: up to "
        f"{write(what.embeddings_up_to, PARAMETERS)}, {significant(share, 2)} % of it"
    )


def stored(what: Exists) -> float | None:
    """All parameters of a size that exists; None of a bare number."""
    if isinstance(what, Shape):
        return float(what.stored)
    return what.parameters if isinstance(what, PublishedModel) else None


def shape_of(what: Exists) -> Shape | None:
    """The architecture of a size that exists, where it is known."""
    if isinstance(what, PublishedModel):
        return what.architecture
    return what if isinstance(what, Shape) else None


def model_names() -> tuple[str, ...]:
    """Return the names of the library, in its order."""
    described = [name for name in _CONFIGS.names if _config(name).tokens]
    return tuple(dict.fromkeys((*_TRAINED.names, *described)))


def described_names() -> tuple[str, ...]:
    """Return the names of models whose config is in the library."""
    return _CONFIGS.names


def shaped_names() -> tuple[str, ...]:
    """Return the names of models that are known layer by layer."""
    shaped = [name for name in _TRAINED.names if _entry(name).architecture is not None]
    return tuple(dict.fromkeys((*shaped, *_CONFIGS.names)))


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
    if name not in _TRAINED and not (name in _CONFIGS and _config(name).tokens):
        if name in _CONFIGS:
            message = (
                "is in the library by its architecture alone: no source states what "
                "it was trained on"
            )
            raise InputError([Problem(mark or Mark(path), path, message)])
        names = model_names()
        message = (
            f"must be one of {', '.join(names)}, got {shown(name)}"
            f"{suggest(name, names)}"
        )
        raise InputError([Problem(mark or Mark(path), path, message)])
    if name not in _TRAINED:
        config = _config(name)
        model = of_record(_described(name), config.tokens or 0.0)
        return replace(model, title=config.title or name, source=config.source or "")
    entry = _entry(name)
    shape: Shape | None = entry.architecture
    if shape is None and name in _CONFIGS:
        shape = built(_described(name))
    return PublishedModel(
        name=name,
        title=entry.title,
        parameters=entry.parameters,
        active_parameters=entry.active_parameters,
        tokens=entry.tokens,
        source=entry.source,
        note=entry.note,
        architecture=shape,
        non_embedding=entry.non_embedding,
        embeddings_up_to=entry.embeddings_up_to,
    )


def of_config(path: str, tokens: float) -> PublishedModel:
    """The model of a config.json, as it was trained.

    Args:
        path: the file, or the folder that it stands in.
        tokens: D, which no config tells.

    Raises:
        InputError: the config cannot be read, or is not known.
    """
    return of_record(passed_once(load_record(path), Mark(path), ""), tokens)


def of_record(record: Record, tokens: float) -> PublishedModel:
    """A record as a model that was trained on some tokens."""
    return PublishedModel(
        name=record.name,
        title=record.name,
        parameters=float(record.total),
        active_parameters=float(record.active()) if record.mixture else None,
        tokens=tokens,
        source="",
        architecture=built(record),
    )


def library_record(name: str) -> Record:
    """What a model of the library is made of, as its makers' config says it.

    Raises:
        InputError: there is no such model, or no source states its architecture.
    """
    if name in _CONFIGS:
        return _described(name)
    model = load_model(name, Mark(name), "")
    if model.architecture is None:
        message = "is in the library without an architecture, which no source states"
        raise InputError([Problem(Mark(name), "", message)])
    if isinstance(model.architecture, Built):
        return model.architecture.record
    return record_of_shape(model.architecture, name)


def told(record: Record) -> Record:
    """The record of a model of the library, with what its makers say of it."""
    name, said = record.name, [*record.notes]
    config = _config(name) if name in _CONFIGS else None
    entry = _entry(name) if name in _TRAINED else None
    known = [one for one in (config, entry) if one is not None]
    for tokens in [one.tokens for one in known if one.tokens][:1]:
        said.append(f"trained on {write(tokens, TOKENS)} tokens")
    licence = next((one.licence for one in known if one.licence), "")
    said.append(f"licence: {licence}" if licence else "no licence was read by us")
    said += [f"source: {one.source}" for one in known if one.source][:1]
    return replace(record, notes=tuple(said))


def _entry(name: str) -> _Entry:
    return read_model(_TRAINED[name], _Entry, at=(name,))


@cache
def _config(name: str) -> _Config:
    return read_model(_CONFIGS[name], _Config, at=(name,))


@cache
def _described(name: str) -> Record:
    return described(_config(name).architecture, name)
