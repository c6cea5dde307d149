"""One law a group of runs, with exponents that all groups share."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

import cli
from optimizer.analysis.law.group_profiles import group_profiles
from optimizer.errors import InputError
from optimizer.fitting.by_group import fit_by_group
from optimizer.fitting.fit import Settings
from optimizer.fitting.forms import Choice
from optimizer.fitting.group_point import parts_of, point_fit_by_group
from optimizer.fitting.joint import evaluated
from optimizer.fitting.rise import rise_scale
from optimizer.fitting.runs import Options, read_runs
from optimizer.world.laws import load_law

LAWS = {"c4": (1.9, 400, 2000), "the pile": (1.6, 300, 1500), "code": (0.9, 250, 900)}
ALPHA, BETA = 0.34, 0.37
QUICK = Settings(starts=20, draws=60)
WORDS = ("--starts", "20", "--draws", "60")


def rows(noise=0.0, alphas=(ALPHA,) * 3, sizes=(5, 5, 5), ratios=(10, 20, 60, 200)):
    draw = np.random.default_rng(3)
    for (name, (E, A, B)), alpha, many in zip(LAWS.items(), alphas, sizes, strict=True):
        for N in np.geomspace(5e7, 3e9, many).round():
            for D in (N * r for r in ratios):
                L = E + A * N**-alpha + B * D**-BETA
                yield name, N, D, L * np.exp(draw.normal(0, noise))


def table(path, told):
    lines = ["dataset,N,D,loss", *(",".join(map(str, row)) for row in told)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def read(tmp_path):
    """Runs as a table has them, by data set."""

    def runs(**made):
        path = table(tmp_path / "runs.csv", rows(**made))
        return read_runs(str(path), options=Options(by="dataset"))

    return runs


def test_exact_runs_give_their_laws(read):
    found = fit_by_group(read(), QUICK)
    assert found.names == tuple(LAWS)
    for fit, (E, A, B) in zip(found.fits, LAWS.values(), strict=True):
        law = {"E": E, "A": A, "B": B, "alpha": ALPHA, "beta": BETA}
        for symbol, value in law.items():
            assert fit.coefficients[symbol] == pytest.approx(value, rel=1e-5), symbol
    assert found.shared == ("alpha", "beta")
    assert not found.sharing.contradicted


def test_the_minimum_is_that_of_another_optimiser(read):
    """The same objective, written down anew, under scipy's L-BFGS-B and simplex."""
    runs = read(noise=0.01)
    best = point_fit_by_group(parts_of(runs), QUICK)
    N, D, L, g = runs.parameters, runs.tokens, runs.loss, runs.part
    x, y = np.log(N / N.mean()), np.log(D / D.mean())

    def objective(z):
        own = z[:9].reshape(3, 3)[g]
        fitted = np.log(
            np.exp(own[:, 0])
            + np.exp(own[:, 1] - z[9] * x)
            + np.exp(own[:, 2] - z[10] * y)
        )
        off = np.abs(fitted - np.log(L))
        return np.where(off < 1e-3, off**2 / 2, 1e-3 * (off - 5e-4)).sum()

    law = best.laws(best.found.z[None], Choice())
    start = [
        np.log(
            [
                m["E"][0],
                m["A"][0] * N.mean() ** -m["alpha"][0],
                m["B"][0] * D.mean() ** -m["beta"][0],
            ]
        )
        for m in law
    ]
    ours = np.concatenate([*start, [law[0]["alpha"][0], law[0]["beta"][0]]])
    value = best.found.minimum.value[best.found.best]
    assert objective(ours) == pytest.approx(value, rel=1e-9)
    nearby = ours + 0.02 * np.sin(np.arange(11))
    for start in (ours, nearby):
        there = minimize(objective, start, method="L-BFGS-B")
        there = minimize(objective, there.x, method="Nelder-Mead")
        assert there.fun >= value * (1 - 1e-7)


