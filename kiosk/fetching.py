"""Fetches one file from a web server into a folder: bounded, without redirects, and on from where it broke off.

It knows HTTP and files; it refuses to know what is in the file. Whoever asked for it verifies its signature: then
neither a server nor anybody on the way is trusted with more than time and disk space.
"""

import http.client
import os
import shutil
import ssl
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from kiosk.config import of_the_lan

MOST_BYTES = 1 << 30
BLOCK = 64 * 1024
SPARE = 256 << 20
"""So many bytes of the disk are the kiosk's own: a release that is too large must not stop it."""
TRIES = 3


class FetchError(RuntimeError):
    """The file did not come; the message says why and what to do."""


class BrokenOff(FetchError):
    """A part of it came, which stays for the next time."""


def checked(url: str) -> SplitResult:
    """The address in its parts. Raises FetchError for one that files are not fetched from."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise FetchError(f"{url} is no address ({error})") from error
    if parts.scheme not in ("http", "https") or not host or parts.username or port == 0:
        raise FetchError(f"{url} is no address of a file: write it as https://HOST/FILE")
    if parts.scheme == "http" and not of_the_lan(host):
        raise FetchError(f"{url}: plain http:// is only for an address of the office's own network; use https://")
    return parts


def fetch(url: str, target: Path, *, most: int = MOST_BYTES, timeout_s: float = 30, deadline_s: float = 3600) -> None:
    """Bring the file to `target`, whole or not at all. A part that came stays beside it as .part.

    `timeout_s` is for each answer, `deadline_s` for all of it. Raises FetchError.
    """
    parts, until = checked(url), time.monotonic() + deadline_s
    part = target.with_name(f"{target.name}.part")
    for left in reversed(range(TRIES)):
        try:
            _go_on(parts, part, most, timeout_s, until)
            break
        except BrokenOff:
            if not left or time.monotonic() >= until:
                raise
        except (OSError, http.client.HTTPException) as error:
            if not left or time.monotonic() >= until:
                raise BrokenOff(f"{url}: {error or type(error).__name__}: check the network, then try again") from error
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)


def _go_on(parts: SplitResult, part: Path, most: int, timeout_s: float, until: float) -> None:
    have = part.stat().st_size if part.exists() else 0
    with closing(_connection(parts, timeout_s)) as line:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line.request("GET", path, headers={"Range": f"bytes={have}-"} if have else {})
        answer = line.getresponse()
        if answer.status == 416:  # the part is not one of what lies there now
            part.unlink()
            raise BrokenOff(f"{parts.geturl()} has changed: try again")
        if answer.status not in (200, 206):
            where = f" to {answer.headers.get('Location', '?')[:200]}" if 300 <= answer.status < 400 else ""
            raise FetchError(f"{parts.geturl()}: HTTP {answer.status}{where}: is the address right?")
        goes_on = answer.status == 206 and _starts_at(answer, have)
        _receive(answer, part, have if goes_on else 0, most, until, parts.geturl())


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout_s, context=context)


def _starts_at(answer: http.client.HTTPResponse, have: int) -> bool:
    return answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _receive(answer: http.client.HTTPResponse, part: Path, have: int, most: int, until: float, url: str) -> None:
    """Write the answer at its place, and give up what is too large or too slow."""
    length = answer.length
    if (length or 0) + have > most:
        raise FetchError(f"{url} is larger than {most >> 20} MB: it is no release")
    room = have + shutil.disk_usage(part.parent).free - SPARE
    if (length or 0) + have > room:
        part.unlink(missing_ok=True)
        raise FetchError(_no_room(url))
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        file.truncate()
        while block := answer.read(BLOCK):
            have += len(block)
            if have > room:
                part.unlink()
                raise FetchError(_no_room(url))
            if have > most:
                raise FetchError(f"{url} is larger than {most >> 20} MB: it is no release")
            file.write(block)
            if time.monotonic() >= until:
                raise BrokenOff(f"{url} comes too slowly: it goes on from there the next time")
    if answer.length:
        raise BrokenOff(f"{url} broke off: it goes on from there the next time")


def _no_room(url: str) -> str:
    return f"{url} does not fit on the disk, of which {SPARE >> 20} MB stay free: make room first"
