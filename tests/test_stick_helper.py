"""Root's helper for sticks: what it does with a stick, and in which order. Programs that need root are stand-ins.

The stand-ins note that they were called; nothing is mounted, and the kiosk's program is one that only answers.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

HELPER = Path(__file__).parent.parent / "systemd" / "kiosk-usb"
BACKUP = "kiosk-000007-20261123T101500.db"
FILLS = 'case $2 in /*) echo "12 events" ;; esac'
NOTE = 'echo "${0##*/} $*" >>"$LOG"\n'


@dataclass(frozen=True)
class Machine:
    """The folder that stands for /, and the programs that the helper finds."""

    root: Path

    def program(self, path: str, body: str) -> None:
        """A stand-in that notes its words and then does `body`."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{NOTE}{body}\n")
        file.chmod(0o755)

    def run(self, word: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "ROOT": str(self.root), "LOG": str(self.root / "log")}
        return subprocess.run([HELPER, word], capture_output=True, text=True, timeout=20, check=False, env=env)

    @property
    def done(self) -> list[str]:
        """What was called, in order, with this folder's name left out."""
        log = self.root / "log"
        return log.read_text().replace(str(self.root), "").splitlines() if log.exists() else []

    def begun(self, start: str) -> int:
        """Where in that order the first call stands that begins so."""
        return next(n for n, line in enumerate(self.done) if line.startswith(start))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.program("bin/runuser", 'shift 3; exec "$@"')
    machine.program("bin/blkid", "case $* in *LABEL*) echo KIOSKEXPORT ;; *) echo vfat ;; esac")
    machine.program("opt/kiosk/current/bin/kiosk", FILLS)
    for name in ("mount", "umount", "sync"):
        machine.program(f"bin/{name}", ":")
    return machine


@pytest.fixture
def with_backup(machine: Machine) -> Machine:
    """A backup was made, and a stick for it is plugged in."""
    machine.program("bin/blkid", "case $* in *LABEL*) echo KIOSKBACKUP ;; *) echo vfat ;; esac")
    kept = machine.root / "var/lib/kiosk/backup"
    kept.mkdir(parents=True)
    (kept / BACKUP).write_text("numbers")
    (machine.root / "var/lib/kiosk/device-id").write_text("k-7F3K2M\n")
    (machine.root / "dev/disk/by-label").mkdir(parents=True)
    (machine.root / "dev/sdb1").touch()
    (machine.root / "dev/disk/by-label/KIOSKBACKUP").symlink_to("../../sdb1")
    return machine


def test_a_stick_is_filled_when_kiosk_toml_allows_it(machine: Machine) -> None:
    assert machine.run("sda1").returncode == 0
    assert machine.begun("kiosk stick --may export") < machine.begun("mount -t vfat")
    assert machine.begun("mount -t vfat") < machine.begun("kiosk stick /run/kiosk-usb/sda1")


def test_a_stick_that_kiosk_toml_does_not_allow_is_not_even_mounted(machine: Machine) -> None:
    machine.program("opt/kiosk/current/bin/kiosk", "exit 3")
    assert machine.run("sda1").returncode == 0
    assert not [line for line in machine.done if line.startswith("mount")]


def test_the_slip_that_it_may_be_pulled_out_comes_when_the_stick_is_let_go(machine: Machine) -> None:
    assert machine.run("sda1").returncode == 0
    filled, synced = machine.begun("kiosk stick /run/kiosk-usb/sda1"), machine.begun("sync -f /run/kiosk-usb/sda1")
    assert filled < synced < machine.begun("umount") < machine.begun("kiosk stick --slip whole")


@pytest.mark.parametrize("fails", ["sync", "umount"])
def test_a_stick_that_did_not_take_everything_gets_no_good_word(machine: Machine, fails: str) -> None:
    machine.program(f"bin/{fails}", "exit 1")
    assert machine.run("sda1").returncode == 1
    assert machine.done[-1] == "kiosk stick --slip lost"
    assert machine.begun("umount") < machine.begun("kiosk stick --slip lost")


def test_a_program_that_ends_without_a_word_gets_no_good_word_either(machine: Machine) -> None:
    machine.program("opt/kiosk/current/bin/kiosk", "case $2 in /*) exit 1 ;; esac")
    assert machine.run("sda1").returncode == 1
    assert machine.done[-1] == "kiosk stick --slip lost"


def test_when_nobody_can_say_whether_it_may_a_stick_is_left_alone_and_the_unit_fails(machine: Machine) -> None:
    machine.program("opt/kiosk/current/bin/kiosk", "exit 1")
    assert machine.run("sda1").returncode == 1
    assert not [line for line in machine.done if line.startswith("mount")]


def test_a_backup_is_copied_with_a_broken_program_too(with_backup: Machine) -> None:
    with_backup.program("opt/kiosk/current/bin/kiosk", "exit 1")
    assert with_backup.run("backup").returncode == 0
    assert (with_backup.root / "run/kiosk-usb/backup/k-7F3K2M" / BACKUP).read_text() == "numbers"


def test_the_slip_says_what_came_onto_the_stick(machine: Machine) -> None:
    machine.program(
        "opt/kiosk/current/bin/kiosk", 'case $2 in --slip) cat >"$ROOT/slip" ;; /*) echo "12 events" ;; esac'
    )
    assert machine.run("sda1").returncode == 0
    assert (machine.root / "slip").read_text() == "12 events\n"


@pytest.mark.parametrize("disk", ["sdb1", "mmcblk0p3", "nvme0n1p3"])
def test_a_backup_goes_onto_the_stick_or_partition_that_is_there_for_it(with_backup: Machine, disk: str) -> None:
    found = with_backup.root / "dev/disk/by-label/KIOSKBACKUP"
    found.unlink()
    (with_backup.root / "dev" / disk).touch()
    found.symlink_to(f"../../{disk}")
    assert with_backup.run("backup").returncode == 0
    assert with_backup.done[with_backup.begun("mount")].split()[-2:] == [f"/dev/{disk}", "/run/kiosk-usb/backup"]
    assert (with_backup.root / "run/kiosk-usb/backup/k-7F3K2M" / BACKUP).read_text() == "numbers"


def test_a_backup_that_kiosk_toml_keeps_on_the_card_goes_onto_no_stick(with_backup: Machine) -> None:
    with_backup.program("opt/kiosk/current/bin/kiosk", '[ "$3" != backup ] || exit 3')
    assert with_backup.run("backup").returncode == 0
    assert not [line for line in with_backup.done if line.startswith("mount")]


def onto_the_stick(machine: Machine, names: list[str]) -> list[str]:
    """Backups that are made one after the other; what is on the stick at the end."""
    kept = machine.root / "var/lib/kiosk/backup"
    (kept / BACKUP).unlink()
    for name in names:
        (kept / name).touch()
        assert machine.run("backup").returncode == 0
    return sorted(path.name for path in (machine.root / "run/kiosk-usb/backup/k-7F3K2M").iterdir())


def test_a_stick_keeps_one_backup_of_each_of_seven_days(with_backup: Machine) -> None:
    made = [f"kiosk-{100 + n:06}-202611{10 + n // 2}T{'0445' if n % 2 == 0 else '1015'}00.db" for n in range(18)]
    assert onto_the_stick(with_backup, made) == made[5::2]


def test_of_a_clock_that_always_says_the_same_day_a_stick_keeps_the_newest_seven(with_backup: Machine) -> None:
    made = [f"kiosk-{100 + n:06}-20260101T000000.db" for n in range(10)]
    assert onto_the_stick(with_backup, made) == made[3:]
