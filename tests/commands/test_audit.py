"""`audit`: what may be asked, in which forms, and what is refused."""

import csv
import io
import json

import pytest

from optimizer.world.models import model_names

FIELDS = {
    *("name", "law", "parameters", "tokens", "loss", "w", "implied_demand"),
    *("overhead", "k_N", "k_D", "overtraining", "critical", "training_optimal"),
    *("lifetime", "frontier"),
}


LAW = ("--law", "besiroglu-2024-refit")


def audits(done):
    assert done.code == 0, done.err
    return json.loads(done.out)["audits"]


def test_a_model_is_named_or_sized_and_its_tokens_may_be_others(run):
    (own,) = audits(run("audit", "8B", *LAW, "--tokens", "15T", "--format", "json"))
    both = run(
        "audit", *LAW, "--parameters", "8B", "--tokens", "15T", "--format", "json"
    )
    assert [own] == audits(both)
    done = run("audit", "gpt-oss-120b", *LAW, "--tokens", "8T", "--format", "json")
    (served,) = audits(done)
    assert served["parameters"] == pytest.approx(5.7e9, rel=0.01)  # a token passes
    assert served["tokens"] == 8e12
    done = run("audit", "llama-3-8b", *LAW, "--tokens", "2T", "--format", "json")
    assert audits(done)[0]["tokens"] == 2e12
    assert run("audit", "8B").err == (
        "8B: says nothing of the training; add --tokens 15T, as its makers tell\n"
    )


def test_llama_3_8b_and_the_laws_that_judge_where_none_is_named(run):
    done = run("audit", "llama-3-8b")
    assert done.code == 0
    assert done.out.startswith(
        "llama-3-8b\n\n8.03B on 15T is lifetime-optimal if it serves 190T tokens "
        "(besiroglu-2024-refit;\n88T under hoffmann-2022-devries).\n"
    )
    assert "Laws unless --law names others: besiroglu-2024-refit and" in done.out


def test_a_model_of_ones_own(run):
    size = ("--parameters", "8B", "--tokens", "15T")
    laws = ("--law", "besiroglu-2024", "--law", "hoffmann-2022-devries")
    done = run("audit", *size, *laws)
    assert "8B on 15T\n\n8B on 15T is lifetime-optimal if it serves 190T" in done.out
    assert "Laws unless" not in done.out
    one, two = audits(run("audit", *size, *laws, "--format", "json"))
    assert set(one) >= FIELDS
    assert (one["law"], two["law"]) == ("besiroglu-2024", "hoffmann-2022-devries")
    assert two["implied_demand"]["tokens"] == pytest.approx(88e12, rel=0.01)


def test_gpt_3_is_undertrained(run):
    """Hoffmann et al. 2022, Table 3: 175B asks for 3.7T tokens under approach 1."""
    done = run("audit", "gpt-3-175b")
    assert "175B on 300B is undertrained" in done.out
    assert "hoffmann-2022-approach-1" in done.out
    (row, _) = audits(run("audit", "gpt-3-175b", "--format", "json"))
    asked = {line["law"]: line["tokens"] for line in row["frontier"]}
    assert asked["hoffmann-2022-approach-1"] == pytest.approx(3.7e12, rel=0.01)


def test_all_published_models(run, tmp_path):
    path = tmp_path / "audit.csv"
    assert run("audit", "--all", "-o", path).out == ""
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(rows) == 2 * len(model_names())
    assert {row["name"] for row in rows} == set(model_names())
    table = run("audit", "--all").out
    assert max(map(len, table.splitlines())) <= 80
    assert run("audit", "--all", "--format", "markdown").out.startswith("# Audit of")


def test_a_scenario_prices_the_model(here, run):
    (row,) = audits(
        run("audit", "llama-3-8b", "--scenario", "good.yaml", "--format", "json")
    )
    assert row["law"] == "hoffmann-2022-devries"
    assert row["lifetime"]["unit"] == "FLOP"
    assert row["demand"] == 2e12
    assert row["lifetime_overhead"] > 0
    text = run("audit", "llama-3-8b", "--scenario", "good.yaml").out
    assert "At the 2T tokens of the scenario it takes" in text


def test_the_implied_demand_belongs_to_the_law_that_judges(here, run):
    """A scenario is priced under each law in turn, and not under its own alone."""
    with_scenario = audits(
        run(
            *("audit", "llama-3-8b", "--scenario", "good.yaml", "--law"),
            *("besiroglu-2024", "--format", "json"),
        )
    )
    bare = audits(
        run("audit", "llama-3-8b", "--law", "besiroglu-2024", "--format", "json")
    )
    assert with_scenario[0]["implied_demand"]["tokens"] == pytest.approx(
        bare[0]["implied_demand"]["tokens"], rel=1e-9
    )


