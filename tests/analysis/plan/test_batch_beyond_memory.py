"""A batch that is given and does not fit is named where the answer says what helps."""

from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import read_scenario

SCENARIO = """
law: besiroglu-2024-refit
target: {loss: 2.1}
demand: {requests: 1M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years}
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: example}
serving:
  {model: measured, hardware: h100-sxm, precision: fp8, price: example, batch: BATCH}
"""


def test_a_batch_beyond_memory_is_named():
    found = solve(read_scenario(SCENARIO.replace("BATCH", "100000"))).infeasibility
    assert found is not None
    assert "serving.memory" in found.conflict
    assert "decode fewer than 100,000 sequences together" in found.reason
    assert solve(read_scenario(SCENARIO.replace("BATCH", "16"))).plan is not None
