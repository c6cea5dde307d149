"""Costs: each line of the lifetime bill as monomials in N and D, unit by unit.

Training costs 6·N·D FLOP, a served token 2·N (Kaplan et al. 2020, table 1);
attention adds 12·L·H·Q·T a trained token, for H heads of size Q (Chowdhery et al. 2022,
PaLM, appendix B), and 2·L·H·Q·T a prompt token, the causal mean. A `Machine` turns the
FLOPs into seconds, dollars, energy and carbon.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Literal

from optimizer.algebra.posynomial import Term
from optimizer.reading.document import Steps
from optimizer.reading.fields import (
    Bytes,
    BytesToken,
    Count,
    Field,
    FieldError,
    Model,
    Parameters,
    Tokens,
    across,
)
from optimizer.reading.spread import expected
from optimizer.records import dataclass
from optimizer.world.architecture.record import least
from optimizer.world.demand import Served
from optimizer.world.machines import Machine, PhaseMfu, Serving, phases
from optimizer.world.money import Costs, Data, MoneyOverTime

Group = Literal["training", "inference", "other"]
UNITS = {
    "compute": "FLOP",
    "dollars": "USD",
    "energy": "kWh",
    "carbon": "kgCO2e",
}
DRAWN = ("kWh", "kgCO2e")  # of which a machine that waits draws less
MILLION = 1e6
Terms = tuple[Term, ...]
FEWEST = 2  # contexts that say how a cache grows


class CachePoint(Model):
    """What a sequence keeps at one context."""

    context: Tokens = Field(description="tokens of the sequence")
    bytes: Bytes = Field(description="that it keeps, states included")


class Sizes(Model):
    """Parameters where they do not follow from the other words."""

    total: Parameters = Field(description="all, as memory holds them")
    active: Parameters | None = Field(
        None, description="those that a token passes; all unless given"
    )

    @across
    def _fits(self) -> None:
        if (self.active or 0) > self.total:
            raise FieldError((("active",), "must be at most the total"))


class Architecture(Model):
    """The shape of the model, for attention and the KV cache.

    The path of a published config.json may stand in its place, or the words of one with
    its model_type.
    """

    layers: Count = Field(description="number of layers")
    width: Count = Field(description="model width")
    kv_heads: Count | None = Field(None, description="key and value heads a layer")
    head_size: Count | None = Field(None, description="width of one head")
    sequence: Count | None = Field(None, description="training sequence length")
    cache: BytesToken | tuple[CachePoint, ...] | None = Field(
        None,
        description="what a sequence keeps, of any architecture: bytes a token, or a "
        "list of {context, bytes}",
    )
    parameters: Sizes | None = Field(
        None, description="of any architecture: {total: 30B, active: 3B}"
    )
    experts: Count | None = Field(
        None, description="feed-forward blocks a layer that are chosen from"
    )
    active_experts: Count | None = Field(
        None, description="those of them that a token passes"
    )

    @across
    def _fits(self) -> None:
        if found := tuple(self._misfits()):
            raise FieldError(*found)

    def _misfits(self) -> Iterator[tuple[Steps, str]]:
        if (self.experts is None) != (self.active_experts is None):
            given = "experts" if self.active_experts is None else "active_experts"
            other = "active_experts: 2" if given == "experts" else "experts: 8"
            yield (given,), f"is half of a mixture; add {other}"
        elif (self.active_experts or 0) > (self.experts or 0):
            yield (
                ("active_experts",),
                f"must be at most the {self.experts} experts, got "
                f"{self.active_experts}",
            )

    @across
    def _rises(self) -> None:
        if not isinstance(self.cache, tuple):
            return
        if len(self.cache) < FEWEST:
            raise FieldError((("cache",), "needs the bytes at two contexts or more"))
        for index, (one, two) in enumerate(pairwise(self.cache), start=1):
            if two.context <= one.context or two.bytes < one.bytes:
                raise FieldError(
                    (
                        ("cache", index),
                        "must have a longer context than the one before, and no fewer "
                        "bytes",
                    )
                )

    def kept(self, context: float, number: float) -> tuple[float, float]:
        """Bytes that a sequence keeps at a context, and the power of N they grow with.

        Between given contexts it is a line, beyond the last the same line goes on, and
        below the first its bytes stand.

        Args:
            context: tokens of the sequence.
            number: bytes of a stored key or value; given bytes are as stored.

        Raises:
            ValueError: the shape does not tell; says what to add.
        """
        if isinstance(self.cache, tuple):
            total: float = self.cache[0].bytes
            for index, (one, two) in enumerate(pairwise(self.cache), start=2):
                slope = (two.bytes - one.bytes) / (two.context - one.context)
                upper = context
                if index < len(self.cache):
                    upper = least(context, two.context)
                over = upper - one.context
                total = total + slope * (over * (over.real > 0))
            return total, 0.0
        if self.cache is not None:
            return self.cache * context, 0.0
        if self.cached is None:
            given = {"kv_heads: 8": self.kv_heads, "head_size: 128": self.head_size}
            missing = ", ".join(word for word, value in given.items() if value is None)
            raise ValueError(
                f"tells nothing of the KV cache; add {missing}, as the model has them"
            )
        return 2.0 * self.layers * self.cached * number * context, 0.0

    def spanned(self, context: float) -> float:
        """Layers times the width of all query heads times the context."""
        return self.layers * self.attended * context

    @property
    def attended(self) -> float:
        """The width of all query heads together."""
        return self.width

    @property
    def cached(self) -> float | None:
        """The width of keys, and of values, in a layer; None where it is not told."""
        if self.kv_heads is None or self.head_size is None:
            return None
        return self.kv_heads * self.head_size


@dataclass(frozen=True)
class CostLine:
    """One line of the bill.

    Attributes:
        name: `training`, the stream's name, `data` or `fixed`.
        group: which sum it belongs to.
        terms: by unit (FLOP, s, USD, kWh, kgCO2e) the monomials of the full cost;
            a unit that is absent is not known, an empty tuple is zero.
        share: the part that the objective counts.
        served: the stream behind the line, if one is.
        counted: the weight of a nominal token in present-value dollars.
        load: accelerator-seconds that must be there for it; none without time.
    """

    name: str
    group: Group
    terms: Mapping[str, tuple[Term, ...]]
    share: float = 1.0
    served: Served | None = None
    counted: float = 1.0
    load: tuple[Term, ...] = ()

    def amount(self, unit: str, point: Mapping[str, float]) -> float | None:
        """The full cost at N and D, or None where the unit is not known."""
        if unit not in self.terms:
            return None
        return sum(value(term, point) for term in self.terms[unit])


def value(term: Term, point: Mapping[str, float]) -> float:
    """A monomial at a point given by the names of its variables."""
    result = term.coefficient
    for name, power in term.exponents.items():
        result = result * point[name] ** power
    return result


def _read_span(architecture: Architecture | None, prompt: float | None) -> float:
    """What attention over a prompt adds to a token's parameters, in the mean.

    Raises:
        ValueError: the shape or the prompt is missing.
    """
    if architecture is None or prompt is None:
        raise ValueError(
            "counts attention in prefill, which needs architecture: {layers: "
            "32, width: 4096} and the input_tokens of a request"
        )
    return architecture.spanned(prompt)


def serving_line(
    served: Served,
    serving: Serving,
    machine: Machine,
    money: MoneyOverTime,
    architecture: Architecture | None,
    decoding: Callable[[float], Term] | None = None,
    reading: Callable[[float], tuple[Term, ...]] | None = None,
    standing: Mapping[str, float] | None = None,
) -> CostLine:
    """One stream of demand.

    Args:
        served: its lifetime tokens.
        serving: the machine's words.
        machine: the machine's figures.
        money: how dollars of later months count.
        architecture: the model's shape, for attention.
        decoding: from output tokens to accelerator-seconds, under a roofline.
        reading: from input tokens to those that 2·N FLOP a token do not explain,
            attention among them, where they are known.
        standing: those that are paid of each phase whatever the load, or None.

    Raises:
        ValueError: prefill and decode differ but the stream gives no split, or
            attention is asked for without what it needs.
    """
    if serving.by_time and serving.mfu is None:
        raise ValueError("counts time but has no mfu; add serving: {mfu: 0.4}")
    mfu = serving.mfu if serving.by_time else None
    prefill, decode = phases(mfu)
    discount, decline = money.rates
    factor = served.weighted(discount, decline)
    parts: list[tuple[str, float, float | None]] = [("tokens", served.tokens, prefill)]
    if served.input_tokens is not None and served.output_tokens is not None:
        parts = [
            ("input", served.input_tokens * serving.unread, prefill),
            ("output", served.output_tokens, decode),
        ]
    elif served.tokens == 0:
        parts = []
    elif isinstance(mfu, PhaseMfu) or decoding is not None:
        raise ValueError(
            "gives only a total, but prefill and decode cost differently; add "
            "input_tokens and output_tokens, for example 800 and 300"
        )
    terms: dict[str, tuple[Term, ...]] = {}
    load: tuple[Term, ...] = ()
    for phase, tokens, utilisation in parts:
        timed = phase == "output" and decoding is not None
        used = None if timed else utilisation
        parted = priced([(phase, 2.0 * tokens, {"N": 1.0})], machine, used)
        if serving.attention and phase != "output":
            span = _read_span(architecture, served.prompt)
            told = None if reading is not None else utilisation
            looks = priced([(phase, 2.0 * span * tokens, {})], machine, told)
            parted = {
                unit: (*terms_, *looks.get(unit, ())) for unit, terms_ in parted.items()
            }
        seconds: tuple[Term, ...] = ()
        if timed and decoding is not None:
            seconds = (decoding(tokens),)
        elif phase == "input" and reading is not None:
            seconds = reading(tokens)
        _add_time(parted, phase, machine, seconds)
        load += _times(parted.get("s", ()), serving.standby)
        if standing is not None:
            _stand(parted, phase, machine, standing[phase])
        for unit, found in parted.items():
            waits = 0.0 if standing is not None else serving.standby - 1.0
            weight = 1.0 + waits * _resting(unit, machine)
            weight = weight * factor if unit == "USD" else weight
            terms[unit] = terms.get(unit, ()) + _times(found, weight)
    if served.tokens == 0:
        terms = dict.fromkeys(("FLOP", "s", *UNITS.values()), ())
    return CostLine(
        served.name,
        "inference",
        terms,
        share=served.share,
        served=served,
        counted=served.weighted(discount, 0.0),
        load=load,
    )


def _add_time(
    priced: dict[str, Terms], phase: str, machine: Machine, seconds: Terms
) -> None:
    """Adds accelerator-seconds to what a phase costs, unit by unit."""
    for second in seconds:
        for unit, amount in machine.time(second.coefficient).items():
            more = Term(phase, amount, second.exponents)
            priced[unit] = (*priced.get(unit, ()), more)


def _resting(unit: str, machine: Machine) -> float:
    """What a second of waiting costs over one of work."""
    if unit == "FLOP":
        return 0.0
    return machine.idle if unit in DRAWN else 1.0


def _stand(
    parted: dict[str, Terms], phase: str, machine: Machine, seconds: float
) -> None:
    """Puts machines that stand all the time in place of those that a phase uses."""
    for unit, one in machine.time(seconds).items():
        rests = _resting(unit, machine)
        # What works draws more than what waits: the rest is of the work.
        more = () if rests == 1.0 else _times(parted[unit], 1.0 - rests)
        parted[unit] = (Term(phase, one * rests, {}), *more)


def _times(terms: Terms, factor: float) -> Terms:
    return tuple(Term(t.label, t.coefficient * factor, t.exponents) for t in terms)


def other_lines(costs: Costs, data: Data) -> tuple[CostLine, ...]:
    """Data and fixed costs, in dollars; they use no accelerator time."""
    nothing = dict.fromkeys(("FLOP", "s", "kWh", "kgCO2e"), ())
    entries = (
        ("data", Term("data", expected(data.price) / MILLION, {"D": 1.0})),
        ("fixed", Term("fixed", expected(costs.fixed), {})),
    )
    return tuple(
        CostLine(name, "other", {**nothing, "USD": (term,)})
        for name, term in entries
        if term.coefficient != 0
    )


def priced(
    work: list[tuple[str, float, dict[str, float]]],
    machine: Machine,
    mfu: float | None,
) -> dict[str, tuple[Term, ...]]:
    """Turns FLOP monomials into monomials of every unit that is known."""
    found: dict[str, tuple[Term, ...]] = {}
    for label, flop, exponents in work:
        for unit, amount in machine.amounts(flop, mfu).items():
            term = Term(label, amount, exponents)
            found[unit] = (*found.get(unit, ()), term)
    return found
