"""install.sh on a Raspberry Pi: the words and the block that its firmware reads; and what --uninstall takes away."""

import re
from pathlib import Path

import pytest

from tests.test_install import HERE, bash, contents, place
from tests.test_install_steps import calls, first, programs, stand_in  # noqa: F401 - a fixture

CMDLINE = "console=serial0,115200 console=tty1 root=PARTUUID=1234-02 rootfstype=ext4 fsck.repair=yes rootwait"
CONFIG = "# For more options see the documentation\ndtparam=audio=on\n\n[cm5]\ndtoverlay=dwc2\n"


# --- the board ------------------------------------------------------------------------------------------------


@pytest.fixture
def pi(tmp_path):
    """A root with the boot partition of a Raspberry Pi 4."""
    boot = tmp_path / "root/boot/firmware"
    boot.mkdir(parents=True)
    (boot / "cmdline.txt").write_text(f"{CMDLINE}\n")
    (boot / "config.txt").write_text(CONFIG)
    return tmp_path / "root"


def board(root: Path, *words: str, model: str = "Raspberry Pi 4 Model B Rev 1.5") -> str:
    """Set the board up; whether a reboot is asked for."""
    (root / "proc/device-tree").mkdir(parents=True, exist_ok=True)
    (root / "proc/device-tree/model").write_text(f"{model}\0")
    answer = bash(f"read_options {' '.join(words)}; set_up_board >&2; echo $reboot_needed", ROOT=str(root))
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def boot_file(root: Path, name: str) -> str:
    return (root / "boot/firmware" / name).read_text()


def test_the_screen_of_a_pi_is_always_on(pi):
    assert board(pi) == "yes"
    assert boot_file(pi, "cmdline.txt") == f"{CMDLINE} consoleblank=0 video=HDMI-A-1:1920x1080@60D\n"
    block = ["[all]", "dtparam=i2c_arm=on", "dtoverlay=i2c-rtc,ds3231", "hdmi_force_hotplug=1"]
    assert boot_file(pi, "config.txt").splitlines() == [
        *CONFIG.splitlines(),
        "# >>> kiosk: install.sh",
        *block,
        "# <<< kiosk",
    ]


def test_a_second_run_leaves_the_board_alone_and_asks_for_no_reboot(pi):
    board(pi)
    (pi / "dev").mkdir()
    (pi / "dev/rtc0").write_text("")  # the clock module answers now
    before = contents(pi)
    assert board(pi) == "no"
    assert {name: kept[1:] for name, kept in contents(pi).items() if "boot/" in name} == {
        name: kept[1:] for name, kept in before.items() if "boot/" in name
    }


def test_a_cmdline_without_an_end_of_line_is_no_change(pi):
    board(pi)
    path = pi / "boot/firmware/cmdline.txt"
    path.write_text(path.read_text().rstrip("\n"))
    assert board(pi) == "no"


def test_a_config_without_an_end_of_line_keeps_its_last_line(pi):
    (pi / "boot/firmware/config.txt").write_text("dtparam=audio=on")
    board(pi)
    assert boot_file(pi, "config.txt").startswith("dtparam=audio=on\n# >>> kiosk: install.sh\n")


def test_the_first_copies_are_kept_once(pi):
    board(pi)
    board(pi, "--screen", "1280x800")
    assert boot_file(pi, "cmdline.txt.before-kiosk") == f"{CMDLINE}\n"
    assert boot_file(pi, "config.txt.before-kiosk") == CONFIG


def test_another_mode_takes_the_place_of_ours_and_stays(pi):
    board(pi)
    assert board(pi, "--screen", "1280x800") == "yes"
    assert boot_file(pi, "cmdline.txt") == f"{CMDLINE} consoleblank=0 video=HDMI-A-1:1280x800@60D\n"
    assert board(pi) == "no"
    assert board(pi, "--screen", "auto") == "yes"
    assert boot_file(pi, "cmdline.txt") == f"{CMDLINE} consoleblank=0\n"
    assert "hotplug" not in boot_file(pi, "config.txt")
    assert board(pi) == "no"


def test_words_of_the_technician_stay_as_they_are(pi):
    mine = f"{CMDLINE} video=HDMI-A-1:800x480@60 consoleblank=600"
    (pi / "boot/firmware/cmdline.txt").write_text(f"{mine}\n")
    board(pi)
    assert boot_file(pi, "cmdline.txt") == f"{mine}\n"
    assert board(pi) == "no"


