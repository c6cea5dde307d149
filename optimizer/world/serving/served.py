"""What a serving engine sees of a model: layers, widths, weights, experts and cache.

A library of published models stands in `data/served.yaml`. A model that is not in it
is taken for one of the same size, or scaled by its size from Llama 3 8B, and what was
assumed is said.

*Source*: the shapes are those of the models' published configurations; the rules by
size, layers 32·(N/8.03e9)^0.42 and width 4096·(N/8.03e9)^0.32, meet Llama 3.1 8B and
70B.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from pydantic import Field

from optimizer.reading.document import Document, load_file
from optimizer.reading.fields import Count, Model, read_model
from optimizer.records import dataclass

_FILE = Path(__file__).resolve().parents[2] / "data" / "served.yaml"
BASE = 8.03e9  # parameters of Llama 3.1 8B
DEPTH, WIDTH = (32.0, 0.42), (4096.0, 0.32)
KV_HEADS, KV_NUMBERS = 8.0, 2048.0  # of one layer of Llama 3
CHOSEN, ROUTED = 8.0, 0.96  # experts of a token and their share of all weights
NEAR = 0.02  # two models of one size within this are taken to be built alike
_ENDINGS = re.compile(
    r"-(instruct|chat|it|hf|base|fp8|fp4|nvfp4|mxfp4|bf16|fp16|int4|int8|awq|gptq|"
    r"w4a16|w8a8|dynamic|block|fp8-kv|\d{4})$"
)


@dataclass(frozen=True)
class Store:
    """What some layers keep of a sequence.

    Attributes:
        numbers: a token, of all these layers together.
        most: tokens that are kept at most; None keeps them all.
    """

    numbers: float
    most: float | None = None


@dataclass(frozen=True)
class Served:
    """A model as an engine serves it.

    Attributes:
        name: for reports.
        total: stored parameters.
        active: those that a token passes.
        layers: how many.
        width: of the stream between them.
        kv_heads: heads of keys and values; a replica of more accelerators copies them.
        stores: what a sequence keeps.
        state: what it keeps whatever its length [bytes].
        looked_up: parameters that are looked up and never multiplied.
        head: parameters that turn the last layer into a token; a prompt needs them
            once.
        routed: parameters of all routed experts.
        experts: routed experts of a layer; 0 where there are none.
        chosen: those of them that a token passes.
        rest: the format of all but the experts, where the maker quantizes those alone.
        assumed: what was taken for granted, in sentences.
    """

    name: str
    total: float
    active: float
    layers: float
    width: float
    kv_heads: float
    stores: tuple[Store, ...]
    state: float = 0.0
    looked_up: float = 0.0
    head: float = 0.0
    routed: float = 0.0
    experts: float = 0.0
    chosen: float = 0.0
    rest: str | None = None
    assumed: tuple[str, ...] = ()

    @property
    def mixture(self) -> bool:
        """Whether a token passes some of the experts only."""
        return self.experts > self.chosen

    @property
    def kind(self) -> str:
        """The kind of model that constants are measured for."""
        return "mixture" if self.mixture else "dense"

    def numbers(self, context: float) -> float:
        """Keys and values of a sequence of some tokens, counted."""
        return sum(
            s.numbers * (context if s.most is None else min(context, s.most))
            for s in self.stores
        )

    def touched(self, batch: float) -> float:
        """The share of the routed experts that a batch reads.

        1 − (1 − k/E)^b, for tokens that choose k of E experts independently.
        """
        if not self.mixture:
            return 1.0
        missed: float = (1.0 - self.chosen / self.experts) ** batch
        return 1.0 - missed


class _Experts(Model):
    routed: Count
    chosen: Count
    width: Count
    layers: Count


class _Window(Model):
    layers: Count
    tokens: Count


class _Entry(Model):
    also: tuple[str, ...] = ()
    total: float
    layers: Count
    width: Count
    kv_heads: Count = 8
    head_size: Count = 128
    latent: Count | None = Field(None, description="numbers a layer and token keep")
    vocabulary: Count
    tied: bool = False
    experts: _Experts | None = None
    window: _Window | None = None
    rest: str | None = None


def by_name(name: str) -> Served | None:
    """A published model by one of its names, or None."""
    wanted = _plain(name)
    names = _names()
    while wanted not in names:
        shorter = _ENDINGS.sub("", wanted)
        if shorter == wanted:
            return None
        wanted = shorter
    return _read(names[wanted])


def served(name: str, total: float, active: float | None = None) -> Served:
    """A model by its name and size.

    Args:
        name: as its maker or a benchmark writes it.
        total: its parameters.
        active: those that a token passes; all unless given.
    """
    active = total if active is None else active
    known = by_name(name)
    if known is not None and abs(known.total / total - 1.0) < 0.1:
        return replace(known, total=total, active=min(active, total))
    for key in dict.fromkeys(_names().values()):
        other = _read(key)
        alike = abs(other.total / total - 1) < NEAR
        if alike and abs(other.active / active - 1) < 5 * NEAR:
            said = f"{name} is taken to be built as {other.name}, which has its size"
            return replace(
                other, name=name, total=total, active=active, assumed=(said,)
            )
    return by_size(name, total, active)


def by_size(name: str, total: float, active: float) -> Served:
    """A model of which only the size is known, scaled from Llama 3 8B."""
    mixture = active < 0.9 * total
    like = (total * active) ** 0.5 if mixture else total
    layers = DEPTH[0] * (like / BASE) ** DEPTH[1]
    width = WIDTH[0] * (like / BASE) ** WIDTH[1]
    said = f"layers, width and cache of {name} are scaled by its size from Llama 3 8B"
    return Served(
        name=name,
        total=total,
        active=active,
        layers=layers,
        width=width,
        kv_heads=KV_HEADS,
        stores=(Store(layers * KV_NUMBERS),),
        routed=ROUTED * total if mixture else 0.0,
        experts=max(CHOSEN * total / active, CHOSEN + 1) if mixture else 0.0,
        chosen=CHOSEN if mixture else 0.0,
        assumed=(said,),
    )


@cache
def _library() -> Document:
    return load_file(_FILE)


@cache
def _names() -> dict[str, str]:
    return dict(_spelled())


def _spelled() -> Iterator[tuple[str, str]]:
    document = _library()
    for key in document.value:  # type: ignore[attr-defined]
        entry = read_model(document, _Entry, at=(key,))
        for name in (key, *entry.also):
            yield _plain(name), key


def _plain(name: str) -> str:
    """A name without its owner, in one spelling."""
    text = name.strip().lower().rpartition("/")[2]
    text = re.sub(r"[\s_]+", "-", text)
    return text.removeprefix("meta-").removeprefix("nvidia-")


@cache
def _read(key: str) -> Served:
    e = read_model(_library(), _Entry, at=(key,))
    embedding = float(e.vocabulary * e.width)
    a_token = float(e.latent or 2 * e.kv_heads * e.head_size)
    full = e.layers - (e.window.layers if e.window else 0)
    stores = [Store(full * a_token)]
    if e.window is not None:
        stores.append(Store(e.window.layers * a_token, float(e.window.tokens)))
    routed = active = 0.0
    if e.experts is not None:
        expert = 3.0 * e.width * e.experts.width * e.experts.layers
        routed = expert * e.experts.routed
        active = expert * e.experts.chosen
    return Served(
        name=key,
        total=e.total,
        active=e.total - routed + active,
        layers=float(e.layers),
        width=float(e.width),
        kv_heads=1.0 if e.latent else float(e.kv_heads),
        stores=tuple(stores),
        looked_up=0.0 if e.tied else embedding,
        head=embedding,
        routed=routed,
        experts=float(e.experts.routed) if e.experts else 0.0,
        chosen=float(e.experts.chosen) if e.experts else 0.0,
        rest=e.rest,
    )
