"""Rollouts after pre-training: tokens that the model generates to learn from.

Each takes 2·N FLOP to generate, at the price of the machine that serves it, and 6·N
more where it is trained on, at the price of the machine that trains. Both are
monomials in N, as served tokens are. *Source*: Kaplan et al. 2020, table 1, for the
rule of 2·N and 6·N; arXiv 2512.02556 has a model whose post-training takes more than
10 % of its pre-training.
"""

from optimizer.algebra.posynomial import Term
from optimizer.reading.fields import (
    DemandTokens,
    Field,
    Fraction,
    Model,
    Tokens,
    across,
)
from optimizer.reading.quantity import Flow
from optimizer.reading.spread import Uncertain, expected
from optimizer.records import replace
from optimizer.world.costs import CostLine
from optimizer.world.demand import Stream
from optimizer.world.machines import Serving

ROLLOUTS = "rollouts"
TRAINED = "training on rollouts"
# Words of a machine that serves users, which do not carry over to rollouts.
_DEMAND = (
    *("batch", "idle_paid", "peak_to_mean"),
    *("max_time_per_output_token", "max_time_to_first_token"),
)


class PostTraining(Model):
    """What reinforcement learning takes after pre-training."""

    rollout_tokens: Uncertain[Tokens] = Field(
        description="tokens that the model generates to learn from, in all"
    )
    trained_on: Uncertain[Fraction] = Field(
        description="share of them that it is trained on"
    )
    input_tokens: Uncertain[DemandTokens] | None = Field(
        None, description="tokens of the prompt of one rollout"
    )
    output_tokens: Uncertain[DemandTokens] | None = Field(
        None, description="tokens of one rollout"
    )
    serving: Serving | None = Field(
        None, description="overrides the scenario's serving for rollouts"
    )

    @across
    def _together(self) -> None:
        if (self.input_tokens is None) != (self.output_tokens is None):
            raise ValueError("needs input_tokens and output_tokens together, or none")
        if self.output_tokens is not None and not expected(self.output_tokens):
            raise ValueError("needs output_tokens above 0: rollouts are generated")

    def stream(self) -> Stream:
        """The rollouts as one more use of the model, served before all others.

        Prompts are read beside the tokens that are generated, where they are told.
        """
        own = self.serving or Serving()
        # Nobody waits for a rollout, and none is served at a peak.
        free = {word: None for word in _DEMAND if word not in own.model_fields_set}
        prompt, answer = expected(self.input_tokens), expected(self.output_tokens)
        generated = expected(self.rollout_tokens)
        return Stream.model_construct(
            name=ROLLOUTS,
            requests=Flow(generated if answer is None else generated / answer),
            input_tokens=0.0 if answer is None else prompt,
            output_tokens=1.0 if answer is None else answer,
            serving=own.model_copy(update=free),
        )


def rollout_line(line: CostLine) -> CostLine:
    """What generating the rollouts takes, from the line of their stream."""
    return replace(line, group="other", served=None)


def trained_line(training: CostLine, after: PostTraining | None) -> CostLine:
    """Training on a share of the rollouts, at what a token takes in the run.

    Args:
        training: the line of the run.
        after: what follows it; None for nothing.
    """
    tokens = 0.0
    if after is not None:
        tokens = expected(after.rollout_tokens) * expected(after.trained_on)
    terms = {
        unit: tuple(_on(term, tokens) for term in found)
        for unit, found in training.terms.items()
    }
    return CostLine(TRAINED, "other", terms)


def _on(term: Term, tokens: float) -> Term:
    """A monomial of D as one of so many tokens."""
    powers = {name: power for name, power in term.exponents.items() if name != "D"}
    return Term(term.label, term.coefficient * tokens, powers)
