"""The steps of install.sh around the files: what it refuses before it begins, what it writes for its options, releases.

Programs that change a system (apt-get, nft, systemctl) are stand-ins on PATH, which note how they were called.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.test_install import HERE, bash, contents, place
from tests.test_install_settings import ASK, OUTSIDE, SAMPLE


@pytest.fixture
def programs(tmp_path):
    """A folder for stand-ins, first on PATH; `calls` in it is what they were told."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


def stand_in(folder: Path, name: str, code: str = "") -> None:
    """A program that notes its words and then does what `code` says."""
    path = folder / name
    path.write_text(f'#!/bin/bash\necho "{name} $*" >>"{folder}/calls"\n{code}\n')
    path.chmod(0o755)


def first(folder: Path) -> str:
    """PATH with the stand-ins before the real programs."""
    return f"{folder}:{os.environ['PATH']}"


def calls(folder: Path) -> list[str]:
    """What the stand-ins were told."""
    return (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []


# --- refusals -------------------------------------------------------------------------------------------------


def test_a_card_without_room_is_refused_before_anything_is_written(tmp_path):
    answer = bash("free_mb() { echo 120; }; all_installed() { :; }; check_space; echo went on", ROOT=str(tmp_path))
    assert answer.returncode == 1
    assert "120 MB are free (/opt), 350 MB are needed" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_packages_that_are_missing_need_more_room(tmp_path):
    answer = bash("free_mb() { echo 900; }; all_installed() { false; }; check_space", ROOT=str(tmp_path))
    assert "1050 MB are needed" in answer.stderr


def test_room_is_measured_where_the_program_will_lie(tmp_path):
    answer = bash('free_mb "$ROOT/opt/kiosk/releases"', ROOT=str(tmp_path))
    assert int(answer.stdout) == pytest.approx(shutil.disk_usage(tmp_path).free / 2**20, rel=0.05)


def test_apt_that_is_busy_is_waited_for_and_said_once(tmp_path, programs):
    busy = 'echo "E: Could not get lock /var/lib/apt/lists/lock" >&2; exit 100'
    stand_in(programs, "apt-get", f'[ "$(wc -l <"{programs}/calls")" -ge 3 ] || {{ {busy}; }}')
    answer = bash("apt_pause=0; apt_get update; echo done", PATH=first(programs))
    assert answer.stdout.count("apt is busy, waiting") == 1
    assert answer.stdout.endswith("done\n")
    assert len(calls(programs)) == 3


def test_apt_that_stays_busy_is_an_end_with_a_reason(programs):
    stand_in(programs, "apt-get", 'echo "E: Unable to acquire the dpkg frontend lock" >&2; exit 100')
    answer = bash("apt_pause=0; apt_wait=0; apt_get update; echo went on", PATH=first(programs))
    assert answer.returncode == 1
    assert "apt is still busy" in answer.stderr
    assert "went on" not in answer.stdout


def test_without_a_network_the_way_without_one_is_said(programs):
    stand_in(programs, "apt-get", 'echo "E: Failed to fetch" >&2; exit 100')
    answer = bash("is_installed() { false; }; install_missing python3-pygame; echo went on", PATH=first(programs))
    assert answer.returncode == 1
    assert "sudo ./install.sh --offline DIR" in answer.stderr
    assert len(calls(programs)) == 1


def disk_with(programs: Path, free_mb: int) -> None:
    """A stand-in of df: as much is free on every disk."""
    stand_in(programs, "df", f"echo Filesystem 1M-blocks; echo /dev/mmcblk0p2 29000 28000 {free_mb} 99% /")


def test_an_apt_that_fails_on_a_full_disk_is_not_blamed_on_the_network(programs):
    stand_in(programs, "apt-get", 'echo "E: Failed to fetch" >&2; exit 100')
    disk_with(programs, 99)
    answer = bash("is_installed() { false; }; install_missing python3-pygame; echo went on", PATH=first(programs))
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Đĩa còn 99 MB (/), cần 1050 MB" in answer.stderr
    assert "99 MB are free (/), 1050 MB are needed" in answer.stderr
    assert "network" not in answer.stderr


@pytest.mark.parametrize(
    "said",
    [
        "E: You don't have enough free space in /var/cache/apt/archives/.",
        "dpkg: error: failed to write to '/usr/lib/x': No space left on device",
    ],
)
def test_what_apt_says_of_its_disk_is_believed_before_df(programs, said):
    stand_in(programs, "apt-get", f'echo "{said}" >&2; exit 100')
    disk_with(programs, 400)
    answer = bash("is_installed() { false; }; install_missing python3-pygame", PATH=first(programs))
    assert "400 MB are free (/var), 1050 MB are needed" in answer.stderr
    assert "network" not in answer.stderr


def test_lists_that_cannot_be_fetched_are_no_end_where_the_old_ones_do(programs):
    stand_in(programs, "apt-get", "exit 100")
    answer = bash("all_installed() { false; }; update_lists; echo went on", PATH=first(programs))
    assert answer.stdout == "went on\n"
    assert "the old ones are used" in answer.stderr


def test_an_upgrade_that_lost_its_power_is_finished_first(programs):
    stand_in(programs, "dpkg", '[ "$1" != --audit ] || echo "half configured: foo"')
    assert bash("mend_dpkg", PATH=first(programs)).returncode == 0
    assert calls(programs) == ["dpkg --audit", "dpkg --configure -a"]


def test_an_upgrade_that_another_program_is_making_is_waited_for(programs):
    busy = 'echo "dpkg: error: dpkg frontend lock was locked by another process with pid 71" >&2; exit 2'
    half = '[ "$1" != --audit ] || { echo "half configured: foo"; exit; }'
    stand_in(programs, "dpkg", f'{half}; [ "$(wc -l <"{programs}/calls")" -ge 4 ] || {{ {busy}; }}')
    answer = bash("apt_pause=0; mend_dpkg; echo went on", PATH=first(programs))
    assert answer.stdout.count("apt is busy, waiting") == 1
    assert answer.stdout.endswith("went on\n")
    assert calls(programs) == ["dpkg --audit", *["dpkg --configure -a"] * 3]


def test_an_offline_folder_without_wheels_is_refused(tmp_path):
    answer = bash("check_offline; echo went on", ROOT="", offline="x")
    assert answer.returncode == 0  # an environment variable is no option
    answer = bash(f"offline='{tmp_path}'; check_offline; echo went on")
    assert answer.returncode == 1
    assert "installer/bundle.sh" in answer.stderr


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_stick_is_refused(tmp_path, damage):
    wheel = tmp_path / "wheels/x.whl"
    wheel.parent.mkdir()
    wheel.write_text("sound")
    with (tmp_path / "SHA256SUMS").open("w") as sums:
        subprocess.run(["sha256sum", "wheels/x.whl"], cwd=tmp_path, stdout=sums, check=True)
    assert bash(f"offline='{tmp_path}'; check_offline").returncode == 0
    wheel.write_text("damaged") if damage == "changed" else wheel.unlink()
    answer = bash(f"offline='{tmp_path}'; check_offline; echo went on")
    assert answer.returncode == 1
    assert "is damaged" in answer.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--server", "https://may-chu.example"],
        ["--code", "ABCD-EFGH"],
        ["--purge"],
        ["--rtc", "ds1307"],
        ["--screen", "big"],
        ["--device"],
        ["--office", ""],
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_done(words):
    # Not the installer itself: should it ever accept them, it would install.
    answer = bash(f"read_options {' '.join(map(shlex.quote, words))}; echo went on")
    assert answer.returncode == 2
    assert words[0].removeprefix("--") in answer.stderr.splitlines()[0]
    assert answer.stdout == ""


def test_an_installed_release_can_only_remove(tmp_path):
    shutil.copy(HERE / "install.sh", tmp_path)
    shutil.copytree(HERE / "installer", tmp_path / "installer", ignore=shutil.ignore_patterns("__pycache__"))
    answer = bash("check_tree; echo went on", tmp_path)
    assert answer.returncode == 1
    assert "Only --uninstall works from here" in answer.stderr


# --- a folder of packages -------------------------------------------------------------------------------------


def deb(folder: Path, name: str) -> Path:
    """A package with nothing in it."""
    control = folder / name / "DEBIAN/control"
    control.parent.mkdir(parents=True)
    control.write_text(
        f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Office <a@office.example>\nDescription: x\n"
    )
    file = folder / f"{name}_1.0_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", folder / name, file], check=True, capture_output=True)
    return file


