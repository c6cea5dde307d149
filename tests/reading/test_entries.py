"""Entries of the package's libraries: each alone is what the whole file says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import optimizer
from optimizer.errors import Defect
from optimizer.reading.document import load_file
from optimizer.reading.entries import Entries

DATA = Path(optimizer.__file__).parent / "data"


@pytest.mark.parametrize("name", ["models", "architectures", "hardware", "prices"])
def test_an_entry_alone_says_what_it_says_in_its_file(name: str) -> None:
    path = DATA / f"{name}.yaml"
    whole, apart = load_file(path), Entries(path)
    assert isinstance(whole.value, dict)
    assert apart.names == tuple(whole.value)
    for key in whole.value:
        one = apart[key]
        assert one.value == {key: whole.value[key]}
        assert {k: v for k, v in one.marks.items() if k} == {
            steps: mark for steps, mark in whole.marks.items() if steps[:1] == (key,)
        }


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    path = tmp_path / "library.yaml"
    path.write_text("# two\ngood: {a: 1}\nbad: {a: [1\nlast:\n  b: 2\n")
    found = Entries(path)
    assert "good" in found
    assert "a" not in found
    assert found["good"].value == {"good": {"a": 1}}
    assert found["last"].mark(("last", "b")).line == 5
    path.write_text("good: 1\n'quoted': 2\n")
    with pytest.raises(Defect, match=r"library\.yaml: good is no entry of its own"):
        Entries(path)["good"]
