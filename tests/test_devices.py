"""Whether a device is there and may be used: files of a folder with owners and modes as the kernel gives them."""

import grp
import os
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk import devices
from kiosk.devices import Reach, User

GROUP = os.getegid() or 7
"""Of the devices: the one that an ordinary user may give files to; not root's, which stands for no rule at all."""
NAME = grp.getgrgid(GROUP).gr_name
KIOSK = User("kiosk", 4242, frozenset({4242, GROUP}), own=False)
NO_MEMBER = replace(KIOSK, groups=frozenset({4242}))


def device(path: Path, mode: int = 0o660) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.chmod(mode)
    os.chown(path, -1, GROUP)
    return path


def test_a_file_that_is_not_there_is_not_there(tmp_path: Path):
    assert devices.reach(tmp_path / "lp0", KIOSK) == Reach(str(tmp_path / "lp0"))


def test_a_member_of_the_group_may_and_another_is_told_the_group(tmp_path: Path):
    lp0 = device(tmp_path / "lp0")
    assert devices.reach(lp0, KIOSK).allowed
    other = devices.reach(lp0, NO_MEMBER)
    assert (other.there, other.allowed, other.group) == (True, False, NAME)


@pytest.mark.parametrize(("mode", "who"), [(0o600, KIOSK), (0o640, NO_MEMBER)])
def test_where_no_group_helps_none_is_named(tmp_path: Path, mode: int, who: User):
    found = devices.reach(device(tmp_path / "lp0", mode), who)
    assert (found.there, found.allowed, found.group) == (True, False, "")


def test_nobody_is_sent_into_the_group_of_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lp0 = device(tmp_path / "lp0")
    of_root = os.stat_result((0o100660, 1, 1, 1, 0, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda _: of_root)
    assert devices.reach(lp0, KIOSK) == Reach(str(lp0), there=True)


def test_the_owner_and_everybody_may_as_the_mode_says(tmp_path: Path):
    lp0 = device(tmp_path / "lp0", 0o606)
    assert devices.reach(lp0, NO_MEMBER).allowed
    owner = replace(KIOSK, uid=lp0.stat().st_uid)
    lp0.chmod(0o066)
    assert not devices.reach(lp0, owner).allowed


def test_of_several_devices_the_one_that_can_be_used_counts():
    closed, opened = Reach("a", there=True), Reach("b", there=True, allowed=True)
    assert devices.best([closed, opened]) == opened
    assert devices.best([closed]) == closed
    assert devices.best([]) is None


def test_a_printer_is_looked_for_where_its_address_says(tmp_path: Path):
    device(tmp_path / "dev/usb/lp0")
    (tmp_path / "dev/kiosk-printer").symlink_to("usb/lp0")
    assert devices.printer("file:/dev/kiosk-printer", KIOSK, tmp_path) == Reach("/dev/kiosk-printer", True, True)
    assert devices.printer("serial:/dev/ttyUSB0", KIOSK, tmp_path) == Reach("/dev/ttyUSB0")
    assert devices.printer("tcp://192.0.2.7:9100", KIOSK, tmp_path) is None
    assert devices.printer("none", KIOSK, tmp_path) is None


def test_a_usb_printer_is_found_by_its_ids_and_judged_by_its_own_file(tmp_path: Path):
    listed = tmp_path / "sys/bus/usb/devices/1-1.2"
    listed.mkdir(parents=True)
    for name, value in {"idVendor": "04b8", "idProduct": "0e15", "busnum": "1", "devnum": "5"}.items():
        (listed / name).write_text(f"{value}\n")
    (tmp_path / "sys/bus/usb/devices/1-1.2:1.0").mkdir()
    device(tmp_path / "dev/bus/usb/001/005")
    assert devices.printer("usb:04B8:0E15", NO_MEMBER, tmp_path) == Reach("usb:04b8:0e15", there=True, group=NAME)
    assert devices.printer("usb:04b8:0e15", KIOSK, tmp_path) == Reach("usb:04b8:0e15", True, True)
    assert devices.printer("usb:04b8:0202", KIOSK, tmp_path) == Reach("usb:04b8:0202")


def test_this_process_is_asked_by_the_kernel_itself(tmp_path: Path):
    own = devices.user("nobody-of-that-name")
    assert (own.own, own.uid) == (True, os.geteuid())
    assert devices.reach(device(tmp_path / "lp0"), own).allowed


def test_root_looks_with_the_rights_of_the_services_user(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    service = devices.user("nobody")
    assert (service.name, service.own) == ("nobody", False)
    assert 0 not in service.groups
