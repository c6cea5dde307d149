"""The quality that a scenario asks for."""

from optimizer.reading.fields import Field, Fraction, Loss, Model, Parameters, Tokens


class Match(Model):
    """A reference model: the target is its loss under the scenario's law."""

    parameters: Parameters | None = Field(
        None, description="the size of the reference model"
    )
    tokens: Tokens | None = Field(
        None, description="as trained; without it, training-optimal"
    )
    model: str | None = Field(None, description="a published model by name")


class Target(Model):
    """The quality to reach; one of them."""

    loss: Loss | None = Field(None, description="the loss itself, in the law's unit")
    match: Match | None = Field(None, description="as good as a reference model")
    error: Fraction | None = Field(
        None, description="mean error on downstream tasks, by the law's own map"
    )
    pass_rate: Fraction | None = Field(
        None,
        description="share of tasks that one of a request's samples solves, by the "
        "law's own map",
    )
