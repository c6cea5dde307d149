"""The mathematics of surfaces and lines, against published tables and brute force."""

import math

import pytest
from scipy.optimize import minimize_scalar

from optimizer.world.surface import Frontier, Surface

DEVRIES = Surface(E=1.69, A=406.4, B=410.7, alpha=0.336, beta=0.283)
TEX = Surface(math.exp(0.5267228), 406.40102, 410.72283, 0.33917084, 0.2849083)
BESIROGLU = Surface(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)
KAPLAN = Surface(
    0.0, 6.4e13 ** (0.076 / 0.103), 1.8e13, 0.076 / 0.103, 1.0, outer=0.103
)
ALL = [DEVRIES, TEX, BESIROGLU, KAPLAN]

# Hoffmann et al. 2022, Table A3, approach 3: parameters, FLOP, tokens. The 175B row
# prints 1.26e+24, a misprint: 6·175e9·12.0e12 is 1.26e25, as its neighbours demand.
# The 280B row prints 20.1T, which its own FLOP contradict: C/(6N) is 20.95T.
TABLE_A3 = [
    (400e6, 2.21e19, 9.2e9),
    (1e9, 1.62e20, 27.1e9),
    (10e9, 2.46e22, 410.1e9),
    (67e9, 1.71e24, 4.1e12),
    (175e9, 1.26e25, 12.0e12),
    (280e9, 3.52e25, 20.95e12),
    (520e9, 1.36e26, 43.5e12),
    (1e12, 5.65e26, 94.1e12),
    (10e12, 8.55e28, 1425.5e12),
]


@pytest.mark.parametrize(("parameters", "compute", "tokens"), TABLE_A3)
def test_hoffmann_table_a3_with_the_exponents_of_de_vries(parameters, compute, tokens):
    """Hoffmann et al. 2022, Table A3; de Vries fitted .336 and .283 back from it."""
    N, D = DEVRIES.compute_optimal(compute)
    assert pytest.approx(parameters, rel=0.05) == N
    assert pytest.approx(tokens, rel=0.05) == D


@pytest.mark.parametrize(
    ("surface", "compute", "parameters", "tokens"),
    [
        (DEVRIES, 2.21e19, 3.993e8, 9.224e9),
        (DEVRIES, 1.62e20, 9.928e8, 2.720e10),
        (DEVRIES, 2.46e22, 9.867e9, 4.155e11),
        (DEVRIES, 1.71e24, 6.860e10, 4.154e12),
        (DEVRIES, 8.55e28, 9.653e12, 1.476e15),
        (TEX, 2.21e19, 3.890e8, 9.469e9),
        (TEX, 1.62e20, 9.658e8, 2.796e10),
        (TEX, 2.46e22, 9.567e9, 4.286e11),
        (TEX, 1.71e24, 6.633e10, 4.297e12),
        (TEX, 8.55e28, 9.266e12, 1.538e15),
        (TEX, 1e21, 2.217e9, 7.518e10),
        (TEX, 1e24, 5.192e10, 3.210e12),
        (TEX, 3.8e25, 2.732e11, 2.318e13),
        (BESIROGLU, 1e21, 2.778e9, 5.999e10),
        (BESIROGLU, 1e24, 9.586e10, 1.739e12),
        (BESIROGLU, 5.76e23, 7.225e10, 1.329e12),
        (BESIROGLU, 3.8e25, 6.187e11, 1.024e13),
    ],
)
def test_closed_form_to_the_printed_digit(surface, compute, parameters, tokens):
    """Hoffmann et al. 2022, eq. 4, recomputed apart from this code."""
    N, D = surface.compute_optimal(compute)
    assert f"{N:.3e}" == f"{parameters:.3e}"
    assert f"{D:.3e}" == f"{tokens:.3e}"


