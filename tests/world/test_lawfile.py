"""What a law file must say, where it may lie, and what is refused."""

import math
from pathlib import Path

import pytest

from optimizer.errors import InputError, Mark
from optimizer.reading.document import load_text
from optimizer.reading.json_schema import json_schema
from optimizer.world import laws
from optimizer.world.laws import LawFile, law_from_mapping, load_law


def read(text):
    return law_from_mapping(load_text(text, "my.yaml"))


def messages(text):
    with pytest.raises(InputError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_other_coefficients_are_named_and_lose_what_belongs_to_the_fit():
    law = load_law("besiroglu-2024-refit")
    other = law.with_coefficients(alpha=0.3, E=1.7)
    assert other.name == "besiroglu-2024-refit with alpha=0.3, E=1.7"
    assert other.surface().alpha == 0.3
    assert (other.covariance, other.draws, other.check) == (None, None, ())
    assert law.covariance is not None
    assert law.coefficients["alpha"] == 0.34731
    assert other.caveats == law.caveats


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alhpa": 0.3}, 'has no coefficient "alhpa"; did you mean "alpha"? it has E'),
        ({"alpha": -0.3}, "alpha: must be above 0, got -0.3"),
        ({"E": -1.0}, "E: must be 0 or above, got -1"),
        ({"A": math.nan}, "A: must be above 0, got nan"),
        ({"beta": 20.0}, "beta: must be between 0.01 and 10, got 20"),
        ({"B": math.inf}, "B: must be between 1e-09 and 1e+30, got inf"),
    ],
)
def test_other_coefficients_are_checked(changes, message):
    with pytest.raises(ValueError, match=r"^.+") as caught:
        load_law("besiroglu-2024").with_coefficients(**changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hoffmann-2022", "s.yaml:2:6: law: there is no plain hoffmann-2022, because "),
        (
            "chinchilla",
            "published fits, none of that name; choose besiroglu-2024-refit",
        ),
        (
            "sardana-2024",
            "there is no plain sardana-2024; choose one of sardana-2024-1",
        ),
        (
            "kaplan2020",
            'no law "kaplan2020"; did you mean "kaplan-2020"? built-in law',
        ),
        ("", 'there is no law ""; built-in laws: besiroglu-2024, besiroglu-2024-refit'),
        ("laws/none.yaml", "laws/none.yaml: there is no such file"),
    ],
)
def test_unknown_laws(name, message):
    with pytest.raises(InputError) as caught:
        load_law(name, Path("here"), Mark("s.yaml", 2, 6))
    assert message in str(caught.value)


def test_only_the_law_asked_for_is_read(monkeypatch):
    laws._builtin.cache_clear()
    opened = []

    def spy(path):
        opened.append(Path(path).stem)
        return load_text(Path(path).read_bytes(), str(path))

    monkeypatch.setattr(laws, "load_file", spy)
    first = load_law("kumar-2024")
    assert load_law("kumar-2024") is first
    assert opened == ["kumar-2024"]


def test_a_law_file_beside_the_scenario(tmp_path):
    (tmp_path / "ours.yaml").write_text(
        "E: 1.7\nA: 400\nB: 2e3\nalpha: 0.34\nbeta: 0.36\n"
        "range: {parameters: [100M, null], tokens: [null, 2T]}\ncounts: active\n"
    )
    law = load_law("ours.yaml", tmp_path)
    assert law.name == "ours"
    assert law.surface().B == 2000
    assert law.range.parameters == (1e8, math.inf)
    assert law.range.tokens == (0, 2e12)
    assert law.range.tokens_per_parameter is None
    assert law.counts == "active"
    assert load_law("./ours.yaml", tmp_path) == law


def test_a_law_file_must_not_bear_a_built_in_name(tmp_path):
    (tmp_path / "x.yml").write_text(
        "name: kumar-2024\nE: 1\nA: 1\nB: 1\nalpha: 1\nbeta: 1\n"
    )
    with pytest.raises(InputError) as caught:
        load_law("x.yml", tmp_path)
    assert str(caught.value).endswith(
        'x.yml:1:7: name: "kumar-2024" is the name of a built-in law; choose another'
    )


def test_inline_law_inside_a_scenario():
    text = "name: x\nlaw: {E: 1.69, A: 406.4, B: 410.7, alpha: 0.336, beta: 0.283}\n"
    law = law_from_mapping(load_text(text, "s.yaml"), ("law",))
    assert law.name == "inline"
    assert law.surface().loss(70e9, 1e12) == pytest.approx(1.9472727897172717)
    bad = load_text(text.replace("406.4", "0"), "s.yaml")
    with pytest.raises(InputError) as caught:
        law_from_mapping(bad, ("law",))
    assert str(caught.value) == "s.yaml:2:19: law.A: must be above 0, got 0"


