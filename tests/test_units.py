"""The unit files: accepted by systemd without a word, closed up as far as measured, and saying what the code says."""

import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kiosk import config

FOLDER = Path(__file__).parent.parent / "systemd"
UNITS = sorted(path.name for path in [*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")])
# Started by root, each with its reasons beside it: they touch what the kiosk's own user must not be able to.
ROOT_HELPERS = {
    "kiosk-firewall.service": 20,
    "kiosk-healthy.service": 45,
    "kiosk-update-install.service": 45,
    "kiosk-usb@.service": 45,
}
"""How far each may be open, in tenths of systemd's points."""
SERVICES = [name for name in UNITS if name.endswith(".service") and name not in ROOT_HELPERS]
TARGETS = ("sysinit", "basic", "shutdown", "multi-user", "timers", "network", "sockets", "paths", "slices")
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def options(name: str) -> Mapping[str, Sequence[str]]:
    """All values of each key of a file made of KEY=VALUE lines, whatever the section."""
    found = defaultdict(list)
    for line in (FOLDER / name).read_text().splitlines():
        if match := re.fullmatch(r"(\w+)=(.*)", line):
            found[match[1]].append(match[2])
    return found


def environment(name: str) -> dict[str, str]:
    """What Environment= lines set."""
    return dict(pair.split("=", 1) for line in options(name)["Environment"] for pair in line.split())


def seconds(value: str) -> float:
    """A duration as the units write it."""
    number, unit = re.fullmatch(r"(\d+)(min|s|)", value).groups()
    return int(number) * (60 if unit == "min" else 1)


def sysusers(kind: str) -> list[list[str]]:
    """Lines of one type in the sysusers file."""
    lines = [line.split() for line in (FOLDER / "kiosk.sysusers").read_text().splitlines()]
    return [words[1:] for words in lines if words and words[0] == kind]


def stage(root: Path, units: Path = FOLDER) -> Path:
    """A root with our units, a program that they can start, and empty targets to hang them on."""
    ours, theirs = root / "usr/local/lib/systemd/system", root / "usr/lib/systemd/system"
    ours.mkdir(parents=True)
    theirs.mkdir(parents=True)
    for name in UNITS:
        shutil.copy(units / name, ours)
    for target in TARGETS:
        (theirs / f"{target}.target").write_text("[Unit]\nDescription=stand-in\n")
    program = root / "opt/kiosk/current/bin/kiosk"
    helpers = [root / f"usr/local/lib/kiosk/{path.name}" for path in (*units.glob("kiosk_*.py"), units / "kiosk-usb")]
    for place in (program, root / "bin/sh", root / "usr/sbin/nft", *helpers):
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shutil.which("true") or "/bin/true", place)
    return root


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program of systemd; what is asked here needs neither root nor a running systemd."""
    return subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env=os.environ | {"LC_ALL": "C", "TZ": "UTC"}
    )


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    return run(["systemd-analyze", "--no-pager", *words])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return stage(tmp_path_factory.mktemp("root"))


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_accepts_the_unit_without_a_word(root, unit):
    answer = analyze("verify", f"--root={root}", "--man=no", unit)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_misspelt_option_would_be_seen(tmp_path):
    broken = stage(tmp_path)
    unit = broken / "usr/local/lib/systemd/system/kiosk.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in analyze("verify", f"--root={broken}", "--man=no", "kiosk.service").stderr


@pytest.mark.parametrize("unit", SERVICES)
def test_the_service_is_closed_up(root, unit):
    answer = analyze("security", "--offline=true", f"--root={root}", "--threshold=20", unit)
    assert answer.returncode == 0, answer.stdout[-200:]


@pytest.mark.parametrize("unit", ROOT_HELPERS)
def test_what_root_runs_is_closed_up_where_it_can_be_and_says_why_not(root, unit):
    answer = analyze("security", "--offline=true", f"--root={root}", f"--threshold={ROOT_HELPERS[unit]}", unit)
    assert answer.returncode == 0, answer.stdout[-200:]
    assert options(unit)["PrivateNetwork"] == ["yes"] or unit == "kiosk-firewall.service"
    assert "Left out, each for a reason" in (FOLDER / unit).read_text()


def left_out(unit: str) -> set[str]:
    """What systemd would have closed and the unit leaves open, by option; of address families the family."""
    answer = analyze("security", "--offline=true", "--json=short", str(FOLDER / unit))
    found = {each["json_field"] for each in json.loads(answer.stdout) if not each["set"] and each["exposure"]}
    named = {"RootDirectoryOrRootImage": "RootDirectory", "UserOrDynamicUser": "User"}
    short = {re.sub(r"^RestrictAddressFamilies_|_INET6$", "", field) for field in found}
    return {named.get(field) or (field if field[:3] == "AF_" else field.partition("_")[0]) for field in short}


@pytest.mark.parametrize("unit", [*SERVICES, *ROOT_HELPERS])
def test_each_option_that_is_left_out_has_its_reason_beside_it(unit):
    comments = " ".join(line for line in (FOLDER / unit).read_text().splitlines() if line.startswith("#"))
    assert {option for option in left_out(unit) if not re.search(rf"\b{option}\b", comments)} == set()


def test_the_helper_for_sticks_has_each_right_of_root_for_a_reason():
    (kept,) = options("kiosk-usb@.service")["CapabilityBoundingSet"]
    text = (FOLDER / "kiosk-usb@.service").read_text()
    reasons = " ".join(line for line in text.splitlines() if line.startswith("#"))
    assert [right for right in kept.split() if not re.search(rf"\b{right.removeprefix('CAP_')}\b", reasons)] == []


def test_a_start_is_counted_where_the_kiosk_starts_and_nothing_it_says_keeps_the_kiosk_from_starting():
    (before,) = options("kiosk.service")["ExecStartPre"]
    assert before.startswith("+-/bin/sh ")
    assert "if [ -e /var/lib/kiosk-release/trial.json ]; then exec" in before
    assert not options("kiosk-prepare.service")["ExecStartPre"]


def test_a_new_release_is_judged_after_ten_minutes_and_only_when_one_is_tried():
    assert options("kiosk-healthy.timer")["OnActiveSec"] == ["10min"]
    assert options("kiosk-healthy.service")["ConditionPathExists"] == ["/var/lib/kiosk-release/trial.json"]


def test_a_new_release_is_judged_after_a_boot_too_for_one_whose_units_do_not_load_counts_no_start():
    assert options("kiosk-healthy.timer")["WantedBy"] == ["timers.target"]


def test_updates_are_looked_for_outside_office_hours_and_never_made_up_in_the_morning():
    asked = options("kiosk-update.timer")["OnCalendar"]
    assert [line.split()[1] for line in asked] == ["04:50:00", "10:45:00", "14:00:00"]
    assert options("kiosk-update.timer")["Persistent"] == ["no"]
    assert options("kiosk-update.service")["OnSuccess"] == ["kiosk-update-install.service"]


def test_what_was_fetched_is_looked_for_by_the_helper_for_no_unit_knows_where_the_data_are():
    assert "/var/lib/kiosk/" not in (FOLDER / "kiosk-update-install.service").read_text()


def test_what_holds_no_device_sees_none():
    for unit in set(SERVICES) - {"kiosk.service"}:
        assert options(unit)["PrivateDevices"] == ["yes"]
        assert options(unit)["MemoryDenyWriteExecute"] == ["yes"]
        assert not options(unit)["DeviceAllow"]


def test_what_needs_no_network_has_none():
    for unit in ("kiosk-prepare.service", "kiosk-backup.service"):
        assert options(unit)["PrivateNetwork"] == ["yes"]


@pytest.mark.parametrize("unit", SERVICES)
def test_every_service_runs_as_the_one_user_on_the_one_folder(unit):
    found = options(unit)
    assert found["User"] == ["kiosk"] == [user for user, *_ in sysusers("u")]
    assert found["StateDirectory"] == ["kiosk"]
    assert config.Config().data_dir == "/var/lib/kiosk"
    assert environment(unit)["KIOSK_CONFIG"] == config.FILE


@pytest.mark.parametrize("unit", SERVICES)
def test_a_stopping_service_leaves_the_shared_run_folder_to_the_others(unit):
    assert options(unit)["RuntimeDirectory"] == ["kiosk"]
    assert options(unit)["RuntimeDirectoryPreserve"] == ["yes"]
    assert options(unit)["WorkingDirectory"] == ["/run/kiosk"]


def test_the_kiosk_has_the_groups_that_its_user_has():
    groups = options("kiosk.service")["SupplementaryGroups"][0].split()
    assert sorted(groups) == sorted(group for _, group in sysusers("m"))


def test_device_rules_give_to_groups_that_the_kiosk_is_in():
    rules = (FOLDER / "70-kiosk.rules").read_text()
    given = set(re.findall(r'GROUP="(\w+)"', rules))
    assert given <= set(options("kiosk.service")["SupplementaryGroups"][0].split())


def test_device_rules_are_well_formed():
    term = r'[A-Z]+(\{[^}]+\})?(==|!=|=|\+=)"[^"]*"'
    lines = [line for line in (FOLDER / "70-kiosk.rules").read_text().splitlines() if line and line[0] != "#"]
    assert lines
    assert [line for line in lines if not re.fullmatch(f"{term}(, {term})*", line)] == []


def test_the_helper_for_sticks_may_open_the_disks_that_a_backup_can_go_to():
    allowed = {line.split()[0] for line in options("kiosk-usb@.service")["DeviceAllow"]}
    assert allowed == {"block-sd", "block-mmc", "block-blkext"}, "names of /proc/devices: sticks, cards, NVMe disks"


def test_the_printer_has_the_name_that_the_configuration_expects():
    name = re.search(r'SYMLINK\+="([^"]+)"', (FOLDER / "70-kiosk.rules").read_text())[1]
    assert config.Printer().url == f"file:/dev/{name}"


def test_the_kiosk_never_gives_up():
    for unit in ("kiosk.service", "kiosk-sync.service", "kiosk-console.service"):
        assert options(unit)["Restart"] == ["always"]
        assert options(unit)["StartLimitIntervalSec"] == ["0"]
        assert not options(unit)["RestartSteps"], "its count is never set back"
        assert not options(unit)["Requires"], "a failed preparation would keep it from starting"


def test_the_database_is_prepared_before_each_start():
    for unit in ("kiosk.service", "kiosk-sync.service", "kiosk-console.service"):
        assert options(unit)["Wants"] == ["kiosk-prepare.service"]
        assert "kiosk-prepare.service" in options(unit)["After"][0].split()
    assert not options("kiosk-prepare.service")["RemainAfterExit"], "it would run at the first start only"


def test_no_unit_waits_for_a_network():
    for unit in UNITS:
        assert not any("network-online" in value for values in options(unit).values() for value in values)


def test_the_kiosk_shows_its_picture_or_fails_aloud():
    found = environment("kiosk.service")
    assert found["SDL_VIDEODRIVER"] == "kmsdrm"
    assert found["SDL_RENDER_DRIVER"] == "opengles2"
    assert found["GPIOZERO_PIN_FACTORY"] == "lgpio"
    assert found["LG_WD"] == options("kiosk.service")["WorkingDirectory"][0]


def test_a_slow_printer_is_no_reason_for_the_watchdog():
    # The printer has a thread of its own; were it ever joined in the loop, one write must still fit.
    assert seconds(options("kiosk.service")["WatchdogSec"][0]) > config.Printer().write_timeout_s


def test_the_boards_watchdog_is_within_its_limit():
    assert 0 < seconds(options("kiosk.watchdog.conf")["RuntimeWatchdogSec"][0]) <= 15


def backups(now: datetime) -> list[datetime]:
    """When the timer fires next, one time for each of its lines."""
    asked = options("kiosk-backup.timer")["OnCalendar"]
    answer = analyze("calendar", f"--base-time={now:%Y-%m-%d %H:%M:%S} UTC", *asked)
    assert answer.stderr == ""
    lines = re.findall(r"^ *Next elapse: \w+ (\S+ \S+) UTC", answer.stdout, re.MULTILINE)
    return [datetime.fromisoformat(f"{line}+00:00") for line in lines]


def test_backups_are_made_when_the_office_is_closed():
    monday = datetime(2026, 11, 23, tzinfo=ZoneInfo("UTC"))
    fired = [moment.astimezone(VIETNAM) for moment in backups(monday)]
    assert [moment.time() for moment in fired] == [time(11, 45), time(17, 15)]
    assert options("kiosk-backup.timer")["Persistent"] == ["yes"]


OFFICE_HOURS = ((time(7, 0), time(11, 30)), (time(13, 0), time(17, 0)))
"""Of the earliest and the latest office, with the minutes in which somebody is still served."""


@pytest.mark.parametrize("timer", ["kiosk.apt-daily.conf", "kiosk.apt-daily-upgrade.conf"])
def test_upgrades_come_outside_office_hours_and_are_never_made_up(timer):
    found = options(timer)
    assert found["OnCalendar"][0] == "", "Debian's own times must be taken away"
    latest = seconds(found["RandomizedDelaySec"][0])
    for line in found["OnCalendar"][1:]:
        begins = datetime.fromisoformat(f"2026-11-23T{line.split()[1]}+00:00").astimezone(VIETNAM)
        ends = begins + timedelta(seconds=latest)
        assert not any(begin <= moment.time() < end for moment in (begins, ends) for begin, end in OFFICE_HOURS), line
    assert found["Persistent"] == ["no"]


def test_upgrades_never_restart_the_machine():
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in (FOLDER / "kiosk.apt.conf").read_text()


def test_the_firewall_guards_the_consoles_ports_and_comes_after_the_one_that_empties_all():
    unit, console = options("kiosk-firewall.service"), config.Console()
    ports = f"define console_ports = {{ {console.plain_port}, {console.port} }}"
    assert ports in (FOLDER / "kiosk.nft").read_text()
    assert unit["After"] == ["nftables.service"]
    assert unit["PartOf"] == unit["ReloadPropagatedFrom"] == ["nftables.service"], "it would stay away after a restart"
    assert unit["ExecReload"] == unit["ExecStart"]
    assert "nftables.service" in unit["WantedBy"][0].split(), "it would stay away after stop and start"
    assert unit["Before"] == ["kiosk-console.service"]
    assert not options("kiosk-console.service")["Requires"], "without a firewall the pages still work"


def test_a_firewall_that_did_not_start_is_started_again():
    assert options("kiosk-firewall.service")["Restart"] == ["on-failure"]


def test_a_keyboard_in_the_hall_cannot_restart_the_machine():
    assert (FOLDER / "ctrl-alt-del.target").read_bytes() == b"", "an empty unit file is a masked one"
    assert options("kiosk.keys.conf")["CtrlAltDelBurstAction"] == ["none"]
    assert "kernel.sysrq = 0" in (FOLDER / "kiosk.sysctl.conf").read_text().splitlines()


def test_the_login_prompt_is_back_when_the_program_is_gone():
    assert options("kiosk.getty.conf")["ConditionPathExists"] == ["!/opt/kiosk/current"]


def test_users_and_groups_are_made(tmp_path):
    (tmp_path / "etc").mkdir()
    command = ["systemd-sysusers", f"--root={tmp_path}", "--dry-run", str(FOLDER / "kiosk.sysusers")]
    answer = run(command)
    assert answer.returncode == 0, answer.stderr
    assert "user 'kiosk'" in answer.stderr


def test_folders_are_made_with_their_rights(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nkiosk:x:4242:4242::/:/bin/sh\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nkiosk:x:4242:\n")
    command = ["systemd-tmpfiles", f"--root={tmp_path}", "--create", str(FOLDER / "kiosk.tmpfiles")]
    answer = run(command)
    if os.geteuid() != 0:  # an ordinary user cannot give files away: then only the syntax counts (65 = it is wrong)
        assert answer.returncode in (0, 73), answer.stderr
        return
    assert (answer.returncode, answer.stderr) == (0, "")
    made = {name: (tmp_path / name).stat() for name in ("etc/kiosk", "var/lib/kiosk")}
    assert {name: (stat.st_mode & 0o777, stat.st_uid, stat.st_gid) for name, stat in made.items()} == {
        "etc/kiosk": (0o750, 0, 4242),
        "var/lib/kiosk": (0o750, 4242, 4242),
    }


@pytest.mark.parametrize("unit", [name for name in SERVICES if options(name)["User"] == ["kiosk"]])
def test_no_code_comes_from_the_folder_that_every_process_can_write(unit: str):
    assert environment(unit)["PYTHONNOUSERSITE"] == "1"
