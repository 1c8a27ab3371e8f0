"""A release that is being tried: what confirms it, what takes it back by itself, and the way back by hand."""

import shutil
from pathlib import Path

import pytest

from tests.release_kit import HELPERS, Machine, machine, name_of

OLD, NEW, NEWER = name_of("0.4.0"), name_of("0.5.0"), name_of("0.6.0")


@pytest.fixture
def box(tmp_path: Path) -> Machine:
    return machine(tmp_path)


def test_three_failed_starts_bring_the_release_before_back_with_its_files(box: Machine):
    box.update(box.release("0.5.0"))
    box.start(restarts=0)
    box.start(restarts=1)
    box.start(restarts=2)
    assert box.current == f"releases/{NEW}"
    box.asked()
    box.start(restarts=3)
    assert (box.current, box.unit, box.trial) == (f"releases/{OLD}", "of the first\n", None)
    assert not (box.root / "usr/local/lib/systemd/system/kiosk-new.timer").exists()
    assert box.asked() == [
        "disable --now --quiet kiosk-new.timer",
        "daemon-reload",
        "--no-block restart kiosk-sync.service kiosk-console.service",
    ]
    assert box.state["rejected"] == {NEW: "3 starts failed"}


def test_three_boots_without_ten_good_minutes_bring_it_back_too(box: Machine):
    box.update(box.release("0.5.0"))
    for boot in ("boot-1", "boot-2", "boot-3"):
        box.start(boot=boot)
    assert box.current == f"releases/{NEW}"
    box.start(boot="boot-4")
    assert box.current == f"releases/{OLD}"


def test_a_restart_by_hand_is_no_failed_start(box: Machine):
    box.update(box.release("0.5.0"))
    for _ in range(6):
        box.start(restarts=0)
    assert box.current == f"releases/{NEW}"


def test_the_clock_of_the_wall_is_never_asked(box: Machine):
    asks = ("time.time(", "datetime", "localtime")
    sources = [(HELPERS / name).read_text() for name in ("kiosk_trial.py", "kiosk_release.py")]
    assert [word for word in asks for source in sources if word in source] == []


def test_ten_good_minutes_confirm_a_release_and_only_then_its_helpers_are_placed(box: Machine):
    box.update(box.release("0.5.0"))
    box.start()
    assert not (box.root / "helper-of").exists()
    box.ten_minutes_pass()
    assert box.trial is None
    assert (box.root / "helper-of").read_text() == NEW
    assert box.state["now"] == NEW
    box.start(boot="boot-9")
    assert box.current == f"releases/{NEW}"


def test_the_newest_two_releases_are_kept(box: Machine):
    for version in ("0.5.0", "0.6.0"):
        box.update(box.release(version))
        box.ten_minutes_pass()
    assert box.releases() == {NEW, NEWER}


def test_a_kiosk_that_started_again_meanwhile_is_looked_at_once_more(box: Machine):
    box.update(box.release("0.5.0"))
    box.start()
    box.asked()
    box.ten_minutes_pass(up_long=False)
    assert box.trial is not None
    assert box.asked() == ["--no-block restart kiosk-healthy.timer"]


@pytest.mark.parametrize(
    ("unit", "values", "why"),
    [
        ("kiosk.service", {"ActiveState": "activating"}, "kiosk.service does not run"),
        ("kiosk-console.service", {"ActiveState": "failed"}, "kiosk-console.service does not run"),
        ("kiosk-sync.service", {"NRestarts": "9"}, "kiosk-sync.service starts again and again"),
    ],
)
def test_a_release_of_which_a_part_does_not_run_is_taken_back(
    box: Machine, unit: str, values: dict[str, str], why: str
):
    box.update(box.release("0.5.0"))
    box.start()
    box.asked()
    box.units(unit, **values)
    box.ten_minutes_pass()
    assert (box.current, box.unit) == (f"releases/{OLD}", "of the first\n")
    assert box.state["rejected"] == {NEW: why}
    assert any(line.startswith("--no-block start kiosk.service") for line in box.asked())


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("open", "not open: the disk is full", "not open: the disk is full"),
        ("open", "open; gpio is broken", "gpio is broken"),
        ("open; take:a is broken", "open; take:a is broken; take:b is broken", "take:b is broken"),
        ("open", "open; the newest office document is refused", "the newest office document is refused"),
    ],
)
def test_a_release_that_gives_no_numbers_or_has_lost_keys_is_taken_back(
    box: Machine, before: str, after: str, why: str
):
    box.units("kiosk.service", StatusText=before)
    box.update(box.release("0.5.0"))
    box.units("kiosk.service", StatusText=after)
    box.start()
    box.ten_minutes_pass()
    assert (box.current, box.unit) == (f"releases/{OLD}", "of the first\n")
    assert box.state["rejected"] == {NEW: f"the kiosk says: {why}"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("open", "open"),
        ("open; take:b is broken; take:a is broken", "open; take:a is broken"),
        ("not open: the disk is full", "not open: the disk cannot be written"),
        ("not open: the disk is full", "open; take:a is broken"),
        ("", "not open: the disk is full"),
        ("open", ""),
    ],
)
def test_what_was_wrong_before_or_is_not_known_is_no_reason_to_take_a_release_back(
    box: Machine, before: str, after: str
):
    box.units("kiosk.service", StatusText=before)
    box.update(box.release("0.5.0"))
    box.units("kiosk.service", StatusText=after)
    box.ten_minutes_pass()
    assert (box.current, box.trial) == (f"releases/{NEW}", None)


