"""Machines in whole numbers: what stands is paid by the hour, a batch is sequences."""

import itertools
import math

import numpy as np
import pytest

from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.reach import needed
from optimizer.engine.certify import passes
from optimizer.question.load import load_scenario, read_scenario
from optimizer.report.formats.text import render
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.short import short_blocks

LAW = "law: besiroglu-2024-refit\nobjective: dollars\n"
TRAIN = "training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}\n"
QUIET = (
    LAW
    + TRAIN
    + (
        "target: {match: {parameters: 13B}}\n"
        "serving: {model: roofline, hardware: h100-sxm, accelerators: 8, mfu: 50 %, "
        "mbu: 60 %, price: $2/h, peak_to_mean: 4, idle_paid: true}\n"
        "demand: {requests: 10k/day, input_tokens: 1000, output_tokens: 300, "
        "lifetime: 2 years}\n"
    )
)
LONG = (
    LAW
    + TRAIN
    + (
        "target: {match: {parameters: 33B, tokens: 2T}}\nfix: {parameters: 33B}\n"
        "serving: {model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 60 %, "
        "price: $2/h, memory_fill: 83.819 %}\n"  # 72 GB
        "demand: {requests: 100k/day, input_tokens: 9000, output_tokens: 1000, "
        "lifetime: 1 year}\n"
    )
)
# Eight accelerators at $2 an hour for two years of 365.25 days.
REPLICA = 8 * 2 * 24 * 730.5
TRAINING = 6 * 13e9 / 989.4e12 / 0.4 / 3600 * 2  # dollars a token, at 13B


def codes(answer):
    return {warning.code for warning in answer.warnings}


def test_a_replica_that_stands_is_paid_whatever_its_load(ask):
    """One replica is $280.5k; a smaller model would not make it cheaper."""
    answer = ask(QUIET + "buy: {input: $0.20/M, output: $0.60/M}\n")
    assert answer.cost.inference == pytest.approx(REPLICA, rel=1e-12)
    assert answer.plan.parameters == pytest.approx(13e9, rel=1e-6)
    assert answer.cost.training == pytest.approx(
        TRAINING * answer.plan.tokens, rel=2e-3
    )
    assert answer.relaxed.total < 0.1 * answer.cost.total
    assert answer.relaxed.replicas[0] < 0.01
    assert passes(answer.certificate)
    assert passes(answer.relaxed.certificate)
    (use,) = answer.serving
    assert (use.batch, use.standing, use.bound_by) == (1, 1, "load")
    assert {"unfilled-replica", "whole-machines"} <= codes(answer)
    # $0.2 and $0.6 a million at 1000 and 300 tokens a request.
    each = (1000 * 0.2 + 300 * 0.6) / 1300 / 1e6
    (buy,) = answer.others
    assert buy.overtaken_at == pytest.approx(answer.cost.total / each, rel=1e-6)
    assert 1.04e12 < buy.overtaken_at < 1.07e12


def test_a_limit_says_what_the_plan_takes_and_not_what_fractions_would(ask):
    """One sequence is in flight on an idle replica, where fractions fill it."""
    answer = ask(QUIET)
    (use,), (memory,) = answer.serving, answer.limits
    # 13B parameters of 2 bytes, and a sequence of 1,300 tokens.
    assert use.held == pytest.approx(26e9 + 1300 * use.cache, rel=1e-6)
    assert memory.value == pytest.approx(use.held, rel=1e-12)
    assert not memory.binding
    # Fractions are held by memory, and a whole batch leaves room that is not enough.
    long = ask(LONG)
    (use,), (memory,) = long.serving, long.limits
    assert memory.value == pytest.approx(use.held, rel=1e-12)
    assert memory.value < 0.97 * memory.bound
    assert memory.binding
    assert memory.elasticity < 0


def test_the_time_of_a_token_counts_the_prompts_between(root):
    answer = solve(load_scenario(root / "scenarios/moe-api.yaml"))
    (use,) = answer.serving
    time = next(one for one in answer.limits if "per_output" in one.name)
    assert time.value == pytest.approx(use.token_time, rel=1e-9)
    assert use.token_time > 1.1 * use.step_time


def test_machines_that_stand_are_worth_no_tokens(ask):
    """What they cost is a constant: no T of 2·N·T stands for it."""
    assert ask(QUIET).demand.effective_tokens is None
    paid = ask(QUIET.replace("idle_paid: true", "idle_paid: false"))
    assert paid.demand.effective_tokens is None  # its batch costs something
    flat = QUIET.replace("model: roofline", "model: mfu").replace("mbu: 60 %, ", "")
    assert ask(flat).demand.effective_tokens is None
    assert ask(flat, "serving.idle_paid=false").demand.effective_tokens > 0


