"""What a release knows of installing itself, and what an update asks the program: the real ones of this tree."""

import os
import re
import sqlite3
import subprocess
from argparse import Namespace
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.__main__ import main, parser
from kiosk.store.database import READABLE
from kiosk.store.schema import newest
from kiosk.update_command import update_run
from tests.office import open_store

HERE = Path(__file__).parent.parent
STEPS = HERE / "scripts/release-steps.sh"
HELPERS = {f"/usr/local/lib/kiosk/{path.name}" for path in (HERE / "systemd").glob("kiosk_*.py")}
HELPERS |= {f"/usr/local/lib/systemd/system/kiosk-healthy.{kind}" for kind in ("service", "timer")}
WANTED = "etc/systemd/system/timers.target.wants/kiosk-healthy.timer"


def steps(*words: str, root: Path | None = None, source: Path = HERE) -> subprocess.CompletedProcess[str]:
    command = [source / "scripts/release-steps.sh", *words]
    env = os.environ | {"ROOT": str(root or "")}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)


def placed() -> set[str]:
    """Where install.sh puts the files of systemd/."""
    return set(re.findall(r'^  "\S+ (/\S+) \d+"$', (HERE / "install.sh").read_text(), re.MULTILINE))


def test_the_files_that_come_back_are_all_that_a_release_places_but_the_helpers():
    assert set(steps("paths").stdout.split()) == placed() - HELPERS
    assert placed() >= HELPERS


def test_helpers_are_placed_by_a_step_of_their_own(tmp_path: Path):
    assert steps("place-helper", root=tmp_path).returncode == 0
    made = {f"/{path.relative_to(tmp_path)}" for path in tmp_path.rglob("*") if path.is_file()}
    assert made == HELPERS | {"/usr/local/lib/kiosk/placed.sha256"}


def test_the_judge_of_a_release_is_there_after_each_boot_once_it_is_placed(tmp_path: Path):
    steps("place-helper", root=tmp_path)
    assert (tmp_path / WANTED).is_symlink()


def test_a_release_on_trial_enables_and_starts_all_but_its_own_judge(tmp_path: Path):
    log = tmp_path / "log"
    code = f"systemctl() {{ echo \"$@\" >>'{log}'; }}; source '{STEPS}' name >/dev/null; enable_others"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    asked = log.read_text().splitlines()
    assert "enable --quiet kiosk-backup.timer" in asked
    assert "--no-block start kiosk-backup.timer" in asked
    assert not any("start" in line and ".service" in line for line in asked)
    assert not any("kiosk-healthy" in line for line in asked)


def test_a_release_has_the_name_that_the_installer_would_give_it():
    ours = steps("name").stdout.strip()
    asked = f"source '{HERE}/install.sh'; for pip_lgpio in yes no; do release_name; done"
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=60, check=True)
    assert ours in done.stdout.split()
    assert re.fullmatch(r"\d+(?:\.\d+){1,3}\+[0-9a-f]{8,64}", ours), "the helper takes no other name"


def test_only_the_steps_that_are_named_exist():
    assert steps("shell").returncode == 2
    assert "place-helper" in steps().stderr


def test_a_release_that_nobody_signs_says_so():
    done = subprocess.run(
        [HERE / "scripts/release.sh", "out", "--key", "nowhere"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "There is no key nowhere: ssh-keygen -t ed25519 -f nowhere" in done.stderr


# --- kiosk fits, kiosk update ----------------------------------------------------------------------------------


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """kiosk.toml of a device with a database."""
    open_store(tmp_path / "data").close()
    file = tmp_path / "kiosk.toml"
    file.write_text('data_dir = "data"\n[buttons]\nfactory = "none"\n')
    return file


def test_a_program_fits_a_device_whose_files_it_can_read_and_changes_nothing(
    device: Path, capsys: pytest.CaptureFixture[str]
):
    before = {path: path.stat().st_mtime_ns for path in device.parent.rglob("*") if path.is_file()}
    assert main(["fits", "--config", str(device)]) == 0
    assert "can go on with this device" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in device.parent.rglob("*") if path.is_file()} == before


def test_a_program_without_a_database_yet_fits_too(tmp_path: Path):
    file = tmp_path / "kiosk.toml"
    file.write_text('data_dir = "data"\n[buttons]\nfactory = "none"\n')
    assert main(["fits", "--config", str(file)]) == 0
    assert not (tmp_path / "data").exists()


def test_a_program_does_not_fit_a_configuration_that_it_cannot_use(device: Path, capsys: pytest.CaptureFixture[str]):
    device.write_text("[printer]\npapr_mm = 58\n")
    assert main(["fits", "--config", str(device)]) == 1
    assert "papr_mm: không có mục này" in capsys.readouterr().err


def test_a_program_does_not_fit_a_database_of_a_release_that_took_something_away(
    device: Path, capsys: pytest.CaptureFixture[str]
):
    with closing(sqlite3.connect(device.parent / "data/kiosk.db", isolation_level=None)) as conn:
        conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (READABLE, newest() + 1))
    assert main(["fits", "--config", str(device)]) == 1
    assert "là của phiên bản mới hơn" in capsys.readouterr().err


