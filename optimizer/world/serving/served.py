"""What a serving engine sees of a model: layers, widths, weights, experts and cache.

Known models are those of the library; `data/served.yaml` has what benchmarks call them.
A model that is not in it is taken for one of the same size, or scaled by its size from
Llama 3 8B, and what was assumed is said.

*Source*: the rules by size, layers 32·(N/8.03e9)^0.42 and width 4096·(N/8.03e9)^0.32,
meet Llama 3.1 8B and 70B.
"""

import re
from functools import cache
from pathlib import Path

from optimizer.reading.document import Document, load_file
from optimizer.reading.fields import Model, read_model
from optimizer.records import dataclass, replace
from optimizer.world.architecture.record import Record
from optimizer.world.described import record_named
from optimizer.world.models import shaped_names

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


class _Entry(Model):
    also: tuple[str, ...] = ()
    rest: str | None = None


def by_name(name: str) -> Served | None:
    """A model of the library by one of its names, or None."""
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


def of_record(record: Record, rest: str | None = None) -> Served:
    """A model by its record.

    Args:
        record: what it is made of.
        rest: the format of all but the routed experts, where they alone are quantized.
    """
    stores: dict[float | None, float] = {}
    for store in (x for layer in record.layers for x in layer.mixer.stores):
        most = None if store.most is None else float(store.most * store.every)
        stores[most] = stores.get(most, 0.0) + store.width / store.every
    feeds = [layer.feed for layer in record.layers]
    routed = float(sum(feed.experts * feed.expert for feed in feeds))
    experts, chosen = record.experts
    lookup = record.lookup if record.tied else record.input_embedding
    return Served(
        name=record.name,
        total=float(record.total),
        active=float(record.active()),
        layers=float(len(record.layers)),
        width=float(record.width),
        kv_heads=float(record.kv_heads or 1),
        stores=tuple(Store(numbers, most) for most, numbers in stores.items()),
        state=float(record.state),
        looked_up=float(lookup),
        head=float(record.output_embedding or record.input_embedding - lookup),
        routed=routed,
        experts=float(experts),
        chosen=float(chosen),
        rest=rest,
    )


def of_known(record: Record) -> Served:
    """A model by its record, stored as its maker does where benchmarks know it."""
    if not record.mixture:
        return of_record(record)
    known = by_name(record.name)
    alike = known is not None and abs(known.total / record.total - 1.0) < NEAR
    return of_record(record, known.rest if known is not None and alike else None)


@cache
def _spellings() -> Document:
    return load_file(_FILE)


@cache
def _names() -> dict[str, str]:
    """The names of models of the library that are known layer by layer, as spelled."""
    found = {_plain(name): name for name in shaped_names()}
    document = _spellings()
    for key in document.value:  # type: ignore[attr-defined]
        entry = read_model(document, _Entry, at=(key,))
        found |= {_plain(name): key for name in entry.also}
    return found


def _plain(name: str) -> str:
    """A name without its owner, in one spelling."""
    text = name.strip().lower().rpartition("/")[2]
    text = re.sub(r"[\s_]+", "-", text)
    return text.removeprefix("meta-").removeprefix("nvidia-")


@cache
def _read(key: str) -> Served:
    document = _spellings()
    rest = None
    if key in document.value:  # type: ignore[operator]
        rest = read_model(document, _Entry, at=(key,)).rest
    return of_record(record_named(key), rest)
