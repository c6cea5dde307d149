"""Everything at once, and random mixtures of it: certified and unbeaten, or explained.

`Reckoning` computes cost, loss and limits for whole arrays of (N, D) with batches found
by search; it shares nothing with the package.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from optimizer.algebra.program import Status
from optimizer.engine.certify import passes
from optimizer.engine.solve import solve
from optimizer.question.formulate import formulate
from optimizer.question.load import read_scenario
from tests.chance import examples

LAW = {"E": 1.81722, "A": 477.826, "B": 2143.417, "alpha": 0.34731, "beta": 0.367172}
R_D, R_N = 15.387756, 5.309743
# H100 SXM and A100 80 GB SXM: dense bf16 peak, memory, bandwidth (NVIDIA's datasheets).
CHIPS = {
    "h100-sxm": (989.4e12, 80 * 2**30, 3350e9),
    "a100-80-sxm": (312e12, 80 * 2**30, 2039e9),
}
BYTES = {"bf16": 2.0, "fp8": 1.0, "int4": 0.5}
BITS = {"bf16": 16, "fp8": 8, "int4": 4}
HEADS = 2 * 40 * 8 * 128  # numbers a token of cache


@dataclass(frozen=True)
class Use:
    """A stream with a machine of its own, or on the common one."""

    requests: float  # a day
    prompt: int
    answer: int
    chip: str
    weights: str
    latency: float | None
    batch: int | None


@dataclass(frozen=True)
class Case:
    """A scenario in numbers."""

    size: float
    objective: str
    uses: tuple[Use, ...]
    shaped: bool
    unique: float | None  # over the reference's tokens
    penalty: bool
    data: float
    most: float | None  # parameters over the reference's


def text(case):
    uses = []
    for i, use in enumerate(case.uses):
        words = (
            f"{{hardware: {use.chip}, weights: {use.weights}, "
            f"quantization_penalty: {str(case.penalty).lower()}"
        )
        if use.latency is not None:
            words += f", max_time_per_output_token: {use.latency!r} s"
        if use.batch is not None:
            words += f", batch: {use.batch}"
        uses.append(
            f"  - {{name: s{i}, requests: {use.requests!r}/day, input_tokens: "
            f"{use.prompt}, output_tokens: {use.answer}, lifetime: 2 years, "
            f"serving: {words}}}}}"
        )
    lines = [
        "law: besiroglu-2024-refit",
        f"objective: {case.objective}",
        f"target: {{match: {{parameters: {case.size!r}}}}}",
        "training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}",
        "serving: {model: roofline, mfu: 0.5, mbu: 0.7, price: $2/h, accelerators: 2}",
        "demand:",
        *uses,
        f"data: {{price: ${case.data!r} per million tokens"
        + (
            "}"
            if case.unique is None
            else f", unique_tokens: {case.unique * tokens_of(case.size)!r}}}"
        ),
    ]
    if case.shaped:
        lines.append(
            "architecture: {layers: 40, width: 5120, kv_heads: 8, head_size: 128}"
        )
    if case.most is not None:
        lines.append(f"limits: {{parameters: {case.most * case.size!r}}}")
    return "\n".join(lines)


def tokens_of(N):
    a, b = LAW["alpha"], LAW["beta"]
    return (b * LAW["B"] * N**a / (a * LAW["A"])) ** (1 / b)


def size_of(D):
    a, b = LAW["alpha"], LAW["beta"]
    return (a * LAW["A"] * D**b / (b * LAW["B"])) ** (1 / a)


def worth(amount, unique, star):
    more = np.maximum(amount / unique - 1, 0)
    grown = unique * (1 + star * -np.expm1(-more / star))
    return np.where(amount <= unique, amount, grown)


class Reckoning:
    """Loss and cost of a case at arrays of N and D."""

    def __init__(self, case):
        self.case = case
        self.unique = None
        if case.unique is not None:
            self.unique = case.unique * tokens_of(case.size)
        self.s = self.bare(case.size, tokens_of(case.size))

    @staticmethod
    def bare(N, D):
        return LAW["A"] / N ** LAW["alpha"] + LAW["B"] / D ** LAW["beta"]

    def loss(self, N, D):
        size, tokens = N, D
        if self.unique is not None:
            supported = size_of(np.minimum(D, self.unique))
            size = worth(N, supported, R_N)
            tokens = worth(D, self.unique, R_D)
        loss = self.bare(size, tokens)
        if self.case.penalty:
            bits = min(BITS[use.weights] for use in self.case.uses)
            loss = loss + 0.0598 * D**0.5068 / N**0.3439 * np.exp(-bits / 0.5907)
        return loss

    def seconds(self, use, N):
        """Accelerator-seconds of a stream at the best of many batches."""
        peak, memory, bandwidth = CHIPS[use.chip]
        numbers = (
            HEADS if self.case.shaped else (2 * 32 * 8 * 128 * (N / 8.03e9) ** (2 / 3))
        )
        cache = (use.prompt + use.answer) * numbers * 2.0
        weights = BYTES[use.weights] * N
        room = np.maximum((2 * memory * 0.9 - weights) / cache, 1e-9)
        b = np.exp(np.linspace(0, 1, 61)[:, None] * np.log(np.maximum(room, 1.0)))
        if use.batch is not None:
            b = np.full((1, len(N)), float(use.batch))
        compute = 2 * N * b / (2 * peak * 0.5)
        step = np.maximum(compute, (weights + b * cache) / (2 * bandwidth * 0.7))
        fits = weights + b * cache <= 2 * memory * 0.9 * (1 + 1e-12)
        if use.latency is not None:
            fits = fits & (step <= use.latency)
        each = np.where(fits, 2 * step / b, np.inf).min(axis=0)
        reading = 2 * N * use.prompt / (peak * 0.5)
        return 730.5 * use.requests * (reading + use.answer * each)

    def cost(self, N, D):
        case = self.case
        served = [self.seconds(use, N) for use in case.uses]
        possible = np.all([np.isfinite(x) for x in served], axis=0)
        if case.objective == "compute":
            tokens = sum(730.5 * u.requests * (u.prompt + u.answer) for u in case.uses)
            total = 6 * N * D + 2 * N * tokens
        else:
            total = 6 * N * D / (989.4e12 * 0.4) + sum(served)
            total = total / 1800 + case.data * D / 1e6
        kept = possible & (self.loss(N, D) <= self.s)
        if self.unique is not None:
            kept = kept & (500 * self.unique >= D)
        if case.most is not None:
            kept = kept & (case.most * case.size >= N)
        return np.where(kept, total, np.inf)


uses = st.builds(
    Use,
    requests=st.floats(3, 7).map(lambda e: 10**e),
    prompt=st.sampled_from([100, 2000, 30_000]),
    answer=st.sampled_from([100, 1500]),
    chip=st.sampled_from(sorted(CHIPS)),
    weights=st.sampled_from(sorted(BYTES)),
    latency=st.sampled_from([None, None, 0.1, 0.02, 0.004]),
    batch=st.sampled_from([None, None, None, 1, 8]),
)
cases = st.builds(
    Case,
    size=st.floats(9, 10.8).map(lambda e: 10**e),
    objective=st.sampled_from(["dollars", "dollars", "compute"]),
    uses=st.lists(uses, min_size=1, max_size=3).map(tuple),
    shaped=st.booleans(),
    unique=st.sampled_from([None, 0.03, 0.2, 0.5, 0.95, 2.0, 50.0]),
    penalty=st.booleans(),
    data=st.sampled_from([0.0, 0.0, 0.5, 5.0]),
    most=st.sampled_from([None, None, 0.5, 1.5]),
)


@settings(
    max_examples=examples(30),
    phases=[Phase.explicit, Phase.generate],  # shrinking would take minutes
    suppress_health_check=list(HealthCheck),
)
@given(case=cases)
def test_a_plan_is_certified_and_unbeaten_or_there_is_none(ask, case):
    answer = ask(text(case))
    reckon = Reckoning(case)
    rng = np.random.default_rng(1)
    N = case.size * np.exp(rng.uniform(-5, 3, 1500))
    D = tokens_of(case.size) * np.exp(rng.uniform(-2, 7, 1500))
    if answer.status is Status.INFEASIBLE:
        why = answer.infeasibility
        assert not np.isfinite(reckon.cost(N, D)).any()
        assert passes(why.certificate)
        assert why.conflict
        assert {way.name for way in why.relaxations} >= set(why.conflict)
        return
    plan = answer.plan
    assert passes(answer.certificate)
    near = np.exp(rng.normal(0, 0.02, (2, 1500)))
    N = np.concatenate([N, plan.parameters * near[0]])
    D = np.concatenate([D, plan.tokens * near[1]])
    # The reckoning has batches in fractions, as the relaxed optimum has.
    found = (answer.relaxed or answer.cost).total
    assert found <= reckon.cost(N, D).min() * (1 + 1e-8)
    here = np.array([plan.parameters]), np.array([plan.tokens])
    assert reckon.loss(*here)[0] <= reckon.s * (1 + 1e-9)
    assert plan.loss - LAW["E"] == pytest.approx(reckon.loss(*here)[0], rel=1e-8)
    if case.objective == "dollars" and all(u.latency is None for u in case.uses):
        # The search over batches is fine enough to see the cost to some percent.
        loose = Reckoning(Case(**{**vars(case), "most": None}))
        loose.s *= 1 + 1e-8
        again = loose.cost(here[0] * (1 - 1e-12), here[1])[0]
        assert found == pytest.approx(again, rel=5e-2)


LOADED = """
name: Everything
law: muennighoff-2023
objective: dollars
target: {match: {parameters: 13B}}
training:
  {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 512, attention: true}
