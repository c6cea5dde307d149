"""`compare`, `--law`, `--snap` and portfolios at the door."""

import json

import pytest

LARGE = """\
name: Large
law: hoffmann-2022-devries
target: {match: {parameters: 13B}}
demand: {tokens: 50T}
"""
FAMILY = """\
law: besiroglu-2024-refit
models:
  - name: edge
    target: {match: {parameters: 3B}}
    demand: {tokens: 20T}
  - name: server
    target: {match: {parameters: 13B}}
    demand: {tokens: 5T}
shared: {training_compute: 4e22}
"""


@pytest.fixture
def files(here):
    (here / "large.yaml").write_text(LARGE)
    (here / "family.yaml").write_text(FAMILY)
    (here / "loss.yaml").write_text(
        LARGE.replace("match: {parameters: 13B}", "loss: 2.1")
    )
    return here


def test_the_decision_comes_first(files, run):
    done = run("compare", "good.yaml", "large.yaml")
    assert done.code == 0
    assert done.out.startswith(
        "Comparison\n\nIf it is not known which will come, train "
    )
    assert "demand.tokens  2T → 50T" in done.out


def test_json_has_what_the_scenarios_are_to_each_other(files, run):
    data = json.loads(run("compare", "good.yaml", "large.yaml", "--format", "json").out)
    table = data["regret"]["table"]
    assert data["regret"]["scenarios"] == ["Good", "Large"]
    assert [table[i][i] for i in range(2)] == pytest.approx([1, 1], abs=1e-9)
    assert min(table[0][1], table[1][0]) > 1
    assert 1 < data["minimax"]["regret"] < min(table[0][1], table[1][0])
    assert data["expected"] is data["cvar"] is None
    assert data["differences"][0]["scenario"] == "Large"


def test_one_scenario_may_be_compared(files, run):
    done = run("compare", "good.yaml")
    assert done.code == 0
    assert "Regret" not in done.out
    data = json.loads(run("compare", "good.yaml", "--format", "json").out)
    assert data["regret"] is data["minimax"] is None


def test_probabilities_and_the_tail(files, run):
    form = ("good.yaml", "large.yaml", "--set", "probability=50 %", "--format", "json")
    wide = json.loads(run("compare", *form, "--tail", "100 %").out)
    assert wide["cvar"]["cost"] == pytest.approx(wide["expected"]["cost"], rel=1e-9)
    narrow = json.loads(run("compare", *form, "--tail", "0.1").out)
    assert narrow["cvar"]["tail"] == 0.1
    assert narrow["cvar"]["cost"] > wide["cvar"]["cost"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--set", "probability=60 %"),
            "--set probability=60 %: probability: those of all scenarios must sum to "
            "100 %, and they sum to 120 %\n",
        ),
        (("--tail", "0"), "--tail: must be above 0 % and at most 100 %, got 0\n"),
        (
            ("--move", "100 %"),
            "--move: must be above 0 % and at most 99 %, got 100 %\n",
        ),
        (("--tail", "much"), '--tail: must be a fraction such as 40 %, got "much"\n'),
    ],
)
def test_bad_parts_are_bad_input(files, run, arguments, told):
    done = run("compare", "good.yaml", "large.yaml", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err == told


def test_an_infeasible_scenario_is_a_column_and_a_reason(files, run):
    done = run("compare", "good.yaml", "impossible.yaml")
    assert done.code == 3
    assert (
        "No one plan suits all of these scenarios: Impossible has no plan" in done.out
    )
    data = json.loads(
        run("compare", "good.yaml", "impossible.yaml", "--format", "json").out
    )
    assert data["minimax"] is None
    assert data["reason"] == "Impossible has no plan of its own"
    assert data["regret"]["table"][1] == [None, None]


def test_move_sets_when_a_plan_has_moved(files, run):
    shared = ("--set", "demand.cost_share=0", "--format", "json")
    names = ("good.yaml", "large.yaml")
    found = {
        move: json.loads(run("compare", *names, *shared, "--move", move).out)
        for move in ("5 %", "20 %")
    }
    small, large = (
        data["shares"][0]["thresholds"][0]["share"] for data in found.values()
    )
    assert 0 < small < large


def test_law_against_law(files, run):
    done = run("solve", "good.yaml", "--law", "all")
    assert done.code == 0
    assert done.out.startswith("Good: law against law\n\nAcross laws, the best size")
    assert max(map(len, done.out.splitlines())) <= 80
    laws = ("--law", "besiroglu-2024", "--law", "kumar-2024")
    data = json.loads(run("solve", "good.yaml", *laws, "--format", "json").out)
    assert [plan["scenario"] for plan in data["plans"]] == [
        "Good (besiroglu-2024)",
        "Good (kumar-2024)",
    ]
    one = run("solve", "good.yaml", "--law", "kumar-2024").out
    assert one.startswith("Good (kumar-2024)\n\nTrain ")
    side = run("compare", "good.yaml", *laws).out
    assert side.startswith("Good: law against law")
    assert "law     besiroglu-2024 → kumar-2024" in side


def test_laws_that_do_not_fit(files, run):
    done = run("solve", "loss.yaml", "good.yaml", "--law", "all")
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("loss.yaml:3:16: target.loss: is a loss under hoffmann")
    done = run("compare", "good.yaml", "--law", "besirolu-2024")
    assert done.code == 2
    assert 'did you mean "besiroglu-2024"?' in done.err


def test_snap(files, run):
    done = run("solve", "good.yaml", "--snap", "1B, 3B,7B,llama-2-13b")
    assert done.code == 0
    assert "Of the sizes that exist take 7B: no dearer than the optimum." in done.out
    data = json.loads(
        run("solve", "good.yaml", "--snap", "1B,7B", "--format", "json").out
    )
    snapped = data["plans"][0]["snap"]
    assert snapped["best"]["name"] == "7B"
    assert [size["tokens"] is None for size in snapped["sizes"]] == [True, False]
    bare = json.loads(run("solve", "good.yaml", "--format", "json").out)
    assert bare["plans"][0]["snap"] is None
    assert "take 7B" in run("solve", "good.yaml", "--law", "all", "--snap", "7B").out


def test_snap_to_architectures(files, run):
    (files / "mine.yaml").write_text(
        "vocabulary: 32000\narchitectures:\n  - {layers: 24, width: 4096}\n"
        "  - {name: short, layers: 2, width: 4096}\n"
    )
    mixed = "7B,llama-2-7b,layers=32 width=4096 vocabulary=32000,mine.yaml"
    data = json.loads(
        run("solve", "good.yaml", "--snap", mixed, "--format", "json").out
    )
    snapped = data["plans"][0]["snap"]
    names = ["7B", "llama-2-7b", "32x4096", "24x4096", "short"]
    assert [size["name"] for size in snapped["sizes"]] == names
    plain = snapped["sizes"][2]
    assert plain["parameters"] == 12 * 32 * 4096**2 + 2 * 32000 * 4096
    assert plain["stored"] == plain["parameters"]
    assert plain["architecture"] == {
        **{"layers": 32, "width": 4096, "vocabulary": 32000, "tied": False}
    }
    assert snapped["sizes"][0]["architecture"] is None
    short = snapped["sizes"][4]
    assert [short[word] for word in ("tokens", "total", "fraction")] == [None] * 3
    assert short["conflict"] == ["target"]
    assert short["reason"].startswith("cannot reach the target of ")
    told = run("solve", "good.yaml", "--snap", mixed).out
    assert f"short {short['reason']}." in " ".join(told.split())
    refused = run("solve", "good.yaml", "--snap", "layers=32 width=4096, 7 cats")
    assert refused.code == 2
    assert refused.err.count("\n") == 1
    unknown = run("solve", "good.yaml", "--snap", "layers=32 width=4096")
    assert unknown.code == 2
    assert unknown.err.startswith(
        "--snap layers=32 width=4096: hoffmann-2022-devries counts the embeddings; add"
    )


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        (
            "llama-3-9b",
            "--snap: must be a size such as 7B, a published model, an architecture "
            "such as layers=32 width=4096, or a .yaml file of these, got "
            '"llama-3-9b"; did you mean "llama-3-8b"?\n',
        ),
        ("-3B", '--snap: must be at least 1, got "-3B"\n'),
        (",", "--snap: needs sizes, as in --snap 1B,3B,7B\n"),
        ("", "--snap: needs sizes, as in --snap 1B,3B,7B\n"),
        ("7 cats", '--snap: must be a number of parameters such as 7B, got "7 cats"\n'),
    ],
)
def test_sizes_that_are_none(files, run, sizes, told):
    done = run("solve", "good.yaml", "--snap", sizes)
    assert done.code == 2
    assert done.err == told


