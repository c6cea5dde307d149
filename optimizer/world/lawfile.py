"""The law file: its words, and what must hold between them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Annotated, Literal

from optimizer.reading.document import suggest
from optimizer.reading.fields import (
    Compute,
    Count,
    Field,
    Fraction,
    Loss,
    Model,
    Number,
    Parameters,
    Positive,
    Tokens,
)
from optimizer.reading.types import Size
from optimizer.reading.yamltext import Steps
from optimizer.world.extrapolation import Axis
from optimizer.world.fitfile import FitFile
from optimizer.world.law import (
    STARS,
    SYMBOLS,
    Counts,
    Form,
    further_out_of_bounds,
    out_of_bounds,
)

Mistakes = Iterator[tuple[Steps, str]]


class RangeFile(Model):
    """What the runs behind a law covered, each [low, high]; null where it is open."""

    parameters: tuple[Parameters | None, Parameters | None] | None = None
    tokens: tuple[Tokens | None, Tokens | None] | None = None
    tokens_per_parameter: tuple[Positive | None, Positive | None] | None = None
    loss: tuple[Loss | None, Loss | None] | None = None
    compute: tuple[Compute | None, Compute | None] | None = None
    activation: tuple[Fraction | None, Fraction | None] | None = Field(
        None, description="leverage: the share of the experts that a token passes"
    )
    granularity: tuple[Positive | None, Positive | None] | None = Field(
        None, description="leverage: twice the width over that of an expert"
    )


class CheckFile(Model):
    """A number that the law reproduces: a loss, or the optimal tokens of a size."""

    parameters: Parameters
    tokens: Tokens
    loss: Loss | None = Field(
        None, description="without it, the tokens are compute-optimal for the size"
    )
    experts: Count | None = None
    within: Fraction = Field(1e-3, description="relative tolerance")
    activation: Fraction | None = Field(None, description="of a leverage")
    granularity: Positive | None = Field(None, description="of a leverage")


class CovarianceFile(Model):
    """The covariance of the fitted coefficients."""

    order: Annotated[tuple[str, ...], Size(1)] = Field(
        description="coefficients, or ln_ and a coefficient"
    )
    matrix: tuple[tuple[Number, ...], ...]


class MissFile(Model):
    """How far off a form was on the runs held out: predicted over measured, less 1."""

    mean: Number
    largest: Number | None = None


class ExtrapolationFile(Model):
    """Runs held out at the far end of an axis, and how far off each form was."""

    by: Axis
    fitted_to: Positive = Field(description="the largest value that was fitted")
    up_to: Positive = Field(description="the largest value held out")
    runs: Count = Field(description="how many were held out")
    forms: dict[Literal["chinchilla", "tied", "coupled", "saturating"], MissFile]


class ErrorFile(Model):
    """The error on downstream tasks from the loss: epsilon − k·exp(−gamma·L)."""

    epsilon: Fraction
    k: Positive
    gamma: Positive
    draws: dict[Literal["epsilon", "k", "gamma"], tuple[Number, ...]] | None = None


class PassFile(Model):
    """pass@k from the loss: the beta distribution of the tasks' chances.

    Its mean is theta2/(1 + e^(theta1·(L − theta0))), its size e^(theta3 + theta4·L).
    """

    theta0: Number
    theta1: Positive
    theta2: Fraction
    theta3: Number
    theta4: Number


class Row(Model):
    """A point of a compute-optimal line: two of the three, for C = 6·N·D."""

    parameters: Parameters | None = None
    tokens: Tokens | None = None
    compute: Compute | None = None


class Fitted(Model):
    """What a law tells about itself, whatever its form."""

    name: Annotated[str, Size(1)] | None = None
    counts: Counts = Field("total", description="what its parameters N count")
    loss_unit: str = "nats per token"
    data: str | None = None
    tokenizer: str | None = None
    range: RangeFile = RangeFile()
    covariance: CovarianceFile | None = None
    draws: dict[str, tuple[Number, ...]] | None = Field(
        None, description="coefficient: bootstrap values, as many for each"
    )
    extra_draws: dict[str, tuple[Number, ...]] | None = Field(
        None, description="of further terms, in step with the draws"
    )
    check: tuple[CheckFile, ...] = ()
    source: str = ""
    checked: str = Field(
        "", description="by what counts, range and caveats were checked"
    )
    caveats: tuple[str, ...] = ()
    not_for_planning: str = Field(
        "", description="why no run should be planned by it; --law all leaves it out"
    )
    pair: Annotated[str, Size(1)] | None = Field(
        None,
        description="the law of the other form that was fitted to the same runs: a "
        "built-in name, or a file beside this one",
    )
    extrapolation: tuple[ExtrapolationFile, ...] = Field(
        (), description="how far off each form was on the far ones of its runs"
    )
    error: ErrorFile | None = None
    pass_at_k: PassFile | None = None
    fit: FitFile | None = None


class InlineLaw(Fitted):
    """The short form: E + (A·N^-alpha + B·D^-beta)^k, or with + G·k^-gamma samples."""

    form: Literal["chinchilla", "coupled", "samples"] | None = Field(
        None,
        description="coupled where there is a k, samples where there is a G, else "
        "chinchilla",
    )
    E: Number
    A: Number
    B: Number
    alpha: Number
    beta: Number
    k: Number | None = Field(None, description="of a coupled law; 1 without it")
    G: Number | None = Field(None, description="of a law of samples")
    gamma: Number | None = Field(None, description="likewise")


class LawFile(Fitted):
    """A scaling law in full."""

    form: Form = "chinchilla"
    coefficients: dict[str, Number] = Field({})
    extras: dict[str, Number] = Field(
        {}, description="coefficients of further terms that the source publishes"
    )
    experts: Annotated[tuple[Count, ...], Size(1)] | None = Field(
        None, description="joint-moe: the expert counts it was fitted on"
    )
    table: tuple[Row, ...] = Field(
        (), description="frontier: points of the line, rising"
    )


def row_pair(row: Row) -> tuple[float, float]:
    """The (parameters, tokens) of a row that gives two of N, D and C = 6·N·D."""
    if row.parameters and row.tokens:
        return row.parameters, row.tokens
    compute = row.compute or 0.0
    if row.parameters:
        return row.parameters, compute / 6 / row.parameters
    tokens = row.tokens or 1.0
    return compute / 6 / tokens, tokens


def mistakes(file: LawFile) -> Mistakes:
    """What is wrong with the whole though each value is right by itself."""
    yield from _of_coefficients(file)
    yield from _of_floor(file)
    yield from _of_draws(file)
    yield from _of_further_draws(file)
    yield from _of_covariance(file)
    for name in RangeFile.model_fields:
        low, high = getattr(file.range, name) or (None, None)
        if low is not None and high is not None and low > high:
            yield ("range", name), "must be [low, high], got the higher one first"
    if file.form == "joint-moe" and not file.experts:
        example = "the counts it was fitted on, e.g. experts: [1, 8]"
        yield ("experts",), f"is missing; a joint-moe law says {example}"
    if file.form != "joint-moe" and file.experts:
        yield ("experts",), f"only a joint-moe law has experts, this is {file.form}"
    if file.form != "frontier" and file.table:
        yield ("table",), f"only a frontier has a table, this is {file.form}"
    if file.form == "frontier":
        yield from _of_table(file.table)


def _of_coefficients(file: LawFile) -> Mistakes:
    symbols = SYMBOLS[file.form]
    has = f"a {file.form} law has {', '.join(symbols) or 'a table instead'}"
    missing = [s for s in symbols if s not in file.coefficients]
    if missing:
        yield ("coefficients",), f"is missing {', '.join(missing)}; {has}"
    for symbol, value in file.coefficients.items():
        if symbol not in symbols:
            hint = suggest(symbol, symbols, has)
            message = f'unknown coefficient "{symbol}"{hint}'
        else:
            message = out_of_bounds(file.form, symbol, value)
        if message:
            yield ("coefficients", symbol), message


def _of_floor(file: LawFile) -> Mistakes:
    """No run lies at or below the loss that is left at endless size and tokens."""
    symbol = "c" if file.form == "joint-moe" else "E"
    floor = file.coefficients.get(symbol)
    measured = [
        ("the least loss of its runs, range.loss", (file.range.loss or [None])[0])
    ]
    measured += [
        (f"the loss of its check {i}", c.loss) for i, c in enumerate(file.check, 1)
    ]
    for what, loss in measured:
        if floor is not None and loss is not None and not floor < loss:
            yield (
                ("coefficients", symbol),
                f"must be below {loss:g}, {what}, got {floor:g}; correct either, or "
                f"fit the runs anew: overtrain fit RUNS --form {file.form}",
            )
            return


def _of_draws(file: LawFile) -> Mistakes:
    if file.draws is None:
        return
    symbols = SYMBOLS[file.form]
    for symbol, values in file.draws.items():
        if symbol not in symbols:
            message = f'unknown coefficient "{symbol}"{suggest(symbol, symbols)}'
            yield ("draws", symbol), message
            continue
        for i, value in enumerate(values):
            if message := out_of_bounds(file.form, symbol, value):
                yield ("draws", symbol, i), message
    if missing := [s for s in symbols if s not in file.draws]:
        yield ("draws",), f"is missing {', '.join(missing)}"
    if len({len(values) for values in file.draws.values()}) > 1:
        yield ("draws",), "must have as many values for each coefficient"
    elif not any(file.draws.values()):
        yield ("draws",), "have no values; remove them"


def _of_further_draws(file: LawFile) -> Mistakes:
    """The draws of extras and of the error are of the same resamples as the law's."""
    for star in STARS:
        if message := further_out_of_bounds(star, file.extras.get(star, 1.0)):
            yield ("extras", star), message
    yield from _in_step(file, ("extra_draws",), file.extra_draws, file.extras)
    if file.error is not None and file.error.draws is not None:
        drawn = {str(symbol): values for symbol, values in file.error.draws.items()}
        symbols = ("epsilon", "k", "gamma")
        yield from _in_step(file, ("error", "draws"), drawn, symbols)
        if missing := [symbol for symbol in symbols if symbol not in drawn]:
            yield ("error", "draws"), f"is missing {', '.join(missing)}"


