#!/usr/bin/python3 -IB
"""kiosk_trial: confirms a release that is being tried, or takes it back, as root.

It stands alone, with Python's standard library and nothing of an installed release: the new one may be broken. It has
no network and opens no file of others. Four verbs:

  started    count a start of a release that was not healthy yet; after the third failed one go back (kiosk.service)
  healthy    confirm a release that has run for ten minutes, or go back (kiosk-healthy.timer)
  rollback   go back to the release before
  status     say what runs and what became of the last update

trial.json is there as long as a release is being tried, so that nothing else has to be asked at an ordinary start;
state.json says what came of the last one. Both are replaced whole. Times are those of this boot, never the wall
clock's, which may be wrong. ROOT=/some/folder works below that folder (tests).
"""

import fcntl
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(os.environ.get("ROOT") or "/")
OPT = ROOT / "opt/kiosk"
CURRENT = OPT / "current"
CONFIG = ROOT / "etc/kiosk/kiosk.toml"
RELEASES = OPT / "releases"
HOME = ROOT / "var/lib/kiosk-release"
TREE = HOME / "tree"
TRIAL, STATE = HOME / "trial.json", HOME / "state.json"

KIOSK = "kiosk.service"
SERVICES = (KIOSK, "kiosk-sync.service", "kiosk-console.service")
TIMER = "kiosk-healthy.timer"
FAILED_STARTS = 3
HEALTHY_S = 590.0
"""A little less than the timer's ten minutes: the timer begins before the kiosk is ready."""
RESTARTS_BORNE = 3
"""How often the console or the upload may have started again by itself."""
WAIT_S = 30
LOOKS = 3
PAUSE_S = 15
"""A release is only taken back for what the kiosk says at each of so many looks, so many seconds apart."""
UNKNOWN_COMMAND = 2
"""Exit status of a release that does not know what it is asked."""
NAME = re.compile(r"\d+(?:\.\d+){1,3}\+[0-9a-f]{8,64}")


class Refused(Exception):
    """Why something is not done, in Vietnamese and English, with what to do."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.vi, self.en = vi, en


def say(vi: str, en: str) -> None:
    print(f"{vi}\n{en}", flush=True)


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its output is kept for whoever asks."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
    return lines[-1].removeprefix("kiosk: ")[:300]


# --- files that a power cut leaves whole ----------------------------------------------------------------------


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    fresh = path.with_name(f"{path.name}.new~")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def write_json(path: Path, value: dict[str, Any]) -> None:
    write_whole(path, json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any]:
    """What is kept there; nothing of a file that cannot be read, because going on is worth more than its history."""
    try:
        value = json.loads(path.read_bytes())
        return value if isinstance(value, dict) else {}
    except (OSError, ValueError):
        return {}


def take_away(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def relink(target: str) -> None:
    """Switch to a release in one rename."""
    fresh = CURRENT.with_name("current.new~")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(CURRENT)
    sync_folder(OPT)


def linked() -> str:
    """What `current` points to, "" without one."""
    return str(CURRENT.readlink()) if CURRENT.is_symlink() else ""


def name_of(target: str) -> str:
    return target.rpartition("/")[2]


@contextmanager
def alone(wait_s: float = 0) -> Iterator[None]:
    """One at a time; the lock ends with the process, however it ends."""
    HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
    until = time.monotonic() + wait_s
    with (HOME / "lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise Refused(
                        "Một lần cập nhật khác đang chạy: hãy đợi nó xong.", "Another update is under way: wait for it."
                    ) from None
                time.sleep(0.1)
        yield


# --- what the release itself knows how to do ------------------------------------------------------------------


def step(verb: str, *words: str | Path) -> str:
    """One step that the release itself knows how to do: it is signed, and brings its own installer."""
    done = run("bash", TREE / "scripts/release-steps.sh", verb, *words, cwd=TREE)
    if done.returncode:
        raise Refused(f"Bước “{verb}” lỗi: {last_line(done)}", f"The step {verb} failed: {last_line(done)}")
    return done.stdout


def as_kiosk(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a release's program as the user that it will run as, never as root, nor with root's terminal to type into."""
    become = ("setpriv", "--reuid=kiosk", "--regid=kiosk", "--init-groups", "--no-new-privs", "--")
    env = os.environ | {"KIOSK_CONFIG": str(CONFIG), "PYTHONNOUSERSITE": "1"}
    return run(*become, *command, env=env, cwd="/", umask=0o027, start_new_session=True, stdin=subprocess.DEVNULL)


def restart(services: Sequence[str]) -> None:
    """All stop before one starts: the preparation in between needs the database for itself."""
    run("systemctl", "stop", *services)
    run("systemctl", "--no-block", "start", *services)


# --- system files as they were --------------------------------------------------------------------------------


