"""One ESC/POS printer: its state, and printing one picture until it is really out. No queue, no thread, no slips.

"Written without an error" does not mean printed: fifty slips fit into the buffers of a dead network printer. A picture
is out when the printer has answered a query sent behind it (GS r 1), or, for printers that never answer, when the time
that printing takes has passed.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from PIL import Image

from kiosk.raster import encode

CAPABILITIES = Path(__file__).parent / "assets" / "escpos.yaml"
ESC_AT = b"\x1b@"  # reset settings
NO_ASB = b"\x1da\x00"  # no unasked-for status: it would be taken for answers
CENTRE = b"\x1ba\x01"
FEED_AND_CUT = b"\x1dVB\x00"  # GS V 66 0: feed to the knife, then cut, leaving a bridge
FEED_TO_TEAR = b"\x1bd\x06"
DLE_EOT = b"\x10\x04"  # real-time status: answered even while offline
GS_R = b"\x1dr\x01"  # paper status, answered in its turn: after everything sent before it has been printed
DOTS_PER_MM = 8
JUDGE_S = 4.0  # how long an answer about the roll is good for, if the printer says that it is online
SILENT_S = 30.0  # how often a printer that has never answered is asked again


class PrinterState(StrEnum):
    """What the printer can do now."""

    OK = "ok"
    PAPER_LOW = "paper_low"
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    OFFLINE = "offline"  # not reachable, stalled, in error, or silent though it used to answer
    UNKNOWN = "unknown"  # it prints, as far as anybody can tell: it does not answer
    NONE = "none"  # this kiosk has no printer

    @property
    def prints(self) -> bool:
        """Whether a slip may be sent. If not, the number stays on the screen."""
        return self in (PrinterState.OK, PrinterState.PAPER_LOW, PrinterState.UNKNOWN)


class LinkError(OSError):
    """The way to the printer is broken, or blocked for too long. `state` is what that makes of the printer."""

    def __init__(self, message: str, state: PrinterState = PrinterState.OFFLINE) -> None:
        super().__init__(message)
        self.state = state


class PrintError(OSError):
    """A slip was not confirmed. `sent` says how much of it the printer may have got."""

    def __init__(self, message: str, state: PrinterState, sent: Literal["nothing", "part", "all"]) -> None:
        super().__init__(message)
        self.state = state
        self.sent = sent


class Link(Protocol):
    """A way to a printer. Everything ends within the deadline it was made with, or raises LinkError."""

    def open(self) -> None: ...

    def write(self, data: bytes) -> None: ...

    def read(self, timeout_s: float) -> bytes:
        """What the printer said, at the latest after `timeout_s`; b"" if nothing."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PrinterProfile:
    """What one make of printer wants. `kiosk print-test` prints the sheet to set it by."""

    width: int = 576  # dots: 576 for 80 mm paper, 384 for 58 mm
    fragment_rows: int = 100  # rows sent in one raster command
    pause_ms: int = 0  # between fragments: 50 to 150 for printers that lose dots, and for Bluetooth
    cutter: bool = True
    status: bool = True  # whether it answers queries; if not, a slip counts as printed after its time
    centred: bool = False  # let the printer centre (ESC a 1): a tenth fewer bytes, for serial lines
    baud: int = 115200
    mm_per_s: float = 80.0  # of paper, printing
    cut_s: float = 0.5  # to feed to the knife and cut
    deadline_s: float = 5.0  # longest time without progress: a write, or an answer that is due
    answer_s: float = 1.0  # longest wait for a status answer

    def __post_init__(self) -> None:
        if self.width % 8 or not 256 <= self.width <= 1024:
            raise ValueError(f"printer width {self.width}: use 576 for 80 mm paper or 384 for 58 mm")
        if not 8 <= self.fragment_rows <= 2000 or not 0 <= self.pause_ms <= 1000:
            raise ValueError("printer fragment_rows must be 8 to 2000 and pause_ms 0 to 1000")
        if min(self.mm_per_s, self.deadline_s, self.answer_s, self.baud) <= 0 or self.cut_s < 0:
            raise ValueError("printer mm_per_s, deadline_s, answer_s and baud must be greater than 0, cut_s not less")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Times (time.monotonic()) of one printed picture."""

    first_byte: float
    last_byte: float
    done: float
    confirmed: bool


def open_transport(url: str, profile: PrinterProfile) -> Link:
    """The way to the printer at file:/dev/usb/lp0, usb:04b8:0e15, serial:/dev/ttyUSB0, tcp://host:9100, or none.

    Nothing is opened yet. Raises ValueError for an address that is none of these.
    """
    # python-escpos reads its table of printers when it is imported.
    os.environ.setdefault("ESCPOS_CAPABILITIES_FILE", str(CAPABILITIES))
    # Imported late: it costs a fifth of a second, and the first picture on the screen should not wait for it.
    from kiosk import transport

    return transport.link(url, profile)


def is_status(byte: int) -> bool:
    """A DLE EOT answer is 0xx1xx10 (Epson). Anything else on the line is not: XON, XOFF, noise."""
    return byte & 0x93 == 0x12


def is_confirmation(byte: int) -> bool:
    """A GS r answer is 0xx0xxxx (Epson): bits 0 and 1 say that the roll is nearly used up, 2 and 3 that it is."""
    return byte & 0x90 == 0x00


def judge(online: int, cause: int, roll: int) -> PrinterState:
    """The state behind the answers to DLE EOT 1, 2 and 4; the cause that a person can mend comes first."""
    if cause & 0x04:
        return PrinterState.COVER_OPEN
    if cause & 0x20 or roll & 0x60:
        return PrinterState.PAPER_OUT
    if online & 0x08 or cause & 0x40:
        return PrinterState.OFFLINE
    return PrinterState.PAPER_LOW if roll & 0x0C else PrinterState.OK


class Printer:
    """One printer: its connection, its state, and printing one picture. For one thread only.

    A printer that has answered once must go on answering: its silence means offline. One that never did is believed
    to be one-way: its state is unknown, and a slip counts as printed when its time has passed.
    """

    def __init__(self, connect: Callable[[], Link], profile: PrinterProfile) -> None:
        self._connect = connect
        self._profile = profile
        self._link: Link | None = None
        self._talked = False
        self._asked_at = -SILENT_S
        self._judged_at = -SILENT_S
        self._paper = PrinterState.OK
        self._abort = threading.Event()
        self.confirms = False  # whether it has ever answered GS r
        self.broken = False  # whether it may be in the middle of a raster that will not be finished

    def state(self) -> PrinterState:
        """Ask the printer how it is, connecting first if need be."""
        try:
            return self._ask_state(self._opened())
        except LinkError as error:
            self.close()
            return error.state

    def print(self, image: Image.Image) -> Receipt:
        """Print a mode-"1" picture, cut, and wait until it is out. Raises PrintError."""
        job = self._job(image)
        sent: Literal["nothing", "part", "all"] = "nothing"
        try:
            link = self._opened()
            if self.broken:
                self._resynchronise(link)
            self.broken, sent, first = True, "part", time.monotonic()
            self._send(link, job)
            sent, last = "all", time.monotonic()
            confirmed = self._wait_for_paper(link, last + self._seconds(image))
        except LinkError as error:
            if error.state is PrinterState.OFFLINE:
                self.close()
            raise PrintError(str(error), error.state, sent) from error
        self.broken = False
        return Receipt(first, last, time.monotonic(), confirmed)

    def close(self) -> None:
        """Let go of the device; the next call connects anew."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def abort(self) -> None:
        """From another thread: stop waiting for answers."""
        self._abort.set()

    @property
    def longest_stall_s(self) -> float:
        """How long one call into a stalled device can last after abort()."""
        return self._profile.deadline_s

    def _opened(self) -> Link:
        if self._link is None:
            link = self._connect()
            link.open()
            self._link = link
        return self._link

    def _job(self, image: Image.Image) -> list[bytes]:
        profile = self._profile
        start = ESC_AT + NO_ASB + (CENTRE if profile.centred else b"")
        end = self._cut() + (GS_R if profile.status else b"")
        return [start, *encode(image, profile.fragment_rows, profile.centred), end]

    def _cut(self) -> bytes:
        return FEED_AND_CUT if self._profile.cutter else FEED_TO_TEAR

    def _send(self, link: Link, job: list[bytes]) -> None:
        if not self._profile.pause_ms:
            link.write(b"".join(job))
            return
        for piece in job:
            link.write(piece)
            time.sleep(self._profile.pause_ms / 1000)

    def _seconds(self, image: Image.Image) -> float:
        return image.height / DOTS_PER_MM / self._profile.mm_per_s + self._profile.cut_s

    def _wait_for_paper(self, link: Link, due: float) -> bool:
        """True when the printer has confirmed, False when only the time has passed. Raises LinkError with the state."""
        if not self._profile.status:
            self._pause(due)
            return False
        patience = due + self._profile.deadline_s if self._talked else due
        asked = alive = False
        while (now := time.monotonic()) < patience:
            answers = self._listen(link, patience - now)
            if any(map(is_confirmation, answers)):
                self._confirmed(answers)
                return True
            self._raise_if_blocked(answers)
            alive = alive or any(map(is_status, answers))
            if self._talked and not answers and not asked:
                link.write(DLE_EOT + b"\x02")  # is it still well? One query at a time
            asked = not answers
        if self._talked and (self.confirms or not alive):
            raise LinkError("the printer has not confirmed the slip")
        return False

    def _confirmed(self, answers: bytes) -> None:
        self._talked = self.confirms = True
        roll = next(byte for byte in answers if is_confirmation(byte))
        if roll & 0x0C:
            raise LinkError("the paper ran out", PrinterState.PAPER_OUT)
        if roll & 0x03:
            self._paper = PrinterState.PAPER_LOW

    def _raise_if_blocked(self, answers: bytes) -> None:
        for byte in filter(is_status, answers):
            state = judge(0x12, byte, 0x12)
            if not state.prints:
                raise LinkError(f"the printer stopped: {state}", state)

    def _resynchronise(self, link: Link) -> None:
        """End whatever raster was broken off, and push out what is on the paper, so that the next slip starts clean."""
        rest = (self._profile.fragment_rows + 1) * self._profile.width // 8
        link.write(bytes(rest) + ESC_AT + NO_ASB + self._cut())
        if self.confirms:
            self._wait_for_silence(link)

    def _wait_for_silence(self, link: Link) -> None:
        """Two queries of our own: when both are answered, no late answer can be taken for that of the next slip.

        Queries of a try before may still be answered too, so what follows must be a silence as long as an answer takes.
        """
        link.write(GS_R * 2)
        heard, answered = time.monotonic(), 0
        until = heard + self._profile.deadline_s + self._profile.answer_s
        while (now := time.monotonic()) < until:
            if answered >= 2 and now >= heard + self._profile.answer_s:
                return
            if more := sum(map(is_confirmation, self._listen(link, self._profile.deadline_s))):
                heard, answered = time.monotonic(), answered + more
        raise LinkError("the printer does not answer after a broken slip")

    def _ask_state(self, link: Link) -> PrinterState:
        drained = link.read(0)
        now = time.monotonic()
        if not self._profile.status or (not self._talked and not drained and now < self._asked_at + SILENT_S):
            return PrinterState.UNKNOWN
        online = self._ask(link, 1) or self._ask_through_rubble(link)
        self._asked_at = time.monotonic()
        if not online:
            return self._silent()
        self._talked = True
        if online & 0x08 or now > self._judged_at + JUDGE_S:
            self._judged_at = now
            state = judge(online, self._ask(link, 2) or 0x12, self._ask(link, 4) or 0x12)
            self._paper = state if state.prints else PrinterState.OK
            return state
        return self._paper

    def _silent(self) -> PrinterState:
        if self._talked:
            raise LinkError("the printer does not answer")
        return PrinterState.UNKNOWN

    def _ask(self, link: Link, what: int) -> int | None:
        """One DLE EOT query; None if there is no answer in time."""
        link.write(DLE_EOT + bytes([what]))
        until = time.monotonic() + self._profile.answer_s
        while (left := until - time.monotonic()) > 0:
            answer = next(filter(is_status, self._listen(link, left)), None)
            if answer is not None:
                return answer
        return None

    def _ask_through_rubble(self, link: Link) -> int | None:
        """Some printers take a query for the rest of a raster that was broken off: fill that up, and ask again."""
        if not self.broken:
            return None
        link.write(bytes((self._profile.fragment_rows + 1) * self._profile.width // 8))
        return self._ask(link, 1)

    def _listen(self, link: Link, timeout_s: float) -> bytes:
        """Answers within a quarter of the time that one may take, or sooner if `timeout_s` is less."""
        if self._abort.is_set():
            raise LinkError("shutting down")
        return link.read(min(timeout_s, self._profile.answer_s / 4))

    def _pause(self, until: float) -> None:
        if self._abort.wait(max(0.0, until - time.monotonic())):
            raise LinkError("shutting down")
