"""`diff` on what is recommended, what leaves no plan, and what models share."""

import json

import pytest

from tests.shipped import ROOT

SCENARIOS = ROOT / "scenarios"


@pytest.fixture
def between(here, run):
    """What `diff` says, as a page and as data, of two answers to one scenario."""

    def compared(name, *sets, before=()):
        texts = []
        for index, overrides in enumerate((before, sets)):
            more = [word for one in overrides for word in ("--set", one)]
            saved = ("--format", "json", "-o", f"{index}.json")
            run("solve", SCENARIOS / f"{name}.yaml", *more, *saved)
            texts.append(json.loads((here / f"{index}.json").read_text()))
        page = " ".join(run("diff", "0.json", "1.json").out.split())
        data = json.loads(run("diff", "0.json", "1.json", "--format", "json").out)
        return page, data, texts

    return compared


def rows(plan, kind="inputs"):
    """What changed, by name: before and after."""
    return {row["name"]: (row["before"], row["after"]) for row in plan[kind]}


def test_a_portfolio_that_lost_its_joint_plan_recommends_none(between):
    page, data, (old, new) = between("portfolio", "shared.training_cost=$300k")
    assert new["plans"][0]["plan"]  # alone, with nothing shared
    assert page.startswith("What changed Portfolio: there is no joint plan now: ")
    assert "target (flagship) and shared.training_cost exclude each other" in page
    assert "train " not in page
    (joint,) = data["portfolios"]
    assert joint["conflicts"] == new["portfolio"]["conflict"]
    assert rows(joint) == {"shared.training_cost": (840e3, 300e3)}
    assert rows(joint, "outputs") == {
        "status": ("optimal", "infeasible"),
        "cost.total": (old["portfolio"]["cost"]["total"], None),
    }
    assert joint["moved"] is None
    assert all(plan["recommends"]["after"] is None for plan in data["plans"])


def test_a_model_that_has_no_plan_alone_leaves_none_together(between):
    asked = "models.edge.limits.parameters=100M"
    page, data, (_, new) = between("portfolio", asked)
    told = "target (edge) and limits.parameters (edge) exclude each other."
    assert f"there is no joint plan now: {told}" in page
    (joint,) = data["portfolios"]
    assert joint["conflicts"] == new["portfolio"]["infeasibility"]["conflict"]
    changed = {plan["scenario"]: rows(plan) for plan in data["plans"]}
    assert changed["edge"] == {"limits.parameters": (1.5e9, 100e6)}
    assert changed["server"] == changed["flagship"] == {}


def test_a_shared_bound_and_the_joint_cost_come_first(between, run):
    page, data, (old, new) = between("portfolio", "shared.training_cost=$800k")
    totals = [each["portfolio"]["cost"]["total"] for each in (old, new)]
    (joint,) = data["portfolios"]
    assert rows(joint) == {"shared.training_cost": (840e3, 800e3)}
    assert joint["moved"] == pytest.approx(totals[1] / totals[0] - 1)
    assert joint["freed"] == ["shared.tokens (server)"]
    assert page.index("the joint lifetime cost rises by 3.6 %") < page.index("edge:")
    assert "$840k $800k" in page
    done = run("diff", "0.json", SCENARIOS / "portfolio.yaml", "--fail-on", "changed")
    assert done.code == 0
    done = run("diff", "0.json", "1.json", "--fail-on", "cost.total > 3.6 %")
    assert "Portfolio: --fail-on" in done.err


def test_a_teacher_that_pays_no_longer_is_the_first_sentence(between):
    page, data, (old, new) = between("distillation", "distillation.logits=paid")
    assert "A student of a larger model: train 6.33B on 607B, where it was to" in page
    assert "distil 6.28B on 319B from a teacher of 70B on 1.4T." in page
    (plan,) = data["plans"]
    assert rows(plan) == {"distillation.logits": ("free", "paid")}
    best = old["plans"][0]["distillation"]["ways"][0]
    now = new["plans"][0]["cost"]["total"]
    assert plan["recommends"]["before"]["total"] == best["total"]
    assert plan["recommends"]["after"]["total"] == now
    assert f"rises by {100 * (now / best['total'] - 1):.0f} %" in page
    assert rows(plan, "outputs")["distillation.pays"] == ("yes", "no")
    assert plan["moved"] is None


