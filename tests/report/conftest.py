"""One report of two scenarios whose authors mean no good, and a browser to read it."""

import contextlib
import io
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

import cli

EVIL = '"><script>window.evil = 1</script><img src=x onerror="window.evil = 1">'
FORMULA = "=cmd|' /C calc'!A0"
OPEN = f"""\
name: '{EVIL}'
description: '</style></script><b>{FORMULA.replace("'", "''")}'
law: besiroglu-2024-refit
objective: dollars
target: {{match: {{parameters: 13B}}}}
training: {{hardware: h100-sxm, mfu: 40 %, price: $2.50/h, accelerators: 256}}
serving: {{hardware: h100-sxm, mfu: 20 %, price: example}}
demand:
  - name: '</script><script>evil()</script>'
    requests: {{low: 2M/day, expected: 5M/day, high: 9M/day}}
    input_tokens: 800   # <script>window.evil = 3</script>
    output_tokens: 300
    lifetime: 2 years
  - name: '@SUM(1,1)'
    tokens: 300B
    cost_share: 50 %
"""
INTERNAL = """\
name: '@SUM(1,1) | **bold** [link](javascript:alert(1)) `'
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2.50/h}
serving: {hardware: h100-sxm, mfu: 20 %, price: $2.50/h}
demand: {tokens: 500B}
limits: {parameters: 9B}
"""
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


def run(*arguments):
    """Runs a command line in this process; returns its code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main([str(argument) for argument in arguments])
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


@pytest.fixture(scope="session")
def overtrain():
    return run


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The two scenarios, in a folder of their own."""
    folder = tmp_path_factory.mktemp("scenarios")
    paths = folder / "open.yaml", folder / "internal.yaml"
    for path, text in zip(paths, (OPEN, INTERNAL), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


@pytest.fixture(scope="session")
def made(files, tmp_path_factory):
    """The report in HTML, and the file itself."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    os.environ["SOURCE_DATE_EPOCH"] = "1780000000"
    try:
        done = run("report", *files, "-o", path)
    finally:
        del os.environ["SOURCE_DATE_EPOCH"]
    assert done.code == 0, done.err
    return path


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium; a test that cannot look at the page has not passed."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="in the extra dev")
    path = shutil.which("chromium")
    assert path, "needs Chromium: apt-get install chromium"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def barriers():
    """What axe-core finds on a page: each rule that is broken, with where first."""
    axe = pytest.importorskip("axe_playwright_python", reason="in the extra dev")
    rules = Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8")

    def found(page):
        page.evaluate(rules)
        broken = page.evaluate("axe.run().then(found => found.violations)")
        return [(rule["id"], rule["nodes"][0]["html"]) for rule in broken]

    return found


@pytest.fixture
def opened(chromium, made):
    """Opens the report offline, and its folds; keeps what it asks and complains of."""
    contexts = []

    def page(unfolded=True, **options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.requests, tab.complaints = [], []
        tab.on("request", lambda request: tab.requests.append(request.url))
        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.goto(made.as_uri())
        for fold in tab.locator("details.team > summary").all():
            if unfolded:
                fold.click()
        return tab

    yield page
    for context in contexts:
        context.close()
