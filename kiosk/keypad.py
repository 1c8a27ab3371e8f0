"""USB keypads and arcade encoders where there is no window: the kernel's input events, read with the standard library.

Each keypad has its own thread, since a busy reader loses events. An event is 24 bytes on a 64-bit kernel (struct
input_event in linux/input.h), and names and key maps stand in /sys/class/input, so no library is needed. What a key
means is the caller's matter.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import select
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from kiosk.keys import Edge, KeysBack, KeysLost, Outlet, Raw, key_name

logger = logging.getLogger(__name__)

INPUT_EVENT = struct.Struct("@llHHi")  # seconds, microseconds, type, code, value
EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
_EVIOCGRAB = 0x40044590
_EVIOCSCLOCKID = 0x400445A0
_BELIEVED_S = 60.0  # an event's own time is used if it lies at most this far back


def _row(first: int, names: str) -> dict[str, int]:
    return {name.replace("_", " "): first + place for place, name in enumerate(names.split())}


# Names as pygame gives them, codes of linux/input-event-codes.h. Encoders that pose as a joystick have "button 1" … or
# "gamepad 1" …
KEY_CODES: Mapping[str, int] = {
    **_row(1, "escape 1 2 3 4 5 6 7 8 9 0 - = backspace tab q w e r t y u i o p [ ] return"),
    **_row(30, "a s d f g h j k l ; ' `"),
    **_row(43, "\\ z x c v b n m , . /"),
    **_row(55, "[*]"),
    **_row(57, "space"),
    **_row(59, "f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 numlock"),
    **_row(71, "[7] [8] [9] [-] [4] [5] [6] [+] [1] [2] [3] [0] [.]"),
    **_row(87, "f11 f12"),
    **_row(96, "enter"),
    **_row(98, "[/]"),
    **_row(102, "home up"),
    **_row(105, "left right end down"),
    **_row(110, "insert delete"),
    **_row(117, "equals"),
    **_row(183, "f13 f14 f15 f16 f17 f18 f19 f20 f21 f22 f23 f24"),
    **_row(29, "left_ctrl"),
    **_row(42, "left_shift"),
    **_row(54, "right_shift"),
    **_row(56, "left_alt"),
    **_row(58, "caps_lock"),
    **_row(70, "scroll_lock"),
    **_row(97, "right_ctrl"),
    **_row(100, "right_alt"),
    **_row(104, "page_up"),
    **_row(109, "page_down"),
    **{f"button {n}": 0x120 + n - 1 for n in range(1, 17)},
    **{f"gamepad {n}": 0x130 + n - 1 for n in range(1, 16)},
}


class KeypadError(ValueError):
    """The keypad's configuration cannot be used; the message names every wrong key."""


