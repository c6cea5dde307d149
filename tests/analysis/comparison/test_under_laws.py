"""One scenario under several laws: which apply, what carries over, what is refused."""

import pytest

from optimizer.analysis.comparison.compare import MANY, compare
from optimizer.analysis.plan.optimum import solve
from optimizer.errors import InputError
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.under_laws import chosen_laws, left_out, under_laws
from optimizer.report.formats.text import render
from optimizer.report.pages.under_laws import laws_side_blocks, spread
from optimizer.world.laws import builtin_names, load_law

TEXT = """\
name: Mine
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
HELD = """\
name: s
law: besiroglu-2024-refit
target: {{match: {{parameters: 13B}}}}
demand: {{tokens: 2T}}
{limit}
"""
EXPERTS = TEXT.replace("besiroglu-2024-refit", "ludziejewski-2025") + "experts: 8\n"


def names(scenarios):
    return [scenario.law.name for scenario in scenarios]


def refused(text, *laws):
    with pytest.raises(InputError) as caught:
        under_laws(read_scenario(text, "s.yaml"), laws)
    return str(caught.value)


def test_all_are_the_dense_laws_with_a_surface():
    found = names(under_laws(read_scenario(TEXT), ["all"]))
    left = set(builtin_names()) - set(found)
    assert left
    for name in left:
        law = load_law(name)
        assert law.form in ("frontier", "hestness", "joint-moe", "kaplan", "leverage")
    assert len(found) == len(set(found)) >= 12


def test_with_experts_only_laws_of_experts_apply():
    assert names(under_laws(read_scenario(EXPERTS), ["all"])) == ["ludziejewski-2025"]
    assert chosen_laws(["all"], mixture=64) == ()


def test_each_is_the_file_with_that_law(ask):
    for scenario in under_laws(read_scenario(TEXT), ["kumar-2024", "muennighoff-2023"]):
        assert scenario.name == f"Mine ({scenario.law.name})"
        by_hand = ask(TEXT, f"law={scenario.law.name}")
        assert solve(scenario).plan == by_hand.plan


def test_a_matched_model_carries_over_and_its_loss_does_not():
    """Each law says itself what loss a training-optimal 13B has."""
    found = [solve(s) for s in under_laws(read_scenario(TEXT), ["all"])]
    losses = {answer.target_loss for answer in found}
    assert len(losses) == len(found)
    for answer in found:
        assert answer.reference.parameters == 13e9


def test_a_loss_means_nothing_under_another_law():
    text = TEXT.replace("match: {parameters: 13B}", "loss: 2.1")
    assert refused(text, "kumar-2024") == (
        "s.yaml:3:16: target.loss: is a loss under besiroglu-2024-refit, on its own "
        "data and tokenizer, and says nothing under kumar-2024; name a model to match "
        "instead: target: {match: {parameters: 13B}}"
    )
    assert "says nothing under" in refused(text, "all")
    (own,) = under_laws(read_scenario(text), ["besiroglu-2024-refit"])
    assert own.spec.target.loss == 2.1


def test_a_budget_carries_over():
    text = "law: besiroglu-2024-refit\nbudget: {compute: 1e23}\n"
    found = under_laws(read_scenario(text), ["all"])
    assert all(solve(s).plan is not None for s in found)


@pytest.mark.parametrize(
    ("laws", "told"),
    [
        (["besirolu-2024"], 'did you mean "besiroglu-2024"?'),
        (["hoffmann-2022"], "there is no plain hoffmann-2022"),
        (["hoffmann-2022-approach-1"], "gives only which tokens are compute-optimal"),
        (["ludziejewski-2025"], "needs the number of experts"),
        (["absent.yaml"], "absent.yaml: there is no such file"),
        (["all", "nonsense"], "--law nonsense: there is no law"),
    ],
)
def test_laws_that_do_not_fit_are_refused(laws, told):
    assert told in refused(TEXT, *laws)


def test_every_wrong_name_is_told_at_once():
    assert len(refused(TEXT, "one", "two").splitlines()) == 2


def test_a_law_of_ones_own_belongs_to_all_and_may_be_named(tmp_path, monkeypatch):
    mine = "name: mine\nE: 1.7\nA: 400\nB: 400\nalpha: 0.3\nbeta: 0.3\n"
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "mine.yaml").write_text(mine)
    (tmp_path / "other.yaml").write_text(mine.replace("mine", "other"))
    path = folder / "s.yaml"
    path.write_text(TEXT.replace("besiroglu-2024-refit", "mine.yaml"))
    monkeypatch.chdir(tmp_path)
    scenario = load_scenario("deep/s.yaml")
    found = names(under_laws(scenario, ["all"]))
    assert found[0] == "mine"
    assert "besiroglu-2024" in found
    # Paths of --law start from where the user is, not from the scenario's folder.
    assert names(under_laws(scenario, ["other.yaml", "kumar-2024"])) == [
        "other",
        "kumar-2024",
    ]


def test_a_law_named_twice_stands_once():
    found = under_laws(read_scenario(TEXT), ["kumar-2024", "all", "kumar-2024"])
    assert names(found).count("kumar-2024") == 1


def test_a_changed_coefficient_is_changed_in_each_law():
    scenario = read_scenario(TEXT, "s.yaml", ["law.alpha=0.4"])
    for found in under_laws(scenario, ["kumar-2024", "gadre-2024-c4"]):
        assert found.law.coefficients["alpha"] == 0.4
    with pytest.raises(InputError, match="has no coefficient"):
        under_laws(scenario, ["kaplan-2020"])


def test_of_many_laws_each_that_a_limit_holds_is_free_beside_it():
    """Of more than 20 laws no free size was known: 15B was told as one for twelve."""
    text = HELD.format(limit="limits: {parameters: 6B}")
    held = under_laws(read_scenario(text, "s.yaml"), ["all"])
    bare = under_laws(read_scenario(HELD.format(limit=""), "s.yaml"), ["all"])
    assert len(held) > MANY
    plans = compare(held).plans
    best = {one.law.name: solve(one, False).plan.parameters for one in bare}
    barred = [answer for answer in plans if answer.plan is None]
    walled = [answer for answer in plans if answer.held_by]
    assert len(walled) > 5
    assert barred
    for answer in plans:
        if answer in walled or answer in barred:
            assert answer.free.parameters == pytest.approx(best[answer.law.name])
        else:
            assert answer.free is None
            assert answer.plan.parameters == pytest.approx(best[answer.law.name])
    told = " ".join(spread(plans))
    low, high = min(best.values()), max(best.values())
    assert (
        f"the best size without limits.parameters is anywhere from {low / 1e9:.3g}B "
        f"to {high / 1e9:.3g}B"
    ) in told
    page = render(list(laws_side_blocks("s", plans)), 80)
    assert "would choose without limits.parameters." in page
    for answer in (*walled, *barred):
        row = next(t for t in page.splitlines() if t.split()[:1] == [answer.law.name])
        assert row.endswith(f"{answer.free.parameters / 1e9:#.3g}B")


def test_without_limits_the_lists_are_chosen_from_anew(root):
    """4.24B was told as free, the best of two chips; one chip's 4.61B costs less."""
    file = root / "scenarios/latency-bound-assistant.yaml"
    held = solve(load_scenario(file, ["limits.parameters=3B"]))
    free = solve(load_scenario(file), whole=False)
    assert held.choice != free.choice
    assert held.free.parameters == pytest.approx(free.plan.parameters, rel=1e-9)
    assert held.free.tokens == pytest.approx(free.plan.tokens, rel=1e-9)


