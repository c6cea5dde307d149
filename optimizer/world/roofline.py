"""Serving as it is: decoding bound by compute or by memory traffic, in batches.

A replica of g accelerators decodes b sequences together, a step of t seconds for one
token of each:

    t ≥ 2·N·b/(g·F·mfu)                    compute
    t ≥ (w·N + b·ctx·κ)/(g·BW·mbu)         traffic: weights once, the KV cache of each
    w·N + b·ctx·κ ≤ g·HBM·fill             memory
    t ≤ time per output token,   2·N·prompt/(g·F·mfu) ≤ time to first token

so that an output token takes g·t/b accelerator-seconds. All of it is posynomial in
(N, b, t). *Source*: Williams, Waterman & Patterson, "Roofline", CACM 52 (2009); Pope
et al., "Efficiently scaling transformer inference" (2022), section 3.
"""

from __future__ import annotations

import math
from typing import Literal, cast

from optimizer.algebra.posynomial import Term
from optimizer.records import dataclass, replace
from optimizer.world.costs import Architecture
from optimizer.world.hardware import Hardware
from optimizer.world.limits import Limit
from optimizer.world.machines import Serving, phases
from optimizer.world.summed import Pairs, Sum, within

Bound = Literal["compute", "bandwidth", "memory", "latency", "load"]
# 2·32 layers·8 KV heads·128 numbers a token of Llama 3 8B, scaled as depth times a
# constant number of heads' width: N^(2/3). An assumption; state an architecture.
KV_NUMBERS = 65_536 / 8.03e9 ** (2 / 3)
DEFAULT_CACHE = "Llama 3 8B's scaled with the parameters to the power of 2/3"
CACHE_ERROR = "0.2 to 45 times what real models keep"  # GPT-3's and latent caches
NEAR = 1e-9  # relative, within which a number is whole
FILL = 0.9  # of HBM, the rest for activations and the runtime


