"""Files are written whole or not at all, and terminals get what they can show."""

import os
import sys
from pathlib import Path

import pytest

from optimizer.commands.output import colourful, write
from optimizer.errors import InputError


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "plan.json"
    target.write_text("old")
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):

        def fail(*_arguments, error=error):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", fail)
            wanted = InputError if isinstance(error, OSError) else KeyboardInterrupt
            with pytest.raises(wanted):
                write(target, "new")
        assert target.read_text() == "old"
        assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_a_file_keeps_its_mode_and_a_new_one_takes_the_usual(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("x")
    old.chmod(0o640)
    write(old, "y")
    assert old.stat().st_mode & 0o777 == 0o640
    before = os.umask(0o027)
    try:
        write(new, "y")
    finally:
        os.umask(before)
    assert new.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    write(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"


@pytest.mark.parametrize("linked", [False, True])
def test_a_device_is_no_place_for_a_file(here, run, linked):
    """A link to a device, too: nothing that is written there can be read again."""
    device = Path(os.devnull)
    if linked:
        (here / "link").symlink_to(device)
        device = here / "link"
    done = run("solve", "bad.yaml", "-o", device)
    assert done.code == 2
    assert "this is a device or a pipe" in done.err
    assert "bad.yaml" not in done.err
    assert not Path(os.devnull).is_file()


def test_a_pipe_is_no_place_for_a_file(here, run):
    """It would be replaced, and its reader would wait for ever."""
    os.mkfifo(here / "pipe")
    assert run("sweep", "good.yaml", "--sample", "2", "-o", "pipe").code == 2
    assert (here / "pipe").is_fifo()


def test_a_link_to_no_folder_is_told_before_any_work(here, run):
    (here / "link.csv").symlink_to(here / "none" / "rows.csv")
    done = run("sweep", "bad.yaml", "--vary", "demand.tokens=1T,2T", "-o", "link.csv")
    assert done.code == 2
    assert "there is no directory" in done.err


def test_line_ends_are_kept(tmp_path):
    write(tmp_path / "a", "one\ntwo\r\n")
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\r\n"


@pytest.mark.parametrize("place", ["absent/plan.txt", "", "file/plan.txt"])
def test_a_place_that_cannot_be_is_told_before_any_work(here, run, place):
    (here / "file").write_text("")
    done = run("solve", "bad.yaml", "-o", here / place)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "director" in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_is_bad_input(here, run):
    (here / "out.txt").touch(mode=0o400)
    done = run("solve", "good.yaml", "-o", "out.txt")
    assert done.code == 2
    assert "no permission" in done.err


class Terminal:
    def isatty(self):
        return True


def test_colour_only_on_a_terminal_that_wants_it(monkeypatch, tmp_path):
    """no-color.org: NO_COLOR counts when present and not empty."""
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert not colourful(None)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert colourful(None)
    assert not colourful(tmp_path / "file")
    monkeypatch.setenv("NO_COLOR", "")
    assert colourful(None)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colourful(None)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not colourful(None)
