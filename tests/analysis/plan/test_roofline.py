"""Serving as it is, against brute force over (N, b) that is written apart.

`Machine` computes step time, cost and memory of a replica for whole arrays of sizes and
batches; `least` finds the best point by zooming on grids. No formula for the best batch
is used: the batch is searched.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from optimizer.engine.certify import passes

LAW = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}
YEARS = 2 * 365.25 * 86400
# An H100 SXM and an L4: dense bf16 peak [FLOP/s], memory [B], bandwidth [B/s], TDP [W],
# from NVIDIA's datasheets.
H100 = (989.4e12, 80 * 2**30, 3350e9, 700.0)
L4 = (121e12, 24 * 2**30, 300e9, 72.0)
BYTES = {"bf16": 2.0, "fp8": 1.0, "int4": 0.5, "fp4": 0.5}


@dataclass(frozen=True)
class Machine:
    """A replica, in numbers."""

    chip: tuple = H100
    g: int = 1
    mfu: tuple = (0.5, 0.4)
    mbu: float = 0.7
    weights: str = "fp8"
    kv: str = "bf16"
    price: float = 2.0  # [$/h]
    context: float | None = None
    shaped: bool = True
    batch: int | None = None
    latency: float | None = None
    first: float | None = None
    peak: float = 1.0
    idle: bool = False
    fill: float = 0.9
    requests: float = 1e6  # a day
    prompt: float = 800
    answer: float = 300

    def words(self):
        name = "h100-sxm" if self.chip is H100 else "l4"
        found = {
            "model": "roofline",
            "hardware": name,
            "weights": self.weights,
            "kv": self.kv,
            "mfu": f"{{prefill: {self.mfu[0]}, decode: {self.mfu[1]}}}",
            "mbu": self.mbu,
            "price": f"${self.price}/h",
            "accelerators": self.g,
            "memory_fill": self.fill,
            "peak_to_mean": self.peak,
            "idle_paid": str(self.idle).lower(),
        }
        if self.context is not None:
            found["context"] = self.context
        if self.batch is not None:
            found["batch"] = self.batch
        if self.latency is not None:
            found["max_time_per_output_token"] = f"{self.latency!r} s"
        if self.first is not None:
            found["max_time_to_first_token"] = f"{self.first!r} s"
        return "{" + ", ".join(f"{k}: {v}" for k, v in found.items()) + "}"

    def demand(self, name="chat", own=""):
        return (
            f"{{name: {name}, requests: {self.requests!r}/day, input_tokens: "
            f"{self.prompt}, output_tokens: {self.answer}, lifetime: 2 years{own}}}"
        )

    def cache(self, N):
        """Bytes of one sequence: Llama 3 8B's 2·32·8·128 numbers a token, or those
        scaled by (N / 8.03e9)^(2/3)."""
        numbers = 2 * 32 * 8 * 128
        size = numbers if self.shaped else numbers * (N / 8.03e9) ** (2 / 3)
        return (self.context or self.prompt + self.answer) * size * BYTES[self.kv]

    def step(self, N, b):
        compute = 2 * N * b / (self.g * self.chip[0] * self.mfu[1])
        moved = BYTES[self.weights] * N + b * self.cache(N)
        return np.maximum(compute, moved / (self.g * self.chip[2] * self.mbu))

    def fits(self, N, b):
        held = BYTES[self.weights] * N + b * self.cache(N)
        kept = (held <= self.g * self.chip[1] * self.fill) & (b >= 1)
        if self.latency is not None:
            kept = kept & (self.step(N, b) <= self.latency)
        if self.first is not None:
            reading = 2 * N * self.prompt / (self.g * self.chip[0] * self.mfu[0])
            kept = kept & (reading <= self.first)
        return kept

    @property
    def tokens(self):
        days = 2 * 365.25
        prompt = self.requests * days * self.prompt
        return prompt, self.requests * days * self.answer

    def seconds(self, N, b):
        """Accelerator-seconds of the lifetime demand."""
        prompt, answer = self.tokens
        reading = 2 * N * prompt / (self.chip[0] * self.mfu[0])
        return reading + answer * self.g * self.step(N, b) / b

    def dollars(self, N, b):
        paid = self.peak if self.idle else 1.0
        return paid * self.seconds(N, b) / 3600 * self.price

    def best(self, N, cost):
        """The least cost over batches for each of some sizes, and its batch."""
        if self.batch is not None:
            b = np.full(N.shape, float(self.batch))
            return np.where(self.fits(N, b), cost(N, b), np.inf), b
        low, high = np.zeros(N.shape), np.full(N.shape, np.log(1e6))
        grid = np.linspace(0, 1, 401)[:, None]
        for _ in range(9):
            logs = low + grid * (high - low)
            b = np.exp(logs)
            cells = np.where(self.fits(N, b), cost(N, b), np.inf)
            # The least batch among those that cost the same.
            at = np.argmin(np.where(cells <= cells.min(axis=0) * (1 + 1e-13), 0, 1), 0)
            here = np.take_along_axis(logs, at[None], 0)[0]
            width = (high - low) / 100
            low, high = np.maximum(here - width, 0), here + width
        best = np.take_along_axis(cells, at[None], 0)[0]
        return best, np.exp(here)


def tokens_for(N, s):
    rest = s - LAW["A"] * N ** -LAW["alpha"]
    with np.errstate(all="ignore"):
        return np.where(rest > 0, (LAW["B"] / rest) ** (1 / LAW["beta"]), np.inf)


def reducible(size):
    a, b = LAW["alpha"], LAW["beta"]
    D = (b * LAW["B"] * size**a / (a * LAW["A"])) ** (1 / b)
    return LAW["A"] / size**a + LAW["B"] / D**b


def least(total, size):
    """Zooms on ln N; the cost of the best batches is convex in it."""
    low, high = math.log(size / 50), math.log(size * 20)
    for _ in range(11):
        N = np.exp(np.linspace(low, high, 41))
        cost = total(N)
        at = int(np.argmin(cost))
        step = (high - low) / 40
        low, high = math.log(N[at]) - 2 * step, math.log(N[at]) + 2 * step
    return N[at], cost[at]


def text(machine, size, objective="dollars", extra=""):
    shape = "architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}\n"
    return (
        f"law: {{{', '.join(f'{k}: {v}' for k, v in LAW.items())}}}\n"
        f"objective: {objective}\ntarget: {{match: {{parameters: {size!r}}}}}\n"
        "training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        f"serving: {machine.words()}\ndemand: {machine.demand()}\n"
        "energy: {pue: 1.2, power_fraction: 0.7, grid: 0.35 kg/kWh}\n"
        f"{shape if machine.shaped else ''}{extra}"
    )


def in_fractions(answer):
    """Size, cost, batches and standing replicas of the relaxed program."""
    if (relaxed := answer.relaxed) is not None:
        return relaxed.parameters, relaxed.total, relaxed.batches, relaxed.replicas
    batches = tuple(use.batch for use in answer.serving)
    return answer.plan.parameters, answer.cost.total, batches, ()


def training(N, s, rate=2.0 / 3600):
    return 6 * N * tokens_for(N, s) / (H100[0] * 0.4) * rate


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