def _in_step(
    file: LawFile,
    at: Steps,
    drawn: Mapping[str, Sequence[float]] | None,
    known: Collection[str],
) -> Mistakes:
    count = len(next(iter((file.draws or {}).values()), ()))
    for symbol, values in (drawn or {}).items():
        if symbol not in known:
            message = f'unknown coefficient "{symbol}"{suggest(symbol, known)}'
            yield (*at, symbol), message
        elif len(values) != count:
            message = f"must have {count} values, as draws has, got {len(values)}"
            yield (*at, symbol), message
        elif symbol in (*STARS, "k", "gamma"):
            for i, value in enumerate(values):
                if not value > 0:
                    yield (*at, symbol, i), f"must be above 0, got {value:g}"


def _of_covariance(file: LawFile) -> Mistakes:
    if file.covariance is None:
        return
    order, matrix = file.covariance.order, file.covariance.matrix
    symbols = SYMBOLS[file.form]
    plain = [name.removeprefix("ln_") for name in order]
    for i, (name, symbol) in enumerate(zip(order, plain, strict=True)):
        here = ("covariance", "order", i)
        if symbol not in symbols:
            yield here, f'unknown coefficient "{name}"{suggest(symbol, symbols)}'
        elif symbol in plain[:i]:
            yield here, f"{symbol} stands there twice"
        elif name != symbol and not file.coefficients.get(symbol, 1.0) > 0:
            yield here, f"{name} needs {symbol} above 0"
    size = len(order)
    at: Steps = ("covariance", "matrix")
    if len(matrix) != size or any(len(row) != size for row in matrix):
        yield at, f"must be {size} × {size}, one row and column for each of order"
        return
    for i, j in combinations(range(size), 2):
        above, below = matrix[i][j], matrix[j][i]
        if abs(below - above) > 1e-6 * max(abs(below), abs(above)):
            yield (
                (*at, j, i),
                (
                    f"must be symmetric, got {below:g} for {order[j]} and {order[i]}, "
                    f"but {above:g} for {order[i]} and {order[j]}"
                ),
            )
            return
    if not _semidefinite(matrix):
        yield at, "must be positive semi-definite, as every covariance is"


