"""A page on paper: a browser of the machine prints it as PDF."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from optimizer.commands.output import failed, write

# By their names on Linux and Windows, then where macOS keeps them.
BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("chrome", "msedge", "microsoft-edge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
CURE = (
    "a PDF is printed by Chromium, Chrome or Edge: install one of them, or write the "
    "report as .html and print it from any browser"
)
PATIENCE = 120  # seconds


def printer(output: Path) -> str:
    """The browser that prints.

    Raises:
        InputError: there is none on this machine.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise failed(output, f"no browser was found; {CURE}")
    return found


def print_page(page: str, output: Path, browser: str) -> None:
    """Prints a page, whole or not at all.

    Args:
        page: HTML that loads nothing.
        output: the PDF.
        browser: from `printer`.

    Raises:
        InputError: the browser printed nothing, or the file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="overtrain-") as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, encoding="utf-8")
        command = [
            *(browser, "--headless", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--no-pdf-header-footer"),
            *(f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}"),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # root has none, in containers for example
        try:
            subprocess.run(  # noqa: S603 - a browser of the machine, our own page
                [*command, source.as_uri()],
                capture_output=True,
                check=True,
                timeout=PATIENCE,
                stdin=subprocess.DEVNULL,
            )
            data = target.read_bytes()
        except (OSError, subprocess.SubprocessError):
            name = Path(browser).name
            raise failed(output, f"{name} did not print the page; {CURE}") from None
    write(output, data)