FIVE = "coefficients: {E: 1.7, A: 400, B: 2000, alpha: 0.34, beta: 0.36}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "coefficients: {E: -1, A: 400, B: 2000, alpha: 0, betta: 0.36}",
            [
                "my.yaml:1:15: coefficients: is missing beta; "
                "a chinchilla law has E, A, B, alpha, beta",
                "my.yaml:1:19: coefficients.E: must be 0 or above, got -1",
                "my.yaml:1:47: coefficients.alpha: must be above 0, got 0",
                'my.yaml:1:57: coefficients.betta: unknown coefficient "betta"; '
                'did you mean "beta"? a chinchilla law has E, A, B, alpha, beta',
            ],
        ),
        (
            FIVE + "covariance: {order: [ln_A, alpha], matrix: [[1, 2], [2, 1]]}",
            [
                "my.yaml:2:44: covariance.matrix: must be positive semi-definite, "
                "as every covariance is"
            ],
        ),
        (
            FIVE + "covariance: {order: [ln_A, alpha], matrix: [[1, 0.1], [0.2, 1]]}",
            [
                "my.yaml:2:56: covariance.matrix[1][0]: must be symmetric, got 0.2 for "
                "alpha and ln_A, but 0.1 for ln_A and alpha"
            ],
        ),
        (
            FIVE + "covariance: {order: [ln_A, ln_alhpa, A], matrix: [[1]]}",
            [
                'my.yaml:2:28: covariance.order[1]: unknown coefficient "ln_alhpa"; '
                'did you mean "alpha"?',
                "my.yaml:2:38: covariance.order[2]: A stands there twice",
                "my.yaml:2:50: covariance.matrix: must be 3 × 3, one row and column "
                "for each of order",
            ],
        ),
        (
            FIVE + "check: [{parameters: 70B, tokens: 1T, loss: 2.05}]",
            [
                "my.yaml:2:9: check[0]: the law gives a loss of 1.8779 for 70B on 1T "
                "tokens, not 2.05: a coefficient or the check is wrong"
            ],
        ),
        (
            FIVE + "check: [{experts: 8, parameters: 70B, tokens: 1T}]",
            [
                "my.yaml:2:9: check[0]: law my is for dense models and has no experts; "
                "remove experts or choose ludziejewski-2025"
            ],
        ),
        (
            FIVE + "range: {tokens: [2T, 1T]}",
            [
                "my.yaml:2:17: range.tokens: must be [low, high], got the higher one "
                "first"
            ],
        ),
        (
            FIVE + "draws: {E: [1.7, -1], A: [400, 1], B: [1], alpha: [0.3, 0.3]}",
            [
                "my.yaml:2:8: draws: is missing beta",
                "my.yaml:2:8: draws: must have as many values for each coefficient",
                "my.yaml:2:18: draws.E[1]: must be 0 or above, got -1",
            ],
        ),
        (
            FIVE + "draws: {E: [], A: [], B: [], alpha: [], beta: []}",
            ["my.yaml:2:8: draws: have no values; remove them"],
        ),
        (
            FIVE + "extras: {R_D_star: 0}\nextra_draws: {R_D_star: [1], R_N_sta: [2]}",
            [
                "my.yaml:2:20: extras.R_D_star: must be above 0, got 0",
                "my.yaml:3:25: extra_draws.R_D_star: must have 0 values, as draws "
                "has, got 1",
                'my.yaml:3:39: extra_draws.R_N_sta: unknown coefficient "R_N_sta"; '
                'did you mean "R_D_star"?',
            ],
        ),
        (
            FIVE + "draws: {E: [1, 1], A: [4, 4], B: [1, 1], alpha: [0.3, 0.3], beta: "
            "[0.3, 0.3]}\nextras: {R_D_star: 5}\nextra_draws: {R_D_star: [5, -1]}\n"
            "error: {epsilon: 0.9, k: 2, gamma: 1, draws: {epsilon: [1, 1], k: [0, 1]}"
            "}",
            [
                "my.yaml:4:29: extra_draws.R_D_star[1]: must be above 0, got -1",
                "my.yaml:5:46: error.draws: is missing gamma",
                "my.yaml:5:68: error.draws.k[0]: must be above 0, got 0",
            ],
        ),
        (
            FIVE + "experts: [1, 8]\ntable: [{parameters: 1B, tokens: 20B}]",
            [
                "my.yaml:2:10: experts: only a joint-moe law has experts, this is "
                "chinchilla",
                "my.yaml:3:8: table: only a frontier has a table, this is chinchilla",
            ],
        ),
        (
            "form: frontier\ntable: [{parameters: 1B, tokens: 20B}]",
            ["my.yaml:2:8: table: a frontier needs two rows or more"],
        ),
        (
            "table: [{parameters: 1B, tokens: 2B}, {parameters: 1B, compute: 1e30}]\n"
            "form: frontier",
            ["my.yaml:1:39: table[1]: must rise above the row before it in both"],
        ),
        (
            "form: frontier\ntable: [{parameters: 1B}, {parameters: 1B, tokens: 2B}]",
            ["my.yaml:2:9: table[0]: must give two of parameters, tokens and compute"],
        ),
    ],
)
def test_hostile_law_files(text, expected):
    assert messages(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("E: 1.7\nA: 400\nB: 2000\nalpha: 0.3\n", "beta: is missing"),
        ("E: 1\nA: 1\nB: 1\nalpha: yes\nbeta: 1", "my.yaml:4:8: alpha: must be a numb"),
        ("E: .nan\nA: 1\nB: 1\nalpha: 1\nbeta: 1", "my.yaml:1:4: E: must be a"),
        (FIVE + "form: chinchila", 'did you mean "chinchilla"?'),
        (FIVE + "counts: everything", "must be one of total, non-embedding"),
        (FIVE + "coment: x", 'unknown word "coment"'),
        (FIVE + "range: {tokens: [2T]}", "my.yaml:2:"),
        (FIVE + "range: {tokens: -2T}", "my.yaml:2:"),
        (FIVE + "covariance: {order: [], matrix: []}", "my.yaml:2:"),
        ("- 1", "my.yaml:1:1"),
    ],
)
def test_hostile_values_are_located(text, part):
    assert part in "\n".join(messages(text))


