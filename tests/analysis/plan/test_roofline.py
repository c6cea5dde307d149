"""Serving as it is, against brute force over (N, b) that is written apart."""

import math
from dataclasses import replace

import numpy as np
import pytest

from optimizer.engine.certify import passes
from tests.analysis.plan.brute_machine import (
    L4,
    LAW,
    YEARS,
    Machine,
    in_fractions,
    least,
    reducible,
    text,
    tokens_for,
    training,
)

BASE = Machine()
CASES = {
    "compute": (replace(BASE, kv="fp4", weights="int4"), 13e9, "compute"),
    "bandwidth": (replace(BASE, batch=16), 13e9, "bandwidth"),
    "memory": (BASE, 13e9, "memory"),
    "latency": (replace(BASE, latency=8e-3), 13e9, "latency"),
    "latency of compute": (replace(BASE, latency=5e-3, kv="fp4"), 13e9, "latency"),
    "given and compute": (replace(BASE, batch=512, kv="fp4"), 13e9, "compute"),
    "long context": (replace(BASE, context=30000), 13e9, "memory"),
    "by size": (replace(BASE, shaped=False), 13e9, "memory"),
    "by size, latency": (replace(BASE, shaped=False, latency=9e-3), 13e9, "latency"),
    "by size, compute": (
        replace(BASE, shaped=False, kv="fp4", weights="int4", mfu=(0.5, 0.2)),
        30e9,
        "compute",
    ),
    "replica of 8": (replace(BASE, g=8, weights="bf16"), 70e9, None),
    "small chip": (replace(BASE, chip=L4, price=0.7), 13e9, "memory"),
    "first token": (replace(BASE, first=12e-3), 13e9, "memory"),
    "idle": (replace(BASE, peak=3, idle=True), 13e9, "memory"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cost_is_that_of_brute_force(ask, case):
    machine, size, bound = CASES[case]
    s = reducible(size)
    N, cost = least(
        lambda N: training(N, s) + machine.best(N, machine.dollars)[0], size
    )
    answer = ask(text(machine, size))
    relaxed, total, (batch,), standing = in_fractions(answer)
    assert passes(answer.certificate)
    assert total == pytest.approx(cost, rel=1e-6)
    assert total <= cost * (1 + 1e-9)
    assert relaxed == pytest.approx(N, rel=2e-3)
    (use,) = answer.serving
    if bound is not None:
        assert use.bound_by in (bound, "load" if machine.idle else bound)
    here = np.array([relaxed])
    loose = replace(
        machine,
        latency=machine.latency and machine.latency * (1 + 1e-9),
        first=machine.first and machine.first * (1 + 1e-9),
        fill=machine.fill * (1 + 1e-9),
    )
    _, b = loose.best(here, loose.dollars)
    assert batch == pytest.approx(b[0], rel=1e-5)
    # Replicas: the mean load over two years, and room for its peak.
    busy = machine.seconds(here, batch)[0] / machine.g / YEARS
    if machine.idle:
        assert standing == (pytest.approx(busy * machine.peak, rel=1e-9),)


def whole_least(machine, size, s):
    """The least cost in whole batches, and whole replicas where they stand."""
    best = np.inf
    N = size * np.exp(np.linspace(-2.6, 0.6, 7001))
    if machine.first is not None:  # and the wall, where training is steep in N
        wall = machine.first * machine.g * machine.chip[0] * machine.mfu[0]
        N = np.append(N, wall / 2 / machine.prompt * (1 - 1e-9))
    train = training(N, s)
    usual = size * 0.7 if machine.first is None else N[-1]
    _, middle = machine.best(np.array([usual]), machine.dollars)
    around = machine.batch or round(middle[0])
    whole = range(max(around // 2, 1), 2 * around + 4)
    for b in (machine.batch,) if machine.batch else whole:
        fits = machine.fits(N, np.full(N.shape, float(b)))
        serving = machine.dollars(N, float(b))
        if machine.idle:
            replica = machine.g * machine.price * YEARS / 3600
            serving = np.ceil(serving / replica * (1 - 1e-9)) * replica
        cost = np.where(fits, train + serving, np.inf)
        best = min(best, cost.min())
    return best


@pytest.mark.parametrize("case", CASES)
def test_the_plan_has_whole_batches_and_whole_replicas(ask, case):
    """A scan over whole batches, sizes on a grid of a thousandth: none is cheaper."""
    machine, size, _ = CASES[case]
    cost = whole_least(machine, size, reducible(size))
    answer = ask(text(machine, size))
    assert answer.cost.total <= cost * (1 + 1e-6)
    assert answer.cost.total == pytest.approx(cost, rel=2e-4)
    assert answer.cost.total >= in_fractions(answer)[1] * (1 - 1e-9)
    (use,) = answer.serving
    assert use.batch == round(use.batch)
    here = np.array([answer.plan.parameters])
    step = machine.step(here, np.array([use.batch]))[0]
    assert use.step_time == pytest.approx(step, rel=1e-9)
    dollars = machine.g * step / use.batch / 3600 * machine.price * 1e6
    assert use.usage_cost == pytest.approx(dollars, rel=1e-9)
    if machine.idle:
        assert use.standing == math.ceil(use.replicas * (1 - 1e-9))
        replica = machine.g * machine.price * YEARS / 3600
        assert answer.cost.inference == pytest.approx(use.standing * replica, rel=1e-9)
        # The batch is the least with which those that stand carry the peak.
        for b, enough in ((use.batch, True), (use.batch - 1, False)):
            need = machine.seconds(here, b)[0] / machine.g / YEARS * machine.peak
            assert (need <= use.standing * (1 + 1e-9)) == enough
        assert answer.unit_cost.output == pytest.approx(use.allocated_cost, rel=1e-9)
    else:
        assert answer.unit_cost.output == pytest.approx(dollars, rel=1e-9)
        serving = machine.dollars(here, use.batch)[0]
        assert answer.cost.inference == pytest.approx(serving, rel=1e-9)


@pytest.mark.parametrize("objective", ["energy", "carbon"])
def test_energy_and_carbon_are_those_of_brute_force(ask, objective):
    s = reducible(13e9)
    power = 700 * 0.7 * 1.2 / 3.6e6 * (0.35 if objective == "carbon" else 1.0)
    _, cost = least(
        lambda N: (
            training(N, s, power)
            + BASE.best(N, lambda N, b: BASE.seconds(N, b) * power)[0]
        ),
        13e9,
    )
    answer = ask(text(BASE, 13e9, objective))
    assert passes(answer.certificate)
    assert in_fractions(answer)[1] == pytest.approx(cost, rel=1e-6)


def test_compute_does_not_see_the_batch_and_is_still_certified(ask):
    """FLOP are 6·N·D + 2·N·T whatever the batch; only what must fit limits N."""
    plain = ask(text(BASE, 13e9, "compute"), "serving.model=mfu")
    answer = ask(text(BASE, 13e9, "compute"))
    assert passes(answer.certificate)
    assert answer.cost.total == pytest.approx(plain.cost.total, rel=1e-9)
    assert answer.plan.parameters == pytest.approx(plain.plan.parameters, rel=1e-6)
    relaxed, _, (batch,), _ = in_fractions(answer)
    _, b = BASE.best(np.array([relaxed]), BASE.dollars)
    assert batch == pytest.approx(b[0], rel=1e-5)
    # A wall on time binds also where time is not what is minimised.
    tight = ask(text(replace(BASE, latency=2e-3), 13e9, "compute"))
    s = reducible(13e9)
    N, _ = least(
        lambda N: np.where(
            replace(BASE, latency=2e-3).fits(N, np.ones(N.shape)),
            6 * N * tokens_for(N, s) + 2 * N * sum(BASE.tokens),
            np.inf,
        ),
        13e9,
    )
    assert tight.plan.parameters == pytest.approx(N, rel=1e-6)
    wall = next(x for x in tight.limits if "max_time_per" in x.name)
    assert wall.binding


PRICES = {
    "serving.max_time_per_output_token": (replace(BASE, latency=8e-3), "latency"),
    "serving.max_time_to_first_token": (replace(BASE, first=12e-3), "first"),
    "serving.memory": (BASE, "fill"),
}


@pytest.mark.parametrize("name", PRICES)
def test_a_shadow_price_is_a_finite_difference(ask, name):
    machine, word = PRICES[name]
    answer = ask(text(machine, 13e9))
    limit = next(x for x in answer.limits if x.name == name)
    assert limit.binding
    assert limit.elasticity < 0
    h = 1e-5
    up, down = (
        in_fractions(
            ask(
                text(
                    replace(machine, **{word: getattr(machine, word) * (1 + step)}),
                    13e9,
                )
            )
        )[1]
        for step in (h, -h)
    )
    slope = math.log(up / down) / math.log((1 + h) / (1 - h))
    assert limit.elasticity == pytest.approx(slope, rel=1e-5)
    per_unit = (up - down) / (2 * h * limit.bound)
    assert limit.shadow_price == pytest.approx(per_unit, rel=1e-5)
    path = {"fill": "serving.memory_fill"}.get(word, name)
    move = next(m for m in answer.sensitivities if m.input == path)
    assert move.elasticity == pytest.approx(slope, rel=1e-5)
    assert limit.line is not None


def test_every_elasticity_is_a_finite_difference(ask):
    machine = replace(BASE, latency=8e-3, context=1500, peak=2)
    base = text(machine, 13e9)
    answer = ask(base)
    h = 1e-4
    known = {"accelerators"}  # whole numbers
    for move in answer.sensitivities:
        word = move.input.split(".")[-1]
        if not move.value or word in known or move.input.startswith("architecture"):
            continue
        unit = {"max_time_per_output_token": " s", "lifetime": " s"}.get(word, "")
        unit = {"requests": "/day", "price": "/h", "grid": " kg/kWh"}.get(word, unit)
        value = move.value
        if word == "requests":
            value = machine.requests
        if word in ("context", "input_tokens", "output_tokens"):
            continue  # whole tokens: tried below
        ends = [
            in_fractions(
                ask(base, f"{move.input}={value * math.exp(sign * h)!r}{unit}")
            )[1]
            for sign in (1, -1)
        ]
        slope = math.log(ends[0] / ends[1]) / (2 * h)
        assert move.elasticity == pytest.approx(slope, rel=1e-6, abs=1e-7), move.input
    for word, value in (("serving.context", 1500), ("demand.output_tokens", 300)):
        move = next(m for m in answer.sensitivities if m.input == word)
        ends = [in_fractions(ask(base, f"{word}={value + d}"))[1] for d in (1, -1)]
        slope = math.log(ends[0] / ends[1]) / math.log((value + 1) / (value - 1))
        assert move.elasticity == pytest.approx(slope, rel=1e-3), word


def test_streams_with_machines_of_their_own(ask):
    """Each has its batch; two that share the common machine share theirs."""
    slow = replace(BASE, prompt=2000, answer=100, requests=2e5)
    quick = replace(
        BASE, chip=L4, price=0.8, latency=40e-3, requests=3e5, prompt=300, answer=200
    )
    common = replace(BASE, context=2100)  # the longest that it serves
    extra = text(common, 13e9).replace(
        f"demand: {common.demand()}\n",
        f"demand:\n  - {common.demand()}\n"
        f"  - {slow.demand('code')}\n"
        f"  - {quick.demand('voice', f', serving: {quick.words()}')}\n",
    )
    s = reducible(13e9)
    parts = [common, replace(slow, context=2100), quick]

    def total(N):
        return training(N, s) + sum(part.best(N, part.dollars)[0] for part in parts)

    _, cost = least(total, 13e9)
    answer = ask(extra.replace(", context: 2100", ""))
    assert passes(answer.certificate)
    relaxed, total, batches, _ = in_fractions(answer)
    assert total == pytest.approx(cost, rel=1e-6)
    shared, own = answer.serving
    assert shared.stream == "chat, code"
    assert own.stream == "voice"
    here = np.array([relaxed])
    assert batches[1] == pytest.approx(quick.best(here, quick.dollars)[1][0], rel=1e-4)
    names = {limit.name for limit in answer.limits}
    assert "serving.memory (voice)" in names
    assert "serving.max_time_per_output_token (voice)" in names
    line = next(x.line for x in answer.limits if x.name.endswith("token (voice)"))
    assert "voice" in extra.splitlines()[line - 1]


@pytest.mark.parametrize(
    ("machine", "override", "names", "words"),
    [
        (
            replace(BASE, latency=0.4e-3),
            (),
            {"target", "serving.max_time_per_output_token"},
            "Every token reads all the weights once",
        ),
        (
            BASE,
            ("fix.parameters=100B",),
            {"fix.parameters", "serving.memory"},
            "A replica holds the weights and the KV cache",
        ),
        (
            replace(BASE, batch=4000),
            (),
            {"serving.memory"},
            "The KV cache of one batch",
        ),
        (
            replace(BASE, first=1e-3),
            (),
            {"target", "serving.max_time_to_first_token"},
            "",
        ),
    ],
)
def test_what_cannot_be_served_is_explained(ask, machine, override, names, words):
    answer = ask(text(machine, 13e9), *override)
    why = answer.infeasibility
    assert passes(why.certificate)
    assert set(why.conflict) == names
    assert words in why.reason
    told = {way.name for way in why.relaxations}
    assert not told & {"serving.compute", "serving.bandwidth", "serving.batch"}
    assert names <= told


def test_the_least_latency_is_the_weights_read_time(ask):
    """What relaxes the latency is the step of the smallest model, alone."""
    machine = replace(BASE, latency=0.4e-3, weights="bf16")
    why = ask(text(machine, 13e9)).infeasibility
    way = next(w for w in why.relaxations if "per_output" in w.name)
    floor = (LAW["A"] / reducible(13e9)) ** (1 / LAW["alpha"])
    step = machine.step(np.array([floor]), np.array([1.0]))[0]
    assert way.after == pytest.approx(step, rel=1.1e-3)
    assert ask(
        text(replace(machine, latency=way.after), 13e9)
    ).plan.parameters == pytest.approx(floor, rel=1e-2)
