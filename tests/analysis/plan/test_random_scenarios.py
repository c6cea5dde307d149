"""Random scenarios with every feature on and off, against a second reckoning.

`Reckoning` computes a scenario's costs and limits for whole arrays of (N, D), written
apart from the package. A plan must carry its certificate, cost what the reckoning
says, keep the limits, and be beaten by none of thousands of points that keep them;
where there is no plan, no such point may exist.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from optimizer.algebra.program import Status
from optimizer.engine.certify import passes
from tests.chance import examples

LAW = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}
# Dense bf16 and fp8 peaks [FLOP/s] and TDP [W], from NVIDIA's datasheets.
CHIPS = {
    "h100-sxm": ({"bf16": 989.4e12, "fp8": 1979e12}, 700.0),
    "h200-sxm": ({"bf16": 989.5e12, "fp8": 1979e12}, 700.0),
}
UNIT = {"compute": "FLOP", "dollars": "USD", "energy": "kWh", "carbon": "kgCO2e"}
WORDS = {
    **{"training_time": " s", "memory": " B", "energy": " kWh"},
    **dict.fromkeys(("parameters", "tokens", "training_compute"), ""),
    **dict.fromkeys(("training_cost", "total_cost"), ""),
}
LAYERS, WIDTH, SEQUENCE, CONTEXT = 32, 4096, 4096, 2000


@dataclass(frozen=True)
class Use:
    """One stream: lifetime tokens in and out, its machine and its price."""

    tokens: float
    part: float  # of the tokens that are input
    months: float
    growth: float  # a month
    start: float  # months
    share: float
    own: bool  # its own serving: fp8 on an H200


@dataclass(frozen=True)
class Case:
    """A scenario as numbers; `text` writes it and `Reckoning` reckons with it."""

    size: float
    objective: str
    uses: tuple[Use, ...]
    phases: tuple[float, float]
    attention: bool
    prefill_attention: bool
    restart: float
    discount: float
    decline: float
    data: float
    fixed: float
    bounds: tuple[tuple[str, float], ...]  # word, and bound over the training-optimal


def text(case, extra=()):
    uses = []
    for i, use in enumerate(case.uses):
        own = (
            ", serving: {hardware: h200-sxm, precision: fp8, price: $3/h}"
            if use.own
            else ""
        )
        # A million requests in all, of this many tokens each.
        uses.append(
            f"  - {{name: s{i}, requests: 1e6, input_tokens: "
            f"{use.tokens * use.part / 1e6!r}, output_tokens: "
            f"{use.tokens * (1 - use.part) / 1e6!r}, lifetime: {use.months!r} months, "
            f"growth: {100 * use.growth!r} %/month, start: {use.start!r} months, "
            f"cost_share: {100 * use.share!r} %{own}}}"
        )
    reads = case.prefill_attention and bool(uses)
    limits = [
        f"  {word}: {bound!r}{WORDS[word]}" for word, bound in bounds_of(case).items()
    ]
    return "\n".join(
        [
            f"law: {{{', '.join(f'{k}: {v}' for k, v in LAW.items())}}}",
            f"objective: {case.objective}",
            f"target: {{match: {{parameters: {case.size!r}}}}}",
            "training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 512, "
            f"attention: {str(case.attention).lower()}}}",
            "serving: {hardware: h100-sxm, price: $2.5/h, batch: 4, context: "
            f"{CONTEXT}, mfu: {{prefill: {case.phases[0]!r}, decode: "
            f"{case.phases[1]!r}}}, attention: {str(reads).lower()}}}",
            f"architecture: {{layers: {LAYERS}, width: {WIDTH}, kv_heads: 8, "
            f"head_size: 128, sequence: {SEQUENCE}}}",
            "demand:" if uses else "demand: {tokens: 0}",
            *uses,
            f"money: {{discount_rate: {100 * case.discount!r} %, price_decline: "
            f"{100 * case.decline!r} %}}",
            "energy: {pue: 1.2, power_fraction: 0.7, grid: 0.35 kg/kWh}",
            f"data: {{price: ${case.data!r} per million tokens}}",
            f"costs: {{fixed: ${case.fixed!r}, restart: {100 * case.restart!r} %}}",
            *(["limits:", *limits] if limits else []),
            *extra,
        ]
    )


class Reckoning:
    """Costs in every unit and the use of every limit, at arrays of N and D."""

    def __init__(self, case):
        self.case = case
        a, b = LAW["alpha"], LAW["beta"]
        # Chinchilla's condition αA/N^α = βB/D^β gives the tokens of the reference.
        # Of a training compute of 6·(N + x)·D, x for attention, only N/(N + x) of
        # its slope in ln D falls to ln N.
        x = 2 * LAYERS * WIDTH * SEQUENCE if case.attention else 0.0
        share = case.size / (case.size + x)
        D = (share * b * LAW["B"] * case.size**a / (a * LAW["A"])) ** (1 / b)
        self.reference = (case.size, D)
        self.s = LAW["A"] / case.size**a + LAW["B"] / D**b

    def tokens(self, N):
        """The least tokens with which N parameters reach the target."""
        rest = self.s - LAW["A"] * N ** -LAW["alpha"]
        with np.errstate(all="ignore"):
            return np.where(rest > 0, (LAW["B"] / rest) ** (1 / LAW["beta"]), np.inf)

    def use(self, N, D):
        """By limit and unit, what a plan uses; the units with the counted share."""
        case = self.case
        flop = 6 * N * D
        if case.attention:
            flop = flop + 12 * LAYERS * WIDTH * SEQUENCE * D
        flop = flop * (1 + case.restart)
        seconds = flop / (989.4e12 * 0.4)
        total = {
            "FLOP": flop,
            "USD": seconds / 1800 + case.data * D / 1e6 + case.fixed,
            "kWh": seconds * 700 * 0.84 / 3.6e6,
        }
        for use in case.uses:
            chip, precision, price = ("h100-sxm", "bf16", 2.5)
            if use.own:
                chip, precision, price = ("h200-sxm", "fp8", 3.0)
            peak, tdp = CHIPS[chip][0][precision], CHIPS[chip][1]
            prompt, answer = use.tokens * use.part, use.tokens * (1 - use.part)
            reading = 2 * N * prompt
            if case.prefill_attention:
                reading = reading + 2 * LAYERS * WIDTH * (prompt / 1e6) * prompt
            writing = 2 * N * answer
            time = reading / (peak * case.phases[0]) + writing / (peak * case.phases[1])
            total["FLOP"] = total["FLOP"] + use.share * (reading + writing)
            total["kWh"] = total["kWh"] + use.share * time * tdp * 0.84 / 3.6e6
            cost = time / 3600 * price * present(use, case.discount, case.decline)
            total["USD"] = total["USD"] + use.share * cost
        total["kgCO2e"] = 0.35 * total["kWh"]
        weights = [1.0 if use.own else 2.0 for use in case.uses] or [2.0]
        cache = [w * 4 * CONTEXT * 2 * LAYERS * 8 * 128 for w in weights]
        return total, {
            "parameters": N,
            "tokens": D,
            "training_compute": flop,
            "training_time": seconds / 512,
            "training_cost": seconds / 1800,
            "total_cost": total["USD"],
            "energy": total["kWh"],
            "memory": np.max(
                [w * N + c for w, c in zip(weights, cache, strict=True)], axis=0
            ),
        }

    def keeps(self, N, D, slack=0.0):
        """Where every limit is kept; D is finite."""
        used = self.use(N, D)[1]
        kept = np.full(np.shape(N), True)
        for word, bound in bounds_of(self.case).items():
            kept = kept & (used[word] <= bound * (1 + slack))
        return kept


def present(use, discount, decline):
    """Mean present price of a token, from cumulative sums over monthly arrays."""
    month = np.arange(int(np.ceil(use.months - 1e-9)))
    part = np.minimum(use.months - month, 1.0)
    tokens = part * np.exp(np.log1p(use.growth) * month)
    price = np.exp((month + use.start) / 12 * (np.log1p(-decline) - np.log1p(discount)))
    return float((tokens * price).sum() / tokens.sum())


def bounds_of(case):
    """Each limit, as a multiple of what the training-optimal model uses of it."""
    if not case.bounds:
        return {}
    bare = Reckoning(case)
    used = bare.use(*(np.array(x) for x in bare.reference))[1]
    return {word: float(used[word]) * factor for word, factor in case.bounds}


log_sizes = st.floats(8.5, 11.5)
uses = st.builds(
    Use,
    tokens=st.floats(9, 14).map(lambda e: 10**e),
    part=st.sampled_from([0.05, 0.5, 0.9]),
    months=st.sampled_from([0.5, 12.0, 30.25]),
    growth=st.sampled_from([0.0, 0.03, -0.1]),
    start=st.sampled_from([0.0, 4.5]),
    share=st.sampled_from([1.0, 0.5, 0.0]),
    own=st.booleans(),
)
# Not at 1 itself: bounds that leave a single point are test_infeasible's.
factors = st.one_of(st.floats(0.3, 0.98), st.floats(1.02, 4))
cases = st.builds(
    Case,
    size=log_sizes.map(lambda e: 10**e),
    objective=st.sampled_from(sorted(UNIT)),
    uses=st.lists(uses, max_size=2).map(tuple),
    phases=st.sampled_from([(0.5, 0.5), (0.5, 0.02), (0.3, 0.1)]),
    attention=st.booleans(),
    prefill_attention=st.booleans(),
    restart=st.sampled_from([0.0, 0.05]),
    discount=st.sampled_from([0.0, 0.1]),
    decline=st.sampled_from([0.0, 0.3]),
    data=st.sampled_from([0.0, 0.5]),
    fixed=st.sampled_from([0.0, 10000.0]),
    bounds=st.dictionaries(st.sampled_from(sorted(WORDS)), factors, max_size=3).map(
        lambda found: tuple(sorted(found.items()))
    ),
)
random_cases = settings(
    max_examples=examples(60),
    phases=[Phase.explicit, Phase.generate],  # shrinking would take minutes
    suppress_health_check=list(HealthCheck),
)


@random_cases
@given(case=cases)
def test_a_plan_is_certified_and_unbeaten_or_there_is_none(ask, case):
    answer = ask(text(case))
    reckon = Reckoning(case)
    unit = UNIT[case.objective]
    rng = np.random.default_rng(1)
    N = reckon.reference[0] * np.exp(rng.uniform(-4, 4, 6000))
    D = reckon.tokens(N)
    N, D = N[np.isfinite(D)], D[np.isfinite(D)]
    D = D * np.exp(rng.choice([0.0, 0.01, 0.3], len(D)) * rng.random(len(D)))
    kept = reckon.keeps(N, D)
    if answer.status is Status.INFEASIBLE:
        why = answer.infeasibility
        assert not kept.any()
        assert passes(why.certificate)
        assert why.conflict
        assert {way.name for way in why.relaxations} >= set(why.conflict)
        return
    plan = answer.plan
    assert passes(answer.certificate)
    here = np.array(plan.parameters), np.array(plan.tokens)
    assert reckon.keeps(*here, slack=1e-9)
    assert plan.tokens == pytest.approx(float(reckon.tokens(here[0])), rel=1e-7)
    amounts, used = reckon.use(*here)
    assert answer.amounts == pytest.approx(
        {name: float(amount) for name, amount in amounts.items()}, rel=1e-9
    )
    assert answer.cost.total == pytest.approx(float(amounts[unit]), rel=1e-9)
    for limit in answer.limits:
        if not limit.name.startswith("limits.memory"):
            word = limit.name.partition(".")[2]
            assert limit.value == pytest.approx(float(used[word]), rel=1e-9)
    if kept.any():
        best = np.min(reckon.use(N, D)[0][unit][kept])
        assert answer.cost.total <= best * (1 + 1e-8)


OF_DEMAND = {"total_cost", "energy"}


@random_cases
@given(case=cases, more=st.floats(1.05, 10))
def test_more_demand_never_asks_for_a_larger_model(ask, case, more):
    """For limits that do not involve demand: N falls, D and D/N rise, cost rises."""
    free = tuple(b for b in case.bounds if b[0] not in OF_DEMAND)
    case = Case(**{**vars(case), "bounds": free})
    bounds = bounds_of(case)
    grown = tuple(
        Use(**{**vars(use), "tokens": use.tokens * more}) for use in case.uses
    )
    here = ask(text(case))
    there = ask(text(Case(**{**vars(case), "uses": grown})))
    assert bounds_of(Case(**{**vars(case), "uses": grown})) == bounds
    assert (here.plan is None) == (there.plan is None)
    if here.plan is None or there.plan is None:
        return
    assert there.plan.parameters <= here.plan.parameters * (1 + 1e-6)
    assert there.plan.tokens >= here.plan.tokens * (1 - 1e-6)
    assert there.cost.total >= here.cost.total * (1 - 1e-9)
