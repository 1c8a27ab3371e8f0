"""What a run begins with, kept from run to run: a Debian with nothing of ours, and a stick for `install.sh --offline`.

They lie in a folder that is named by a digest of all that decides what is in it, so that it is never out of date. It is
made aside and renamed: there is a whole one or none.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.container.telling import NotAsPromised, tell
from tests.foreign import pace

ROOT = Path(__file__).parent.parent.parent
SUITES = ("bookworm", "trixie")
PACKAGES = ("systemd", "systemd-sysv", "udev", "dbus", "ca-certificates")
CACHE = Path(os.environ.get("KIOSK_CACHE") or "/var/cache/kiosk-test") / "install"
MIRROR = os.environ.get("MIRROR") or "http://deb.debian.org/debian"
RECIPE = (
    "tests/container/base.py",
    "installer/bundle.sh",
    "installer/packages.sh",
    "installer/program.sh",
    "requirements/run.txt",
    "requirements/lgpio.txt",
)
KEPT_S = 14 * 24 * 3600
"""Bases of other recipes go when nobody has used them for so long."""


@dataclass(frozen=True)
class Base:
    """`architecture`: of its programs, as Debian names it."""

    folder: Path
    architecture: str

    @property
    def system(self) -> Path:
        """The Debian, as a tar file."""
        return self.folder / "system.tar"

    @property
    def stick(self) -> Path:
        return self.folder / "stick"


def base(suite: str, architecture: str) -> Base:
    """The one of this Debian that belongs to this tree. Raises NotAsPromised when it cannot be made."""
    kept = Base(CACHE / digest(suite, architecture), architecture)
    if not kept.folder.exists():
        _make(kept, suite)
    os.utime(kept.folder)
    for other in CACHE.iterdir():
        if time.time() - other.stat().st_mtime > KEPT_S:
            shutil.rmtree(other, ignore_errors=True)
    return kept


def digest(suite: str, architecture: str) -> str:
    """Of the recipe, the locks and the machine."""
    made = hashlib.sha256(f"{suite} {architecture} {MIRROR}".encode())
    for name in RECIPE:
        made.update((ROOT / name).read_bytes())
    return made.hexdigest()[:16]


def _make(kept: Base, suite: str) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix="part-", dir=CACHE))
    try:
        tell(f"making a base in {CACHE}: Debian {suite}, {kept.architecture}")
        words = ["mmdebstrap", "-q", "--variant=minbase", f"--arch={kept.architecture}"]
        words += [f"--include={','.join(PACKAGES)}", suite]
        _run([*words, str(aside / "system.tar"), MIRROR], "mmdebstrap makes a Debian", 600 * pace(kept.architecture))
        tell("making a base: the stick")
        words = [str(ROOT / "installer/bundle.sh"), str(aside / "stick"), "--suite", suite, "--arch", kept.architecture]
        _run([*words, "--mirror", MIRROR], "installer/bundle.sh fills a stick", 900)
        aside.chmod(0o755)
        if not kept.folder.exists():
            aside.rename(kept.folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _run(words: list[str], sentence: str, seconds: float) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode:
        raise NotAsPromised(f"{sentence}\n{(done.stdout + done.stderr)[-4000:]}")
