"""Students of a teacher, against a search over sizes that is written apart."""

import numpy as np
import pytest

from optimizer.analysis.plan.distill import CLOSE, scan
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.sweep.sweep import results_of, told
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.errors import InputError
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.vary import plan
from optimizer.report.pages.headline import headline

# Busbridge et al. 2025 (arXiv 2502.08606), table 6.
E, A, B, ALPHA, BETA, K = 1.220, 3355, 18186, 0.408, 0.431, 0.452
TEXT = """\
law: busbridge-2025
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
distillation: {teacher: {parameters: 70B, tokens: 1.4T}, logits: free}
"""


def read(text, *sets):
    return read_scenario(text, "s.yaml", sets)


def supervised(N, D):
    return E + (A * N**-ALPHA + B * D**-BETA) ** K


def students(N, D, teacher):
    """The law as the paper writes it, for arrays."""
    ratio = teacher / (supervised(N, D) * 1.315)
    cut = (1 + ratio ** (1 / 0.090)) ** (-522.6 * 0.090)
    own = (2243 * N**-0.321 + 24181 * D**-0.637) ** 0.764
    return teacher + teacher**-2.549 * cut * own


def needed(N, teacher, loss):
    """Ln of the least tokens for each size, by halving; NaN where none is enough."""
    low, high = np.full(N.shape, 0.0), np.full(N.shape, 69.0)
    for _ in range(60):
        middle = (low + high) / 2
        over = students(N, np.exp(middle), teacher) > loss
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.where(high < 68.9, high, np.nan)


@pytest.mark.parametrize(
    ("logits", "ratio", "tolerance"), [("free", 0.768, 6e-4), ("paid", 1.242, 6e-4)]
)
def test_the_reference_case(logits, ratio, tolerance):
    """As good as the 13B (1.943097), 2T served; a teacher of 70B on 1.4T (1.7367)."""
    found = solve(read(TEXT, f"distillation.logits={logits}"))
    (way,) = found.distillation.ways
    assert found.target_loss == pytest.approx(1.943097, abs=1e-6)
    assert way.teacher.loss == pytest.approx(1.7367, abs=5e-5)
    assert way.ratio == pytest.approx(ratio, abs=tolerance)
    assert found.distillation.pays == (ratio < 1)
    assert way.certificate.gap <= 1.1 * CLOSE
    if logits == "free":
        assert way.student.parameters == pytest.approx(6.29e9, rel=3e-3)
        assert way.student.tokens == pytest.approx(3.17e11, rel=8e-3)
    else:
        cost = 2 * 70e9 * way.student.tokens
        assert way.logits == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_random_teachers_against_a_search(seed):
    """Teachers, demands, targets and logits; a grid that is zoomed three times."""
    random = np.random.default_rng(seed)
    big, long = 10 ** random.uniform(10, 11.5), 10 ** random.uniform(11.5, 13.5)
    T = 10 ** random.uniform(10, 13.5)
    teacher = supervised(big, long)
    loss = teacher + 10 ** random.uniform(-1.5, -0.2)
    paid = bool(seed % 2)
    found = solve(
        read(
            f"law: busbridge-2025\ntarget: {{loss: {loss!r}}}\n"
            f"demand: {{tokens: {T!r}}}\ndistillation: {{teacher: {{parameters: "
            f"{big!r}, tokens: {long!r}}}, logits: {'paid' if paid else 'free'}}}\n"
        )
    )
    (way,) = found.distillation.ways
    sizes = np.geomspace(1e5, 1e14, 801)
    for _ in range(3):
        tokens = np.exp(needed(sizes, teacher, loss))
        cost = 6 * sizes * tokens + 2 * sizes * T + paid * 2 * big * tokens
        best = int(np.nanargmin(cost))
        sizes = np.geomspace(sizes[best - 2], sizes[best + 2], 801)
    least = np.nanmin(cost)
    assert way.total == pytest.approx(least, rel=1e-7)
    assert way.student.loss <= loss * (1 + 1e-12)  # a last digit of rounding
    assert way.certificate.gap <= 1.1 * CLOSE


def test_the_bound_of_a_scan_holds_where_the_cost_has_two_valleys():
    """Tokens that fall in a step leave two minima; the scan finds the lower one."""

    def tokens(N, within):
        return np.where(N < 1e10, 1e12 * (1e9 / N) ** 0.2, 1e9 * (1e10 / N))

    def cost(N, D):
        return N * 1e12 + 6 * N * D

    found = scan(cost, tokens)
    sizes = np.geomspace(1e3, 1e14, 100_001)
    least = min(cost(sizes, tokens(sizes, None)))
    assert found.total <= least * (1 + 1e-12)
    assert found.total * np.exp(-found.proof.gap) <= least


