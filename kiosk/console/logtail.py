"""The end of the log for the technician's page: the journal where it may be read, else the log files of the folder.

What looks like a secret is left out: passwords in addresses, tokens, tickets' codes, PINs never are in it.
"""

import re
import subprocess
from pathlib import Path

from kiosk.documents import mask, printable

LINES = 300
TAIL_BYTES = 64_000
UNITS = ("kiosk", "kiosk-console", "kiosk-sync", "kiosk-prepare", "kiosk-backup")
FILES = ("kiosk.log", "console.log", "uplink.log")
JOURNAL = ["journalctl", "--no-pager", "--output=short-iso", f"--lines={LINES}", *(f"--unit={unit}" for unit in UNITS)]
_SECRET = re.compile(r"\b(?=[\w-]*\d)[\w-]{20,}\b|\b[0-9A-HJKMNP-TV-Z]{16}\b|(?<=code )\d{6}\b")


def tail(folder: Path) -> list[str]:
    """The last lines, oldest first; none when nothing can be read."""
    return [_clean(line) for line in (_journal() or _files(folder))[-LINES:]]


def _clean(line: str) -> str:
    return printable(_SECRET.sub("…", str(mask(line))))


def _journal() -> list[str]:
    try:
        done = subprocess.run(JOURNAL, capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return [] if done.returncode or not lines or lines[0].startswith("-- No entries") else lines


def _files(folder: Path) -> list[str]:
    lines: list[str] = []
    for name in FILES:
        try:
            with (folder / name).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            continue
        lines += [f"{name.removesuffix('.log')}: {line}" for line in text.splitlines()[-LINES // len(FILES) :]]
    return lines