@pytest.mark.parametrize("symbol", ["alpha", "E"])
def test_profiles_are_those_of_another_optimiser(read, symbol):
    """One coefficient held, all others of all groups under scipy's optimisers."""
    runs = read(noise=0.01)
    found = fit_by_group(runs, QUICK)
    fits = found.fits
    held = {p.symbol: p for p in group_profiles(found)[1]}[symbol]
    N, D, g = runs.parameters, runs.tokens, runs.part
    x, y = np.log(N / N.mean()), np.log(D / D.mean())
    off = np.concatenate([fit.residual for fit in fits])
    # Of χ²: the rise by the size of its gradient over its curvature.
    scale = rise_scale(off, 1e-3)
    for at in (3, 16):
        value, rise = held.values[at], held.rise[at]

        def objective(z, delta=1e-3, value=value):
            own = z[:9].reshape(3, 3)[g]
            E = np.exp(own[:, 0])
            alpha = value if symbol == "alpha" else z[9]
            if symbol == "E":
                E = np.where(g == 1, value, E)
            fitted = np.log(
                E + np.exp(own[:, 1] - alpha * x) + np.exp(own[:, 2] - z[10] * y)
            )
            off = np.abs(fitted - np.log(runs.loss))
            outside = delta * (off - delta / 2)
            return np.where(off < delta, off**2 / 2, outside).sum()

        start = [
            [
                np.log(c["E"]),
                np.log(c["A"]) - c["alpha"] * np.log(N.mean()),
                np.log(c["B"]) - c["beta"] * np.log(D.mean()),
            ]
            for c in (fit.coefficients for fit in fits)
        ]
        law = fits[0].coefficients
        there = np.concatenate([*start, [law["alpha"], law["beta"]]])
        # With a small δ it is nearly a polyhedron, along whose edges both creep.
        for delta in (1e-1, 3e-2, 1e-2, 3e-3, 1e-3):
            there = minimize(objective, there, (delta,), method="L-BFGS-B").x
            there = minimize(objective, there, (delta,), method="Powell").x
        ours = sum(fit.value for fit in fits) + rise / 2 / scale
        assert objective(there) == pytest.approx(ours, rel=2e-3)
        assert objective(there) >= ours * (1 - 1e-9)