def test_an_update_is_roots_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ValueError, match="sudo kiosk update"):
        update_run(Namespace(what="x"))


def test_root_hands_every_word_to_the_helper(monkeypatch: pytest.MonkeyPatch):
    handed: list[object] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "execv", lambda path, words: handed.extend([path, *words]))
    update_run(parser().parse_args(["update", "--again", "--allow-downgrade", "kiosk.tar.gz"]))
    assert [str(word) for word in handed[1:]] == [
        "/usr/local/lib/kiosk/kiosk_release.py", "update", "--allow-downgrade", "--again", "kiosk.tar.gz",
    ]  # fmt: skip


def test_the_command_of_a_device_asks_the_helper_and_not_the_release_that_may_be_broken():
    script = (HERE / "systemd/kiosk-command").read_text()
    asks_helper = 'if [ "${1:-}" = update ]; then exec /usr/local/lib/kiosk/kiosk_release.py "$@"; fi'
    assert script.index(asks_helper) < script.index("runuser -s")


def test_as_root_a_command_gets_a_session_without_roots_terminal(tmp_path: Path):
    log = tmp_path / "log"
    for name, body in {"id": "echo 0", "runuser": f'printf "%s\\n" "$@" >{log}; exit 3'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    command = ["sh", str(HERE / "systemd/kiosk-command"), "check", "--lang", "v i"]
    done = subprocess.run(command, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
    assert done.returncode == 3
    asked = log.read_text().splitlines()
    assert asked[:4] == ["-s", "/bin/sh", "-c", 'exec "$0" "$@"'], "runuser stays in root's session without -c"
    assert asked[4:] == ["--", "kiosk", "/opt/kiosk/current/bin/kiosk", "check", "--lang", "v i"]


@pytest.mark.parametrize(("status", "word"), [(0, "loaded"), (1, "missing")])
def test_as_root_a_check_is_told_whether_the_firewall_is_in_the_kernel(tmp_path: Path, status: int, word: str):
    fakes = {"id": "echo 0", "nft": f"exit {status}", "runuser": f'echo "$KIOSK_FIREWALL" >{tmp_path}/log'}
    for name, body in fakes.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", str(HERE / "systemd/kiosk-command"), "check"], env=env, check=True)
    assert (tmp_path / "log").read_text() == f"{word}\n"


@pytest.mark.parametrize(("word", "status"), [("restore", 0), ("factory-reset", 3)])
def test_as_root_what_runs_is_stopped_and_started_again_around_other_data(tmp_path: Path, word: str, status: int):
    log = tmp_path / "log"
    units = r'printf "kiosk.service x\nkiosk-sync.service x\n"'
    fakes = {
        "id": "echo 0",
        "systemctl": f'if [ "$1" = list-units ]; then {units}; else echo "$@" >>{log}; fi',
        "runuser": f'echo "$8 $9" >>{log}; exit {status}',
    }
    for name, body in fakes.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    command = ["sh", str(HERE / "systemd/kiosk-command"), word, "it"]
    done = subprocess.run(command, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
    assert done.returncode == status
    assert log.read_text().splitlines() == [
        "stop kiosk.service kiosk-sync.service", f"{word} it", "start kiosk.service kiosk-sync.service",
    ]  # fmt: skip