def test_a_limit_holds_the_student_too():
    found = solve(read(TEXT, "limits.parameters=4B"))
    (way,) = found.distillation.ways
    assert way.student.parameters == pytest.approx(4e9, rel=1e-4)
    assert way.student.parameters <= 4e9 * (1 + 1e-9)


@pytest.mark.parametrize("word", ["training_compute", "training_time"])
def test_logits_that_are_paid_count_in_limits_of_training(word):
    """6·N·D + 2·70e9·D of the student is what the run may take."""
    machine = "training: {hardware: h100-sxm, mfu: 40 %, accelerators: 1000}\n"
    bound, run = 1.8e22, 989.4e12 * 0.4 * 1000
    told = f"limits.{word}={bound!r}"
    if word == "training_time":
        told = f"limits.{word}={bound / run / 86400!r} days"
    paid = "distillation.logits=paid"
    (way,) = solve(read(TEXT + machine, told, paid)).distillation.ways
    N, D = way.student.parameters, way.student.tokens
    taken = 6 * N * D + 2 * 70e9 * D
    assert taken <= bound * (1 + 1e-8)
    (loose,) = solve(read(TEXT, paid)).distillation.ways
    N, D = loose.student.parameters, loose.student.tokens
    taken = 6 * N * D + 2 * 70e9 * D
    assert taken > bound
    assert way.total > loose.total


def test_a_limit_that_a_fixed_cost_counts_in_holds_no_student_sooner():
    """A thousand dollars more and a thousand more to spend: the same students."""
    priced = "training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
    priced += (
        "serving: {hardware: h100-sxm, mfu: 0.3, price: $2/h}\nobjective: dollars\n"
    )
    bare = solve(read(TEXT + priced))
    fixed = "costs: {fixed: $1k}\nlimits: {total_cost: $1B}\n"
    both = solve(read(TEXT + priced + fixed))
    (before,), (after,) = bare.distillation.ways, both.distillation.ways
    assert after.total == pytest.approx(before.total + 1000, rel=1e-12)
    assert after.student.parameters == pytest.approx(before.student.parameters)
    assert before.sensitivities
    assert len(after.sensitivities) == len(before.sensitivities)


def test_a_teacher_too_weak_and_the_best_of_several():
    several = "[{parameters: 7B, tokens: 300B}, {parameters: 70B, tokens: 1.4T}]"
    text = TEXT.replace("{parameters: 70B, tokens: 1.4T}", several)
    best, weak = solve(read(text)).distillation.ways
    assert best.teacher.parameters == 70e9
    assert weak.student is None
    assert weak.reason == f"no student of it goes below {supervised(7e9, 3e11):.4f}"


def test_in_dollars_logits_cost_a_forward_pass_of_the_training_machine():
    text = TEXT + (
        "objective: dollars\n"
        "training: {hardware: h100-sxm, mfu: 40 %, price: $2.00/h}\n"
        "serving: {hardware: h100-sxm, mfu: 20 %, price: $3.00/h}\n"
    )
    (way,) = solve(read(text, "distillation.logits=paid")).distillation.ways
    flop = 2 * 70e9 * way.student.tokens
    assert way.logits == pytest.approx(flop / 989.4e12 / 0.4 / 3600 * 2, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("law=besiroglu-2024", "needs a law with its constants"),
        ("fix.parameters=3B", "remove fix"),
        ("data.unique_tokens=1T", "remove data.unique_tokens"),
        ("budget.compute=1e24", "is compared at one loss"),
        ("training.data_efficiency=1.4", "remove what training says"),
        ("distillation.teacher=[]", "teacher: is an empty list; add a teacher"),
        ("distillation.logits=cheap", "must be one of free, paid"),
    ],
)
def test_what_it_cannot_stand_beside(change, said):
    with pytest.raises(InputError, match=said):
        read(TEXT, change)


