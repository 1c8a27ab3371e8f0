#!/usr/bin/python3 -IB
"""kiosk_release: puts another release of the kiosk on this machine, as root.

It stands alone with kiosk_trial and kiosk_archive beside it, Python's standard library, and nothing of an installed
release, which may be broken. It has no network and reads no database: the new release, as the kiosk's own user, says
whether it can go on with what is there. Three verbs:

  verify FILE   say whose signature a file carries, and of a release whether this machine takes it
  nightly       install what the kiosk has fetched, when it has said that nobody waits (kiosk-update-install.service)
  update …      the words of `sudo kiosk update`: FILE or URL to install, --rollback, --status

Built aside, tried, then switched to in one rename; what fails before that leaves all as it was, and says so.
"""

import argparse
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))  # root's own folder: -I leaves it out

from kiosk_trial import (
    CONFIG,
    CURRENT,
    HOME,
    KIOSK,
    NAME,
    RELEASES,
    ROOT,
    SERVICES,
    STATE,
    TIMER,
    TREE,
    TRIAL,
    Refused,
    alone,
    as_kiosk,
    last_line,
    linked,
    name_of,
    read_json,
    relink,
    restart,
    rollback,
    run,
    said,
    say,
    settle,
    shown,
    standing,
    status,
    step,
    write_json,
    write_whole,
)

INCOMING = HOME / "incoming"
ARCHIVE = Path(__file__).resolve().with_name("kiosk_archive.py")
VERSION = re.compile(r"\d+(?:\.\d+){1,3}")
FETCHED = re.compile(r"kiosk-[A-Za-z0-9.+-]{1,80}\.tar\.gz")


# --- this device and its programs -----------------------------------------------------------------------------


def data_dir() -> Path:
    """Where the database is, as kiosk.toml says."""
    try:
        value = tomllib.loads(CONFIG.read_text("utf-8")).get("data_dir", "")
    except (OSError, ValueError):
        value = ""
    default = ROOT / "var/lib/kiosk"
    return CONFIG.parent / value if isinstance(value, str) and value else default


def numbers(version: str) -> tuple[int, ...]:
    found = VERSION.match(version)
    return tuple(map(int, found[0].split("."))) if found else ()


# --- install --------------------------------------------------------------------------------------------------


def install(path: Path, *, downgrade: bool = False, again: bool = False) -> None:
    """Build, try, switch. Raises Refused when the old release goes on running."""
    with alone():
        settle()
        if trial := read_json(TRIAL):
            if not trial["boot"]:  # killed between the switch and the restart
                restart(trial["watched"])
            raise Refused(
                "Bản vừa cài còn đang chạy thử: đợi 10 phút, hoặc: sudo kiosk update --rollback",
                "The last release is still being tried: wait ten minutes, or: sudo kiosk update --rollback",
            )
        try:
            switch(build(path, downgrade=downgrade, again=again))
        except (Refused, OSError) as error:
            shutil.rmtree(TREE, ignore_errors=True)
            raise with_comfort(error) from error
        finally:
            shutil.rmtree(INCOMING, ignore_errors=True)


def with_comfort(error: Exception) -> Refused:
    why = error if isinstance(error, Refused) else Refused(str(error), str(error))
    return Refused(f"{why.vi} Bản cũ vẫn chạy.", f"{why.en} The old release goes on running.")


def build(path: Path, *, downgrade: bool, again: bool) -> str:
    """A complete release beside the running one, that accepts this device; its name."""
    manifest = taken(path)
    version, who = str(manifest["version"]), manifest["signer"]
    check_version(version, downgrade=downgrade)
    name = step("name").strip()
    if not NAME.fullmatch(name) or name.partition("+")[0] != version:
        raise Refused(f"Tên bản lạ: {name!r}.", f"A strange name of a release: {name!r}.")
    check_name(name, again=again)
    say(f"Bản {version}, do {who} ký. Đang dựng…", f"Release {version}, signed by {who}. Building…")
    home = RELEASES / name
    there = (home / ".complete").exists()
    try:
        if not there:
            shutil.rmtree(home, ignore_errors=True)  # left by a power cut
            RELEASES.mkdir(parents=True, exist_ok=True)
            step("build", home)
            os.sync()  # first the files, then the mark
            write_whole(home / ".complete", b"")
        accept(home)
    except (Refused, OSError):
        if not there:
            shutil.rmtree(home, ignore_errors=True)
        raise
    return name


def taken(path: Path) -> dict[str, Any]:
    """release.json of the file, which is verified and lies unpacked in TREE."""
    shutil.rmtree(INCOMING, ignore_errors=True)
    shutil.rmtree(TREE, ignore_errors=True)
    INCOMING.mkdir(mode=0o700)
    done = run(sys.executable, "-IB", ARCHIVE, "take", path, INCOMING)
    if done.returncode:
        raise refusal_of(done)
    (INCOMING / "tree").replace(TREE)
    return dict(json.loads(done.stdout))


def refusal_of(done: subprocess.CompletedProcess[str]) -> Refused:
    lines = done.stderr.strip().splitlines()
    return Refused(*lines) if len(lines) == 2 else Refused(last_line(done), last_line(done))