@dataclass(frozen=True)
class Replica:
    """The machine behind one or more streams, with figures put in.

    Attributes:
        suffix: of its names; empty for the common serving.
        compute: useful FLOP/s of the replica when decoding.
        prefill: useful FLOP/s when reading prompts.
        traffic: useful bytes/s.
        memory: usable bytes.
        weights: stored bytes a parameter of N.
        kv: what a sequence keeps over its tokens [bytes]: (coefficient, power of N).
        context: tokens that a sequence holds.
        prompt: tokens of the longest prompt, or None.
        accelerators: g.
        batch: b where it is given, or None.
        time_per_token: the limit [s], or None.
        time_to_first: the limit [s], or None.
        bound: of the user on what it holds [bytes], or None.
        sum: how the parts of a step add up; None takes the longest.
    """

    suffix: str
    compute: float
    prefill: float
    traffic: float
    memory: float
    weights: float
    kv: tuple[float, float]
    context: float
    prompt: float | None
    accelerators: float
    batch: float | None
    time_per_token: float | None
    time_to_first: float | None
    bound: float | None = None
    sum: Sum | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of b, where it is left to choose, and of t."""
        step = f"step{self.suffix}"
        return (step,) if self.batch is not None else (f"batch{self.suffix}", step)

    def _with_batch(self, factor: float, powers: dict[str, float], b: float) -> Term:
        """A monomial times b^`b`."""
        if self.batch is not None:
            return Term("", factor * self.batch**b, powers)
        return Term("", factor, {**powers, f"batch{self.suffix}": b})

    def touching(self, batch: float) -> Replica:
        """The same with the monomial of its experts touching at another batch."""
        if self.sum is None or self.sum.routed is None:
            return self
        routed = replace(self.sum.routed, at=batch)
        return replace(self, sum=replace(self.sum, routed=routed))

    def stored(self) -> tuple[Term, Term]:
        """The weights, and the cache of all that it decodes together [bytes]."""
        c, power = self.kv
        return (
            Term("weights", self.weights, {"N": 1.0}),
            self._with_batch(self.context * c, {"N": power} if power else {}, 1.0),
        )

    def physics(self) -> tuple[Limit, ...]:
        """Compute, traffic and a batch of at least one, each ≤ 1."""
        if self.sum is not None:
            return (self._added(self.sum), *self._least())
        step = f"step{self.suffix}"
        work = self._with_batch(2.0 / self.compute, {"N": 1.0, step: -1.0}, 1.0)
        moved = tuple(
            Term(t.label, t.coefficient / self.traffic, {**t.exponents, step: -1.0})
            for t in self.stored()
        )
        found = [
            Limit(f"serving.compute{self.suffix}", 1.0, "", (work,)),
            Limit(f"serving.bandwidth{self.suffix}", 1.0, "", moved),
        ]
        return (*found, *self._least())

    def _least(self) -> tuple[Limit, ...]:
        """A batch of at least one, where it is left to choose."""
        if self.batch is not None:
            return ()
        least = Term("batch", 1.0, {f"batch{self.suffix}": -1.0})
        return (Limit(f"serving.batch{self.suffix}", 1.0, "", (least,)),)

    def _added(self, parts: Sum) -> Limit:
        """A step is the sum of its parts."""
        step = {f"step{self.suffix}": -1.0}
        _, cache = self.stored()
        terms = [Term("", c, {**_power(p), **step}) for c, p in parts.floor if c]
        terms += [
            replace(x, exponents={**x.exponents, **step}) for x in self._weights(parts)
        ]
        moved = cache.coefficient * parts.mean / self.traffic
        terms.append(Term("", moved, {**cache.exponents, **step}))
        each = ((2.0 / self.compute, 1.0), *parts.each)
        terms += [self._with_batch(c, {**_power(p), **step}, 1.0) for c, p in each if c]
        return Limit(f"serving.step{self.suffix}", 1.0, "", tuple(terms))

    def _weights(self, parts: Sum) -> tuple[Term, ...]:
        """What reading the weights of a step takes [s]."""
        routed = parts.routed
        always = Term("", parts.read / self.traffic, {"N": 1.0})
        if routed is None:
            return (always,)
        size = routed.size / self.traffic
        if self.batch is not None:
            read = Term("", size * routed.share(self.batch), {"N": 1.0})
        else:
            share, power = routed.monomial()
            read = self._with_batch(size * share, {"N": 1.0}, power)
        return (always, read) if abs(parts.read) > 0.0 else (read,)

    def limits(self) -> tuple[Limit, ...]:
        """Memory and the latencies, which the user can move."""
        step = f"step{self.suffix}"
        found = [
            Limit(f"serving.memory{self.suffix}", self.memory, "bytes", self.stored())
        ]
        if self.time_per_token is not None:
            name = f"serving.max_time_per_output_token{self.suffix}"
            terms = [Term("step", 1.0, {step: 1.0})]
            if self.sum is not None and self.sum.share:
                terms += [
                    self._with_batch(self.sum.share * c, _power(p), 1.0)
                    for c, p in self.sum.token
                ]
            found.append(Limit(name, self.time_per_token, "s", tuple(terms)))
        # A prompt of nothing is read at once.
        if self.time_to_first is not None and self.prompt:
            name = f"serving.max_time_to_first_token{self.suffix}"
            parts: Pairs = ((2.0 * self.prompt / self.prefill, 1.0),)
            if self.sum is not None:
                read = tuple((c * self.prompt, p) for c, p in self.sum.token)
                parts = (*read, *self.sum.floor)
            waits = tuple(Term("prefill", c, _power(p)) for c, p in parts)
            found.append(Limit(name, self.time_to_first, "s", waits))
        return tuple(found)

    def decoding(self, tokens: float) -> Term:
        """Accelerator-seconds of some output tokens."""
        step = f"step{self.suffix}"
        return self._with_batch(tokens * self.accelerators, {step: 1.0}, -1.0)

    def reading(self, tokens: float) -> tuple[Term, ...]:
        """Accelerator-seconds of some tokens of prompts, beside arithmetic."""
        if self.sum is None:
            return ()
        scale = tokens * self.accelerators
        return tuple(Term("", scale * c, _power(p)) for c, p in self.sum.token[1:])

    def between(self, N: float) -> float:
        """What each sequence in flight adds to a token of the others, by prompts."""
        return 0.0 if self.sum is None else self.sum.share * _at(self.sum.token, N)

    def cache(self, N: float) -> float:
        """Bytes of one token of the KV cache at a size."""
        c, power = self.kv
        return c * math.pow(N, power)

    def best(self, N: float) -> tuple[float, float, Bound]:
        """The least batch of least cost for a size, its step time, and what binds.

        The time of a token, t/b, falls in b until compute binds and is flat then; so
        b is the least of where that is, what memory holds and what latency allows.
        Below 1 the replica cannot serve; 1 then stands for its own cost.
        """
        if self.sum is not None:
            return self._best_sum(N, self.sum)
        cache = self.context * self.cache(N)
        weights = self.weights * N
        each = 2.0 * N / self.compute
        slope = each - cache / self.traffic
        knee = weights / self.traffic / slope if slope > 0 else math.inf
        room = self.memory if self.bound is None else min(self.memory, self.bound)
        ends: dict[Bound, float] = {
            "compute": knee,
            "memory": (room - weights) / cache if cache > 0 else math.inf,
        }
        if self.time_per_token is not None:
            moved = self.time_per_token * self.traffic - weights
            ends["latency"] = min(
                self.time_per_token / each, moved / cache if cache > 0 else math.inf
            )
        bound = min(ends, key=lambda word: ends[word])
        b = max(ends[bound], 1.0)
        if self.batch is not None:
            b = self.batch
            bound = "compute" if b >= knee else "bandwidth"
        t = max(each * b, (weights + b * cache) / self.traffic)
        return b, t, bound

    def whole(self, N: float) -> float:
        """The batch of least cost in whole sequences: the next one that fits."""
        b, _, bound = self.best(N)
        up, down = math.ceil(b * (1 - NEAR)), max(math.floor(b * (1 + NEAR)), 1)
        if self.batch is not None or bound != "compute" or up == down:
            return down
        each = 2.0 * N / self.compute  # more than the knee costs the same, if it fits
        cache = self.context * self.cache(N)
        room = self.memory if self.bound is None else min(self.memory, self.bound)
        longest = math.inf if self.time_per_token is None else self.time_per_token
        fits = self.weights * N + up * cache <= room and each * up <= longest
        return up if fits else down

    def _best_sum(self, N: float, parts: Sum) -> tuple[float, float, Bound]:
        """The same where parts add up: t/b falls for ever, so that a wall ends it.

        Of a mixture by the true share of the experts, not by a monomial.
        """
        cache = self.context * self.cache(N)
        weights = self.weights * N
        moved = 0.0 if parts.routed is None else parts.routed.size * N / self.traffic
        floor = parts.read * N / self.traffic + _at(parts.floor, N)
        each = 2.0 * N / self.compute + parts.mean * cache / self.traffic
        each += _at(parts.each, N)
        room = self.memory if self.bound is None else min(self.memory, self.bound)
        b, bound = (room - weights) / cache, "memory"
        if self.time_per_token is not None:
            slope = each + self.between(N)
            soon = within(self.time_per_token, floor, slope, moved, parts.routed)
            if soon < b:
                b, bound = soon, "latency"
        if self.batch is not None:
            b, bound = self.batch, "bandwidth"
        b = max(b, 1.0)
        if parts.routed is not None:
            floor += moved * parts.routed.share(b)
        return b, floor + b * each, cast("Bound", bound)

    def point(self, N: float) -> dict[str, float]:
        """The values of its variables at the best batch for a size."""
        b, t, _ = self.best(N)
        values = {f"step{self.suffix}": t}
        if self.batch is None:
            values[f"batch{self.suffix}"] = b
        return values


def _power(power: float) -> dict[str, float]:
    return {"N": power} if power else {}


def _at(pairs: Pairs, N: float) -> float:
    """A sum of powers of N at a size."""
    return sum(c * math.pow(N, power) for c, power in pairs)


def replica(
    suffix: str,
    serving: Serving,
    chip: Hardware | None,
    shape: Architecture | None,
    lengths: tuple[float, float] | None,
    stored: float = 1.0,
    bound: float | None = None,
) -> Replica:
    """Puts a serving machine's figures together.

    Args:
        suffix: of its names.
        serving: the words.
        chip: the accelerator.
        shape: the model's, for the KV cache; without it the cache scales as N^(2/3)
            from Llama 3 8B's, `KV_NUMBERS`.
        lengths: longest prompt and longest sequence of its streams, or None.
        stored: stored parameters over N, above 1 where N counts active ones.
        bound: of the user on what a replica holds [bytes], or None.

    Raises:
        ValueError: a figure is missing or impossible; says what to do.
    """
    prefill, decode = phases(serving.mfu)
    if chip is None or prefill is None or decode is None or serving.mbu is None:
        raise ValueError(
            "the roofline needs serving: {hardware: h100-sxm, mfu: 0.5, mbu: 0.7}"
        )
    if chip.bandwidth is None or chip.memory is None:
        raise ValueError(
            f"{chip.key} has no memory size or bandwidth, which the roofline needs; "
            "describe it in the scenario: hardware: {name: my-chip, memory: 80 GB, "
            "bandwidth: 3.35 TB/s, …}"
        )
    context: float | None = serving.context
    if context is None:
        if lengths is None:
            raise ValueError(
                "the roofline needs the length of a sequence; add context: 4000, or "
                "input_tokens and output_tokens to the demand"
            )
        context = lengths[1]
    kv = (KV_NUMBERS * serving.kv_bytes, 2 / 3)
    if shape is not None:
        kept, power = shape.kept(context, serving.kv_bytes)
        kv = (kept / context, power)
    if serving.max_time_to_first_token is not None and lengths is None:
        raise ValueError(
            "max_time_to_first_token needs the length of a prompt; add input_tokens "
            "and output_tokens to the demand"
        )
    g = 1.0 if serving.accelerators is None else serving.accelerators
    peak = chip.peak(serving.arithmetic)
    fill = FILL if serving.memory_fill is None else serving.memory_fill
    return Replica(
        suffix=suffix,
        compute=g * peak * decode,
        prefill=g * peak * prefill,
        traffic=g * chip.bandwidth * serving.mbu,
        memory=g * chip.memory * fill,
        weights=serving.weight_bytes * stored,
        kv=kv,
        context=context,
        prompt=None if lengths is None else lengths[0] * serving.unread,
        accelerators=g,
        batch=serving.batch,
        time_per_token=serving.max_time_per_output_token,
        time_to_first=serving.max_time_to_first_token,
        bound=bound,
    )
