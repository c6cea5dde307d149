"""One answer written by hand: Sardana's 13B at 2T served tokens, rounded."""

from dataclasses import replace

import pytest

from optimizer.algebra.program import Certificate, Status
from optimizer.analysis.plan import answer as records
from optimizer.analysis.plan import doubts, infeasibility, practice, priced
from optimizer.analysis.plan.sensitivity import Sensitivity
from optimizer.errors import Mark


@pytest.fixture
def pair():
    return priced.Pair(6.97e9, 1.248e12, 179.1, 2.0453)


@pytest.fixture
def answer(pair):
    def cost(training, inference):
        total = training + inference
        lines = (
            priced.Line("training", training, training / total),
            priced.Line("demand", inference, inference / total),
        )
        return priced.Cost("FLOP", training, inference, 0.0, total, lines)

    return records.Answer(
        scenario="Internal assistant",
        file="a.yaml",
        status=Status.OPTIMAL,
        objective="compute",
        question="target",
        law=records.LawUsed(
            "some-law",
            *(1.69, 406.4, 410.7, 0.336, 0.283, 1.0),
            "total",
            "nats per token",
            {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283},
            "a paper",
        ),
        target_loss=2.0453,
        reference=priced.Pair(13e9, 5.76e11, 44.3, 2.0453),
        demand=records.DemandTotal(
            *(2e12, 2e12, 2e12),
            (records.StreamTokens("demand", 2e12, None, None, 1.0),),
        ),
        plan=pair,
        training_optimal=records.TrainingOptimal(
            13e9, 5.76e11, 44.3, 2.0453, True, cost(4.5e22, 5.2e22)
        ),
        overtraining=records.Overtraining(4.538, 0.536, 2.165, 0.8255),
        critical=records.Critical(1.27e9, 3.97e9, 0.16),
        cost=cost(5.22e22, 2.79e22),
        amounts={"FLOP": 8.01e22, "USD": None, "kWh": None, "kgCO2e": None},
        savings=records.Savings(1.69e22, 0.1745),
        near_optimal=(
            records.NearOptimal(0.01, (6.18e9, 7.92e9), (1.51e12, 1.04e12), (245, 131)),
            records.NearOptimal(0.05, (5.39e9, 9.34e9), (1.93e12, 8.3e11), (358, 89)),
        ),
        parties=practice.Parties(8.01e22, 0.0, 8.01e22),
        sensitivities=(
            Sensitivity("demand.tokens", 2e12, 0.348, None, None, 6),
            Sensitivity("target.match.parameters", 13e9, 1.774, None, None, 4),
            Sensitivity("law.E", 1.69, 0.0, None, None, None),
            Sensitivity("law.alpha", 0.336, 15.78, None, None, None),
        ),
        certificate=Certificate(1e-16, 2e-16, 3.7e-15, 1e12),
        warnings=(doubts.Warning("outside-range", "D is 2.5 × the most, 500B"),),
    )


@pytest.fixture
def infeasible(answer):
    parts = (
        *("plan", "training_optimal", "overtraining", "critical", "cost", "amounts"),
        *("savings", "parties", "certificate"),
    )
    return replace(
        answer,
        status=Status.INFEASIBLE,
        **dict.fromkeys(parts),
        near_optimal=(),
        sensitivities=(),
        warnings=(),
        infeasibility=infeasibility.Infeasibility(
            opening="the target of 1.9000 nats cannot be reached",
            conflict=("target", "limits.tokens"),
            relaxations=(
                infeasibility.Relaxation("target", 1.9, 2.1697, Mark("a.yaml", 3, 9)),
                infeasibility.Relaxation(
                    "limits.tokens", 4e11, None, Mark("a.yaml", 5, 3), "tokens"
                ),
            ),
            nearest_loss=2.1697,
            uniform=3.5,
            certificate=Certificate(1e-12, 0.0, 1e-12, 1e12),
        ),
    )
