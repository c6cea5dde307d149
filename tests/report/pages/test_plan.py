"""What the page of an answer says beside its first line."""

from dataclasses import replace

from optimizer.analysis.plan import answer as records
from optimizer.analysis.plan import practice
from optimizer.analysis.plan.sensitivity import Sensitivity
from optimizer.report.formats.text import render
from optimizer.report.pages.plan import answer_blocks
from optimizer.world.repetition import Repetition


def page(answer):
    return render(answer_blocks(answer), 100)


def test_inputs_come_by_their_weight_and_sides_that_differ_are_both_told(answer):
    moves = (
        Sensitivity("demand.tokens", 2e12, 0.3, None, None, 6),
        Sensitivity("demand.lifetime", 63115200.0, -0.4, None, None, 7),
        Sensitivity("limits.tokens", 4e11, None, -0.9, -0.1, 8),
        Sensitivity("limits.parameters", 5e9, None, -2.0, None, 9),
        Sensitivity("architecture.width", 4096.0, 1e-7, None, None, 10),
        Sensitivity("costs.fixed", 0.0, None, None, None, 11),
    )
    text = page(replace(answer, sensitivities=moves))
    table = text[text.index("What moves") : text.index("Less than")]
    rows = [line.split("  ") for line in table.splitlines() if "+1 %" in line]
    names = [next(part for part in row if part) for row in rows]
    assert names == [
        "+1 % limits.parameters",
        "+1 % limits.tokens",
        "+1 % demand.lifetime",
        "+1 % demand.tokens",
    ]
    assert "−0.100 % (−1 %: +0.900 %)" in table
    assert "no plan (−1 %: +2.00 %)" in table
    assert "2 years" in table
    assert "Less than 0.0005 %: architecture.width." in text
    assert "No effect: costs.fixed." in text


def test_limits_tell_what_one_per_cent_more_changes_and_the_slope(answer):
    held = ("limits.tokens", 4e11, 4e11, "tokens", True)
    free = ("limits.parameters", 3e10, 7e9, "parameters", False)
    slack = records.LimitUsed(*free, 0, 0, 0, 6)
    limits = (records.LimitUsed(*held, -0.008, -0.9, -2e11, 5), slack)
    text = page(replace(answer, limits=limits))
    assert "−0.800 %  −2.00e20 FLOP per billion tokens" in text
    unproven = (records.LimitUsed(*held, None, -90.0, -2e13, 5), slack)
    assert "−9.00 % at +0.1 %  " in page(replace(answer, limits=unproven))
    slack = next(line for line in text.splitlines() if "limits.parameters" in line)
    assert slack.split() == ["limits.parameters", "30B", "7.00B", "slack"]


def test_money_streams_and_parties_have_their_sections(answer):
    streams = (
        records.StreamTokens("chat", 1.5e12, 1e12, 5e11, 1.0),
        records.StreamTokens("community", 5e11, None, None, 0.0),
    )
    text = page(
        replace(
            answer,
            demand=records.DemandTotal(2e12, 1.5e12, 9e11, streams),
            training_run=practice.TrainingRun(150e3, 24 * 86400.0),
            unit_cost=practice.UnitCost(0.02, 0.12, 0.05, 0.09),
            parties=practice.Parties(1e22, 3e22, 4e22),
            amounts={"FLOP": 8e22, "USD": 1.5e6, "kWh": None, "kgCO2e": None},
        )
    )
    assert "At the price of training that is worth 900B tokens" in text
    assert "150k accelerator-hours, 24 days" in text
    assert "$0.12 per million tokens" in text
    assert "it leaves to others  3e22 FLOP" in text
    assert "The same plan in other units: cost $1.5M." in text


def test_rounding_errors_are_no_overhead(answer):
    critical = replace(answer.critical, training_overhead=6.7e-16)
    told = page(replace(answer, critical=critical))
    assert "e-" not in told.split("Plan")[1].split("Critical")[0]


def test_a_size_that_leaves_nothing_to_choose_claims_no_proof_of_more(answer):
    told = page(
        replace(
            answer,
            fixed=records.Fixed(answer.plan, 0.0, 0.0, None),
            certificate=replace(answer.certificate, gap=0.0),
        )
    )
    assert "what you fixed leaves nothing to choose" in told
    assert "certified" not in told


def test_other_ways_stand_beside_the_plan(answer):
    others = (
        records.Alternative("buy", 1e23, 5e10, None, 3e12),
        records.Alternative("existing model-x", 5e22, 2.5e10, 2.1, None),
        records.Alternative("existing model-y", 9e22, 4.5e10, 2.2, 0.0),
    )
    text = page(replace(answer, others=others))
    section = text[text.index("Other ways") : text.index("Near-optimal")]
    lines = [" ".join(line.split()) for line in section.splitlines()]
    assert "this plan 8.01e22 FLOP 4.00e16 FLOP 2.0453" in lines
    assert "buy 1.00e23 FLOP 5.00e16 FLOP above 3T" in lines
    assert "existing model-x 5.00e22 FLOP 2.50e16 FLOP 2.1000 never" in lines
    assert "existing model-y 9.00e22 FLOP 4.50e16 FLOP 2.2000 always" in lines


def test_machines_and_choices_have_their_sections(answer):
    use = practice.ServingUse("chat", 586.2, 0.0307, 1.21, "memory", 0.0291, 0.0873)
    rows = (
        records.Choice({"serving.hardware": "l4"}, 9e22, "optimal", ""),
        records.Choice({"serving.hardware": "h100"}, 8.01e22, "best", ""),
        records.Choice({"serving.hardware": "abacus"}, None, "refused", "no peak"),
    )
    text = page(
        replace(
            answer,
            serving=(use,),
            choice={"serving.hardware": "h100"},
            alternatives=rows,
            epochs=3.2,
            law=replace(
                answer.law, repetition=Repetition(answer.plan.tokens / 3.2, 15.4, None)
            ),
        )
    )
    section = text[text.index("Serving machines") : text.index("Near-optimal")]
    lines = [" ".join(line.split()) for line in section.splitlines()]
    assert "chat 586 30.7 ms 1.21 memory $0.0291 $0.0873" in lines
    assert "Best with serving.hardware: h100; the next takes 12 % more." in lines
    places = [
        lines.index(line)
        for line in (
            "h100 8.01e22 FLOP best",
            "l4 9.00e22 FLOP",
            "abacus refused: no peak",
        )
    ]
    assert places == sorted(places)
    assert "epochs of the data 3.2" in " ".join(text.split())
    assert "Choices" not in page(answer)
