#!/usr/bin/python3 -IB
"""kiosk_clock: sets this computer's clock, and the clock module (RTC) that goes on without power, as root.

`sudo kiosk clock` asks for it once the kiosk has taken a time over. It stands alone, with Python's standard library,
and reads nothing of the kiosk's. One verb:

  set TIME   TIME as 2026-11-23T07:12, on the office's wall clock where it names no zone, as `kiosk clock` takes it

Where the network sets the clock it does nothing: the kernel then sets the module by itself. ROOT=/some/folder looks for
files below that folder (tests).
"""

import ctypes
import fcntl
import os
import struct
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(os.environ.get("ROOT") or "/")
MODULE = ROOT / "dev/rtc0"
BY_NETWORK = ROOT / "run/systemd/timesync/synchronized"
TIME_ERROR = 5
"""adjtimex(2): the kernel's clock is not synchronised."""
LIBC = ctypes.CDLL(None, use_errno=True)
VIETNAM = timezone(timedelta(hours=7))
"""All year, and since 1975."""
RTC_SET_TIME = 0x4024700A
"""From linux/rtc.h; it takes a struct rtc_time of nine ints."""


class Refused(Exception):
    """Why nothing was set, in Vietnamese and English."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(f"{vi}\n{en}")


def moment(text: str) -> datetime:
    """The time that somebody wrote. Raises Refused."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        vi, en = f"Không hiểu giờ {text}: ghi như 2026-11-23T07:12.", f"{text} is no time: write 2026-11-23T07:12."
        raise Refused(vi, en) from error
    return at if at.tzinfo else at.replace(tzinfo=VIETNAM)


def network_keeps_it() -> bool:
    """Whether a time program has set the clock since the boot: systemd-timesyncd by its mark, others by the kernel."""
    return BY_NETWORK.exists() or int(LIBC.adjtimex(ctypes.create_string_buffer(256))) not in (-1, TIME_ERROR)


def set_computer(at: datetime) -> None:
    """Raises OSError where this may not be done, as in a container."""
    time.clock_settime(time.CLOCK_REALTIME, at.timestamp())


def set_module(path: Path, at: datetime) -> None:
    """The clock module counts in UTC. Raises OSError, FileNotFoundError where there is none."""
    utc = at.astimezone(UTC)
    fields = (utc.second, utc.minute, utc.hour, utc.day, utc.month - 1, utc.year - 1900, 0, 0, 0)
    device = os.open(path, os.O_RDONLY)
    try:
        fcntl.ioctl(device, RTC_SET_TIME, struct.pack("9i", *fields))
    finally:
        os.close(device)


def tried(set_one: Callable[[], None]) -> bool:
    """Whether a clock could be set; why not goes to the standard error."""
    try:
        set_one()
    except OSError as error:
        print(error, file=sys.stderr)
        return False
    return True


def run(text: str) -> None:
    """Both clocks, and what became of them. Raises Refused."""
    at = moment(text)
    if network_keeps_it():
        print("Mạng đang giữ giờ, không đặt đồng hồ.\nThe network keeps the time: no clock is set.")
        return
    if tried(lambda: set_computer(at)):
        print("Đã đặt đồng hồ của máy.\nThis computer's clock is set.")
    else:
        print("Không đặt được đồng hồ của máy.\nThis computer's clock cannot be set.")
    if tried(lambda: set_module(MODULE, at)):
        print(
            "Đã đặt mô-đun đồng hồ: mất điện giờ vẫn đúng.\nThe clock module is set: it keeps the time without power."
        )
    else:
        print("Không đặt được mô-đun đồng hồ: sau khi mất điện phải nói lại giờ.")
        print("The clock module cannot be set: after a power cut the time has to be said again.")


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[1] != "set":
        print(__doc__, file=sys.stderr)
        return 2
    try:
        run(sys.argv[2])
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