class EvdevReader:
    """One keypad in its own thread: edges of the mapped keys go to `offer`, which must not wait.

    `pattern` (shell style, any case) is matched with the device's name and with its place ("usb-*-1.2/input0"), so that
    two keypads of one make can be told apart. `mapping`: key name → action. With `grab` nobody else sees the keys (no
    typing into a console, no second press through a window). A keypad that is missing or unplugged is reported once as
    KeysLost, looked for every `retry_s` seconds, and reported once as KeysBack; keys that were down are released.
    Raises KeypadError for unknown key names.
    """

    def __init__(
        self,
        pattern: str,
        mapping: Mapping[str, str],
        offer: Callable[[Raw], object],
        *,
        source: str = "keypad",
        grab: bool = True,
        retry_s: float = 1.0,
        sysfs: Path = Path("/sys/class/input"),
        devices: Path = Path("/dev/input"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pattern = pattern
        self._actions = _actions_by_code(mapping)
        self._outlet = Outlet(offer)
        self._source = source
        self._grab = grab
        self._retry_ms = int(retry_s * 1000)
        self._sysfs = sysfs
        self._devices = devices
        self._clock = clock
        self._lost_because: str | None = None
        self._down: set[int] = set()
        self._overrun = False
        self.overruns = 0
        """How often the kernel said that events were lost because nobody read them in time."""
        self._wake_r, self._wake_w = os.pipe()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"{source} reader", daemon=True)

    @property
    def failures(self) -> int:
        """Events that `offer` refused."""
        return self._outlet.failures

    def start(self) -> None:
        self._thread.start()

    def thread_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self, timeout_s: float = 2.0) -> None:
        """End the thread; it waits for nothing else than this, so it ends at once."""
        if self._closed:
            return
        self._closed = True
        os.write(self._wake_w, b"!")
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            logger.error("%s: the reader did not end in %s s", self._source, timeout_s)
            return
        os.close(self._wake_w)
        os.close(self._wake_r)

    def _run(self) -> None:
        try:
            while not self._closed:
                self._serve_once()
        except Exception as error:
            logger.exception("%s: the reader has died", self._source)
            self._outlet.put(KeysLost(self._source, time.monotonic(), f"reader died: {error}"))

    def _serve_once(self) -> None:
        fd = self._open()
        if fd is None:
            _ready((self._wake_r,), self._retry_ms)
            return
        try:
            reason = self._read_until_lost(fd)
        finally:
            os.close(fd)
        if reason:
            self._release_all(self._clock())
            self._lost(reason)
            _ready((self._wake_r,), self._retry_ms)

    def _open(self) -> int | None:
        path = find_keypad(self._pattern, self._actions, self._sysfs, self._devices)
        if path is None:
            self._lost(f'no input device is named "{self._pattern}" and has its keys: plugged in?')
            return None
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            self._lost(f"{path}: {error.strerror}: is this user in the group input?")
            return None
        if self._grab and not _grab(fd):
            os.close(fd)
            self._lost(f"{path}: another program has taken this keypad for itself")
            return None
        _use_monotonic_time(fd)
        self._found(path)
        return fd

    def _read_until_lost(self, fd: int) -> str | None:
        """Hand on edges until the keypad goes (then say why) or `close` is called (then None)."""
        rest = b""
        while True:
            ready = _ready((fd, self._wake_r), None)
            if self._wake_r in ready:
                return None
            try:
                data = os.read(fd, 64 * INPUT_EVENT.size)
            except BlockingIOError:
                if ready[fd] & (select.POLLERR | select.POLLHUP):
                    return "hung up"
                continue
            except OSError as error:  # ENODEV: unplugged
                return str(error.strerror)
            if not data:
                return "end of file"
            rest = self._take(rest + data)

    def _take(self, data: bytes) -> bytes:
        """Handle the whole events in `data`; what is left is the beginning of the next one."""
        whole = len(data) - len(data) % INPUT_EVENT.size
        for seconds, micros, kind, code, value in INPUT_EVENT.iter_unpack(data[:whole]):
            self._event(kind, code, value, self._time(seconds + micros / 1e6))
        return data[whole:]

    def _event(self, kind: int, code: int, value: int, at: float) -> None:
        if kind == EV_SYN and code == SYN_DROPPED:
            self._overrun = True
            self.overruns += 1
            logger.warning("%s: the kernel dropped key events", self._source)
            self._release_all(at)
        elif kind == EV_SYN and code == SYN_REPORT:
            self._overrun = False
        elif kind == EV_KEY and code in self._actions and not self._overrun and value in (0, 1):  # 2 is auto-repeat
            self._edge(code, value == 1, at)

    def _edge(self, code: int, down: bool, at: float) -> None:
        if down == (code in self._down):
            return
        self._down ^= {code}
        self._outlet.put(Edge(self._actions[code], down, at, self._source))

    def _release_all(self, at: float) -> None:
        """The releases of these keys will never be told."""
        for code in sorted(self._down):
            self._edge(code, False, at)

    def _time(self, stamp: float) -> float:
        """The kernel's time of the event, so that a burst read late keeps its pace; now, if that is another clock."""
        now = self._clock()
        return stamp if 0 <= now - stamp <= _BELIEVED_S else now

    def _lost(self, reason: str) -> None:
        first, changed = self._lost_because is None, self._lost_because != reason
        self._lost_because = reason
        if changed:
            logger.warning("%s lost: %s", self._source, reason)
        if first:
            self._outlet.put(KeysLost(self._source, self._clock(), reason))

    def _found(self, path: Path) -> None:
        self._overrun = False
        logger.info("%s: reading %s", self._source, path)
        if self._lost_because is not None:
            self._lost_because = None
            self._outlet.put(KeysBack(self._source, self._clock()))


def find_keypad(pattern: str, codes: Iterable[int], sysfs: Path, devices: Path) -> Path | None:
    """The first input device whose name or place fits and that has one of these keys.

    One USB keypad shows as several devices of nearly one name (keys, media keys, mouse): the key map tells which it is.
    """
    wanted = list(codes)
    for entry in sorted(sysfs.glob("event*"), key=lambda path: (len(path.name), path.name)):
        about = entry / "device"
        names = (_text(about / "name"), _text(about / "phys"))
        fits = any(fnmatchcase(name.lower(), pattern.lower()) for name in names if name)
        if fits and _has_any(_text(about / "capabilities" / "key"), wanted):
            return devices / entry.name
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""  # unplugged while we looked


def _has_any(bitmap: str, codes: Iterable[int]) -> bool:
    """The kernel prints a key map as hexadecimal words, the highest first, each as wide as a C long."""
    width = 8 * struct.calcsize("l")
    keys = 0
    for word in bitmap.split():
        keys = keys << width | int(word, 16)
    return any(keys >> code & 1 for code in codes)


def _actions_by_code(mapping: Mapping[str, str]) -> dict[int, str]:
    unknown = sorted(name for name in mapping if key_name(name) not in KEY_CODES)
    if unknown:
        listed = ", ".join(f'"{name}"' for name in unknown)
        raise KeypadError(f'unknown keys for a keypad: {listed}. Known are names like "1", "f1", "[1]", "button 1".')
    return {KEY_CODES[key_name(name)]: action for name, action in mapping.items()}


def _ready(fds: Iterable[int], timeout_ms: int | None) -> dict[int, int]:
    poller = select.poll()
    for fd in fds:
        poller.register(fd, select.POLLIN)
    return dict(poller.poll(timeout_ms))


def _grab(fd: int) -> bool:
    """False if another program has grabbed it: then not one event would reach us."""
    try:
        fcntl.ioctl(fd, _EVIOCGRAB, 1)
    except OSError as error:
        if error.errno == errno.EBUSY:
            return False
        logger.warning("the keypad cannot be grabbed (%s): other programs see its keys too", error.strerror)
    return True


def _use_monotonic_time(fd: int) -> None:
    """Ask for event times on our clock; where that is refused, `_time` sees that they are not."""
    try:
        fcntl.ioctl(fd, _EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
    except OSError as error:
        logger.info("event times of the keypad are not used: %s", error.strerror)