def test_a_scenario_alone_audits_the_model_that_it_is_about(here, run):
    form = ("--format", "json", "--scenario", "good.yaml")
    (row,) = audits(run("audit", *form, "--set", "target.match.model=smollm3-3b"))
    assert row["name"] == "smollm3-3b"
    (row,) = audits(run("audit", *form, "--set", "target.match.tokens=1T"))
    assert (row["parameters"], row["tokens"]) == (13e9, 1e12)
    done = run("audit", *form)
    assert done.code == 2
    assert done.err.startswith(
        "good.yaml:3:9: target: names no model as it was trained"
    )


def test_a_limit_that_binds_leaves_an_interval(here, run):
    done = run(
        *("audit", "--parameters", "8B", "--tokens", "15T", "--scenario", "good.yaml"),
        *("--set", "limits.tokens=15T"),
    )
    assert "8B on 15T is lifetime-optimal if it serves at least 88T tokens" in done.out


def test_experts_choose_the_laws_of_experts(run):
    size = ("--parameters", "1B", "--tokens", "100B", "--format", "json")
    rows = audits(run("audit", *size, "--experts", "8"))
    assert [row["law"] for row in rows] == ["ludziejewski-2025"]
    done = run("audit", *size, "--experts", "8", "--law", "kumar-2024")
    assert done.code == 2
    assert "is for dense models" in done.err


@pytest.mark.parametrize("asked", [(), ("--law", "all")])
@pytest.mark.parametrize(
    ("experts", "told"),
    [("64", "ludziejewski-2025 1 to 32"), ("9" * 450, "must be below 2^63")],
    ids=["64", "450 digits"],
)
def test_experts_that_no_law_knows(run, experts, told, asked):
    """They once left no law to judge by, and a defect: a search met it."""
    done = run("audit", "llama-3-8b", "--experts", experts, *asked)
    assert done.code == 2
    assert told in done.err


def test_law_all(run):
    rows = audits(run("audit", "llama-7b", "--law", "all", "--format", "json"))
    assert len(rows) >= 12
    assert len({row["law"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            (),
            "audit: nothing to audit; name a published model, or give --parameters 8B "
            "--tokens 15T, or --all\n",
        ),
        (
            ("--parameters", "8B"),
            "--parameters: says half of a model; add --tokens 15T\n",
        ),
        (("--tokens", "1T"), "--tokens: says half of a model; add --parameters 8B\n"),
        (
            ("--parameters", "8 cats", "--tokens", "1T"),
            '--parameters: must be a number of parameters such as 7B, got "8 cats"\n',
        ),
        (
            ("--parameters", "8B", "--tokens", "-1"),
            '--tokens: must be at least 1, got "-1"\n',
        ),
        (
            ("llama-7b", "--set", "demand.tokens=1T"),
            "--set: changes a scenario; add --scenario FILE\n",
        ),
        (
            ("llama-7b", "--law", "hoffmann-2022-approach-1"),
            "--law hoffmann-2022-approach-1: gives only which tokens are "
            "compute-optimal for a size, not the loss; choose a law with a loss "
            "surface, such as besiroglu-2024-refit\n",
        ),
    ],
)
def test_what_cannot_be_audited(run, arguments, told):
    done = run("audit", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err == told


def test_unknown_names_are_guessed(run):
    done = run("audit", "llama-3-9b")
    assert done.code == 2
    assert done.err.endswith('got "llama-3-9b"; did you mean "llama-3-8b"?\n')
    done = run("audit", "llama-7b", "--law", "besiroglu-202")
    assert 'did you mean "besiroglu-2024"?' in done.err


def test_all_laws_says_which_it_leaves_out(run):
    done = run("audit", "llama-3-8b", "--law", "all")
    assert "Laws left out" in done.out
    found = json.loads(
        run("audit", "llama-3-8b", "--law", "all", "--format", "json").out
    )
    judged = {row["law"] for row in found["audits"]}
    assert {"kaplan-2020", "hoffmann-2022-approach-1"} <= set(found["left_out"])
    assert not judged & set(found["left_out"])
    assert "left_out" not in json.loads(
        run("audit", "llama-3-8b", "--format", "json").out
    )


def test_a_scenario_of_sparse_experts_judges_no_published_model(run, here):
    """Its law says nothing of a model whose experts it was not fitted to."""
    (here / "sparse.yaml").write_text(
        "law: tian-2025-leverage\ntarget: {match: {parameters: 13B}}\n"
        "demand: {tokens: 2T}\n"
        "sparse: {activation: 6.25 %, granularity: 12, beyond_fit: true}\n"
    )
    done = run("audit", "llama-3-8b", "--scenario", "sparse.yaml")
    assert done.code == 2
    assert done.err.startswith("sparse.yaml:1:6: law: a law of leverage judges no")
    assert "price one with plan: {parameters: , tokens: }" in done.err
