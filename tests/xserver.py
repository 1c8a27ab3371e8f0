"""A real X server with displays in memory (Xorg's dummy driver), and hands that click, type and close windows on it.

SDL draws on it, sees its displays come, and gets its events as on a desktop. It does not imitate kmsdrm, a display
that is switched off (its outputs stay connected), or a finger.
"""

import ctypes
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from PIL import Image, ImageGrab

XORG = Path("/usr/lib/xorg/Xorg")
CONFIG = """
Section "ServerFlags"
  Option "AutoAddDevices" "false"
  Option "AutoAddGPU" "false"
EndSection
Section "Device"
  Identifier "memory"
  Driver "dummy"
  VideoRam 65536
EndSection
Section "Screen"
  Identifier "screen"
  Device "memory"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Virtual 2048 768
  EndSubSection
EndSection
"""
FIRST, SECOND = (1024, 768), (960, 540)
"""Sizes of its two displays; the second stands to the right of the first."""


class XServer:
    """`address` is its DISPLAY. With one display at first."""

    def __init__(self) -> None:
        if not XORG.exists():
            pytest.fail("there is no X server to test with: `make test` says which Debian packages it needs")
        self._folder = tempfile.TemporaryDirectory(prefix="kiosk-x-")
        config = Path(self._folder.name) / "xorg.conf"
        config.write_text(CONFIG)
        ready, tell = os.pipe()
        command = [XORG, "-displayfd", str(tell), "-config", config, "-logfile", "/dev/null", "-noreset", "-nolisten"]
        self._log = (Path(self._folder.name) / "log").open("w+")
        self._process = subprocess.Popen(
            [*map(str, command), "tcp"], pass_fds=[tell], stdout=self._log, stderr=subprocess.STDOUT
        )
        os.close(tell)
        with os.fdopen(ready) as said:
            number = said.readline().strip()
        if not number:
            self._log.seek(0)
            pytest.fail(f"the X server did not start: {self._log.read()}")
        self.address = f":{number}"

    def plug_in(self) -> None:
        """The second display, right of the first."""
        mode = "x".join(map(str, SECOND))
        self._run("xrandr", "--addmode", "DUMMY1", mode)
        self._run("xrandr", "--output", "DUMMY1", "--mode", mode, "--pos", f"{FIRST[0]}x0")
        self._run("xrandr")  # looks at the outputs anew, and tells who listens

    def click(self, x: int, y: int) -> None:
        """The left button, at a place of both displays together."""
        self._run("xdotool", "mousemove", str(x), str(y), "click", "1")

    def type(self, key: str) -> None:
        """A key down and up, for the window that has the keys."""
        self._run("xdotool", "key", key)

    def wipe(self) -> None:
        """Cover everything for a moment: what was there is lost, and each window is told."""
        self._run("xrefresh", "-black")

    def close_window(self, title: str) -> None:
        """What a window manager does when somebody presses a window's cross."""
        ask_to_close(self.address, title)

    def picture(self) -> Image.Image:
        """What is on both displays."""
        return ImageGrab.grab(xdisplay=self.address)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._log.close()
        self._folder.cleanup()

    def _run(self, *command: str) -> str:
        environment = {**os.environ, "DISPLAY": self.address}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout


class _Message(ctypes.Structure):
    """XClientMessageEvent, as long as XEvent is."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 12),
    )


class _Text(ctypes.Structure):
    """XTextProperty."""

    _fields_ = (
        ("value", ctypes.c_char_p),
        ("encoding", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("nitems", ctypes.c_ulong),
    )


def ask_to_close(address: str, title: str) -> None:
    """Send WM_DELETE_WINDOW (ICCCM 4.2.8.1) to the window of this title, by a connection of its own."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XInternAtom.restype = x.XDefaultRootWindow.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x.XOpenDisplay(address.encode()))
    window = _named(x, display, title.encode())
    atoms = [x.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")]
    client_message, bits = 33, 32
    message = _Message(client_message, window=window, message_type=atoms[0], format=bits)
    message.data[0] = atoms[1]
    x.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x.XCloseDisplay(display)


def _named(x: ctypes.CDLL, display: ctypes.c_void_p, title: bytes) -> int:
    root = ctypes.c_ulong(x.XDefaultRootWindow(display))
    ignored, count = ctypes.c_ulong(), ctypes.c_uint()
    windows, name = ctypes.POINTER(ctypes.c_ulong)(), _Text()
    x.XQueryTree(display, root, *(ctypes.byref(it) for it in (ignored, ignored, windows, count)))
    for window in windows[: count.value]:
        if x.XGetWMName(display, ctypes.c_ulong(window), ctypes.byref(name)) and name.value == title:
            return window
    raise LookupError(f"there is no window “{title.decode()}”")
