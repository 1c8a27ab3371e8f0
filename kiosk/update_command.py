"""Newer releases: `kiosk update` hands over to root's helper; `kiosk fetch-update` and `kiosk fits` need no root.

What is fetched is as good as its signature: the helper verifies a copy of its own before anything is unpacked.
"""

import argparse
import hashlib
import json
import logging
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kiosk import __version__
from kiosk.clock import Moment, SystemClock, Vouched
from kiosk.config import Config
from kiosk.fetching import FetchError, fetch
from kiosk.hours import at_work, opening
from kiosk.office import Office
from kiosk.setup import load, load_device, load_office
from kiosk.store.durable import write_durably
from kiosk.store.look import changed_days, check_fits, last_call, noted

HELPER = Path("/usr/local/lib/kiosk/kiosk_release.py")
STATE = Path("/var/lib/kiosk-release/state.json")
FOLDER = "updates"
"""Folder in `data_dir` of what was fetched."""
READY = "ready"
"""File there that names what root's helper may install now."""
FILE = re.compile(r"kiosk-[A-Za-z0-9.+-]{1,80}\.tar\.gz")
FLAGS = ("rollback", "status", "allow_downgrade", "again")
MOST_INDEX = 1 << 20
AHEAD = timedelta(minutes=45)
"""So long nobody may want a number: building, the restart, and ten minutes of trial with time to go back."""
QUIET = timedelta(minutes=20)
"""So long nobody was called: after closing time the last ones are still being served."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Release:
    """A line of index.json."""

    version: str
    file: str
    sha256: str


def update_run(options: argparse.Namespace) -> int:
    """`kiosk update`. Raises ValueError for whoever is not root."""
    if os.geteuid():
        raise ValueError("an update needs root: sudo kiosk update FILE|URL")
    flags = [f"--{name.replace('_', '-')}" for name in FLAGS if getattr(options, name)]
    os.execv(HELPER, [str(HELPER), "update", *flags, *filter(None, [options.what])])


def fits_run(options: argparse.Namespace) -> int:
    """`kiosk fits`: read all that the kiosk would start with. Raises ValueError or StoreError with what is wrong."""
    setup = load(options.config)
    check_fits(Path(setup.config.data_dir))
    print(f"kiosk {__version__} can go on with this device")
    return 0


def fetch_run(options: argparse.Namespace) -> int:
    """`kiosk fetch-update`: the file at an address, or what [update] source has that is newer."""
    config = load_device(options.config)
    folder = Path(config.data_dir) / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / READY).unlink(missing_ok=True)
    if options.url:
        print(fetch_signed(options.url, folder))
        return 0
    if not (config.update.source and config.update.enabled):
        print("no newer releases are looked for: [update] source in kiosk.toml")
        return 0
    vouched = Vouched.read(noted(Path(config.data_dir), "vouched"))
    return look_for_newer(config, folder, SystemClock(vouched=vouched).now())


def fetch_signed(url: str, folder: Path) -> Path:
    """A release with its signature. Raises FetchError."""
    name = urlsplit(url).path.rpartition("/")[2]
    if not FILE.fullmatch(name):
        raise FetchError(f"{url} is no release: its name is kiosk-VERSION-SUITE-ARCHITECTURE.tar.gz")
    fetch(f"{url}.sig", folder / f"{name}.sig", most=MOST_INDEX)
    fetch(url, folder / name)
    return folder / name


def look_for_newer(config: Config, folder: Path, now: Moment, helper: Path = HELPER, state: Path = STATE) -> int:
    """Fetch the newest release for this machine, and mark it when nobody waits. Raises FetchError."""
    source = config.update.source.rstrip("/")
    for name in ("index.json.sig", "index.json"):
        fetch(f"{source}/{name}", folder / name, most=MOST_INDEX)
    _verify(folder / "index.json", helper)
    newest = newest_for(_read(folder / "index.json"), system(), __version__, taken_back(state))
    _keep_only(folder, newest.file if newest else "")
    if newest is None:
        print(f"{__version__} is the newest")
        return 0
    path = folder / newest.file
    if not path.exists():
        fetch_signed(f"{source}/{newest.file}", folder)
    if _digest(path) != newest.sha256:
        path.unlink()
        raise FetchError(f"{newest.file} is not what the index says: it is fetched again the next time")
    _verify(path, helper)
    why_not = not_now(load_office(config), Path(config.data_dir), now)
    if why_not:
        print(f"{newest.file} is here, and waits: {why_not}")
        return 0
    write_durably(folder / READY, newest.file)
    print(f"{newest.file} is here, and may be installed")
    return 0


def _verify(path: Path, helper: Path) -> None:
    done = subprocess.run([helper, "verify", path], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        for each in (path, path.with_name(f"{path.name}.sig")):
            each.unlink(missing_ok=True)
        raise FetchError((done.stderr.strip().splitlines() or [f"{path.name} cannot be verified"])[-1])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise FetchError(f"{path.name} cannot be read ({error})") from error
    return found if isinstance(found, dict) else {}


def system(os_release: Path = Path("/etc/os-release")) -> tuple[str, str, str]:
    """Suite, architecture and Python of this machine, as a release names them."""
    suite = re.search(r'^VERSION_CODENAME="?(\w+)', os_release.read_text(), re.MULTILINE)
    machine = {"aarch64": "arm64", "x86_64": "amd64"}.get(platform.machine(), platform.machine())
    return suite[1] if suite else "", machine, f"3.{sys.version_info.minor}"


def newest_for(
    index: dict[str, Any], machine: tuple[str, str, str], running: str, refused: frozenset[str]
) -> Release | None:
    """The newest release of an index that is for this machine, newer than the running one, and was not taken back."""
    suite, architecture, python = machine
    try:
        fitting = [
            Release(str(line["version"]), str(line["file"]), str(line["sha256"]))
            for line in index["releases"]
            if suite in line["suites"] and architecture in line["architectures"] and python == line["python"]
        ]
    except (KeyError, TypeError) as error:
        raise FetchError(f"index.json is no list of releases ({error!r})") from error
    newer = [
        each
        for each in fitting
        if _numbers(each.version) > _numbers(running) and each.version not in refused and FILE.fullmatch(each.file)
    ]
    return max(newer, key=lambda each: _numbers(each.version), default=None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def taken_back(state: Path) -> frozenset[str]:
    """Versions that this machine has gone back from."""
    try:
        return frozenset(name.partition("+")[0] for name in json.loads(state.read_bytes()).get("rejected", {}))
    except (OSError, ValueError):
        return frozenset()


def not_now(office: Office, folder: Path, now: Moment) -> str:
    """Why a restart would disturb somebody now, "" when it would not."""
    if not now.trusted:
        return "nobody vouches for the clock"
    hours, days = office.rulebook().hours, changed_days(folder)
    door = opening(hours, now.local, days)
    if door.status == "open" or at_work(hours, now.local, days):
        return "the office is open"
    if door.resumes and door.resumes - now.local.replace(tzinfo=None) < AHEAD:
        return "the office opens soon"
    called = last_call(folder)
    if called and timedelta(0) <= now.at - called < QUIET:
        return "somebody was called a moment ago"
    return ""


def _keep_only(folder: Path, file: str) -> None:
    """What is not fetched any more goes: cards are small."""
    for path in folder.glob("kiosk-*"):
        if not file or not path.name.startswith(file):
            path.unlink()