def test_apt_finds_the_packages_of_a_folder_and_nothing_else(tmp_path):
    debs = tmp_path / "a stick/debs"
    debs.mkdir(parents=True)
    shutil.move(deb(tmp_path, "kiosk-example"), debs)
    code = f"""offline='{tmp_path}/a stick'; use_offline_debs; apt_get update >&2
    apt-cache "${{apt_options[@]}}" policy kiosk-example python3; leave_nothing_half; ls -d ${{half[0]}} || true"""
    answer = bash(code)
    assert answer.returncode == 0, answer.stderr
    assert re.search(r"kiosk-example:\n.*\n  Candidate: 1\.0\n", answer.stdout)
    assert "http" not in answer.stdout
    assert "No such file" in answer.stderr, "the list was to be taken away again"


# --- afterwards -------------------------------------------------------------------------------------------------


def test_after_a_removal_ctrl_alt_del_works_and_it_is_said_what_waits_for_the_next_start(programs):
    stand_in(programs, "systemctl")
    stand_in(programs, "udevadm")
    answer = bash("systemd_runs() { :; }; settle_after_removal", PATH=first(programs))
    assert calls(programs)[0] == "systemctl daemon-reload", "the masked target and system.conf.d are read anew"
    assert "SysRq" in answer.stdout
    assert "next start of the machine" in answer.stdout