def test_a_model_that_exists_pays_for_whole_replicas_too(ask):
    answer = ask(QUIET + "existing: {model: llama-3-8b}\n")
    (kept,) = answer.others
    assert kept.total == pytest.approx(REPLICA, rel=1e-12)
    assert kept.overtaken_at is None or kept.overtaken_at > answer.demand.tokens


@pytest.mark.parametrize("requests", ["20M/day", "60M/day", "150M/day"])
def test_the_number_of_replicas_is_the_better_of_both_sides(ask, requests):
    """Held at any number by hand, through a demand that needs no more, none is less."""
    answer = ask(QUIET, f"demand.requests={requests}")
    (use,) = answer.serving
    (r,) = answer.relaxed.replicas
    assert use.standing in (math.floor(r), math.ceil(r))
    assert answer.cost.inference == pytest.approx(use.standing * REPLICA, rel=1e-12)
    assert answer.cost.total >= answer.relaxed.total
    assert use.replicas <= use.standing * (1 + 1e-9)
    assert "unfilled-replica" not in codes(answer)


def test_standing_machines_of_a_constant_utilisation_are_whole_as_well(ask):
    text = QUIET.replace("model: roofline", "model: mfu").replace("mbu: 60 %, ", "")
    answer = ask(text)
    assert answer.cost.inference == pytest.approx(REPLICA, rel=1e-12)
    need = 4 * 730.5 * 1e4 * 1300 * 2 * answer.relaxed.parameters
    need /= 989.4e12 * 0.5 * 8 * 730.5 * 86400
    assert answer.relaxed.replicas == (pytest.approx(need, rel=1e-3),)
    # Where work alone is paid, fractions stay.
    paid = ask(text, "serving.idle_paid=false")
    assert paid.relaxed is None
    assert paid.cost.inference < 0.01 * REPLICA


def test_too_little_money_for_one_replica_names_what_one_takes(ask):
    why = ask(QUIET, "limits.total_cost=$200k").infeasibility
    (way,) = (one for one in why.relaxations if one.name == "limits.total_cost")
    again = ask(QUIET, f"limits.total_cost=${math.ceil(way.after)}")
    assert again.plan is not None
    assert again.cost.inference == pytest.approx(REPLICA, rel=1e-12)


def test_a_batch_is_whole_sequences(ask):
    """33B in bf16 and 10k tokens of cache: 1.78 sequences would fit, so one is."""
    answer = ask(LONG)
    (use,) = answer.serving
    assert use.batch == 1
    assert answer.unit_cost.output == pytest.approx(19.17, abs=0.005)
    given = ask(LONG, "serving.batch=1")
    assert answer.cost.total == pytest.approx(given.cost.total, rel=1e-9)
    assert answer.relaxed.batches == (pytest.approx(1.78, abs=0.01),)
    assert "whole-machines" in codes(answer)
    assert ask(LONG, "serving.batch=2").plan is None


SHORT = "model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 60 %, price: $2/h"
BOTH = (
    LAW
    + TRAIN
    + "target: {match: {parameters: 50B}}\ndemand:\n"
    + "  - {name: long, requests: 100k/day, input_tokens: 60k, output_tokens: 1000, "
    + f"lifetime: 1 year, serving: {{{SHORT}, accelerators: 1}}}}\n"
    + "  - {name: plain, requests: 100k/day, input_tokens: 9000, output_tokens: 2000, "
    + f"lifetime: 1 year, serving: {{{SHORT}, accelerators: 2}}}}\n"
)


def test_two_machines_may_settle_further_off_than_beside_their_fractions(ask):
    """Every pair of batches is given by hand; 3 and 47 are best, not 2 and 43."""
    found = ask(BOTH)
    assert found.relaxed.batches == (
        pytest.approx(2.48, 0.01),
        pytest.approx(42.7, 0.01),
    )
    tried = {}
    for long, plain in itertools.product((2, 3, 4), range(44, 51)):
        text = BOTH.replace("ors: 1}", f"ors: 1, batch: {long}}}")
        answer = ask(text.replace("ors: 2}", f"ors: 2, batch: {plain}}}"))
        if answer.plan is not None:
            tried[long, plain] = answer.cost.total
    assert tuple(use.batch for use in found.serving) == min(tried, key=tried.get)
    assert min(tried, key=tried.get) == (3, 47)
    assert found.cost.total == pytest.approx(min(tried.values()), rel=1e-9)
    text = " ".join(render(short_blocks(found), 100).split())
    assert "of the best possible cost with these whole numbers" in text