def put_back(kept: Path) -> None:
    """System files as they were; what is missing there was never replaced."""
    index = read_json(kept / "index.json")
    for path, number in index.items():
        there = ROOT / path.lstrip("/")
        if number is not None:
            copy = kept / str(number)
            if not there.is_file() or there.read_bytes() != copy.read_bytes():
                there.parent.mkdir(parents=True, exist_ok=True)
                write_whole(there, copy.read_bytes(), stat.S_IMODE(copy.stat().st_mode))
        elif there.exists():
            if there.suffix in (".service", ".timer", ".path"):
                run("systemctl", "disable", "--now", "--quiet", there.name)
            there.unlink()
    if index:
        run("systemctl", "daemon-reload")


# --- the trial ------------------------------------------------------------------------------------------------


def settle() -> None:
    """Bring to its end what a power cut interrupted: a switch that did not happen, or a way back that began."""
    trial = read_json(TRIAL)
    if trial.get("back"):
        go_back(trial, trial["back"])
    elif trial and linked() != trial.get("target"):
        put_back(HOME / str(trial.get("files")))
        note("interrupted before the switch", trial)
        take_away(TRIAL)
    elif TRIAL.exists() and not trial:
        take_away(TRIAL)


def note(what: str, trial: dict[str, Any], **more: Any) -> None:
    write_json(STATE, read_json(STATE) | {"last": f"{trial.get('name')}: {what}"} | more)


def go_back(trial: dict[str, Any], why: str) -> None:
    """The release before, with its system files. Every part can be done twice: a power cut in between is no harm."""
    before = str(trial["before"])
    if not before or not (OPT / before / "bin/kiosk").exists():
        note(f"{why}; there is no release before it", trial)
        take_away(TRIAL)
        raise Refused("Không còn bản trước đó để quay lại.", "There is no release before it to go back to.")
    write_json(TRIAL, trial | {"back": why})
    put_back(HOME / str(trial.get("files")))
    relink(before)
    rejected = read_json(STATE).get("rejected", {}) | {str(trial["name"]): why}
    note(f"taken back to {name_of(before)}: {why}", trial, rejected=rejected, now=name_of(before), before="")
    take_away(TRIAL)
    shutil.rmtree(TREE, ignore_errors=True)
    say(f"Đã quay lại bản {name_of(before)}: {why}.", f"Went back to release {name_of(before)}: {why}.")


def shown(unit: str, what: str) -> str:
    return run("systemctl", "show", "-P", what, unit).stdout.strip()


def number_shown(unit: str, what: str) -> int:
    value = shown(unit, what)
    return int(value) if value.isdigit() else 0


def boot_id() -> str:
    return (ROOT / "proc/sys/kernel/random/boot_id").read_text().strip()


def started() -> None:
    """Before each start of kiosk.service. A start by hand or in an orderly way is no failure of the one before it."""
    with alone(WAIT_S):
        settle()
        trial = read_json(TRIAL)
        if not trial:
            return
        boot, restarts = boot_id(), number_shown(KIOSK, "NRestarts")
        again = bool(trial["boot"]) and (boot != trial["boot"] or restarts > trial["restarts"])
        trial |= {"boot": boot, "restarts": restarts, "failed": trial["failed"] + again}
        if trial["failed"] < FAILED_STARTS:
            write_json(TRIAL, trial)
            run("systemctl", "--no-block", "restart", TIMER)
            return
        go_back(trial, f"{FAILED_STARTS} starts failed")
        # The kiosk is being started already, with the old program now; the others run the new one.
        others = [each for each in trial["watched"] if each != KIOSK]
        run("systemctl", "--no-block", "restart", *others) if others else None


def standing() -> str:
    """The line in which a running kiosk tells systemd whether it gives numbers, "" of one that does not tell."""
    return shown(KIOSK, "StatusText") if shown(KIOSK, "ActiveState") == "active" else ""


def new_faults(before: str, now: str) -> list[str]:
    """What the kiosk says against itself and did not say before the update (kiosk/standing.py).

    Only of one that gave numbers before: what kept it from that may keep this release from it too.
    """
    known = before.split("; ")
    return [each for each in now.split("; ") if each and each not in known] if known[0] == "open" else []


def complaint(trial: dict[str, Any]) -> str | None:
    """What is wrong with a release after ten minutes, "" for nothing, None when it has to be looked at once more."""
    for unit in trial["watched"]:
        if shown(unit, "ActiveState") != "active":
            return f"{unit} does not run"
        if unit != KIOSK and number_shown(unit, "NRestarts") > RESTARTS_BORNE:
            return f"{unit} starts again and again"
    since = number_shown(KIOSK, "ActiveEnterTimestampMonotonic") / 1e6
    if time.clock_gettime(time.CLOCK_MONOTONIC) - since < HEALTHY_S:
        return None
    for looked in range(LOOKS):
        time.sleep(PAUSE_S if looked else 0)
        faults = new_faults(trial.get("said", ""), standing())
        if not faults:  # else it may pass in a moment: a database that another program holds, a key that is just read
            return ""
    return f"the kiosk says: {faults[0]}"


