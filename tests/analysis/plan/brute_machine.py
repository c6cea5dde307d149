"""A replica by arithmetic that is written apart: step time, cost, memory, brute force.

`Machine` computes them for whole arrays of sizes and batches; `least` finds the best
point by zooming on grids. No formula for the best batch is used: it is searched.
"""

import math
from dataclasses import dataclass

import numpy as np

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
