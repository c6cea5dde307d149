"""Infeasible, explained: conflicts and relaxations against brute force."""

import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.plan.optimum import solve
from optimizer.engine.certify import passes
from optimizer.question.load import read_scenario
from optimizer.report.formats.data import plan
from optimizer.report.formats.text import render
from optimizer.report.pages.plan import answer_blocks

REST = """
law: hoffmann-2022-devries
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 64}
serving:
  {hardware: h100-sxm, precision: fp8, mfu: 20 %, price: $2/h, batch: 8, context: 4000}
architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}
demand: {tokens: 3T}
energy: {pue: 1.2, power_fraction: 0.7}
costs: {fixed: $30k}
"""
SUFFIX = {"memory": " B", "training_time": " s", "energy": " kWh"}
E = 1.69  # of the law: Hoffmann et al. 2022, rounded
SURE = {"target": 4.0}  # any model here reaches this; stands for no target


def scenario(bounds):
    """The text of a scenario with some bounds, a line each."""
    lines = [REST.strip()]
    for name, bound in bounds.items():
        section, _, word = name.partition(".")
        inner = f"{word or 'loss'}: {bound!r}{SUFFIX.get(word, '')}"
        if section == "limits" and "limits:" in lines:
            lines.append(f"  {inner}")
        elif section == "limits":
            lines += ["limits:", f"  {inner}"]
        else:
            lines.append(f"{section}: {{{inner}}}")
    return "\n".join(lines) + "\n"


CASES = {
    "size against quality": {"target": 1.947, "limits.parameters": 2e9},
    "tokens against quality": {"target": 2.045, "limits.tokens": 5e10},
    "either wall alone": {
        "target": 1.947,
        "limits.parameters": 1e9,
        "limits.tokens": 1e9,
    },
    "size and tokens together": {
        "target": 2.045,
        "limits.parameters": 8e9,
        "limits.tokens": 8e11,
    },
    "money below what is fixed": {"target": 2.045, "limits.total_cost": 2e4},
    "a dollar limit under dollars": {"target": 2.045, "limits.total_cost": 1e5},
    "a cache that fills the memory": {"target": 2.045, "limits.memory": 1e9},
    "time and memory": {
        "target": 2.045,
        "limits.memory": 6.5e9,
        "limits.training_time": 25 * 86400.0,
        "limits.parameters": 2e10,
        "limits.total_cost": 1e7,
    },
    "time, money and energy": {
        "target": 2.045,
        "limits.training_time": 30 * 86400.0,
        "limits.training_cost": 9e4,
        "limits.energy": 3.1e4,
        "limits.total_cost": 3.2e5,
    },
    "two separate conflicts": {
        "target": 2.045,
        "limits.training_compute": 4e22,
        "limits.memory": 3e9,
    },
    "a size above its limit": {
        "target": 2.045,
        "fix.parameters": 6e9,
        "limits.parameters": 5e9,
    },
    "a size too small": {"target": 2.045, "fix.parameters": 1e9},
    "a size too large for the time": {
        "target": 2.045,
        "fix.parameters": 6e10,
        "limits.training_time": 25 * 86400.0,
    },
    "a size too large for memory, too small for quality": {
        "target": 1.947,
        "fix.parameters": 3e9,
        "limits.memory": 4e9,
        "limits.tokens": 1e13,
    },
    "tokens too few for the size": {
        "target": 2.045,
        "fix.tokens": 7e11,
        "limits.memory": 1e10,
        "limits.training_time": 60 * 86400.0,
    },
}


@pytest.fixture(params=CASES, scope="module")
def case(request, ask):
    """The bounds of a case, and the explanation of why they have no plan."""
    bounds = CASES[request.param]
    answer = ask(scenario(bounds))
    assert answer.status is Status.INFEASIBLE
    assert answer.plan is None
    return bounds, answer.infeasibility


@pytest.fixture(scope="module")
def solves(ask):
    """Returns whether a plan meets some bounds."""
    return lambda bounds: ask(scenario({**SURE, **bounds})).status is Status.OPTIMAL


ATTAINED = {"training_time", "training_cost", "training_compute", "total_cost"}


def without(bounds, name):
    return {other: bound for other, bound in bounds.items() if other != name}


def test_the_conflict_is_one_and_is_irreducible(case, solves):
    """Its members alone exclude each other; without any one of them the rest go."""
    bounds, why = case
    assert set(why.conflict) <= set(bounds)
    core = {name: bounds[name] for name in why.conflict}
    assert not solves(core)
    for name in core:
        assert solves(without(core, name)), name


