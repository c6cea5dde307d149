"""A portfolio without a plan: its ways out, against brute force and single models."""

from pathlib import Path

import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.engine.certify import passes
from optimizer.question.portfolio_file import read_portfolio
from optimizer.reading.document import load_text

E = 1.69  # of the law: Hoffmann et al. 2022, rounded
COMMON = """\
law: hoffmann-2022-devries
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 64}
serving:
  {hardware: h100-sxm, precision: fp8, mfu: 20 %, price: $2/h, batch: 8, context: 4000}
architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}
energy: {pue: 1.2, power_fraction: 0.7}
"""
UNITS = {"memory": " B", "training_time": " s", "energy": " kWh"}
DAY = 86400.0


def portfolio(bounds):
    """The text of a portfolio; a bound of a model goes by `model: section.word`."""
    sections: dict[str, dict[str, list[str]]] = {}
    shared = []
    for name, bound in bounds.items():
        model, _, path = name.rpartition(": ")
        section, _, word = path.partition(".")
        line = f"{word or 'loss'}: {bound!r}{UNITS.get(word, '')}"
        if model:
            sections.setdefault(model, {}).setdefault(section, []).append(line)
        else:
            shared.append(line)
    lines = [COMMON + "models:"]
    for model, own in sections.items():
        lines += [f"  - name: {model}", "    demand: {tokens: 3T}"]
        lines += [f"    {word}: {{{', '.join(inner)}}}" for word, inner in own.items()]
    if shared:
        lines.append(f"shared: {{{', '.join(shared)}}}")
    return "\n".join(lines) + "\n"


def answered(bounds):
    return solve_portfolio(
        read_portfolio(load_text(portfolio(bounds), "family.yaml"), Path(), ())
    )


def solves(bounds):
    return answered(bounds).status is Status.OPTIMAL