def check_version(version: str, *, downgrade: bool) -> None:
    running = name_of(linked()).partition("+")[0]
    if numbers(version) <= numbers(running) and not downgrade:
        raise Refused(
            f"Bản {version} không mới hơn bản đang chạy ({running}). Nếu thật sự muốn: --allow-downgrade.",
            f"{version} is not newer than {running}, which runs here. If it is meant: --allow-downgrade.",
        )


def check_name(name: str, *, again: bool) -> None:
    if name == name_of(linked()):
        raise Refused(f"Bản {name} đang chạy rồi.", f"Release {name} is the one that runs.")
    if (why := read_json(STATE).get("rejected", {}).get(name)) and not again:
        raise Refused(
            f"Bản {name} đã từng bị quay lại ({why}). Thử lại: --again.",
            f"Release {name} was taken back once ({why}). To try it again: --again.",
        )


def accept(home: Path) -> None:
    """The new program must be able to go on with this device's files; then it makes a copy of the database."""
    for words in (("fits",), ("backup",)) if (data_dir() / "kiosk.db").exists() else (("fits",),):
        done = as_kiosk(home / "bin/kiosk", *words)
        if done.returncode:
            raise Refused(
                f"Bản mới không dùng được trên máy này (kiosk {words[0]}): {last_line(done)}",
                f"The new release cannot work on this device (kiosk {words[0]}): {last_line(done)}",
            )


def switch(name: str) -> None:
    """From here on a power cut ends in the old release or in the new one, with the system files that belong to it."""
    for lost in (signal.SIGHUP, signal.SIGINT):  # a technician's line that drops leaves no kiosk that is stopped
        signal.signal(lost, signal.SIG_IGN)
    before, files = linked(), f"before-{name}"
    watched = [each for each in SERVICES if each == KIOSK or shown(each, "ActiveState") == "active"]
    keep_files(HOME / files, step("paths").split())
    trial = {"name": name, "target": f"releases/{name}", "before": before, "files": files, "watched": watched}
    os.sync()  # the tree too: its helpers are needed in ten minutes
    write_json(TRIAL, trial | {"said": standing(), "boot": "", "restarts": 0, "failed": 0})
    try:
        step("place")
        run("systemctl", "daemon-reload")
        os.sync()  # else a power cut leaves the new program with empty units
        relink(f"releases/{name}")
    except (Refused, OSError):
        settle()
        raise
    restart(watched)
    run("systemctl", "--no-block", "restart", TIMER)
    back = name_of(before) or "-"
    say(
        f"Đã chuyển sang {name}; chạy thử 10 phút, lỗi thì tự quay lại {back}.",
        f"Switched to {name}; it is tried for ten minutes, and {back} comes back by itself if it fails.",
    )


def keep_files(kept: Path, paths: Sequence[str]) -> None:
    """Copies of the system files that a release is going to replace."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(mode=0o700)
    index: dict[str, int | None] = {}
    for number, path in enumerate(paths):
        there = ROOT / path.lstrip("/")
        index[path] = number if there.is_file() else None
        if there.is_file():
            write_whole(kept / str(number), there.read_bytes(), stat.S_IMODE(there.stat().st_mode))
    write_json(kept / "index.json", index)


# --- verbs ----------------------------------------------------------------------------------------------------


def nightly() -> None:
    """What the kiosk's own user has fetched and says may be installed now; its folder is read with distrust."""
    folder = data_dir() / "updates"
    mark = folder / "ready"
    try:
        with os.fdopen(os.open(mark, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
            name = file.read(200).strip()
    except OSError:
        return
    mark.unlink()
    if FETCHED.fullmatch(name):
        install(folder / name)


def fetched(url: str) -> Path:
    """Where the running release, as its own user, has put what lies behind the address."""
    done = as_kiosk(CURRENT / "bin/kiosk", "fetch-update", url)
    name = (done.stdout.strip().splitlines() or [""])[-1].rpartition("/")[2]
    if done.returncode or not FETCHED.fullmatch(name):
        raise with_comfort(Refused(f"Không tải được: {last_line(done)}", f"Not fetched: {last_line(done)}"))
    return data_dir() / "updates" / name


def verify(path: Path) -> None:
    done = run(sys.executable, "-IB", ARCHIVE, "verify", path)
    if done.returncode:
        raise refusal_of(done)
    print(done.stdout, end="")


def update(words: argparse.Namespace) -> None:
    """`sudo kiosk update`."""
    what = str(words.what)
    if words.rollback:
        rollback()
    elif words.status or not what:
        status()
    else:
        path = fetched(what) if "://" in what else Path(what).resolve()
        install(path, downgrade=words.allow_downgrade, again=words.again)


def words_of(given: Sequence[str]) -> argparse.Namespace:
    top = argparse.ArgumentParser(prog="kiosk update", description=str(__doc__).splitlines()[0])
    top.add_argument("what", metavar="FILE|URL", nargs="?", default="")
    for option in ("--rollback", "--status", "--allow-downgrade", "--again"):
        top.add_argument(option, action="store_true")
    return top.parse_args(given)


def main(given: Sequence[str]) -> int:
    match given:
        case ["verify", file]:
            return said(lambda: verify(Path(file)), as_anybody=True)
        case ["nightly"]:
            return said(nightly)
        case ["update", *rest]:
            words = words_of(rest)
            return said(lambda: update(words), as_anybody=words.status)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