@pytest.mark.parametrize(
    ("size", "overhead"),
    [
        (0.75, 2.85),
        (0.6, 10.04),
        (0.57, 12.53),
        (0.5, 20.78),
        (0.4, 43.70),
        (0.3, 105.56),
        (0.25, 188.88),
    ],
)
def test_de_vries_overhead_of_smaller_models(size, overhead):
    """De Vries 2023, "Go smol or go home": the same at every compute budget [%]."""
    for compute in (2.21e19, 1.71e24):
        N, D = DEVRIES.compute_optimal(compute)
        s = DEVRIES.reducible(DEVRIES.loss(N, D))
        more = size * DEVRIES.tokens_for(size * N, s) / D - 1
        assert 100 * more == pytest.approx(overhead, abs=0.005)


def test_de_vries_table_of_tokens():
    """De Vries 2023: 9.87B on 415.53B; half of that on 1003.77B; 2.96B on 2847.27B."""
    N, D = DEVRIES.compute_optimal(2.46e22)
    s = DEVRIES.reducible(DEVRIES.loss(N, D))
    assert f"{N / 1e9:.2f} {D / 1e9:.2f}" == "9.87 415.53"
    assert f"{DEVRIES.tokens_for(0.5 * N, s) / 1e9:.2f}" == "1003.77"
    assert f"{DEVRIES.tokens_for(0.3 * N, s) / 1e9:.2f}" == "2847.27"
    assert DEVRIES.floor(s) / N == pytest.approx(0.0974, abs=5e-5)


def test_sardana_reference_losses():
    """The authors' code of Sardana et al. 2024: training-optimal 13B and 30B."""
    for N, D, loss in (
        (13e9, 5.764855667e11, 2.0452817884779284),
        (30e9, 1.555901109e12, 1.958253360475841),
    ):
        assert DEVRIES.optimal_tokens(N) == pytest.approx(D, rel=1e-9)
        assert DEVRIES.loss(N, D) == pytest.approx(loss, rel=1e-11)


