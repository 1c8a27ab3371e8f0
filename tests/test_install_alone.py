"""install.sh beside root's helper for updates: one at a time, and never over a release that is being tried."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.test_install import bash, contents, place

CHECKED = "check_root() { :; }; check_architecture() { :; }; check_release() { :; }; check_space() { :; }"


@contextmanager
def updating(root: Path) -> Iterator[None]:
    """Root's helper is at work."""
    folder = root / "var/lib/kiosk-release"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("what", ["check_system", "uninstall"])
def test_nothing_is_installed_or_removed_while_an_update_is_under_way(tmp_path, what):
    placed = place(tmp_path) and contents(tmp_path)
    with updating(tmp_path):
        answer = bash(f"{CHECKED}; turn_wait=0; {what}; echo went on", ROOT=str(tmp_path))
    assert answer.returncode == 1
    assert "An update is under way: wait for it" in answer.stderr
    assert "went on" not in answer.stdout
    assert {name: file for name, file in contents(tmp_path).items() if "kiosk-release" not in name} == placed


def test_no_update_begins_while_the_installer_is_at_work(tmp_path):
    asked = f"flock -n '{tmp_path}/var/lib/kiosk-release/lock' true || echo taken"
    answer = bash(f"{CHECKED}; check_system >/dev/null; {asked}", ROOT=str(tmp_path))
    assert answer.stdout == "taken\n"
    assert bash(asked).stdout == "", "it ends with the installer"


def on_trial(root: Path) -> Path:
    """What a release leaves there that is being tried."""
    folder = root / "var/lib/kiosk-release"
    for name in ("trial.json", "state.json", "tree/install.sh", "before-0.5.0+1a2b3c4d/index.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}\n")
    return folder


def test_nothing_is_laid_over_a_release_that_is_being_tried(tmp_path):
    on_trial(tmp_path)
    answer = bash(f"{CHECKED}; check_system; echo went on", ROOT=str(tmp_path))
    assert answer.returncode == 1
    assert "still being tried: wait ten minutes, or go back (sudo kiosk update --rollback)" in answer.stderr
    assert "went on" not in answer.stdout


def test_after_a_removal_nothing_is_being_tried_any_more(tmp_path):
    place(tmp_path)
    folder = on_trial(tmp_path)
    stubs = "check_root() { :; }; restore_board() { :; }; systemctl_here() { :; }; sync() { :; }"
    answer = bash(f"{stubs}; uninstall", ROOT=str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "state.json"]
