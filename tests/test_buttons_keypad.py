"""USB keypads: the bytes of struct input_event through a FIFO, found by a tree like /sys/class/input.

A FIFO is not an input device: it refuses to be grabbed, and an unplugged one ends where a keypad says ENODEV. The rest
is the real reader in its real thread.
"""

from __future__ import annotations

import os
import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.keypad import (
    EV_KEY,
    EV_SYN,
    INPUT_EVENT,
    SYN_DROPPED,
    SYN_REPORT,
    EvdevReader,
    KeypadError,
    find_keypad,
)
from kiosk.keys import Edge, KeysBack, KeysLost, Raw

KP1, KP2 = 79, 80
MAPPING = {"[1]": "take:1", "[2]": "take:2"}
NAME = "SIGMACHIP USB Keypad"


class Keypads:
    """A fake /sys/class/input and /dev/input."""

    def __init__(self, root: Path) -> None:
        self.sysfs = root / "sys"
        self.devices = root / "dev"
        self.sysfs.mkdir()
        self.devices.mkdir()

    def plug(
        self, event: str, name: str = NAME, place: str = "usb-1.2/input0", codes: tuple[int, ...] = (KP1, KP2)
    ) -> None:
        about = self.sysfs / event / "device"
        (about / "capabilities").mkdir(parents=True)
        (about / "name").write_text(name + "\n")
        (about / "phys").write_text(place + "\n")
        (about / "capabilities" / "key").write_text(key_map(codes) + "\n")
        if not (self.devices / event).exists():
            os.mkfifo(self.devices / event)

    def unplug(self, event: str) -> None:
        shutil.rmtree(self.sysfs / event)
        (self.devices / event).unlink()

    def fingers(self, event: str) -> int:
        """The writing end; this waits until the reader has opened the other one."""
        opened: queue.SimpleQueue[int] = queue.SimpleQueue()
        threading.Thread(target=lambda: opened.put(os.open(self.devices / event, os.O_WRONLY)), daemon=True).start()
        return opened.get(timeout=10)


def key_map(codes: tuple[int, ...]) -> str:
    """As the kernel prints it: 64-bit words, the highest first, without leading zeros."""
    bits = sum(1 << code for code in codes)
    words = []
    while bits:
        words.append(f"{bits & (1 << 64) - 1:x}")
        bits >>= 64
    return " ".join(reversed(words)) or "0"


def event(code: int, value: int, at: float = 0.0, kind: int = EV_KEY) -> bytes:
    return INPUT_EVENT.pack(int(at), round(at % 1 * 1e6), kind, code, value) + INPUT_EVENT.pack(
        0, 0, EV_SYN, SYN_REPORT, 0
    )


@pytest.fixture
def keypads(tmp_path: Path) -> Keypads:
    return Keypads(tmp_path)


@pytest.fixture
def inbox() -> queue.SimpleQueue[Raw]:
    return queue.SimpleQueue()


Plugged = Callable[..., EvdevReader]


@pytest.fixture
def reader(keypads: Keypads, inbox: queue.SimpleQueue[Raw]) -> Iterator[Plugged]:
    readers = []

    def make(pattern: str = "*keypad*", clock: Callable[[], float] = lambda: 1000.0) -> EvdevReader:
        made = EvdevReader(
            pattern,
            MAPPING,
            inbox.put_nowait,
            retry_s=0.01,
            sysfs=keypads.sysfs,
            devices=keypads.devices,
            clock=clock,
        )
        readers.append(made)
        made.start()
        return made

    yield make
    for each in readers:
        each.close()
        assert not each.thread_alive()


def test_keys_of_a_keypad_become_edges(keypads: Keypads, reader: Plugged, inbox: queue.SimpleQueue[Raw]) -> None:
    keypads.plug("event3")
    reader()
    fd = keypads.fingers("event3")
    os.write(fd, event(KP1, 1, 999.5) + event(KP1, 2, 999.75) + event(30, 1, 999.75) + event(KP1, 0, 999.875))
    assert inbox.get(timeout=10) == Edge("take:1", True, 999.5, "keypad")
    assert inbox.get(timeout=10) == Edge("take:1", False, 999.875, "keypad"), "repeats and foreign keys are swallowed"
    os.close(fd)