def test_a_load_below_one_replica_is_told(ask):
    assert "unfilled-replica" in codes(ask(LONG, "demand.requests=1k/day"))
    assert "unfilled-replica" not in codes(ask(LONG))


def test_without_a_lifetime_fractions_are_billed_and_told(ask):
    text = QUIET.replace("requests: 10k/day", "requests: 7.3M").replace(
        ", lifetime: 2 years", ""
    )
    answer = ask(text)
    assert "standing-fractions" in codes(answer)
    assert answer.cost.inference < 0.1 * REPLICA


def test_no_plan_is_cheaper_than_the_optimum_in_its_own_scenario():
    """Plans run in each other's scenarios on whole machines."""
    texts = (QUIET, QUIET.replace("10k/day", "90M/day"), LONG.replace("fix", "# fix"))
    scenarios = [read_scenario(text, f"{i}.yaml") for i, text in enumerate(texts)]
    table = compare(scenarios[:2]).regret.table
    for row, cells in enumerate(table):
        assert cells[row] == pytest.approx(1, rel=1e-9)
        assert all(cell is None or cell >= 1 - 1e-9 for cell in cells)


def test_replicas_do_not_move_with_a_sensitivity_that_they_do_not_have(ask):
    """Where one replica has room, neither demand nor serving figures move the cost."""
    moves = {m.input: m.elasticity for m in ask(QUIET).sensitivities}
    assert moves["demand.requests"] == pytest.approx(0, abs=1e-9)
    assert moves["serving.mbu"] == pytest.approx(0, abs=1e-9)
    share = REPLICA / ask(QUIET).cost.total
    assert moves["serving.price"] == pytest.approx(share, rel=1e-9)


def test_solve_answers_in_whole_numbers_under_a_budget():
    scenario = read_scenario(
        QUIET.replace("target: {match: {parameters: 13B}}", "budget: {cost: $1M}")
    )
    answer = solve(scenario)
    assert answer.plan.loss >= answer.relaxed.total
    assert answer.cost.total == pytest.approx(1e6, rel=1e-9)
    replicas = answer.cost.inference / REPLICA
    assert replicas == pytest.approx(round(replicas), rel=1e-9)


STANDING = """
law: {E: 0.0303, A: 298412, B: 304080, alpha: 0.3118, beta: 0.8075}
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $4/h}
serving:
  {model: measured, hardware: h100-sxm, precision: fp8, accelerators: [1, 2],
   price: $4/h, max_time_per_output_token: 7 ms, peak_to_mean: 3, idle_paid: true}
architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}
demand:
  {requests: 10M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years}
"""


def test_a_budget_that_fractions_keep_and_whole_machines_do_not(ask):
    """It ended as a defect; and where nothing fits, the first of a list was told."""
    dear = ask(STANDING.replace("[1, 2]", "1"))
    assert dear.relaxed.total < dear.cost.total
    for total in np.linspace(dear.relaxed.total, dear.cost.total, 5)[1:-1].tolist():
        short = f"limits: {{total_cost: {total!r}}}\n"
        answer = ask(STANDING.replace("[1, 2]", "1") + short)
        if answer.infeasibility is not None:
            assert answer.infeasibility.reason.startswith("in whole batches and")


FAST = "serving.max_time_per_output_token"


def test_no_cure_is_told_that_fractions_alone_would_keep(ask, root):
    """A time of 40.9 ms was said to do, by reading weights, and did not."""
    text = (root / "scenarios/latency-bound-assistant.yaml").read_text("utf-8")
    short = "serving.accelerators=1", "serving.weights=int4", "limits.total_cost=$300k"
    why = ask(text, *short).infeasibility
    assert FAST in why.conflict
    for way in why.relaxations:
        if way.after is not None:
            word = "target.loss" if way.name == "target" else way.name
            moved = f"{word}={needed(way).removesuffix(' nats')}"
            assert ask(text, *short, moved).cost.total == way.cost
        elif way.name == FAST:
            assert ask(text, *short, f"{FAST}=100 s").plan is None
    # It is money that asks for large batches, and no token that takes so long.
    assert "Every token" not in why.reason
    # And no loss is the lowest of all that whole machines do not come down to.
    assert not why.nearest_reached
    assert f"stays above {why.nearest_loss:.4f} nats" in why.reason


