"""A mixture of experts: compute by active parameters, memory and traffic by total.

Exact counts as Ludziejewski et al. 2025 give them: N_act = 2·d·V + 13·n·d² and
N_tot = 2·d·V + (4 + 9E)·n·d² for width d, n blocks, E experts and vocabulary V.
"""

import numpy as np
import pytest

from optimizer.engine.certify import passes

TEXT = """
law: ludziejewski-2025
experts: 8
objective: dollars
target: {loss: 2.3}
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}
serving: {model: roofline, hardware: h100-sxm, weights: bf16, mfu: 0.5, mbu: 0.7,
  price: $2/h, context: 4000}
demand: {requests: 1M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years}
architecture: {layers: 24, width: 2048, kv_heads: 8, head_size: 128}
"""
# Table 4 of the paper: the surface of each number of experts (A, alpha, B, beta).
TABLE = {
    1: (30.3640, 0.1817, 53.9838, 0.1965),
    8: (21.8330, 0.1676, 119.9126, 0.2338),
    32: (16.5424, 0.1557, 234.6726, 0.2652),
}


def counts(d, n, V, experts):
    return 2 * d * V + 13 * n * d**2, 2 * d * V + (4 + 9 * experts) * n * d**2


@pytest.mark.parametrize("experts", [1, 2, 8, 32])
def test_the_memory_wall_is_never_below_the_exact_count(ask, experts):
    """A plan that keeps the wall fits whatever its shape, and without embeddings the
    wall is exact."""
    answer = ask(
        "law: ludziejewski-2025\ntarget: {loss: 2.3}\ndemand: {tokens: 1T}\n"
        f"experts: {experts}\nserving: {{precision: bf16}}\n"
        "limits: {memory: 1000 TB}\n"
    )
    (limit,) = answer.limits
    per_active = limit.value / answer.plan.parameters / 2
    for d, n in ((512, 8), (2048, 24), (8192, 64)):
        for V in (0, 50257, 256_000):
            active, total = counts(d, n, V, experts)
            assert total <= per_active * active * (1 + 1e-12)
            if V == 0 or experts == 1:
                assert total == pytest.approx(per_active * active, rel=1e-12)


def test_the_memory_wall_binds(ask):
    free = ask(TEXT, "serving.model=mfu")
    held = 2 * 76 / 13 * free.plan.parameters  # bytes of 8 experts
    mfu = "serving.model=mfu", "serving.batch=1"  # elsewhere the batch gives way
    answer = ask(TEXT, *mfu, f"limits.memory={held * 0.8 + 4000 * 98304!r} B")
    limit = next(x for x in answer.limits if x.name == "limits.memory")
    assert limit.binding
    assert answer.plan.parameters == pytest.approx(0.8 * free.plan.parameters, rel=1e-6)
    assert passes(answer.certificate)


@pytest.mark.parametrize("experts", sorted(TABLE))
def test_the_roofline_reckons_with_total_parameters(ask, experts):
    A, alpha, B, beta = TABLE[experts]
    share = (4 + 9 * experts) / 13
    cache = 4000 * 2 * 24 * 8 * 128 * 2
    prompt, output = 730.5e6 * 800, 730.5e6 * 300

    def serving(N, b):
        compute = 2 * N * b / (989.4e12 * 0.5)
        held = 2 * share * N + b * cache
        step = np.maximum(compute, held / (3350e9 * 0.7))
        cost = (2 * N * prompt / (989.4e12 * 0.5) + output * step / b) / 1800
        return np.where(
            (held <= 0.9 * 80 * 2**30 * (1 + 1e-12)) & (b >= 1), cost, np.inf
        )

    def total(N):
        rest = 2.3 - 1.3637 - A / N**alpha
        D = np.where(rest > 0, (B / np.maximum(rest, 1e-9)) ** (1 / beta), np.inf)
        b = np.maximum((0.9 * 80 * 2**30 - 2 * share * N) / cache, 0.5)
        # Fewer sequences than fit never cost less.
        few = serving(N, b * 0.9)
        assert (serving(N, b) <= few * (1 + 1e-12)).all()
        return 6 * N * D / (989.4e12 * 0.4) / 1800 + serving(N, b)

    N = np.exp(np.linspace(np.log(1e7), np.log(3e11), 400_001))
    costs = total(N)
    answer = ask(TEXT, f"experts={experts}")
    # Table 4 prints four digits, so that the surfaces differ a little.
    assert answer.cost.total == pytest.approx(costs.min(), rel=2e-2)
    (use,) = answer.serving
    plan = answer.plan.parameters
    room = 0.9 * 80 * 2**30
    assert use.batch == (room - 2 * share * plan) * (1 + 1e-9) // cache
    assert use.bound_by == "memory"
    held = 2 * share * plan + use.batch * cache
    assert use.step_time == pytest.approx(held / (3350e9 * 0.7), rel=1e-9)
    limit = next(x for x in answer.limits if x.name == "serving.memory")
    assert limit.value == pytest.approx(held, rel=1e-9)
    assert room - cache * 1.01 < held <= room * (1 + 1e-9)
    # FLOP go by the active parameters.
    flop = 6 * plan * answer.plan.tokens + 2 * plan * (prompt + output)
    assert answer.amounts["FLOP"] == pytest.approx(flop, rel=1e-9)