def test_each_relaxation_is_the_least_that_restores_a_plan(case, solves):
    bounds, why = case
    assert {way.name for way in why.relaxations} == set(bounds)
    for way in why.relaxations:
        assert way.before == pytest.approx(bounds[way.name], rel=1e-12)
        if way.after is None:
            # Not even without it; for a fixed value, neither larger nor smaller.
            assert not solves(without(bounds, way.name)), way.name
            continue
        assert solves({**bounds, way.name: way.after}), way.name
        # A millionth of room is left, a thousandth where N or D would be infinite.
        spare = 1e-5 if way.name.partition(".")[2] in ATTAINED else 2e-3
        if way.name == "target":
            nearly = E + (way.after - E) / (1 + spare)
        else:
            step = 1 + spare if way.after > way.before else 1 / (1 + spare)
            nearly = way.after / step
        assert not solves({**bounds, way.name: nearly}), way.name


def test_the_uniform_relaxation_is_least_and_proven(case, solves):
    bounds, why = case

    def grown(factor):
        """All bounds grow by a factor, the target's reducible loss among them."""
        wider = {
            name: bound if name.startswith("fix") else bound * factor
            for name, bound in bounds.items()
        }
        return {**wider, "target": E + (bounds["target"] - E) * factor}

    if set(why.conflict) <= {"target", "limits.parameters", "limits.tokens"}:
        assert why.certificate is None or passes(why.certificate)  # by arithmetic
    else:
        assert passes(why.certificate)
    assert why.uniform > 1
    assert solves(grown(why.uniform * (1 + 1e-5)))
    assert not solves(grown(1 + (why.uniform - 1) * 0.999))


def test_every_bound_has_its_line(case):
    bounds, why = case
    lines = scenario(bounds).splitlines()
    for way in why.relaxations:
        word = way.name.partition(".")[2] or "loss"
        if way.name == "target":
            word = "target"
        assert f"{word}:" in lines[way.line - 1]


def test_the_reason_names_what_conflicts_and_the_cheapest_way(case, solves):
    """The number in the sentence, typed into the file as it stands, will do."""
    bounds, why = case
    for name in why.conflict:
        assert name in why.reason or name == "target"
    assert ("the target of" in why.reason) == ("target" in why.conflict)
    least = "The smallest change that restores a plan is "
    if all(way.after is None for way in why.relaxations):
        assert why.reason.endswith("relax several of them together")
        assert least not in why.reason
        return
    sentence = why.reason.partition(least)[2].partition(";")[0]
    name, _, text = sentence.partition(" to ")
    ways = {way.name: way for way in why.relaxations}
    assert ways[name].after is not None

    def change(way):
        if way.name == "target":
            return (way.after - E) / (way.before - E)
        return max(way.after / way.before, way.before / way.after)

    possible = {n: change(w) for n, w in ways.items() if w.after is not None}
    assert possible[name] == min(possible.values())
    word = name.partition(".")[2]
    old = f"{word or 'loss'}: {bounds[name]!r}{SUFFIX.get(word, '')}"
    text = text.removesuffix(" nats") if name == "target" else text
    changed = scenario(bounds).replace(old, f"{word or 'loss'}: {text}")
    assert changed != scenario(bounds)


def test_the_typed_relaxation_solves(ask):
    """As above, for all the ways of a case, read back by the tool itself."""
    bounds = CASES["a size too large for the time"]
    why = ask(scenario(bounds)).infeasibility
    ways = why.reason.partition("plan is ")[2].partition(" would do too")[0]
    found = []
    for part in ways.replace("; ", " or ").replace(", ", " or ").split(" or "):
        name, _, text = part.partition(" to ")
        name = "target.loss" if name == "target" else name
        assert ask(scenario(bounds), f"{name}={text}").status is Status.OPTIMAL
        found.append(name)
    assert set(found) == {"target.loss", "fix.parameters", "limits.training_time"}


def test_the_nearest_loss_is_the_lowest_within_the_limits(ask):
    bounds = CASES["time and memory"]
    why = ask(scenario(bounds)).infeasibility
    assert "target" in why.conflict
    # The same question as a budget: the lowest loss that the limits buy.
    rest = without(without(bounds, "target"), "limits.training_time")
    text = (
        scenario(rest)
        + f"budget: {{training_time: {bounds['limits.training_time']} s}}"
    )
    bought = ask(text)
    assert why.nearest_loss == pytest.approx(bought.plan.loss, rel=1e-7)


BUDGET = REST + "fix: {parameters: 30B}\n"