serving:
  model: roofline
  hardware: h100-sxm
  precision: fp8
  weights: int4
  kv: fp8
  mfu: {prefill: 50 %, decode: 40 %}
  mbu: 70 %
  price: $2.5/h
  accelerators: 2
  peak_to_mean: 3
  idle_paid: true
  max_time_per_output_token: 20 ms
  max_time_to_first_token: 1 s
  quantization_penalty: true
architecture:
  {layers: 40, width: 5120, kv_heads: 8, head_size: 128, sequence: 4096}
demand:
  - {name: chat, requests: 2M/day, input_tokens: 800, output_tokens: 300,
     lifetime: 2 years, growth: 3 %/month}
  - {name: code, requests: 300k/day, input_tokens: 3000, output_tokens: 400,
     lifetime: 18 months, start: 6 months}
  - {name: agents, requests: 50k/day, input_tokens: 8000, output_tokens: 1500,
     samples: 4, lifetime: 2 years,
     serving: {hardware: l4, precision: bf16, accelerators: 8,
       max_time_per_output_token: 60 ms}}
  - {name: batch, requests: 100k/day, input_tokens: 2000, output_tokens: 200,
     lifetime: 2 years, cost_share: 50 %,
     serving: {model: mfu, mfu: {prefill: 50 %, decode: 10 %}}}