def test_gradient_and_curvature_are_those_of_differences(read):
    best = point_fit_by_group(parts_of(read(noise=0.01)), QUICK)
    z = best.found.z[None] + 0.01 * np.cos(np.arange(best.asked.free))
    delta = np.array([1.0])
    here = evaluated(best.asked, z, delta)
    step = 1e-5 * np.eye(best.asked.free)
    ends = [evaluated(best.asked, z + s * step, np.ones(len(step))) for s in (1, -1)]
    slope = (ends[0].value - ends[1].value) / 2e-5
    bend = (ends[0].gradient - ends[1].gradient) / 2e-5
    assert here.gradient[0] == pytest.approx(slope, rel=1e-5, abs=1e-8)
    assert here.hessian[0] == pytest.approx(bend, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("form", ["chinchilla", "kaplan", "hestness", "gadre"])
def test_every_form_comes_to_rest(read, form):
    found = fit_by_group(read(noise=0.002), replace(QUICK, choice=Choice(form)))
    for symbol in found.shared:
        assert len({fit.coefficients[symbol] for fit in found.fits}) == 1
        draws = [tuple(fit.draws[symbol]) for fit in found.fits]
        assert len(set(draws)) == 1
    assert all(fit.stationarity <= 1e-8 for fit in found.fits)


def test_groups_that_do_not_share_are_told(read, tmp_path, capsys):
    runs = read(noise=0.001, alphas=(ALPHA, 0.27, ALPHA))
    found = fit_by_group(runs, QUICK)
    assert found.sharing.contradicted
    assert found.sharing.groups[1].exponents["alpha"] == pytest.approx(0.27, abs=0.02)
    output = tmp_path / "law.yaml"
    words = ("fit", runs.file, "--by", "dataset", *WORDS, "-o", str(output))
    assert cli.main([*words]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "But the groups ask for exponents of their own" in out
    assert "known of c4: E" not in out
    caveats = " ".join(load_law(str(tmp_path / "law-c4.yaml")).caveats)
    assert "the groups do not share exponents: alone c4, the pile and code" in caveats


def test_a_group_that_alone_tells_nothing_has_a_law_beside_others(read):
    """Two sizes at two ratios: four runs for E, A, B and two exponents."""
    runs = read(noise=1e-4)
    code = runs.part == 2
    few = np.isin(runs.parameters, sorted(set(runs.parameters))[:2])
    ratio = (runs.tokens / runs.parameters).round()
    runs = runs.take(~code | (few & np.isin(ratio, [10, 200])))
    found = fit_by_group(runs, QUICK)
    assert found.fits[2].runs.count == 4
    assert found.fits[2].coefficients["E"] == pytest.approx(0.9, abs=0.05)
    assert "cannot give 5 coefficients" in found.sharing.groups[2].refused
    assert found.fits[2].settings.resample == "residuals"


def test_runs_of_one_size_in_two_groups_are_no_repeats(read):
    assert not [n for n in read().notes if "repeat" in n.done or "line" in n.message]


def refused(path, capsys, *more):
    assert cli.main(["fit", str(path), "--by", "dataset", *WORDS, *more]) == 2
    return capsys.readouterr().err


def test_what_cannot_be_fitted_is_refused_by_name(tmp_path, capsys):
    three = [row for row in rows() if row[0] != "code"]
    three += [row for row in rows() if row[0] == "code"][:3]
    path = table(tmp_path / "runs.csv", three)
    said = refused(path, capsys)
    assert 'dataset "code" has 3 usable runs' in said
    assert '--exclude "dataset = code"' in said
    assert (
        cli.main(
            ["fit", str(path), "--by", "dataset", *WORDS, "--exclude", "dataset = code"]
        )
        == 0
    )
    capsys.readouterr()
    one = [row for row in rows() if row[0] != "code"]
    one += [("code", 1e9, D, 1 + 900 * D**-BETA) for D in (1e9, 2e9, 4e9, 8e9, 9e9)]
    said = refused(table(tmp_path / "one.csv", one), capsys)
    assert "all of 1e+09 parameters, which cannot tell its A from its E" in said
    path = table(tmp_path / "all.csv", rows())
    assert "is not below the least loss" in refused(path, capsys, "--fix", "E=1.7")
    assert "data-constrained yet" in refused(path, capsys, "--form", "data-constrained")
    only = ("--exclude", "dataset != c4")
    assert "has one value, so there is one law" in refused(path, capsys, *only)
    with pytest.raises(InputError, match=r'no column "datasets".*mean "dataset"'):
        read_runs(str(path), options=Options(by="datasets"))


def test_a_law_file_each_that_a_scenario_takes(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "runs.csv", rows(noise=0.002))
    words = ("fit", "runs.csv", "--by", "dataset", *WORDS, "-o", "mine.yaml")
    assert cli.main([*words, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["fit"]
    assert sorted(told["groups"]) == sorted(LAWS)
    for name, word in (("c4", "c4"), ("the pile", "the-pile"), ("code", "code")):
        law = load_law(f"mine-{word}.yaml")
        assert law.fit["by"] == "dataset"
        assert law.fit["group"] == name
        assert law.fit["shared"] == ("alpha", "beta")
        assert law.coefficients["alpha"] == told["shared"]["alpha"]["value"]
        assert law.coefficients["E"] == pytest.approx(LAWS[name][0], abs=0.05)
        assert law.source.endswith(f"runs.csv, dataset = {name}")
        assert any("are those of" in caveat for caveat in law.caveats)
    text = "law: mine-the-pile.yaml\ntarget: {loss: 2.2}\ndemand: {tokens: 1T}\n"
    (tmp_path / "scenario.yaml").write_text(text)
    assert cli.main(["solve", "scenario.yaml"]) == 0


@pytest.mark.parametrize("side", ["overestimate=10", "envelope"])
def test_a_law_of_the_lower_side_is_read_again(side, tmp_path, capsys, monkeypatch):
    """Its file had words that no law file knew."""
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "runs.csv", [r for r in rows(noise=0.002) if r[0] == "c4"])
    words = ("fit", "runs.csv", *WORDS, "--loss", side, "-o", "low.yaml")
    assert cli.main([*words]) == 0
    assert any("ower" in caveat for caveat in load_law("low.yaml").caveats)
