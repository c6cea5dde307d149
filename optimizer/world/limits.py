"""Limits: walls of the plan, each a posynomial under a bound."""

from collections.abc import Sequence
from typing import Literal

from optimizer.algebra.posynomial import Term
from optimizer.reading.fields import Budget as Dollars
from optimizer.reading.fields import (
    Bytes,
    Compute,
    Duration,
    Energy,
    Field,
    Model,
    Parameters,
    Tokens,
)
from optimizer.records import dataclass
from optimizer.world.costs import Architecture, CostLine
from optimizer.world.machines import Serving

BEST_FOR = "best_for"  # of a budget; all its other words are amounts
TRAINING = ("training_compute", "training_time", "training_cost")  # of a run alone


class Limits(Model):
    """Upper bounds of the plan, each optional."""

    parameters: Parameters | None = Field(None, description="the size")
    tokens: Tokens | None = Field(None, description="training tokens")
    training_compute: Compute | None = Field(None, description="of the training run")
    training_time: Duration | None = Field(
        None, description="of the training run; needs accelerators and MFU"
    )
    training_cost: Dollars | None = Field(
        None, description="of the training run, in dollars"
    )
    total_cost: Dollars | None = Field(
        None, description="of the whole life, in dollars"
    )
    memory: Bytes | None = Field(
        None,
        description="of weights and KV cache: on a roofline all that a replica holds, "
        "else of batch sequences of context tokens",
    )
    energy: Energy | None = Field(None, description="of the whole life")


class Budget(Model):
    """What may be spent; the answer is the lowest loss that it buys. One of them."""

    compute: Compute | None = Field(None, description="of the whole life")
    cost: Dollars | None = Field(None, description="of the whole life, in dollars")
    training_compute: Compute | None = Field(None, description="of the training run")
    training_time: Duration | None = Field(
        None, description="of the training run; needs accelerators and MFU"
    )
    training_cost: Dollars | None = Field(
        None, description="of the training run, in dollars"
    )
    best_for: Literal["loss", "lifetime"] = Field(
        "loss",
        description="of a training budget: `loss`, the lowest that it buys, whatever "
        "is served; or `lifetime`, the lowest at which the plan is still the cheapest "
        "over its life; `limits` on the compute, time and cost of training hold as the "
        "budget does",
    )

    @property
    def bounds(self) -> tuple[tuple[str, float | None], ...]:
        """What may be spent, each by its word."""
        return tuple((word, bound) for word, bound in self if word != BEST_FOR)


@dataclass(frozen=True)
class Limit:
    """Σ terms ≤ bound.

    Attributes:
        name: the user's word, such as `limits.parameters`.
        bound: in the unit.
        unit: of the bound and the terms.
        terms: the monomials in N and D.
    """

    name: str
    bound: float
    unit: str
    terms: tuple[Term, ...]


def wall(
    name: str, bound: float, lines: Sequence[CostLine], accelerators: float | None
) -> Limit:
    """Turns a bound of the user's into a limit on N and D; `memory` has its own.

    Args:
        name: `limits.` or `budget.` and the word.
        bound: in the word's base unit.
        lines: the bill, training first.
        accelerators: how many train at a time.

    Raises:
        ValueError: an input that the limit needs is missing; says what to add. Or the
            bound is too small for double precision.
    """
    unit, terms = _bill(name.split(".")[1], lines, accelerators)
    return _limit(name, bound, unit, terms)


def _limit(name: str, bound: float, unit: str, terms: tuple[Term, ...]) -> Limit:
    if not all(abs(t.coefficient / bound) < FAR for t in terms):
        raise ValueError(f"must be a bound that some plan can keep, got {bound:g}")
    return Limit(name, bound, unit, terms)


def _bill(
    word: str, lines: Sequence[CostLine], accelerators: float | None
) -> tuple[str, tuple[Term, ...]]:
    if word == "parameters":
        return "parameters", (Term("parameters", 1.0, {"N": 1.0}),)
    if word == "tokens":
        return "tokens", (Term("tokens", 1.0, {"D": 1.0}),)
    if word == "training_time":
        if accelerators is None:
            raise ValueError("needs training: {accelerators: 384}")
        seconds = counted(lines[:1], "s")
        return "s", tuple(
            Term(t.label, t.coefficient / accelerators, t.exponents) for t in seconds
        )
    whole = {"compute": "FLOP", "cost": "USD", "total_cost": "USD", "energy": "kWh"}
    if word in whole:
        return whole[word], counted(lines, whole[word])
    unit = {"training_compute": "FLOP", "training_cost": "USD"}[word]
    return unit, counted(lines[:1], unit)


FAR = 1e60  # from one FLOP, dollar or kWh: further off no solver can reckon
WORDS = {"s": "time", "USD": "dollars", "kWh": "energy", "kgCO2e": "carbon"}
NEEDS = {
    "s": "hardware and mfu",
    "USD": "hardware, mfu and price",
    "kWh": "hardware with a TDP, mfu, and energy: {pue: , power_fraction: }",
    "kgCO2e": "hardware with a TDP, mfu, and energy: {pue: , power_fraction: , grid: }",
}


def counted(lines: Sequence[CostLine], unit: str) -> tuple[Term, ...]:
    """The counted cost of some lines, as monomials in N and D.

    Raises:
        ValueError: a line is not known in that unit; says what to add. Or all of it
            is zero, or beyond any number.
    """
    terms: list[Term] = []
    for line in lines:
        if unit not in line.terms:
            section = "training" if line.group == "training" else "serving"
            who = "training" if line.group == "training" else f"serving {line.name}"
            raise ValueError(
                f"the {WORDS[unit]} of {who} cannot be told; give {section} "
                f"{NEEDS[unit]}"
            )
        terms += [
            Term(t.label, t.coefficient * line.share, t.exponents)
            for t in line.terms[unit]
        ]
    total = abs(sum(t.coefficient for t in terms))
    if total == 0:
        raise ValueError(
            f"the {WORDS[unit]} of every plan is zero, so none is best; minimise "
            "another one, for example objective: energy"
        )
    if not 1 / FAR < total < FAR:
        raise ValueError(
            f"adds up to {total:.1e} {unit} and more, which is no amount that a plan "
            "can have; correct the demand or the prices"
        )
    return tuple(terms)


def memory_wall(
    name: str,
    bound: float,
    serving: Serving,
    shape: Architecture | None,
    stored: float = 1.0,
) -> Limit:
    """Weights, and the KV cache of `batch` sequences of `context` tokens [bytes].

    `stored` are the stored parameters over N, above 1 where N counts active ones.

    Source: KV bytes a token = 2 · layers · kv_heads · head_size · bytes a number.

    Raises:
        ValueError: a context is stated without the shape that sizes its cache, or a
            batch without a context.
    """
    terms = [Term("weights", serving.weight_bytes * stored, {"N": 1.0})]
    if serving.batch is not None and serving.context is None:
        raise ValueError(
            "the KV cache of a batch needs the length of its sequences; add "
            "serving: {context: 4000}"
        )
    if serving.context is not None:
        if shape is None:
            raise ValueError(
                "the KV cache needs architecture: {layers: 32, width: 4096, "
                "kv_heads: 8, head_size: 128}"
            )
        kept, power = shape.kept(serving.context, serving.kv_bytes)
        batch = 1.0 if serving.batch is None else serving.batch
        grows = {"N": power} if power else {}
        terms.append(Term("kv cache", kept * batch, grows))
    return _limit(name, bound, "bytes", tuple(terms))
