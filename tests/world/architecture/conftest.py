"""Where the configs of published models are, and what is known of them."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """The folder of data beside the checkout; skipped where it is missing."""
    for base in (root.parent, root.parents[1]):
        if (base / "shared" / "data").is_dir():
            return base / "shared" / "data"
    pytest.skip("../shared/data is missing: published configs are not in the project")
