"""Sticks in the machine's socket: one gets what waits, one the backup; and what is on them harms no kiosk."""

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

from tests.appliance.books import books
from tests.appliance.machine import Machine
from tests.appliance.stick import Stick
from tests.appliance.test_keys_and_paper import PRINT_S, printed, slips, taken
from tests.appliance.test_trouble import main_pid

OVER = '[ -n "$(systemctl show -P ExecMainExitTimestamp {0})" ] && [ "$(systemctl show -P MainPID {0})" = 0 ]'


def test_a_stick_gets_what_waits_and_a_slip_says_so(machine: Machine, tmp_path: Path) -> None:
    assert machine.paper is not None
    stick, count = Stick(tmp_path / "export", "KIOSKEXPORT"), slips(machine)
    token = taken(machine, "ho-tich")
    assert printed(machine, count + 1)[-1] == token
    with stick.plugged(machine) as name:
        machine.paper.printer.wait_for_slips(count + 2, PRINT_S)  # which says that it may be pulled out
        assert machine.sh(f"systemctl show -P Result kiosk-usb@{name}").strip() == "success"
        assert "/run/kiosk-usb" not in machine.sh("cat /proc/self/mounts"), "nobody else sees the stick"
    tokens = books(machine).tokens
    files = stick.files(tmp_path / "files")
    [events] = files.glob("kiosk-*.ndjson*")
    told = events.read_bytes()
    waiting = [each for each in tokens if each.encode() in told]
    assert token in waiting
    # Where a server was told before (test_network), nothing that it has waits any more.
    assert waiting == tokens[-len(waiting) :], "nothing is left out since then"
    [bundle] = files.glob("*.tar.gz")
    with tarfile.open(bundle) as packed:
        assert any(one.endswith("check.json") for one in packed.getnames())


def test_a_stick_gets_the_backup_of_the_night(machine: Machine, tmp_path: Path) -> None:
    stick, unit = Stick(tmp_path / "backup", "KIOSKBACKUP"), "kiosk-usb@backup"
    with stick.plugged(machine):
        machine.sh("systemctl start kiosk-backup", 600)
        machine.eventually(OVER.format(unit), 300)
        assert machine.sh(f"systemctl show -P Result {unit}").strip() == "success"
    tokens = books(machine).tokens
    [copy] = stick.files(tmp_path / "files").glob("*/kiosk-*.db")
    with closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert sorted(token for (token,) in conn.execute("SELECT token FROM tickets")) == sorted(tokens)


def test_a_stick_full_of_rubbish_gets_nothing_and_the_kiosk_goes_on(machine: Machine, tmp_path: Path) -> None:
    assert machine.paper is not None
    stick, before, count = Stick(tmp_path / "rubbish", "KIOSKEXPORT"), main_pid(machine), slips(machine)
    rubbish = tmp_path / "files"
    (rubbish / "kiosk-xa-thu-vm.ndjson").mkdir(parents=True)
    (rubbish / "autorun.inf").write_text("[autorun]\nopen=kiosk.exe\n")
    stick.put(*rubbish.iterdir())
    stick.fill(rubbish)
    with stick.plugged(machine) as name:
        machine.paper.printer.wait_for_slips(count + 1, PRINT_S)  # which says that nothing was copied
        machine.eventually(f"systemctl is-failed kiosk-usb@{name}")
    assert main_pid(machine) == before
    token = taken(machine, "dat-dai")
    assert printed(machine, count + 2)[-1] == token


def test_a_stick_whose_files_cannot_be_found_anymore_stops_nothing(machine: Machine, tmp_path: Path) -> None:
    stick, before = Stick(tmp_path / "broken", "KIOSKEXPORT"), main_pid(machine)
    with stick.file.open("r+b") as disk:
        disk.seek((2048 + 32) * 512)  # the table of files
        disk.write(b"\xff" * 200_000)
    with stick.plugged(machine) as name:
        machine.eventually(OVER.format(f"kiosk-usb@{name}"), 300)
    assert main_pid(machine) == before
    count = slips(machine)
    token = taken(machine, "ho-tich")
    assert printed(machine, count + 1)[-1] == token
