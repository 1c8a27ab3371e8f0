"""The machine below the kiosk: what the kernel's files and messages say, and what is said of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from kiosk import kernel_log, machine, vitals
from kiosk.findings import Finding, title
from kiosk.texts import Texts, languages
from kiosk.vitals import Disk, Memory, Power
from tests.board import KERNEL, board, put

DATA = Path("/var/lib/kiosk")
T = Texts("vi")
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
CARD = "sys/devices/platform/mmc0/mmc0:aaaa"


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    return board(tmp_path)


def said(pi: Path, lines: Sequence[str] | None = KERNEL, t: Texts = T) -> list[Finding]:
    return list(machine.found(DATA, lines, t, pi))


def codes(pi: Path, lines: Sequence[str] | None = KERNEL) -> list[str]:
    return [one.code for one in said(pi, lines) if not one.ok]


def test_a_board_that_is_well_says_so_part_by_part(pi: Path):
    assert [(one.part, one.ok) for one in said(pi)] == [
        ("power", True), ("heat", True), ("memory", True), ("card", True)
    ]  # fmt: skip
    assert [one.line for one in said(pi)][-1] == "không thấy lỗi (mmcblk0p2, ext4)"


def test_of_a_machine_that_tells_nothing_nothing_is_said(tmp_path: Path):
    assert said(tmp_path, None) == []


@pytest.mark.parametrize(
    ("bits", "found"),
    [("0", Power(False, False)), ("50005", Power(True, True)), ("0x10000", Power(False, True)), ("?", None)],
)
def test_voltage_that_is_low_now_is_told_from_what_was_since_the_boot(pi: Path, bits: str, found: Power | None):
    put(pi, THROTTLED, bits)
    assert vitals.power(pi) == found


def test_a_board_names_its_model_and_a_pc_names_none(pi: Path):
    assert vitals.board(pi) == ""
    put(pi, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5\0")
    assert vitals.board(pi) == "Raspberry Pi 4 Model B Rev 1.5"


def test_the_sensor_stands_in_where_the_firmware_s_file_is_gone(pi: Path):
    (pi / THROTTLED).unlink()
    assert vitals.power(pi) is None
    put(pi, "sys/class/hwmon/hwmon1/name", "rpi_volt")
    put(pi, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1")
    assert vitals.power(pi) == Power(True, True)


def test_voltage_that_the_firmware_forgot_stands_in_the_kernels_log(pi: Path):
    assert codes(pi, [*KERNEL, "hwmon hwmon1: Undervoltage detected!"]) == ["undervoltage"]
    put(pi, THROTTLED, "50005")
    assert codes(pi) == ["undervoltage_now"]


def test_heat_and_short_memory_are_faults(pi: Path):
    put(pi, "sys/class/thermal/thermal_zone0/temp", "80100")
    put(pi, "proc/meminfo", "MemTotal:   440000 kB\nMemAvailable:   40000 kB")
    assert (vitals.temperature_c(pi), vitals.memory(pi)) == (80.1, Memory(39, 429))
    assert codes(pi) == ["hot", "memory"]


def test_the_disk_of_a_folder_is_found_by_its_mount_whatever_that_is_called(pi: Path):
    assert vitals.disk(DATA, pi) == Disk("mmcblk0", "mmcblk0p2", "ext4", False, host="mmc0", errors=0)
    stick = vitals.disk(Path("/media/usb stick/x"), pi)
    assert stick == Disk("sda1", "sda1", "vfat", True)


@pytest.mark.parametrize("options", ["ro,noatime", "rw,emergency_ro"])
def test_a_file_system_that_gave_up_writing_is_a_fault(tmp_path: Path, options: str):
    assert codes(board(tmp_path, options)) == ["read_only"]


def test_errors_that_the_file_system_has_counted_are_a_fault(pi: Path):
    put(pi, "sys/fs/ext4/mmcblk0p2/errors_count", "3")
    assert codes(pi) == ["fs_errors"]


@pytest.mark.parametrize(
    "line",
    [
        "mmc0: error -110 whilst initialising SD card",
        "mmc0: Timeout waiting for hardware interrupt.",
        "mmcblk0: recovery failed!",
        "I/O error, dev mmcblk0, sector 123456 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2",
        "Buffer I/O error on dev mmcblk0p2, logical block 98765, lost async page write",
        "EXT4-fs error (device mmcblk0p2): ext4_lookup:1801: inode #2: comm python3: iget: checksum invalid",
        "Aborting journal on device mmcblk0p2-8.",
        "EXT4-fs (mmcblk0p2): Remounting filesystem read-only",
    ],
)
def test_messages_about_the_card_are_errors_of_it(pi: Path, line: str):
    (fault,) = (one for one in said(pi, [*KERNEL, line]) if not one.ok)
    assert (fault.part, fault.code, fault.detail) == ("card", "card_errors", line)


@pytest.mark.parametrize(
    "line",
    [
        "I/O error, dev sda, sector 0 op 0x0:(READ)",
        "mmc1: error -110 whilst initialising SDIO card",
        "EXT4-fs (mmcblk0p2): error count since last fsck: 4",
        "usb 1-1.2: device descriptor read/64, error -71",
    ],
)
def test_a_stick_the_radio_and_a_reminder_are_no_errors_of_the_card(pi: Path, line: str):
    assert codes(pi, [*KERNEL, line]) == []


@pytest.mark.parametrize(
    ("life", "spare", "wrong"),
    [("0x01 0x02", "0x01", []), ("0x09 0x01", "0x01", ["card_worn"]), ("0x0b 0x0b", "0x03", ["card_worn"]),
     ("0x00 0x00", "0x02", ["card_worn"])],
)  # fmt: skip
def test_a_card_that_counts_its_wear_is_believed(pi: Path, life: str, spare: str, wrong: list[str]):
    put(pi, f"{CARD}/life_time", life)
    put(pi, f"{CARD}/pre_eol_info", spare)
    assert codes(pi) == wrong


@pytest.mark.parametrize("language", languages())
def test_every_fault_of_the_machine_says_what_to_do(tmp_path: Path, language: str):
    pi, t = board(tmp_path, "ro"), Texts(language)
    put(pi, THROTTLED, "50005")
    put(pi, "sys/class/thermal/thermal_zone0/temp", "85000")
    put(pi, "proc/meminfo", "MemTotal:   440000 kB\nMemAvailable:   4000 kB")
    put(pi, "sys/fs/ext4/mmcblk0p2/errors_count", "3")
    put(pi, f"{CARD}/life_time", "0x0b 0x0b")
    faults = said(pi, ["mmc0: error -84 reading status"], t)
    faults += [one for state in ("slow", "stalled", "failed", "?") if (one := machine.canary(state, t))]
    assert len(faults) == 11
    for fault in faults:
        assert not fault.ok and fault.says and fault.advice and fault.code, fault
        assert "machine." not in fault.says + fault.advice + title(fault.part, t)
        assert "{" not in fault.says + fault.advice


def test_a_trial_that_went_well_is_in_order_and_none_yet_or_a_full_disk_is_not_spoken_of():
    assert machine.canary("ok", T) == Finding("canary", True, "ghi và đọc lại tốt")
    assert machine.canary("", T) is machine.canary("full", T) is None


def test_a_board_without_a_clock_module_is_a_note(pi: Path):
    assert list(machine.clock_module(T, pi)) == []
    (pi / "sys/class/rtc/rtc0").rmdir()
    (missing,) = machine.clock_module(T, pi)
    assert (missing.ok, missing.note, missing.code) == (True, True, "no_clock_module")


# --- the kernel's log -------------------------------------------------------------------------------------------


def test_records_of_the_kernel_are_read_without_their_heads_and_tails(tmp_path: Path):
    kmsg = tmp_path / "kmsg"
    kmsg.write_text("6,1,0,-;Booting; on CPU 0\n3,2,99,-;mmc0: error -110\n SUBSYSTEM=mmc\n DEVICE=+mmc;mmc0\n")
    assert kernel_log.messages(kmsg) == ["Booting; on CPU 0", "mmc0: error -110"]


def test_where_the_kernel_may_not_be_asked_the_journal_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "journalctl"
    program.write_text('#!/bin/sh\n[ "$1" = --dmesg ] && echo "mmc0: error -110"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert kernel_log.messages(tmp_path / "nothing") == ["mmc0: error -110"]
    program.write_text("#!/bin/sh\nexit 1\n")
    assert kernel_log.messages(tmp_path / "nothing") is None
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert kernel_log.messages(tmp_path / "nothing") is None


def test_the_log_is_read_again_only_after_a_while():
    answers = iter((["a"], ["b"]))
    log = kernel_log.Log(lambda: next(answers))
    assert [log.lines(at) for at in (0.0, 10.0, kernel_log.LOOK_S, kernel_log.LOOK_S + 1)] == [
        ["a"],
        ["a"],
        ["b"],
        ["b"],
    ]