def test_another_teacher_is_another_student(between):
    teacher = "distillation.teacher=[{parameters: 30B, tokens: 3T}]"
    page, data, _ = between("distillation", teacher)
    assert "distil 6.16B on 339B from a teacher of 30B on 3T, where it was" in page
    told = rows(data["plans"][0])["distillation.teacher"]
    assert told == ("70B on 1.4T or 30B on 3T", "30B on 3T")


@pytest.mark.parametrize(
    ("requests", "sentence"),
    [
        ("200k/day", "do not train, serve llama-2-13b, as before. The lifetime cost"),
        ("3M/day", "train 4.42B on 1.52T, where it was to serve llama-2-13b."),
    ],
)
def test_what_exists_is_recommended_while_it_is_cheapest(between, requests, sentence):
    page, data, files = between("buy-or-build", f"demand.requests={requests}")
    assert f"What changed Buy or build: {sentence}" in page
    told = [
        data["plans"][0]["recommends"][side]["what"] for side in ("before", "after")
    ]
    assert told == [each["plans"][0]["cheapest"] for each in files]


def test_a_dearer_offer_moves_what_is_recommended(between):
    cheap = ("buy.input=$0.01/M", "buy.output=$0.01/M")
    twice = ("buy.input=$0.02/M", "buy.output=$0.02/M")
    page, data, _ = between("buy-or-build", *twice, before=cheap)
    assert "do not train, buy, as before. The lifetime cost rises to 2 ×" in page
    assert data["plans"][0]["moved"] == pytest.approx(1)


def test_the_limit_that_leaves_no_plan_is_not_free(between):
    page, data, _ = between("internal-use", "limits.parameters=1B")
    assert "Internal use: there is no plan now: target and limits.parameters" in page
    assert "hold no longer" not in page
    (plan,) = data["plans"]
    assert rows(plan) == {"limits.parameters": (9e9, 1e9)}
    assert plan["conflicts"] == ["target", "limits.parameters"]
    assert plan["freed"] == []


def test_a_new_limit_and_more_demand_are_asked_without_a_plan_too(between):
    asked = ("limits.tokens=1B", "demand.requests=274k/day")
    _, data, _ = between("internal-use", *asked)
    told = rows(data["plans"][0])
    assert told["limits.tokens"] == (None, 1e9)
    served = told["demand.streams.assistant.tokens"]
    assert served[1] == pytest.approx(2 * served[0])
    _, back, _ = between("internal-use", before=asked)
    assert back["plans"][0]["settled"] == data["plans"][0]["conflicts"]


def test_a_slack_limit_is_asked(between):
    page, data, _ = between("internal-use", "limits.tokens=50T")
    assert rows(data["plans"][0])["limits.tokens"] == (None, 50e12)
    assert "as before" in page


def test_a_loss_that_was_chosen_is_an_answer(between):
    page, data, _ = between("sixty-days", "training.accelerators=128")
    assert rows(data["plans"][0]) == {"training.accelerators": (256, 128)}
    assert "The loss rises from 1.9845 to 2.0096." in page


def test_a_list_that_is_decided_and_a_range_are_told_in_words(between):
    name, fast = "latency-bound-assistant", "serving.max_time_per_output_token=4 ms"
    _, data, _ = between(name, "serving.accelerators=2", fast)
    told = rows(data["plans"][0])
    assert told["serving.accelerators"] == ("1, 2 or 4", "no list")
    _, data, _ = between(name, "serving.accelerators=[2, 4]")
    assert rows(data["plans"][0]) == {"serving.accelerators": ("1, 2 or 4", "2 or 4")}
    assert rows(data["plans"][0], "outputs")["choice.serving.accelerators"] == (
        "1",
        "2",
    )
    spread = "{low: 80k/day, expected: 120k/day, high: 300k/day}"
    _, data, _ = between("buy-or-build", f"demand.requests={spread}")
    assert rows(data["plans"][0]) == {
        "demand.requests": (100e3, "a range"),
        "demand.requests.expected": (100e3, 120e3),
    }


def test_samples_that_are_open_are_no_other_demand(between):
    _, data, _ = between("verified-code", "limits.tokens=1k")
    assert rows(data["plans"][0]) == {"limits.tokens": (None, 1e3)}