def test_all_is_the_set_of_laws_fit_for_planning():
    """Kaplan's law says of itself that no run should be planned by it."""
    names = {law.name for law in chosen_laws(["all"])}
    left = left_out()
    assert names.isdisjoint(left)
    assert names | set(left) == set(builtin_names())
    assert left["kaplan-2020"].startswith("its D is the size of a data set")
    assert "without a loss" in left["hoffmann-2022-approach-1"]
    assert "mixtures of experts" in left["ludziejewski-2025"]
    assert "kaplan-2020" not in left_out(own="kaplan-2020")
    assert [law.name for law in chosen_laws(["kaplan-2020"])] == ["kaplan-2020"]


def test_laws_that_the_time_of_a_token_holds_to_one_size_do_not_agree(root):
    """Ten laws gave 4.61B, the most that so many whole replicas serve in 7 ms."""
    sets = "serving.weights=int4", "serving.accelerators=1"
    file = root / "scenarios/latency-bound-assistant.yaml"
    laws = ("besiroglu-2024-refit", "hoffmann-2022-devries", "sardana-2024-all")
    answers = [solve(one, False) for one in under_laws(load_scenario(file, sets), laws)]
    first, second, third = (answer.plan.parameters for answer in answers)
    assert second == pytest.approx(first, rel=1e-9)
    assert third < 0.7 * first
    assert (
        "serving.max_time_per_output_token of 7 ms holds besiroglu-2024-refit and "
        "hoffmann-2022-devries: meeting there is no agreement."
    ) in " ".join(spread(answers))


def test_meeting_at_a_limit_is_no_agreement():
    """A report said of laws that a limit held: they differ by a factor of 1."""
    text = HELD.format(limit="limits: {parameters: 5B}")
    laws = ("besiroglu-2024-refit", "hoffmann-2022-devries", "muennighoff-2023")
    answers = [solve(one) for one in under_laws(read_scenario(text, "s.yaml"), laws)]
    bare = read_scenario(HELD.format(limit=""), "s.yaml")
    free = [solve(one) for one in under_laws(bare, laws)]
    for held, other in zip(answers, free, strict=True):
        assert held.plan.parameters == 5e9
        assert held.free.parameters == pytest.approx(other.plan.parameters, rel=1e-9)
        assert other.free is None
    told = " ".join(spread(answers))
    sizes = [answer.plan.parameters for answer in free]
    assert (
        "Across laws, the best size without limits.parameters is anywhere from" in told
    )
    assert f"a factor of {max(sizes) / min(sizes):.2g} in size" in told
    assert told.endswith(
        "limits.parameters of 5B holds all of them: meeting there is no agreement."
    )
    page = render(list(laws_side_blocks("s", answers)), 80)
    assert max(map(len, page.splitlines())) <= 80
    assert "held by" in page
