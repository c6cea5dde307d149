"""Words of a scenario of which at most one may stand, and those that may hold lists."""

from __future__ import annotations

from optimizer.records import dataclass
from optimizer.world.limits import BEST_FOR, Budget


@dataclass(frozen=True)
class OneOf:
    """Words of which at most one may stand.

    Attributes:
        at: the path of the mapping that holds them.
        words: the words.
        example: what to add where none stands; empty where none need stand.
    """

    at: tuple[str, ...]
    words: tuple[str, ...]
    example: str = ""

    @property
    def paths(self) -> frozenset[tuple[str, ...]]:
        """The path of each word."""
        return frozenset((*self.at, word) for word in self.words)


ONE_OF = (
    OneOf((), ("target", "budget"), "target: {loss: 2.0}, or budget: {compute: 1e24}"),
    OneOf((), ("budget", "plan")),
    OneOf((), ("fix", "plan")),
    OneOf((), ("experts", "sparse")),
    OneOf(
        ("target",),
        ("loss", "match", "error", "pass_rate"),
        "loss: 2.0, or match: {parameters: 13B}",
    ),
    OneOf(
        ("target", "match"),
        ("parameters", "model"),
        "parameters: 13B, or model: llama-3-8b",
    ),
    OneOf(("target", "match"), ("tokens", "model")),
    OneOf(
        ("budget",),
        tuple(word for word in Budget.model_fields if word != BEST_FOR),
        "compute: 1e24",
    ),
    OneOf(("fix",), ("parameters", "tokens"), "parameters: 7B, or tokens: 2T"),
    OneOf(
        ("existing",),
        ("model", "parameters", "architecture"),
        "model: llama-3-8b, or parameters: 8B",
    ),
)
# `--set` of one takes the others away. Streams see to their own amounts.
ALTERNATIVES = (
    *(group.paths for group in ONE_OF),
    *(OneOf(at, ("tokens", "requests")).paths for at in (("demand",), ("demand", "*"))),
)

# Words that may hold a list, of which the best is chosen.
CHOICES: tuple[tuple[str, ...], ...] = (
    ("experts",),
    ("sparse", "activation"),
    ("sparse", "granularity"),
    ("training", "precision"),
    ("training", "sparsity", "weights"),
    *(
        (*prefix, "serving", word)
        for prefix in ((), ("demand",), ("demand", "*"), ("post_training",))
        for word in ("hardware", "precision", "weights", "accelerators")
    ),
)