MOE = """
form: joint-moe
experts: [1, 32]
coefficients:
  {a: 36, alpha: -0.2, delta: -0.2, gamma: GAMMA, b: 36, beta: -0.2, omega: 0.5,
   zeta: -0.03, E_start: START, E_max: 290, c: 1.4}
check: [{experts: 8, parameters: 1B, tokens: 20B, loss: LOSS}]
"""


@pytest.mark.parametrize(
    ("gamma", "start", "loss", "expected"),
    [
        ("0.01", "2", "3", "my.yaml:7:9: check[0]: the law gives a loss of "),
        ("0.01", "290", "3", "my.yaml:2:1: law my: E_start must be below E_max"),
        ("5", "2", "3", "its coefficients leave a loss that does not fall with param"),
        ("-50", "2", "3", "coefficients.gamma: must be between -10 and 10, got -50"),
    ],
)
def test_hostile_mixture_laws(gamma, start, loss, expected):
    text = MOE.replace("GAMMA", gamma).replace("START", start).replace("LOSS", loss)
    assert expected in messages(text)[0]


@pytest.mark.parametrize("exponent", ["0.01", "10"])
@pytest.mark.parametrize("scale", ["1e-9", "1e30"])
def test_extreme_coefficients_within_bounds_do_not_crash(exponent, scale):
    law = read(f"E: 0\nA: {scale}\nB: 1\nalpha: {exponent}\nbeta: 0.5\n")
    surface = law.surface()
    for s in (1e-12, 1e12):
        N, D = surface.training_optimal(s)
        for value in (surface.loss(N, D), surface.optimal_tokens(N), surface.floor(s)):
            assert value >= 0


def test_singular_covariance_is_allowed():
    text = FIVE + "covariance: {order: [ln_A, alpha], matrix: [[4, 2], [2, 1]]}"
    assert read(text).covariance.matrix == ((4, 2), (2, 1))


def test_the_schema_names_every_word():
    schema = json_schema(LawFile)
    assert set(schema["properties"]) >= {"form", "coefficients", "covariance", "check"}
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (
            "form: coupled\n"
            "coefficients: {E: 2.1, A: 27042, B: 6386, alpha: .51, beta: .37, k: .4}\n"
            "range: {loss: [2.081924, 2.925075]}\n",
            "my.yaml:2:19: coefficients.E: ",
            "must be below 2.08192, the least loss of its runs, range.loss, got 2.1",
        ),
        (
            "E: 2.5\nA: 27042\nB: 6386\nalpha: .51\nbeta: .37\nk: .4\n"
            "check: [{parameters: 1B, tokens: 100B, loss: 2.1445}]\n",
            "my.yaml:1:4: E: ",
            "must be below 2.1445, the loss of its check 1, got 2.5",
        ),
        (
            f"{FIVE}range: {{loss: [1.7, null]}}\n",
            "my.yaml:1:19: coefficients.E: ",
            "overtrain fit RUNS --form chinchilla",
        ),
    ],
)
def test_no_run_of_a_law_lies_at_or_below_its_floor(text, place, words):
    (message,) = messages(text)
    assert message.startswith(place)
    assert words in message