# --- what belongs to the kiosk's user ---------------------------------------------------------------------------


def test_a_release_reads_the_kiosks_data_as_the_kiosks_user_and_without_roots_terminal(programs):
    stand_in(programs, "id", "echo 0")
    stand_in(programs, "runuser")
    asked = "release_home() { echo /opt/kiosk/releases/new; }; ask_release usable /etc/kiosk/kiosk.toml"
    assert bash(asked, PATH=first(programs)).returncode == 0
    (told,) = [line for line in calls(programs) if line.startswith("runuser")]
    assert told.startswith('runuser -s /bin/sh -c exec "$0" "$@" -- kiosk '), "-c alone begins a session"
    program = "/opt/kiosk/releases/new"
    assert told.endswith(f"{program}/bin/python -I {program}/share/kiosk/installer/ask.py usable /etc/kiosk/kiosk.toml")


def test_before_the_first_installation_there_is_no_such_user_and_nothing_of_the_kiosk_to_read(programs):
    stand_in(programs, "id", '[ "$1" = -u ] && echo 0')
    assert bash("as_kiosk echo it runs", PATH=first(programs)).stdout == "it runs\n"


def test_a_document_that_the_kiosks_user_cannot_read_is_handed_over_as_a_copy(programs, tmp_path):
    (tmp_path / "office.toml").write_text("of the technician")
    stand_in(programs, "id", "echo 0")
    stand_in(programs, "runuser", "exit 1")
    stand_in(programs, "chgrp")
    stand_in(programs, "install", 'cp "$5" "$6"')
    answer = bash(
        f"hand_over '{tmp_path}/office.toml'; echo $handed; cat $handed; rm -r ${{handed%/*}}", PATH=first(programs)
    )
    name, text = answer.stdout.splitlines()
    assert (Path(name).name, text) == ("office.toml", "of the technician")
    assert not name.startswith(str(tmp_path))
    assert any(line.startswith("install -g kiosk -m 640") for line in calls(programs))


# --- the system around ----------------------------------------------------------------------------------------