TWO = {"edge: target": 2.25, "server: target": 2.045}
CASES = {
    "compute for both": {**TWO, "shared.training_compute": 4e22},
    "compute for neither": {**TWO, "shared.training_compute": 1e21},
    "one data set for both": {**TWO, "shared.tokens": 4e10},
    "one data set that is too small for one": {
        **TWO,
        "server: fix.parameters": 7e9,
        "shared.tokens": 3e11,
    },
    "own walls against a shared one": {
        **TWO,
        "edge: limits.parameters": 1e9,
        "server: limits.memory": 1.2e10,
        "shared.training_time": 20 * DAY,
        "shared.energy": 1e6,
    },
    "a small model that is decided": {
        **TWO,
        "edge: fix.parameters": 5e8,
        "shared.training_cost": 9.5e4,
    },
    "one model that has no plan alone": {
        **TWO,
        "edge: limits.parameters": 1e8,
        "shared.training_cost": 5e5,
    },
    "two models that have none alone": {
        **TWO,
        "edge: limits.parameters": 1e8,
        "server: limits.tokens": 1e9,
    },
    "a decided size and a wall": {
        **TWO,
        "edge: fix.parameters": 6e9,
        "edge: limits.parameters": 5e9,
        "shared.total_cost": 9e5,
    },
    "three models": {
        **TWO,
        "flagship: target": 1.96,
        "flagship: limits.parameters": 3e10,
        "shared.training_compute": 1e23,
        "shared.tokens": 2e12,
    },
    "a target below the law": {
        "edge: target": 1.5,
        "edge: limits.parameters": 2e9,
        "server: target": 2.045,
        "shared.training_compute": 1e23,
    },
    "a target below the law that shares nothing": {
        "edge: target": 1.6,
        "server: target": 2.045,
    },
    "a target below the law beside a wall that is too low": {
        "edge: target": 1.6,
        "server: target": 2.045,
        "server: limits.tokens": 1e9,
    },
    "two targets below the law": {"edge: target": 1.6, "server: target": 1.69},
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    """The bounds of a case, and the explanation of why there is no joint plan."""
    bounds = CASES[request.param]
    family = answered(bounds)
    assert family.status is Status.INFEASIBLE
    assert family.total is None
    assert family.infeasibility is not None
    return bounds, family.infeasibility


def without(bounds, name):
    """The bounds without one; a target that any model reaches stands for none."""
    if name.endswith("target"):
        return {**bounds, name: 4.0}
    return {other: bound for other, bound in bounds.items() if other != name}


def test_the_conflict_is_irreducible(case):
    """Its members alone exclude each other; without any one of them the rest go."""
    bounds, why = case
    core = {
        name: 4.0 if name.endswith("target") and name not in why.conflict else bound
        for name, bound in bounds.items()
        if name.endswith("target") or name in why.conflict
    }
    assert set(why.conflict) <= set(bounds)
    assert not solves(core)
    lawless = [name for name in bounds if bounds[name] <= E]
    for name in why.conflict if len(lawless) < 2 else ():
        assert solves(without(core, name)), name


ATTAINED = {"training_time", "training_cost", "training_compute", "total_cost"}


def test_each_relaxation_is_the_least_that_makes_a_joint_plan(case):
    bounds, why = case
    names = {way.name for way in why.relaxations}
    lawless = {name for name in bounds if bounds[name] <= E}
    assert names == (lawless or set(bounds))
    for way in why.relaxations:
        assert way.before == pytest.approx(bounds[way.name], rel=1e-12)
        if way.after is None:
            assert not solves(without(bounds, way.name)), way.name
            continue
        assert solves({**bounds, way.name: way.after}), way.name
        if way.name.endswith("target") and way.after < E + 1e-5:
            continue  # as close to the law as can be certified
        # A millionth of room is left, a thousandth where N or D would be infinite.
        spare = 1e-5 if way.name.rpartition(".")[2] in ATTAINED else 2e-3
        if way.name.endswith("target"):
            nearly = E + (way.after - E) / (1 + spare)
        else:
            nearly = way.after / ((1 + spare) if way.after > way.before else 1 - spare)
        assert not solves({**bounds, way.name: nearly}), way.name


def test_the_lowest_loss_of_each_model_is_what_the_rest_leaves(case):
    bounds, why = case
    assert set(why.nearest_losses) == {
        name.removesuffix(": target") for name in why.conflict if "target" in name
    }
    for model, loss in why.nearest_losses.items():
        name = f"{model}: target"
        if loss is None:
            assert len([n for n in bounds if bounds[n] <= E]) > 1 or not solves(
                without(bounds, name)
            )
            continue
        if loss == E:
            continue  # nothing limits the model, and no loss is the lowest
        above, below = (E + (loss - E) * (1 + step) for step in (2e-3, -1e-5))
        assert solves({**bounds, name: above})
        assert not solves({**bounds, name: below})


def test_the_uniform_relaxation_is_proven(case):
    _, why = case
    if why.uniform is None:
        assert why.certificate is None  # the law alone excludes it
    else:
        assert passes(why.certificate)
        assert why.uniform > 1


def test_each_bound_has_its_line(case):
    bounds, why = case
    lines = portfolio(bounds).splitlines()
    for way in why.relaxations:
        word = way.name.rpartition(": ")[2]
        section, _, inner = word.partition(".")
        assert f"{inner or section}:" in lines[way.line - 1]


def test_the_reason_names_what_conflicts_and_the_cure(case):
    _, why = case
    for name in why.conflict:
        model, _, word = name.rpartition(": ")
        named = f"{word} ({model})" if model else word
        assert named in why.reason
    possible = [way for way in why.relaxations if way.after is not None]
    assert ("No single change" in why.reason) == (not possible)
    assert ("The smallest change that restores" in why.reason) == bool(possible)


ALONE = {
    "size against quality": {"target": 1.947, "limits.parameters": 2e9},
    "either wall alone": {
        "target": 1.947,
        "limits.parameters": 1e9,
        "limits.tokens": 1e9,
    },
    "time and memory": {
        "target": 2.045,
        "limits.memory": 6.5e9,
        "limits.training_time": 25 * DAY,
        "limits.parameters": 2e10,
    },
    "a size too large for the time": {
        "target": 2.045,
        "fix.parameters": 6e10,
        "limits.training_time": 25 * DAY,
    },
    "a target below the law": {"target": 1.5, "limits.parameters": 2e9},
}


# What a model has beside it, and what they share that does not matter.
BESIDE = [{}, {"server: target": 2.2}, {"server: target": 2.2, "shared.energy": 1e30}]


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("beside", BESIDE)
def test_one_stuck_model_has_the_ways_out_that_it_has_alone(name, beside):
    """Also beside a model that shares, where that does not matter."""
    bounds = {f"edge: {word}": bound for word, bound in ALONE[name].items()}
    if "limits.training_time" not in ALONE[name]:
        beside = {n: b for n, b in beside.items() if "energy" not in n}
    family = answered({**bounds, **beside})
    alone = family.members[0].infeasibility
    assert family.conflict == ("edge",)
    mine = {
        way.name.removeprefix("edge: "): way
        for way in family.infeasibility.relaxations
        if way.name.startswith("edge: ")
    }
    assert set(mine) == {way.name for way in alone.relaxations}
    for way in alone.relaxations:
        same = mine[way.name]
        assert (same.before, same.unit, same.line) == (way.before, way.unit, way.line)
        if way.after is None:
            assert same.after is None
        else:
            assert same.after == pytest.approx(way.after, rel=2e-7)
    assert family.infeasibility.nearest_losses == {
        "edge": pytest.approx(alone.nearest_loss, rel=2e-7)
    }


def test_a_match_that_the_law_cannot_reckon_with():
    """A reference of 1e60 parameters: no size beyond that is reckoned with."""
    text = portfolio(TWO).replace("{loss: 2.25}", "{match: {parameters: 1e60}}")
    family = solve_portfolio(read_portfolio(load_text(text, "x"), Path(), ()))
    assert family.conflict == ("edge",)
    (way,) = family.infeasibility.relaxations
    assert way.name == "edge: target"
    assert solves({**TWO, "edge: target": way.after})


def test_a_member_beyond_numbers_ends_no_other():
    """Its gradients were infinite, and a decomposition of them never ended."""
    text = (
        "law: {E: 0.9978572875392273, A: 2.2387211385683394, B: 27045.415579682747,\n"
        "  alpha: 0.49201419522734696, beta: 1.1014582625438496, k: 0.99999}\n"
        "objective: dollars\n"
        "training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 1024}\n"
        "serving: {hardware: h100-sxm, precision: fp8, mfu: 20 %, price: $2/h}\n"
        "models:\n"
        "  - {name: edge, target: {match: {parameters: 3B}}, demand: {tokens: 5T,\n"
        "     cost_share: 10 %}, limits: {parameters: 1.5B}}\n"
        "  - {name: server, target: {match: {parameters: 13B}},\n"
        "     demand: {tokens: 20T}}\n"
        "  - {name: flagship, target: {match: {parameters: 70B}},\n"
        "     demand: {tokens: 2T}}\n"
        "shared: {tokens: 2T, training_cost: $840k, training_time: 30 days}\n"
        "fix: {parameters: 3075098624}\n"
    )
    family = solve_portfolio(read_portfolio(load_text(text, "x"), Path(), ()))
    assert family.status is Status.INFEASIBLE
