"""Sparse experts under a law of their leverage: the published numbers, by hand."""

import math

import numpy as np
import pytest

from optimizer.world.laws import load_law
from optimizer.world.leverage import Sparse, leverage
from optimizer.world.surface import Surface

LAW = load_law("tian-2025-leverage")
DENSE = load_law("besiroglu-2024")


def sparse(activation, granularity=12.0):
    return Sparse(activation=activation, granularity=granularity, beyond_fit=True)


def published(C, A, G):
    """Tian et al. 2025, arXiv 2507.17702, with lg and log2, constant by constant."""
    seen = 1 / (1 / (A + 1 / (1 / 0.0163 - 1 / 5.28e16)) + 1 / 5.28e16)
    fine = math.log2(G)
    at = 1.23 - 0.0761 * math.log10(C) + 0.0167 * fine**2 - 0.117 * fine
    return seen**at


def test_the_leverage_that_the_paper_tells():
    """Above 7 at 1e22 FLOP, an activation of 3.1 % and a granularity of 12."""
    k, e = leverage(LAW.coefficients, sparse(0.031))
    assert k * 1e22**e == pytest.approx(7.24, abs=0.01)
    assert k * 1e22**e == pytest.approx(published(1e22, 0.031, 12), rel=1e-12)


def test_the_best_granularity_is_about_12():
    """By the paper's text; 2^(0.117/(2·0.0167)) = 11.3 by its constants."""
    at = {G / 10: published(1e22, 0.031, G / 10) for G in range(20, 400)}
    best = max(at, key=at.get)
    assert best == pytest.approx(11.3, abs=0.1)
    for G in (best / 1.5, best, best * 1.5):
        k, e = leverage(LAW.coefficients, sparse(0.031, G))
        assert k * 1e22**e == pytest.approx(published(1e22, 0.031, G), rel=1e-12)


@pytest.mark.parametrize(
    ("activation", "e", "k"),
    [(0.10, 0.0711, 0.1102), (0.0625, 0.0840, 0.07392), (0.031, 0.1008, 0.0438)],
)
def test_factor_and_exponent(activation, e, k):
    """Evaluated apart from the product, from the printed constants."""
    found = leverage(LAW.coefficients, sparse(activation))
    assert found == pytest.approx((k, e), rel=1e-3)


def test_a_sparse_model_is_as_good_as_the_dense_one_of_its_leverage():
    """Same loss and tokens at EL times the compute, whatever the size."""
    dense, chance = DENSE.surface(), np.random.default_rng(1)
    for _ in range(30):
        A, G = chance.uniform(0.008, 0.9), chance.uniform(4, 24)
        N, D = 10 ** chance.uniform(7, 11), 10 ** chance.uniform(9, 13)
        grown = published(6 * N * D, A, G)
        found = LAW.surface(sparse(A, G)).loss(N, D)
        assert found == pytest.approx(dense.loss(grown * N, D), rel=1e-12)


@pytest.mark.parametrize(("experts", "measured"), [(8, 1.69), (16, 1.39), (32, 1.15)])
@pytest.mark.parametrize("C", [3e18, 3e19, 1e20])
def test_another_paper_measured_about_as_much(experts, measured, C):
    """Kimi K2 (arXiv 2507.20534): at one loss, 48 experts for each active one need
    1.69, 1.39 and 1.15 times fewer FLOP than 8, 16 and 32."""
    k, e = leverage(LAW.coefficients, sparse(1 / 48))
    worth = k * C ** (1 + e)  # of dense compute
    few, slow = leverage(LAW.coefficients, sparse(1 / experts))
    assert (worth / few) ** (1 / (1 + slow)) / C == pytest.approx(measured, rel=0.11)


def test_all_experts_active_is_the_dense_model():
    assert LAW.surface(sparse(1.0)) == LAW.surface() == DENSE.surface()


def mixed(chance):
    alpha, beta = chance.uniform(0.2, 0.6), chance.uniform(0.2, 0.6)
    return Surface(
        E=1.7,
        A=10 ** chance.uniform(1, 4),
        B=10 ** chance.uniform(1, 4),
        alpha=alpha,
        beta=beta,
        delta=chance.uniform(0.01, 0.6) * min(alpha, beta),
    )


@pytest.mark.parametrize("seed", range(30))
def test_the_ends_of_a_mixed_surface_by_brute_force(seed):
    """Training optimum, D_opt, N for D and D for N, against searches on grids."""
    chance = np.random.default_rng(seed)
    law = mixed(chance)
    N, D = 10 ** chance.uniform(8, 11), 10 ** chance.uniform(10, 13)
    s = law.sum(N, D)
    assert law.tokens_for(N, s) == pytest.approx(D, rel=1e-12)
    assert law.parameters_for(D, s) == pytest.approx(N, rel=1e-7)
    best = law.training_optimal(s)
    assert law.sum(*best) == pytest.approx(s, rel=1e-12)
    sizes = [best[0] * 1.001**i for i in range(-2000, 2000)]
    work = [n * law.tokens_for(n, s) for n in sizes]
    assert min(work) >= best[0] * best[1] * (1 - 1e-12)
    assert law.optimal_tokens(best[0]) == pytest.approx(best[1], rel=1e-10)
    assert law.optimal_parameters(best[1]) == pytest.approx(best[0], rel=1e-10)
    assert law.compute_optimal(6 * best[0] * best[1]) == pytest.approx(best, rel=1e-10)
    assert law.weight(*best) == pytest.approx(1.0, rel=1e-12)
    h = 1e-6
    of_N = law.sum(N * (1 + h), D) - law.sum(N * (1 - h), D)
    of_D = law.sum(N, D * (1 + h)) - law.sum(N, D * (1 - h))
    assert law.weight(N, D) == pytest.approx(of_N / of_D, rel=1e-5)
    assert law.floor(s) == 0


@pytest.mark.parametrize("where", [1e-3, 1.0, 1e3])
def test_tokens_far_from_the_optimum_take_a_complex_step(where):
    """Newton from either side; the derivative is that of a small difference."""
    law = mixed(np.random.default_rng(7))
    s = law.sum(1e9, 1e11)
    N = 1e9 * where
    D = law.tokens_for(N, s)
    assert law.sum(N, D) == pytest.approx(s, rel=1e-12)
    slope = law.tokens_for(N * (1 + 1e-30j), s).imag / 1e-30
    rise = law.tokens_for(N * (1 + 1e-6), s) - law.tokens_for(N * (1 - 1e-6), s)
    assert slope == pytest.approx(rise / 2e-6, rel=1e-5)