def test_a_burst_of_two_hundred_presses_loses_none(
    keypads: Keypads, reader: Plugged, inbox: queue.SimpleQueue[Raw]
) -> None:
    keypads.plug("event3")
    reader()
    fd = keypads.fingers("event3")
    burst = b"".join(
        event(KP1 + n % 2, 1, 990 + n / 100) + event(KP1 + n % 2, 0, 990.005 + n / 100) for n in range(200)
    )
    os.write(fd, burst[:1000])  # 41 events and a part of the next
    edges = [inbox.get(timeout=10) for _ in range(21)]
    os.write(fd, burst[1000:])
    edges += [inbox.get(timeout=10) for _ in range(400 - 21)]
    presses = [item for item in edges if isinstance(item, Edge) and item.down]
    assert [item.action for item in presses] == ["take:1", "take:2"] * 100
    assert [item.at for item in presses] == pytest.approx([990 + n / 100 for n in range(200)])
    os.close(fd)


def test_times_of_another_clock_are_not_believed(
    keypads: Keypads, reader: Plugged, inbox: queue.SimpleQueue[Raw]
) -> None:
    keypads.plug("event3")
    reader()
    fd = keypads.fingers("event3")
    os.write(fd, event(KP1, 1, 1_795_000_000.0) + event(KP2, 1, 1.0))
    assert inbox.get(timeout=10) == Edge("take:1", True, 1000.0, "keypad")
    assert inbox.get(timeout=10) == Edge("take:2", True, 1000.0, "keypad")
    os.close(fd)


def test_an_unplugged_keypad_is_reported_once_and_found_again_under_another_number(
    keypads: Keypads, reader: Plugged, inbox: queue.SimpleQueue[Raw]
) -> None:
    keypads.plug("event3")
    reader()
    fd = keypads.fingers("event3")
    os.write(fd, event(KP1, 1, 999.0))
    assert inbox.get(timeout=10) == Edge("take:1", True, 999.0, "keypad")
    keypads.unplug("event3")
    os.close(fd)
    assert inbox.get(timeout=10) == Edge("take:1", False, 1000.0, "keypad"), "a key that was down is released"
    lost = inbox.get(timeout=10)
    assert isinstance(lost, KeysLost)
    keypads.plug("event11")
    fd = keypads.fingers("event11")
    os.write(fd, event(KP2, 1, 999.0))
    assert inbox.get(timeout=10) == KeysBack("keypad", 1000.0)
    assert inbox.get(timeout=10) == Edge("take:2", True, 999.0, "keypad")
    assert inbox.empty()
    os.close(fd)


class Watched(type(Path())):  # type: ignore[misc]
    """A directory that tells each time somebody looks through it."""

    looks = threading.Semaphore(0)

    def glob(self, pattern: str) -> Iterator[Path]:
        self.looks.release()
        return super().glob(pattern)  # type: ignore[no-any-return]


def test_a_keypad_missing_at_the_start_is_reported_once_and_used_when_it_comes(
    keypads: Keypads, reader: Plugged, inbox: queue.SimpleQueue[Raw]
) -> None:
    keypads.sysfs = Watched(keypads.sysfs)
    reader()
    assert all(Watched.looks.acquire(timeout=10) for _ in range(4))
    lost = inbox.get(timeout=10)
    assert isinstance(lost, KeysLost)
    assert '"*keypad*"' in lost.reason
    keypads.plug("event0")
    fd = keypads.fingers("event0")
    assert inbox.get(timeout=10) == KeysBack("keypad", 1000.0)
    os.close(fd)


def test_a_device_that_answers_with_an_error_is_lost_and_opened_again(
    keypads: Keypads, reader: Plugged, inbox: queue.SimpleQueue[Raw]
) -> None:
    (keypads.devices / "event3").mkdir()  # it opens and polls as readable, and reading it is an error
    keypads.plug("event3")
    reader()
    lost = inbox.get(timeout=10)
    assert lost == KeysLost("keypad", 1000.0, "Is a directory")
    (keypads.devices / "event3").rmdir()
    os.mkfifo(keypads.devices / "event3")
    fd = keypads.fingers("event3")
    os.write(fd, event(KP1, 1, 999.0))
    told = [lost]
    while not isinstance(told[-1], Edge):
        told.append(inbox.get(timeout=10))
    assert told[-2] == KeysBack("keypad", 1000.0)
    os.close(fd)