data: {unique_tokens: 150B, price: $0.05 per million tokens}
limits:
  parameters: 20B
  tokens: 2T
  training_compute: 2e23
  training_time: 30 days
  training_cost: $400k
  total_cost: $3M
  memory: 40 GB
  energy: 3 GWh
money: {discount_rate: 8 %, price_decline: 20 %}
energy: {pue: 1.2, power_fraction: 0.7, grid: 0.35 kg/kWh}
costs: {fixed: $100k, restart: 5 %}
"""


def test_everything_at_once_is_certified(ask):
    answer = ask(LOADED)
    assert passes(answer.certificate)
    assert {limit.name for limit in answer.limits} >= {
        *("limits.parameters", "limits.tokens", "limits.training_compute"),
        *("limits.training_time", "limits.training_cost", "limits.total_cost"),
        *("limits.energy", "data.unique_tokens", "serving.memory"),
        *("limits.memory", "limits.memory (agents)", "limits.memory (batch)"),
        *("serving.max_time_per_output_token", "serving.memory (agents)"),
        "serving.max_time_to_first_token",
    }
    assert [use.stream for use in answer.serving] == ["chat, code", "agents"]
    binding = {limit.name for limit in answer.limits if limit.binding}
    assert "data.unique_tokens" in binding
    for limit in answer.limits:
        assert limit.value <= limit.bound * (1 + 1e-9)
    assert answer.epochs == pytest.approx(answer.plan.tokens / 150e9)
    # Lives of whole months have an elasticity to each side, and nothing else has two.
    assert all(
        move.elasticity is not None
        or move.value == 0
        or move.input.endswith("lifetime")
        for move in answer.sensitivities
    )


@pytest.mark.parametrize("word", ["parameters", "tokens"])
def test_a_limit_among_all_that_binds_has_its_finite_difference(word):
    used = {wall.name: value for wall, value in walls()}[f"limits.{word}"]
    bound = 0.97 * used
    h = 1e-5
    middle, up, down = (
        optimum(f"limits.{word}={bound * (1 + step)!r}") for step in (0.0, h, -h)
    )
    names = [c.name for c in middle.program.constraints]
    price = middle.optimum[1][names.index(f"limits.{word}")]
    assert price > 0
    slope = (value(up) - value(down)) / (math.log1p(h) - math.log1p(-h))
    assert -price == pytest.approx(slope, rel=1e-5)


def optimum(*overrides):
    question = formulate(read_scenario(LOADED, "s.yaml", overrides))
    found = solve(question.program, question.start(question.program))
    assert passes(found.certificate)
    return found


def value(found):
    return float(found.program.objective.log_value(found.optimum[0][None])[0])


def walls():
    """Each limit of the whole scenario with what its plan uses of it."""
    question = formulate(read_scenario(LOADED))
    point = optimum().point
    for wall in question.limits:
        yield (
            wall,
            sum(
                t.coefficient * math.prod(point[v] ** p for v, p in t.exponents.items())
                for t in wall.terms
            ),
        )