def test_a_time_server_is_a_file_of_its_own(tmp_path):
    answer = bash("any_installed() { false; }; time_server=gio.xa.example; set_time_source", ROOT=str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    text = (tmp_path / "usr/local/lib/systemd/timesyncd.conf.d/50-kiosk.conf").read_text()
    assert text.endswith("[Time]\nNTP=gio.xa.example\n")


def test_another_time_program_is_left_to_its_owner(tmp_path):
    others = "is_installed() { false; }; any_installed() { :; }"
    answer = bash(f"{others}; time_server=gio.xa.example; set_time_source", ROOT=str(tmp_path))
    assert "write gio.xa.example into its configuration" in answer.stderr
    assert not (tmp_path / "usr").exists()


def test_chrony_is_told_of_the_time_server_in_a_file_of_its_own(tmp_path):
    chrony = 'is_installed() { [ "$1" = chrony ]; }'
    answer = bash(f"{chrony}; time_server=gio.xa.example; set_time_source", ROOT=str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert "\nserver gio.xa.example iburst\n" in (tmp_path / "etc/chrony/sources.d/kiosk.sources").read_text()


def test_the_firewall_guards_the_ports_of_kiosk_toml(tmp_path):
    place(tmp_path)
    (tmp_path / "etc/kiosk/kiosk.toml").write_text("[console]\nport = 443\nplain_port = 0\n")
    rules = tmp_path / "usr/local/lib/kiosk/firewall.nft"
    assert "define console_ports = { 8080, 8443 }" in rules.read_text()
    again = f"{ASK}; judge_documents; place_files >/dev/null"
    assert bash(again, ROOT=str(tmp_path), office=str(SAMPLE), **OUTSIDE).returncode == 0
    assert "define console_ports = { 443 }" in rules.read_text()
    assert rules.read_text().count("define") == 1
    # An update asks nobody: the ports are those that are guarded.
    assert bash("placed_ports", ROOT=str(tmp_path)).stdout == "443\n"


@pytest.mark.parametrize("state", ["active", "inactive"])
def test_an_active_ufw_is_left_to_its_owner_and_it_is_said_how_the_console_gets_through(programs, state):
    stand_in(programs, "ufw", f"echo 'Status: {state}'; echo")
    answer = bash("close_ports; echo went on", PATH=first(programs))
    assert answer.stdout.endswith("went on\n"), answer.stderr
    rule = "sudo ufw allow proto tcp from 192.168.0.0/16 to any port 8080,8443\n"
    assert answer.stderr.count(rule) == (2 if state == "active" else 0)
    assert calls(programs) == ["ufw status"]


def test_the_rules_are_a_table_of_their_own_that_can_be_loaded_twice():
    nft = "/usr/sbin/nft"
    load = f"{nft} -f '{HERE}/systemd/kiosk.nft'"
    code = f"{nft} add table inet others && {load} && {load} && {nft} list ruleset"
    answer = subprocess.run(
        ["unshare", "-rn", "sh", "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert re.findall(r"^table (.*) \{", answer.stdout, re.MULTILINE) == ["inet others", "inet kiosk"]
    assert answer.stdout.count(" drop") == 2


# --- releases -------------------------------------------------------------------------------------------------


def old_layout(root: Path, *names: str) -> Path:
    """Releases as 0.4 had them: directly in /opt/kiosk, the last one in use."""
    top = root / "opt/kiosk"
    for at, name in enumerate(names):
        (top / name / "bin").mkdir(parents=True)
        (top / name / "bin/kiosk").write_text(f"#!{top}/{name}/bin/python\n")
        (top / name / "pyvenv.cfg").write_text(f"command = python3 -m venv {top}/{name}\n")
        (top / name / ".complete").touch()
        os.utime(top / name / ".complete", (at, at))
    (top / "current").symlink_to(names[-1])
    return top


def test_a_release_of_the_old_layout_becomes_the_one_before(tmp_path):
    top = old_layout(tmp_path, "0.3.0+11111111", "0.4.0+22222222")
    name = bash("release_name").stdout.strip()
    (top / "releases" / name).mkdir(parents=True)
    answer = bash("switch_release; tidy_old_layout", ROOT=str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert sorted(path.name for path in top.iterdir()) == ["current", "releases"]
    assert {path.name for path in (top / "releases").iterdir()} == {name, "0.4.0+22222222"}
    carried = top / "releases/0.4.0+22222222"
    assert (carried / "bin/kiosk").read_text() == f"#!{carried}/bin/python\n"


def test_nothing_of_the_old_layout_is_moved_while_it_runs(tmp_path):
    top = old_layout(tmp_path, "0.4.0+22222222")
    before = contents(top)
    assert bash("tidy_old_layout", ROOT=str(tmp_path)).returncode == 0  # a new release was refused
    (top / "releases/0.5.0+33333333").mkdir(parents=True)
    (top / "current").unlink()
    (top / "current").symlink_to("releases/0.5.0+33333333")
    assert bash("start=no; tidy_old_layout", ROOT=str(tmp_path)).returncode == 0  # the services still run it
    assert contents(top) == before


def test_half_a_program_is_taken_away_and_the_old_one_goes_on(tmp_path):
    releases = tmp_path / "opt/kiosk/releases"
    (releases / "0.4.0+22222222").mkdir(parents=True)
    (tmp_path / "opt/kiosk/current").symlink_to("releases/0.4.0+22222222")
    full = 'fill_environment() { mkdir -p "$1/lib"; echo half >"$1/lib/x"; echo "No space left on device" >&2; false; }'
    steps = "check_system() { :; }; install_packages() { :; }; judge_documents() { exit; }"
    answer = bash(f"{full}; {steps}; main", ROOT=str(tmp_path))
    assert answer.returncode != 0
    assert "A kiosk that was running goes on" in answer.stderr
    assert [path.name for path in releases.iterdir()] == ["0.4.0+22222222"]
    assert sorted(path.name for path in (tmp_path / "opt/kiosk").iterdir()) == ["current", "releases"]


def test_a_pip_that_fails_on_a_full_disk_is_not_blamed_on_the_network(tmp_path, programs):
    pip = "echo 'OSError: [Errno 28] No space left on device' >&2; exit 2"
    environment = f'mkdir -p "${{@: -1}}/bin"; printf "#!/bin/sh\\n%s\\n" "{pip}" >"${{@: -1}}/bin/python"'
    stand_in(programs, "python3", f'case "$*" in *venv*) {environment}; chmod +x "${{@: -1}}/bin/python" ;; esac')
    steps = "check_system() { :; }; install_packages() { :; }; all_installed() { :; }"
    for free, blamed in ((3, "3 MB are free (/), 350 MB are needed"), (5000, "Is there a network")):
        disk_with(programs, free)
        answer = bash(f"{steps}; main", ROOT=str(tmp_path), PATH=first(programs))
        assert answer.returncode == 1
        assert "No space left on device" in answer.stderr
        assert blamed in answer.stderr
        assert ("Is there a network" in answer.stderr) == (free == 5000)
        assert list((tmp_path / "opt/kiosk/releases").iterdir()) == [], "nothing half is left"


def test_the_guides_come_along_whole_and_units_point_into_them(tmp_path, programs):
    stand_in(programs, "python")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(programs / "python")
    assert bash(f"finish_environment '{tmp_path}'").returncode == 0
    guides = tmp_path / "share/kiosk/docs"
    assert {path.name for path in guides.glob("*.md")} == {path.name for path in (HERE / "docs").glob("*.md")}
    for unit in [*(HERE / "systemd").glob("*.service"), *(HERE / "systemd").glob("*.timer")]:
        for page in re.findall(r"^Documentation=file:///opt/kiosk/current/(.*)$", unit.read_text(), re.MULTILINE):
            assert (tmp_path / page).is_file(), unit.name


def test_a_whole_program_is_not_taken_away_by_a_later_failure(tmp_path):
    whole = 'fill_environment() { mkdir -p "$1"; }; sync() { :; }'
    steps = "check_system() { :; }; install_packages() { :; }; judge_documents() { exit 1; }"
    assert bash(f"{whole}; {steps}; main", ROOT=str(tmp_path)).returncode != 0
    (release,) = (tmp_path / "opt/kiosk/releases").iterdir()
    assert (release / ".complete").exists()


def test_pip_looks_into_the_offline_folder_and_nowhere_else(tmp_path, programs):
    stand_in(programs, "python")
    code = f"offline=/media/usb; pip_install '{programs}/python' install -r run.txt"
    assert bash(code, ROOT=str(tmp_path)).returncode == 0
    assert calls(programs) == [
        "python -m pip --disable-pip-version-check install -r run.txt --no-index --find-links /media/usb/wheels"
    ]


# --- the disk's reserve ---------------------------------------------------------------------------------------


def lent(programs: Path, mounted: str) -> list[str]:
    stand_in(programs, "findmnt", f"echo '{mounted}'")
    stand_in(programs, "tune2fs")
    answer = bash("lend_reserve kiosk", PATH=first(programs), ROOT="")
    assert answer.returncode == 0, answer.stderr
    return [call for call in calls(programs) if call.startswith("tune2fs")]


def test_the_kiosk_may_use_what_ext4_keeps_for_root(programs):
    assert lent(programs, "ext4 /dev/mmcblk0p2") == ["tune2fs -g kiosk /dev/mmcblk0p2"]


@pytest.mark.parametrize("mounted", ["btrfs /dev/sda1", "overlay overlay", "ext4 /dev/vda[/var/lib/machines/a]"])
def test_no_other_disk_is_touched_for_its_reserve(programs, mounted):
    assert lent(programs, mounted) == []