ONE_CHIP = ("serving.accelerators=1", "serving.weights=int4")
TIGHT = [
    ("fix.parameters=4.7B", "limits.total_cost=$440k"),
    ("target.loss=2.155", "fix.parameters=2.77B", "limits.total_cost=$300k"),
    ("limits.total_cost=$412k",),
    ("limits.total_cost=$412k", "fix.tokens=1.35T"),
]
FAR = {
    "target": [f"target.loss={loss}" for loss in (2.2, 2.4, 2.8, 4)],
    "limits": [4, 100, 1e6],
    "fix": [0.25, 0.7, 0.9, 0.95, 1.05, 1.1, 1.4, 4],
    "serving": [4, 100, 1e6],
}


@pytest.mark.parametrize("tight", TIGHT)
def test_what_excludes_a_plan_in_whole_numbers_is_what_excludes_all_of_them(
    tight, ask, root
):
    """It was what does at the nearest numbers, and another bound helped as well."""
    text = (root / "scenarios/latency-bound-assistant.yaml").read_text("utf-8")

    def plan(*changes):
        """With each change in place of what was set of the same word."""
        words = {change.partition("=")[0]: change for change in (*tight, *changes)}
        told = (*ONE_CHIP, *words.values())
        return solve(read_scenario(text, "scenario.yaml", told), whole=False).plan

    why = ask(text, *ONE_CHIP, *tight).infeasibility
    assert why.reason.startswith("in whole batches and replicas")
    assert plan() is None
    helped = set()
    for way in why.relaxations:
        if way.name == "serving.memory":
            continue  # no word moves it
        word = "target.loss" if way.name == "target" else way.name
        moves = FAR[way.name.partition(".")[0]]
        if way.name != "target":
            unit = " s" if way.unit == "s" else ""
            moves = [f"{word}={factor * way.before!r}{unit}" for factor in moves]
        if way.after is None:
            assert not any(map(plan, moves))
        else:
            assert plan(f"{word}={needed(way).removesuffix(' nats')}") is not None
            helped.add(way.name)
    assert helped <= set(why.conflict)
    assert helped


def test_what_a_cure_costs_is_that_of_the_best_choice_it_leaves(ask, root):
    """It was that of one of equals, whichever rounding took for the nearest."""
    text = (root / "scenarios/latency-bound-assistant.yaml").read_text("utf-8")
    short = "training.accelerators=64", "limits.training_time=1 h"
    ways = ask(text, *short).infeasibility.relaxations
    (way,) = (way for way in ways if way.name == "limits.training_time")
    best = ask(text, *short, f"limits.training_time={needed(way)}")
    assert best.cost.total == way.cost


def test_a_cure_is_that_of_the_choice_that_is_nearest_in_whole_machines(ask):
    text = STANDING + "limits: {total_cost: $1000}\n"
    told = ask(text)
    (way,) = (w for w in told.infeasibility.relaxations if w.after is not None)
    assert way.name == "limits.total_cost"
    cheapest = ask(STANDING).cost.total
    assert way.cost == pytest.approx(cheapest, rel=1e-2)
    assert ask(text, f"limits.total_cost={needed(way)}").cost.total == way.cost
    assert f"total_cost to {needed(way)}" in told.infeasibility.reason


def test_the_batch_at_which_replicas_are_needed_is_said(root):
    """At the batch of 1 in flight 0.80 of the replica was busy, and 0.0602 was told."""
    words = (
        *("demand.requests=20k/day", "serving.max_time_per_output_token=15 ms"),
        *("serving.accelerators=1", "serving.weights=int4"),
    )
    path = root / "scenarios/latency-bound-assistant.yaml"
    answer = solve(load_scenario(path, words))
    (use,) = answer.serving
    assert use.batch == 1 < use.full_batch
    busy = 3 * 20e3 / 86400 * 250 * use.token_time  # the peak, 250 tokens an answer
    assert 0.7 < busy < 0.9
    at_one = solve(load_scenario(path, (*words, "serving.batch=1"))).serving[0]
    assert at_one.replicas == pytest.approx(busy, rel=0.02)
    full = (*words, f"serving.batch={use.full_batch:.0f}")
    (held,) = solve(load_scenario(path, full)).serving
    assert held.replicas == pytest.approx(use.replicas, rel=1e-9)
    page = render(answer_blocks(answer)).replace("\n    ", " ").replace("\n  ", " ")
    assert f"1 ({use.replicas:.4f} at batch {use.full_batch:.0f})" in page
    assert "needed)" not in page
    (told,) = [w for w in answer.warnings if w.code == "unfilled-replica"]
    assert f"at its peak, in batches of {use.full_batch:.0f}, and" in told.message