def test_after_an_overrun_keys_are_released_and_reading_goes_on(
    keypads: Keypads, reader: Plugged, inbox: queue.SimpleQueue[Raw]
) -> None:
    keypads.plug("event3")
    made = reader()
    fd = keypads.fingers("event3")
    dropped = INPUT_EVENT.pack(999, 0, EV_SYN, SYN_DROPPED, 0)
    os.write(fd, event(KP1, 1, 999.0) + dropped + event(KP2, 1, 999.0) + event(KP2, 1, 999.5))
    assert inbox.get(timeout=10) == Edge("take:1", True, 999.0, "keypad")
    assert inbox.get(timeout=10) == Edge("take:1", False, 999.0, "keypad")
    assert inbox.get(timeout=10) == Edge("take:2", True, 999.5, "keypad"), "the half report after the gap is left out"
    assert made.overruns == 1
    os.close(fd)


def test_an_offer_that_raises_does_not_stop_the_reader(keypads: Keypads, caplog: pytest.LogCaptureFixture) -> None:
    keypads.plug("event3")
    seen: queue.SimpleQueue[Raw] = queue.SimpleQueue()

    def offer(item: Raw) -> None:
        if isinstance(item, Edge) and item.action == "take:1":
            raise queue.Full
        seen.put(item)

    made = EvdevReader("*", MAPPING, offer, sysfs=keypads.sysfs, devices=keypads.devices, clock=lambda: 1000.0)
    made.start()
    fd = keypads.fingers("event3")
    os.write(fd, event(KP1, 1, 999.0) + event(KP1, 0, 999.0) + event(KP2, 1, 999.0))
    assert seen.get(timeout=10) == Edge("take:2", True, 999.0, "keypad")
    assert made.failures == 2
    assert made.thread_alive()
    os.close(fd)
    made.close()


def test_a_reader_that_dies_says_so(
    keypads: Keypads, reader: Plugged, inbox: queue.SimpleQueue[Raw], caplog: pytest.LogCaptureFixture
) -> None:
    def broken_clock() -> float:
        raise ZeroDivisionError("clock")

    keypads.plug("event3")
    made = reader(clock=broken_clock)
    fd = keypads.fingers("event3")
    os.write(fd, event(KP1, 1))
    lost = inbox.get(timeout=10)
    assert isinstance(lost, KeysLost)
    assert lost.reason == "reader died: clock"
    assert any(record.exc_info for record in caplog.records)
    made.close()
    assert not made.thread_alive()
    os.close(fd)


def test_a_reader_closes_while_its_keypad_is_idle_lost_or_never_started(keypads: Keypads) -> None:
    keypads.plug("event3")
    for pattern, start in (("*keypad*", True), ("nothing", True), ("*keypad*", False)):
        made = EvdevReader(pattern, MAPPING, lambda item: None, sysfs=keypads.sysfs, devices=keypads.devices)
        if start:
            made.start()
        made.close()
        made.close()
        assert not made.thread_alive()


def test_two_keypads_of_one_make_are_told_apart_by_their_place(keypads: Keypads) -> None:
    keypads.plug("event3", place="usb-0000:01:00.0-1.1/input0")
    keypads.plug("event4", place="usb-0000:01:00.0-1.2/input0")
    for place, name in (("usb-*-1.1/*", "event3"), ("usb-*-1.2/*", "event4")):
        assert find_keypad(place, [KP1], keypads.sysfs, keypads.devices) == keypads.devices / name


def test_of_one_keypad_the_device_that_has_the_keys_is_taken(keypads: Keypads) -> None:
    keypads.plug("event2", name=NAME + " System Control", codes=(116, 142))
    keypads.plug("event10", name=NAME, codes=(KP1, 288))
    keypads.plug("event9", name="Logitech USB Mouse", codes=(272, 273))
    assert find_keypad("*usb*", [KP1, KP2], keypads.sysfs, keypads.devices) == keypads.devices / "event10"
    assert find_keypad("*usb*", [288], keypads.sysfs, keypads.devices) == keypads.devices / "event10"
    assert find_keypad("*usb*", [30], keypads.sysfs, keypads.devices) is None
    assert find_keypad("*", [30], keypads.sysfs / "no such directory", keypads.devices) is None


def test_unknown_keys_are_all_named() -> None:
    with pytest.raises(KeypadError, match='"f99", "hat"'):
        EvdevReader("*", {"f99": "a", "1": "b", "hat": "c", "KP 1": "d", "button 16": "e"}, lambda item: None)