def test_a_portfolio_is_solved_with_the_others(files, run):
    done = run("solve", "family.yaml")
    assert done.code == 0
    assert done.out.startswith("family\n\nTrain edge with ")
    data = json.loads(run("solve", "good.yaml", "family.yaml", "--format", "json").out)
    assert [plan["scenario"] for plan in data["plans"]] == ["Good", "edge", "server"]
    assert data["portfolio"]["status"] == "optimal"
    assert data["portfolio"]["models"] == ["edge", "server"]
    assert run("check", "family.yaml").out == "family.yaml: ok\n"
    piped = run("solve", "-", stdin=FAMILY.encode())
    assert piped.out.startswith("<stdin>\n")


def test_a_portfolio_without_a_plan_exits_with_3(files, run):
    tight = ("--set", "shared.training_compute=1e20")
    done = run("solve", "family.yaml", *tight)
    assert done.code == 3
    assert "There is no joint plan" in done.out
    data = json.loads(run("solve", "family.yaml", *tight, "--format", "json").out)
    assert data["portfolio"]["status"] == "infeasible"
    assert data["portfolio"]["cost"] is None
    assert "shared.training_compute" in data["portfolio"]["conflict"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("compare", "good.yaml", "family.yaml"), "holds several models that share"),
        (("solve", "family.yaml", "--law", "all"), "--law is for files of one model"),
        (("solve", "family.yaml", "--snap", "3B"), "--snap is for files of one model"),
        (
            ("solve", "family.yaml", "family.yaml"),
            "is a second portfolio beside family.yaml; solve one at a time",
        ),
        (("audit", "--scenario", "family.yaml"), "holds several models that share"),
    ],
)
def test_what_a_portfolio_cannot_do(files, run, arguments, told):
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith(f"family.yaml:3:3: models: {told}")


def test_fail_on_looks_at_every_model(files, run):
    held = run("solve", "family.yaml", "--fail-on", "plan.parameters > 2B")
    assert held.code == 4
    assert held.err == "family.yaml: server: --fail-on plan.parameters > 2B holds\n"