@pytest.mark.parametrize("surface", ALL)
def test_training_optimal_is_the_least_compute(surface):
    """Against a search over sizes that uses the loss alone."""
    target = surface.loss(3e9, 9e10)
    s = surface.reducible(target)

    def compute(log_size: float) -> float:
        N = math.exp(log_size)
        low, high = 0.0, 60.0  # bisect for the tokens that reach the target
        for _ in range(80):
            middle = (low + high) / 2
            short = surface.loss(N, math.exp(middle)) > target
            low, high = (middle, high) if short else (low, middle)
        return log_size + high

    N, D = surface.training_optimal(s)
    found = minimize_scalar(
        compute,
        bounds=(math.log(surface.floor(s)) + 1e-6, math.log(N) + 3),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert math.log(N) + math.log(D) == pytest.approx(found.fun, abs=1e-9)
    assert math.log(N) == pytest.approx(found.x, abs=1e-4)
    assert surface.loss(N, D) == pytest.approx(target, rel=1e-12)
    assert surface.weight(N, D) == pytest.approx(1, rel=1e-12)
    assert surface.compute_optimal(6 * N * D) == pytest.approx((N, D), rel=1e-10)


@pytest.mark.parametrize("surface", ALL)
def test_inverses_and_the_floor(surface):
    N, D = 3e9, 9e10
    s = surface.reducible(surface.loss(N, D))
    assert surface.tokens_for(N, s) == pytest.approx(D, rel=1e-10)
    assert surface.parameters_for(D, s) == pytest.approx(N, rel=1e-10)
    assert surface.optimal_parameters(surface.optimal_tokens(N)) == pytest.approx(N)
    floor = surface.floor(s)
    assert surface.tokens_for(floor * (1 - 1e-9), s) == math.inf
    assert floor < N < surface.parameters_for(2 * D / 3, s)
    assert surface.parameters_for(1.0, s) == math.inf
    assert surface.loss_of(s) == pytest.approx(surface.loss(N, D), rel=1e-12)


def test_gamma_is_the_slope_of_the_compute_optimal_loss():
    losses = [
        DEVRIES.reducible(DEVRIES.loss(*DEVRIES.compute_optimal(c)))
        for c in (1e22, 1e24)
    ]
    slope = math.log(losses[1] / losses[0]) / math.log(100)
    assert -slope == pytest.approx(DEVRIES.gamma, rel=1e-10)


def test_tokens_per_parameter_are_scale_free_only_for_equal_exponents():
    tied = Surface(1.87, 521, 1488, 0.353, 0.353)
    ratios = [tied.optimal_tokens(N) / N for N in (1e8, 1e10, 1e12)]
    assert ratios == pytest.approx([ratios[0]] * 3, rel=1e-12)
    free = [DEVRIES.optimal_tokens(N) / N for N in (1e8, 1e10)]
    assert free[1] > 2 * free[0]


STEP = 1e-30
FUNCTIONS = {
    "loss": lambda f, x: f.loss(3e9 * x, 9e10),
    "reducible": lambda f, x: f.reducible(f.loss(3e9, 9e10) * x),
    "optimal tokens": lambda f, x: f.optimal_tokens(3e9 * x),
    "optimal parameters": lambda f, x: f.optimal_parameters(9e10 * x),
    "training-optimal N": lambda f, x: f.training_optimal(f.A / 3e9**f.alpha * x)[0],
    "training-optimal D": lambda f, x: f.training_optimal(f.A / 3e9**f.alpha * x)[1],
    "compute-optimal N": lambda f, x: f.compute_optimal(1e22 * x)[0],
    "weight": lambda f, x: f.weight(3e9, 9e10 * x),
    "tokens for": lambda f, x: f.tokens_for(3e9 * x, 3 * f.A / 3e9**f.alpha),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("surface", [DEVRIES, KAPLAN])
def test_complex_step_in_an_argument(surface, name):
    def f(x):
        return FUNCTIONS[name](surface, x)

    step = f(1 + STEP * 1j).imag / STEP
    central = (f(1 + 1e-5) - f(1 - 1e-5)) / 2e-5
    assert step == pytest.approx(central, rel=1e-7)
    assert step != 0


@pytest.mark.parametrize("field", ["E", "A", "B", "alpha", "beta", "outer"])
def test_complex_step_in_a_coefficient(field):
    def change(value):
        return Surface(**{**vars(DEVRIES), field: value})

    def f(value):
        surface = change(value)
        N, D = surface.training_optimal(surface.reducible(1.95))
        return surface.loss(1.1 * N, D)

    at = getattr(DEVRIES, field)
    step = f(at * (1 + STEP * 1j)).imag / STEP
    central = (f(at * (1 + 1e-6)) - f(at * (1 - 1e-6))) / 2e-6
    assert step == pytest.approx(central, rel=1e-6, abs=1e-9)


def test_overflow_is_infinite_not_an_error():
    flat = Surface(E=1.0, A=10.0, B=10.0, alpha=0.3, beta=0.01)
    assert flat.tokens_for(1e9, 10.0 / 1e9**0.3 + 1e-9) == math.inf


LINE = Frontier((1e9, 1e10, 1e12), (2e10, 2e11, 4e13))


def test_line_passes_its_points_and_inverts():
    for N, D in zip(LINE.parameters, LINE.tokens, strict=True):
        assert LINE.optimal_tokens(N) == pytest.approx(D, rel=1e-12)
        assert LINE.optimal_parameters(D) == pytest.approx(N, rel=1e-12)
        assert LINE.compute_optimal(6 * N * D) == pytest.approx((N, D), rel=1e-12)
    assert LINE.optimal_tokens(1e11) == pytest.approx((2e11 * 4e13) ** 0.5)


@pytest.mark.parametrize("N", [1e6, 3e9, 5e14])
def test_line_goes_on_with_its_overall_exponent(N):
    D = LINE.optimal_tokens(N)
    assert LINE.optimal_parameters(D) == pytest.approx(N, rel=1e-10)
    if not 1e9 < N < 1e12:
        beyond = LINE.optimal_tokens(10 * N) / D
        assert math.log10(beyond) == pytest.approx(math.log10(2000) / 3, rel=1e-10)
    step = LINE.optimal_tokens(N * (1 + STEP * 1j)).imag / STEP
    central = (LINE.optimal_tokens(N * 1.00001) - LINE.optimal_tokens(N * 0.99999)) / (
        2e-5
    )
    assert step == pytest.approx(central, rel=1e-7)