@pytest.mark.parametrize(
    ("words", "model", "config", "clock"),
    [
        ((), "Raspberry Pi 5 Model B Rev 1.0", "", None),  # it has a clock of its own
        (("--rtc", "pcf8523"), "Raspberry Pi 4 Model B", "", "pcf8523"),
        (("--rtc", "none"), "Raspberry Pi 4 Model B", "", None),
        ((), "Raspberry Pi 4 Model B", "dtoverlay=i2c-rtc,pcf85063a\n", None),  # the technician's
        ((), "Raspberry Pi Zero 2 W Rev 1.0", "", "ds3231"),
    ],
)
def test_a_clock_module_is_set_up_where_there_is_no_clock(pi, words, model, config, clock):
    (pi / "boot/firmware/config.txt").write_text(CONFIG + config)
    board(pi, *words, model=model)
    ours = boot_file(pi, "config.txt").partition("# >>> kiosk")[2]
    assert re.findall("^dtoverlay=i2c-rtc,(.*)$", ours, re.MULTILINE) == ([clock] if clock else [])
    assert board(pi, model=model) == "no", "what was chosen is kept by a run without the option"


def test_a_pc_has_no_board(tmp_path):
    assert board(tmp_path) == "no"
    assert not (tmp_path / "usr").exists()


def test_removing_gives_the_board_back(pi):
    board(pi)
    answer = bash("restore_board", ROOT=str(pi))
    assert answer.returncode == 0, answer.stderr
    assert boot_file(pi, "cmdline.txt") == f"{CMDLINE}\n"
    assert boot_file(pi, "config.txt") == CONFIG
    assert sorted(path.name for path in (pi / "boot/firmware").iterdir()) == ["cmdline.txt", "config.txt"]


def test_removing_leaves_what_the_technician_has_added_to_the_board(pi):
    board(pi)
    with (pi / "boot/firmware/config.txt").open("a") as config:
        config.write("dtoverlay=disable-bt\n")
    bash("restore_board", ROOT=str(pi))
    assert boot_file(pi, "config.txt") == f"{CONFIG}dtoverlay=disable-bt\n"
    assert boot_file(pi, "config.txt.before-kiosk") == CONFIG


# --- removing -------------------------------------------------------------------------------------------------


def removed(root: Path, programs: Path, *words: str) -> str:
    """Remove what was placed below a root; what was said."""
    for name in ("systemctl", "udevadm"):
        stand_in(programs, name)
    answer = bash(f"check_root() {{ :; }}; main --uninstall {' '.join(words)}", ROOT=str(root), PATH=first(programs))
    assert answer.returncode == 0, answer.stderr
    return answer.stdout + answer.stderr


@pytest.fixture
def installed(pi):
    """A root with everything that the installer places, and a day's data."""
    place(pi)
    board(pi)
    (pi / "opt/kiosk/releases/0.5.0+1/bin").mkdir(parents=True)
    (pi / "opt/kiosk/current").symlink_to("releases/0.5.0+1")
    (pi / "var/lib/kiosk").mkdir(parents=True)
    (pi / "var/lib/kiosk/kiosk.db").write_text("numbers")
    return pi


def test_removing_keeps_data_and_configuration_and_nothing_else(installed, programs):
    said = removed(installed, programs)
    left = set(contents(installed)) - {"proc/device-tree/model"}
    assert left == {
        "boot/firmware/cmdline.txt",
        "boot/firmware/config.txt",
        "etc/kiosk/kiosk.toml",
        "etc/kiosk/office.toml",
        "var/lib/kiosk/kiosk.db",
    }
    assert not (installed / "opt/kiosk").exists()
    assert not (installed / "usr/local/lib/systemd").exists(), "no empty folders are left"
    assert (installed / "usr/local/bin").exists(), "the system's own folder stays"
    assert "--uninstall --purge" in said
    assert "sudo reboot" in said


def test_removing_disables_every_unit_that_was_placed(installed, programs):
    removed(installed, programs)
    (disabled,) = [line for line in calls(programs) if " disable " in line]
    units = {path.name for path in (HERE / "systemd").glob("*") if path.suffix in {".service", ".timer"}}
    assert set(disabled.split()[4:]) == units
    assert disabled.split()[:4] == ["systemctl", f"--root={installed}", "disable", "--quiet"]


def test_purging_deletes_data_and_configuration_too(installed, programs):
    removed(installed, programs, "--purge")
    assert not (installed / "var/lib/kiosk").exists()
    assert not (installed / "etc/kiosk").exists()


def test_removing_leaves_files_that_were_changed_by_hand(installed, programs):
    unit = installed / "usr/local/lib/systemd/system/kiosk.service"
    unit.write_text("# mended on site\n")
    said = removed(installed, programs)
    assert unit.read_text() == "# mended on site\n"
    assert "kiosk.service was changed by hand: it stays" in said


def test_removing_twice_is_removing_once(installed, programs):
    removed(installed, programs)
    before = contents(installed)
    removed(installed, programs)
    assert contents(installed) == before


def test_a_dry_run_of_removing_changes_nothing(installed, programs):
    before = contents(installed)
    removed(installed, programs, "--dry-run")
    assert contents(installed) == before
    assert calls(programs) == []