def _semidefinite(matrix: Sequence[Sequence[float]]) -> bool:
    """Whether no direction has a variance below 0, to 1e-6 of its scale.

    A Cholesky factorisation of the correlations, largest pivot first.
    """
    slack = 1e-6
    left = [i for i in range(len(matrix)) if matrix[i][i] != 0]
    scale = {i: abs(matrix[i][i]) ** 0.5 for i in left}
    if any(value for i, row in enumerate(matrix) if i not in left for value in row):
        return False
    rest = {(i, j): matrix[i][j] / scale[i] / scale[j] for i in left for j in left}
    while left:
        pivot = max(left, key=lambda i: rest[i, i])
        if rest[pivot, pivot] <= slack:
            return all(abs(rest[i, j]) <= slack for i in left for j in left)
        left.remove(pivot)
        for i in left:
            for j in left:
                rest[i, j] -= rest[i, pivot] * rest[pivot, j] / rest[pivot, pivot]
    return True


def _of_table(table: Sequence[Row]) -> Mistakes:
    if len(table) < 2:
        yield ("table",), "a frontier needs two rows or more"
    before = (0.0, 0.0)
    for i, row in enumerate(table):
        if sum(v is not None for v in (row.parameters, row.tokens, row.compute)) != 2:
            yield ("table", i), "must give two of parameters, tokens and compute"
            return
        here = row_pair(row)
        if not (here[0] > before[0] and here[1] > before[1]):
            yield ("table", i), "must rise above the row before it in both"
            return
        before = here