def test_what_a_kiosk_says_that_has_only_just_started_is_not_its_last_word(box: Machine):
    box.units("kiosk.service", StatusText="open")
    box.update(box.release("0.5.0"))
    box.units("kiosk.service", StatusText="not open: another program holds the database")
    box.ten_minutes_pass(up_long=False)
    assert (box.current, box.trial is None) == (f"releases/{NEW}", False)


def test_what_passes_in_a_moment_is_no_reason_to_take_a_release_back(box: Machine):
    box.units("kiosk.service", StatusText="open")
    box.update(box.release("0.5.0"))
    box.units("kiosk.service", **{"StatusText": "not open: the database cannot be used", "StatusText.next": "open"})
    box.ten_minutes_pass()
    assert (box.current, box.trial) == (f"releases/{NEW}", None)


def test_what_a_kiosk_said_that_does_not_run_any_more_is_not_known(box: Machine):
    box.units("kiosk.service", StatusText="open", ActiveState="failed")
    box.update(box.release("0.5.0"))
    box.units("kiosk.service", StatusText="open; take:a is broken", ActiveState="active")
    box.ten_minutes_pass()
    assert (box.current, box.trial) == (f"releases/{NEW}", None)


def test_a_release_that_was_taken_back_is_only_installed_again_when_it_is_meant(box: Machine):
    path = box.release("0.5.0")
    box.update(path)
    box.update("--rollback")
    assert "was taken back once (by hand). To try it again: --again." in box.update(path).stderr
    assert box.update(path, "--again").returncode == 0
    assert box.current == f"releases/{NEW}"


def test_a_technician_goes_back_after_days_too(box: Machine):
    box.update(box.release("0.5.0"))
    box.ten_minutes_pass()
    assert box.update("--rollback").returncode == 0
    assert (box.current, box.unit) == (f"releases/{OLD}", "of the first\n")
    assert "There is no release before it" in box.update("--rollback").stderr
    assert box.current == f"releases/{OLD}"


def test_after_a_power_cut_a_release_whose_units_are_not_even_loaded_is_taken_back(box: Machine):
    box.update(box.release("0.5.0"))
    (box.root / "proc/sys/kernel/random/boot_id").write_text("boot-2\n")
    box.units("kiosk.service", ActiveState="inactive")
    box.ten_minutes_pass()
    assert (box.current, box.unit, box.trial) == (f"releases/{OLD}", "of the first\n", None)
    assert box.state["rejected"] == {NEW: "kiosk.service does not run"}


def old_program(box: Machine, script: str) -> None:
    """The program of the release before answers so."""
    (box.root / "opt/kiosk/releases" / OLD / "bin/kiosk").write_text(f"#!/bin/sh\n{script}\n")


@pytest.mark.parametrize("confirmed", [False, True])
def test_by_hand_no_release_comes_back_that_cannot_go_on_with_the_devices_files(box: Machine, confirmed: bool):
    box.update(box.release("0.5.0"))
    if confirmed:
        box.ten_minutes_pass()
    old_program(box, '[ "$1" = fits ] || exit 3; echo "kiosk: kiosk.db belongs to a newer release" >&2; exit 1')
    box.asked()
    done = box.update("--rollback")
    assert done.returncode == 1
    assert f"release {OLD} cannot work on this device (kiosk fits): kiosk.db belongs to a newer release" in done.stderr
    assert (box.current, box.unit, box.asked()) == (f"releases/{NEW}", f"of {NEW}\n", [])
    assert (box.trial is None) == confirmed


def test_a_release_too_old_to_be_asked_comes_back_by_hand(box: Machine):
    box.update(box.release("0.5.0"))
    old_program(box, 'echo "invalid choice: fits" >&2; exit 2')
    assert box.update("--rollback").returncode == 0
    assert box.current == f"releases/{OLD}"


def test_a_release_that_fails_is_taken_back_whatever_the_one_before_says(box: Machine):
    box.update(box.release("0.5.0"))
    old_program(box, "exit 1")
    box.units("kiosk.service", ActiveState="failed")
    box.ten_minutes_pass()
    assert box.current == f"releases/{OLD}"


def test_going_back_to_a_release_that_is_not_there_any_more_leaves_what_runs(box: Machine):
    box.update(box.release("0.5.0"))
    shutil.rmtree(box.root / "opt/kiosk/releases" / OLD)
    assert "There is no release before it to go back to." in box.update("--rollback").stderr
    assert box.current == f"releases/{NEW}"


def test_the_state_says_what_runs_and_what_became_of_the_last_update(box: Machine):
    box.update(box.release("0.5.0"))
    box.start(restarts=0)
    box.start(restarts=1)
    said = box.update("--status").stdout
    assert f"running: {NEW}" in said
    assert f"being tried: {NEW}, 1/3" in said
    assert f"the one before: {OLD}" in said
    box.update("--rollback")
    assert f"taken back: {NEW}: by hand" in box.update("--status").stdout