def healthy() -> None:
    """Ten minutes after the last start: confirm, or go back."""
    with alone(WAIT_S):
        settle()
        trial = read_json(TRIAL)
        if not trial:
            return
        wrong = complaint(trial)
        if wrong is None:
            run("systemctl", "--no-block", "restart", TIMER)
        elif wrong:
            go_back(trial, wrong)
            restart(trial["watched"])
        else:
            confirm(trial)


def confirm(trial: dict[str, Any]) -> None:
    """The release stays. Only now its own helpers take the place of these, which might have had to undo it."""
    name, before, word = str(trial["name"]), name_of(str(trial["before"])), "healthy"
    try:
        step("place-helper")
    except Refused as refused:
        word = f"healthy; {refused.en}"
    note(word, trial, now=name, before=str(trial["before"]), files=trial["files"])
    take_away(TRIAL)
    shutil.rmtree(TREE, ignore_errors=True)
    for folder in RELEASES.iterdir():
        if NAME.fullmatch(folder.name) and folder.name not in (name, before):
            shutil.rmtree(folder, ignore_errors=True)
    for kept in HOME.glob("before-*"):
        if kept.name != trial["files"]:
            shutil.rmtree(kept, ignore_errors=True)
    say(f"Bản {name} chạy tốt.", f"Release {name} is healthy.")


def rollback() -> None:
    """By hand: to the release before, whether this one is still being tried or has long been confirmed."""
    with alone(WAIT_S):
        settle()
        trial = read_json(TRIAL) or ran_before()
        check_fits(str(trial["before"]))
        go_back(trial, "by hand")
        restart(trial["watched"])


def check_fits(before: str) -> None:
    """The release before must be able to go on with this device's files, which may be another's after days."""
    program = OPT / before / "bin/kiosk"
    done = as_kiosk(program, "fits") if before and program.exists() else None
    if done and done.returncode not in (0, UNKNOWN_COMMAND):
        name, why = name_of(before), last_line(done)
        raise Refused(
            f"Bản đang chạy vẫn chạy; bản {name} không dùng được trên máy này (kiosk fits): {why}",
            f"Nothing is changed; release {name} cannot work on this device (kiosk fits): {why}",
        )


def ran_before() -> dict[str, Any]:
    """The trial that a confirmed release once was, to be taken back."""
    state, now = read_json(STATE), linked()
    same = state.get("now") == name_of(now)
    kept = [each.parent for each in RELEASES.glob("*/.complete") if each.parent.name != name_of(now)]
    newest = max(kept, key=lambda folder: (folder / ".complete").stat().st_mtime, default=None)
    before = state.get("before") if same else newest and f"releases/{newest.name}"
    return {
        "name": name_of(now),
        "target": now,
        "before": before or "",
        "files": state.get("files", "") if same else "",
        "watched": list(SERVICES),
    }


# --- verbs ----------------------------------------------------------------------------------------------------


def status() -> None:
    trial, state = read_json(TRIAL), read_json(STATE)
    rows = [("Đang chạy / running", name_of(linked()) or "-")]
    if trial:
        failed = f"{trial['failed']}/{FAILED_STARTS} lần khởi động lỗi / failed starts"
        rows.append(("Đang thử / being tried", f"{trial['name']}, {failed}"))
    rows.append(("Bản trước / the one before", name_of(str((trial or ran_before())["before"])) or "-"))
    rows += [("Lần cuối / last", str(state["last"]))] if state.get("last") else []
    rows += [("Đã quay lại / taken back", f"{name}: {why}") for name, why in state.get("rejected", {}).items()]
    for label, value in rows:
        print(f"{label}: {value}")


def said(verb: Callable[[], None], *, as_anybody: bool = False) -> int:
    """Run a verb as root; its exit status. What is refused is one sentence in each language."""
    os.umask(0o022)
    try:
        if Path("/") == ROOT and os.geteuid() and not as_anybody:
            raise Refused("Cần quyền root: sudo kiosk update …", "Root is needed: sudo kiosk update …")
        verb()
    except Refused as refused:
        print(f"{refused.vi}\n{refused.en}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"kiosk update: {error}", file=sys.stderr)
        return 1
    return 0


VERBS = {"started": started, "healthy": healthy, "rollback": rollback, "status": status}


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in VERBS:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(said(VERBS[sys.argv[1]], as_anybody=sys.argv[1] == "status"))