@pytest.mark.parametrize("logits", ["free", "paid"])
def test_what_moves_a_student_is_what_solving_again_says(logits):
    """The constants of students were in no sensitivity."""
    text = TEXT.replace("free", logits)
    best = solve(read(text)).distillation.ways[0]
    moves = {move.input: move for move in best.sensitivities}
    assert {"law.extras.c0", "law.extras.d1", "law.E", "law.k"} < set(moves)
    assert "distillation.teacher.parameters" in moves

    def total(move, factor):
        changed = f"{move.input}={move.value * factor!r}"
        return solve(read(text, changed)).distillation.ways[0].total

    for name, move in moves.items():
        if name in {"law.extras.student_B", "law.extras.c1", "law.A", "law.k"}:
            continue  # four fewer, for time
        slope = np.log(total(move, 1.0002) / total(move, 0.9998)) / np.log(
            1.0002 / 0.9998
        )
        assert move.elasticity == pytest.approx(slope, rel=1e-3, abs=1e-4), name
    held = solve(read(text, "limits.parameters=4B"))
    assert held.distillation.ways[0].sensitivities == ()


@pytest.mark.parametrize("logits", ["free", "paid"])
def test_what_moves_a_student_is_no_difference(logits):
    """Tokens told in another unit scale what grows with them, to the last digits.

    Differences of two searches knew eight.
    """
    text = TEXT.replace("{match: {parameters: 13B}}", "{loss: 1.94}")
    best = solve(read(text, f"distillation.logits={logits}")).distillation.ways[0]
    moves = {move.input: move.elasticity for move in best.sensitivities}
    share = 6 * best.student.parameters * best.student.tokens + best.logits
    assert (
        BETA * moves["law.B"]
        + 0.637 * moves["law.extras.student_B"]
        + moves["distillation.teacher.tokens"]
    ) == pytest.approx(share / best.total, rel=1e-11)


def test_constants_of_students_can_be_set_varied_and_drawn(tmp_path):
    """`--set law.extras.c1` was refused, and its draws were not drawn."""
    changed = solve(read(TEXT, "law.extras.c1=600")).distillation.ways[0]
    assert changed.total < solve(read(TEXT)).distillation.ways[0].total
    with pytest.raises(InputError, match=r"law\.extras\.c1: must be a number"):
        read(TEXT, "law.extras.c1=many")
    with pytest.raises(InputError, match=r"cannot be set; coefficients can.*extras.c0"):
        read(TEXT, "law.extras.c9=1")
    found = told(plan(read(TEXT), ["law.extras.c1=500,600"]), 0, 2)
    column = list(results_of(read(TEXT))).index("student_cost")
    assert found.results[1, column] == pytest.approx(changed.total, rel=1e-8)
    law = tmp_path / "mine.yaml"
    own = {"E": E, "A": A, "B": B, "alpha": ALPHA, "beta": BETA, "k": K}
    listed = ", ".join(f"{symbol}: {value}" for symbol, value in own.items())
    drawn = ", ".join(f"{symbol}: {[value] * 3}" for symbol, value in own.items())
    law.write_text(
        f"name: mine\nform: coupled\ncounts: total\ncoefficients: {{{listed}}}\n"
        "extras: {student_A: 2243, student_alpha: .321, student_B: 24181, "
        "student_beta: .637, student_gamma: .764, c0: 2.549, c1: 522.6, f1: .09, "
        f"d1: 1.315}}\ndraws: {{{drawn}}}\nextra_draws: {{c1: [500, 520, 540]}}\n"
    )
    spread = uncertainty(
        read(TEXT.replace("busbridge-2025", str(law))), draws=30
    ).beside.intervals["student_cost"]
    assert spread.p95 / spread.p5 > 1.02


def test_a_teacher_beyond_the_runs_of_its_law_is_told_before_all_else(root):
    """Its loss, and so its student's, is extrapolated: 70B, where runs end at 12.6B."""
    answer = solve(load_scenario(root / "scenarios/distillation.yaml"))
    best = answer.distillation.ways[0]
    assert answer.distillation.pays
    assert best.teacher.parameters == 70e9
    (far,) = best.teacher_extrapolation
    assert (far.what, far.value, far.edge) == ("parameters", 70e9, 12.6e9)
    told = headline(answer)
    assert "The teacher is an extrapolation: 5.6 × the most parameters" in told
    (warned, *_) = answer.warnings
    assert warned.code == "outside-range"
    assert warned.message.startswith("the teacher lies outside the runs")
    near = TEXT.replace("70B", "12B").replace("30B", "9B")
    for way in solve(read(near)).distillation.ways:
        assert not way.teacher_extrapolation