@pytest.mark.parametrize(
    ("text", "conflict"),
    [
        (REST + "budget: {cost: $20k}\n", {"budget.cost"}),
        (BUDGET + "budget: {compute: 1e23}\n", {"budget.compute", "fix.parameters"}),
        (
            BUDGET + "budget: {training_compute: 1e23}\nlimits: {memory: 20 GB}\n",
            {"limits.memory", "fix.parameters"},
        ),
    ],
)
def test_a_budget_that_buys_nothing(ask, text, conflict):
    """Too little for what is fixed, in money or in size."""
    answer = ask(text)
    why = answer.infeasibility
    assert set(why.conflict) == conflict
    assert passes(why.certificate)
    assert why.nearest_loss is None
    for way in why.relaxations:
        if way.name.startswith("budget") and way.after is not None:
            assert ask(text, f"{way.name}={way.after!r}").plan is not None
            assert ask(text, f"{way.name}={way.after / 1.002!r}").plan is None


@pytest.mark.parametrize("margin", [1e-3, 1e-5, 1e-7, 1e-9, 1e-11])
def test_a_limit_a_hair_from_the_edge_is_answered_one_way_or_the_other(ask, margin):
    """A plan with its certificate or an explanation; never a failure."""
    least = ask(scenario({"target": 2.045})).cost.total
    for bound in (least * (1 + margin), least * (1 - margin)):
        answer = ask(scenario({"target": 2.045, "limits.total_cost": bound}))
        if answer.status is Status.OPTIMAL:
            assert passes(answer.certificate)
            assert bound > least * (1 - 1e-9)
        else:
            assert passes(answer.infeasibility.certificate)
            assert bound < least * (1 + 1e-6)


SMALL = "law: besiroglu-2024-refit\ntarget: {loss: 1.5}\ndemand: {tokens: 1T}\n"


@pytest.mark.parametrize(
    "limits",
    [
        "",
        "limits: {parameters: 9B}\n",
        "limits: {parameters: 9B, tokens: 2T}\n",
        "limits: {training_compute: 1e22}\n",
        "fix: {parameters: 9B}\n",
        "fix: {parameters: 9B}\nlimits: {training_compute: 1e23}\n",
    ],
)
def test_a_target_below_the_law_is_raised_to_what_the_limits_allow(ask, limits):
    """The target raised to `after` has a plan; just below the nearest loss none has."""
    why = ask(SMALL + limits).infeasibility
    (way,) = why.relaxations
    assert way.name == "target"
    assert why.nearest_loss < way.after
    assert ask(SMALL + limits, f"target.loss={way.after!r}").plan is not None
    below = 1.81722 + (why.nearest_loss - 1.81722) * 0.999
    assert ask(SMALL + limits, f"target.loss={below!r}").plan is None


def test_a_target_below_the_law_is_not_what_excludes_limits_from_each_other(ask):
    """Then no loss is reachable, and raising the target alone does not help."""
    text = SMALL + "fix: {parameters: 9B}\nlimits: {parameters: 5B}\n"
    why = ask(text).infeasibility
    assert why.nearest_loss is None
    assert why.relaxations[0].after is None


@pytest.mark.parametrize("law", ["sardana-2024-100", "krajewski-2024", "kumar-2024"])
def test_the_closest_target_that_is_named_can_be_certified(ask, law):
    """Also where the law's small exponents ask for sizes beyond all numbers."""
    text = f"law: {law}\ntarget: {{loss: 0.1}}\ndemand: {{tokens: 1T}}\n"
    (way,) = ask(text).infeasibility.relaxations
    assert passes(ask(text, f"target.loss={way.after!r}").certificate)


ROOFLINE = """\
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 70B}}
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}
serving:
  model: roofline
  mfu: 0.5
  mbu: 0.7
  price: $2/h
  hardware: h100-sxm
architecture: {layers: 80, width: 8192, kv_heads: 8, head_size: 128}
demand:
  {requests: 1M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years}
limits:
  tokens: 2T
"""


def places(*overrides):
    answer = solve(read_scenario(ROOFLINE, "s.yaml", overrides))
    found = {way.name: way for way in answer.infeasibility.relaxations}
    told = {way["name"]: way for way in plan(answer)["infeasibility"]["relaxations"]}
    assert {name: way["line"] for name, way in told.items()} == {
        name: way.line for name, way in found.items()
    }
    text = render(list(answer_blocks(answer)))
    return {name: way["source"] for name, way in told.items()}, text


def test_each_bound_is_told_with_the_word_that_sets_it():
    """The memory of a replica is no word of the file, but that of its accelerators."""
    where, text = places()
    assert where == {
        "target": "s.yaml:3:9",
        "limits.tokens": "s.yaml:15:11",
        "serving.memory": "s.yaml:10:13",
    }
    assert "line 15" in text


def test_a_bound_of_the_command_line_is_told_as_that():
    where, text = places("limits.tokens=1.9T", "serving.accelerators=1")
    assert where["limits.tokens"] == "--set limits.tokens=1.9T"
    assert where["serving.memory"] == "--set serving.accelerators=1"
    row = next(line for line in text.splitlines() if "limits.tokens  " in line)
    assert "--set" in row
