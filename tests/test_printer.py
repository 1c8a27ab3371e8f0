"""The printer thread and the rules by which a slip counts as printed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from kiosk.printer import (
    Job,
    JobFailed,
    Printer,
    PrinterProfile,
    PrintError,
    PrinterState,
    PrinterThread,
    open_transport,
)
from kiosk.printer_device import is_confirmation, is_status, judge
from kiosk.raster import encode
from kiosk.simulator.printer import Mode
from kiosk.slip import render
from tests.printing import AT, QUICK, ListSpool, Reports, desk, draw, emulator, numbers, same, slip

ONE_WAY = replace(QUICK, status=False)


@contextmanager
def scripted(answer_status: bool, hang_up_after_slip: bool) -> Iterator[tuple[str, list[bytes]]]:
    """A network printer with a habit that the emulator does not have. Yields its address and the bytes of each slip."""
    slips: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, suppress(ConnectionError):  # the kiosk may hang up with an answer unread
                talk(peer)

    def talk(peer: socket.socket) -> None:
        got = b""
        while data := peer.recv(65536):
            got += data
            if answer_status:
                peer.sendall(b"\x12" * data.count(b"\x10\x04\x01") + b"\x12" * data.count(b"\x10\x04\x02"))
                peer.sendall(b"\x12" * data.count(b"\x10\x04\x04"))
            if b"\x1dVB\0\x1dr\x01" in got:
                slips.append(got)
                got = b""
                if hang_up_after_slip:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield "tcp://{}:{}".format(*listener.getsockname()), slips
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.mark.parametrize("kind", ["tcp", "serial", "file"])
def test_a_slip_found_in_sending_after_a_power_cut_is_printed_again_as_a_reprint(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path) as (printer, address):
        link = open_transport(address, QUICK)
        link.open()
        half = b"".join(encode(render(slip("1001"))))[:20_000]
        link.write(half)  # the power goes in the middle of a raster command
        printer.wait_for_bytes(len(half))
        link.close()
        spool = ListSpool(sending=Job(1, slip("1001")))
        with desk(address, QUICK, spool) as kiosk:
            kiosk.wait_done(1)
        assert spool.finished == [Job(1, slip("1001"), reprint=True)]
        torn, whole = printer.wait_for_slips(2)
        assert torn.image.height < whole.image.height
        assert same(whole.image, draw(576)(spool.finished[0]))
        assert numbers([whole]) == ["1001"]
        assert whole.stray == b""


def test_a_stale_answer_is_not_taken_for_the_confirmation_of_the_next_slip(tmp_path: Path) -> None:
    with emulator("tcp", tmp_path) as (printer, address), desk(address) as kiosk:
        kiosk.press("1000")
        kiosk.wait_done(1)
        printer.switch(Mode.PAPER_OUT, after_bytes=20_000)
        kiosk.press("1001")
        kiosk.reports.wait_state(PrinterState.PAPER_OUT)
        printer.switch(Mode.OK)  # now the query behind the broken slip is answered, late
        kiosk.wait_done(2)
        assert [done.confirmed for done in kiosk.reports.done] == [True, True]
        reprint = printer.slips[-1]
        assert kiosk.reports.done[-1].done >= kiosk.reports.done[-1].last_byte
        assert same(reprint.image, draw(576)(Job(2, slip("1001"), reprint=True)))


class TardyLink:
    """A link to a printer that answers the query behind a slip only when it has been brought back into step."""

    def __init__(self) -> None:
        self.late = b""
        self.ready = b""

    def open(self) -> None: ...

    def write(self, data: bytes) -> None:
        if data.startswith(bytes(100)):
            self.late, self.ready = b"", self.ready + self.late
        if data == b"\x1dr\x01" * 2:
            self.ready += bytes(2)
        elif b"\x1dr\x01" in data:
            self.late += bytes(1)
        self.ready += b"\x12" * data.count(b"\x10\x04")

    def read(self, timeout_s: float) -> bytes:
        answers, self.ready = self.ready, b""
        return answers

    def close(self) -> None: ...


def test_a_late_answer_to_the_query_before_does_not_confirm_a_slip() -> None:
    link = TardyLink()
    printer = Printer(lambda: link, replace(QUICK, deadline_s=0.1, answer_s=0.1))
    printer.confirms = True
    for _ in range(3):
        assert printer.state() is PrinterState.OK
        with pytest.raises(PrintError):
            printer.print(render(slip()))


class SlowLink:
    """A link on which time passes only while somebody listens. Queries behind slips are answered at given times (s)."""

    def __init__(self, *answers_at: float) -> None:
        self.now = 0.0
        self.status = b""
        self.noise = b""
        self.answers_at = list(answers_at)
        self.slips_at: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def open(self) -> None: ...

    def write(self, data: bytes) -> None:
        if b"\x1dv0" in data:
            self.slips_at.append(self.now)
        self.status = b"\x12" * data.count(b"\x10\x04")

    def read(self, timeout_s: float) -> bytes:
        if self.status:
            status, self.status = self.status, b""
            return status
        self.now = min([self.now + timeout_s, *self.answers_at[:1]])
        due = [at for at in self.answers_at if at <= self.now]
        del self.answers_at[: len(due)]
        return bytes(len(due)) or self.noise

    def close(self) -> None: ...


def is_not_confirmed(link: SlowLink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip is sent again after one that broke, and no answer is taken for its own."""
    monkeypatch.setattr("kiosk.printer_device.time", link)
    printer = Printer(lambda: link, QUICK)
    assert printer.state() is PrinterState.OK
    printer.confirms = printer.broken = True
    with pytest.raises(PrintError, match="not confirmed"):
        printer.print(render(slip()))


def test_answers_still_owed_to_a_try_before_do_not_confirm_the_slip_that_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = SlowLink(0.1, 0.1, 0.3, 0.3)
    is_not_confirmed(link, monkeypatch)
    assert [at > 0.3 for at in link.slips_at] == [True]


def test_a_printer_that_never_is_quite_silent_gets_the_slip_again_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    link = SlowLink(0.1, 0.1)
    link.noise = b"\x11"  # XON
    is_not_confirmed(link, monkeypatch)
    assert len(link.slips_at) == 1


def test_paper_out_is_seen_at_once_and_not_when_patience_ends(tmp_path: Path) -> None:
    with emulator("tcp", tmp_path) as (printer, address), desk(address, replace(QUICK, deadline_s=60)) as kiosk:
        kiosk.press("1000")
        kiosk.wait_done(1)
        printer.switch(Mode.PAPER_OUT, after_bytes=20_000)
        kiosk.press("1001")
        kiosk.reports.wait_state(PrinterState.PAPER_OUT)
        printer.switch(Mode.OK)


def test_a_printer_that_hangs_up_after_each_slip_gets_two_chances_and_not_the_whole_roll() -> None:
    patient = replace(QUICK, cut_s=5.0)  # it has hung up long before the time of the slip has passed
    with scripted(answer_status=False, hang_up_after_slip=True) as (address, slips), desk(address, patient) as kiosk:
        kiosk.press("1001")
        kiosk.wait_done(1)
        assert len(slips) == 2
        assert kiosk.spool.finished[0].reprint


def test_a_printer_that_knows_real_time_status_only_is_believed_after_the_time_of_the_slip() -> None:
    with scripted(answer_status=True, hang_up_after_slip=False) as (address, slips), desk(address) as kiosk:
        kiosk.press("1001")
        kiosk.wait_done(1)
        assert len(slips) == 1
        assert not kiosk.reports.done[0].confirmed
        assert kiosk.reports.states == [PrinterState.OK]


def test_without_a_printer_slips_stay_in_the_queue_and_the_state_says_so() -> None:
    with desk("none") as kiosk:
        kiosk.press("1001")
        kiosk.reports.wait_state(PrinterState.NONE)
        assert not PrinterState.NONE.prints
        assert len(kiosk.spool.waiting) == 1


@pytest.mark.parametrize("kind", ["tcp", "serial", "file"])
def test_a_one_way_printer_counts_a_slip_as_printed_after_its_time(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path, mode=Mode.MUTE) as (printer, address), desk(address, ONE_WAY) as kiosk:
        kiosk.press("1001")
        kiosk.wait_done(1)
        assert numbers(printer.wait_for_slips(1)) == ["1001"]
        done = kiosk.reports.done[0]
        assert not done.confirmed
        assert done.done - done.last_byte >= QUICK.cut_s
        assert kiosk.reports.states == [PrinterState.UNKNOWN]


def refuse_1001(job: Job) -> Image.Image:
    if job.id == 1:
        raise ValueError("no such office")
    return draw(576)(job)


def test_a_slip_that_cannot_be_drawn_fails_and_the_next_one_is_printed(tmp_path: Path) -> None:
    with emulator("tcp", tmp_path) as (printer, address), desk(address, render=refuse_1001) as kiosk:
        kiosk.spool.add(slip("1001"))
        kiosk.press("1002")
        kiosk.wait_done(1)
        assert numbers(printer.slips) == ["1002"]
        assert [job.id for job in kiosk.spool.failed] == [1]
        failed = kiosk.reports.failed[0]
        assert failed.permanent
        assert failed.why == "no such office"


def test_a_mistake_in_the_program_ends_the_thread_visibly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    drawing = threading.Event()

    def wrong(job: Job) -> Image.Image:
        drawing.set()
        raise ZeroDivisionError(job.id)

    with emulator("tcp", tmp_path) as (_, address):
        printer = Printer(lambda: open_transport(address, QUICK), QUICK)
        spool = ListSpool([Job(1, None)])
        thread = PrinterThread(printer, spool, wrong, Reports(), lambda: AT)
        thread.start()
        assert drawing.wait(5)
        thread.close()
        assert not thread.alive
        assert "the printer thread died" in caplog.text
        assert spool.sending is not None  # found at the next start, and printed then


class FullDisk(ListSpool):
    """A queue whose disk is full for the first few writes of a kind."""

    refuse: dict[str, int]

    def _write(self, what: str) -> None:
        if self.refuse.get(what, 0):
            self.refuse[what] -= 1
            raise OSError(28, "No space left on device")

    def recover(self) -> int:
        self._write("recover")
        return super().recover()

    def claim(self, now: object) -> Job | None:  # type: ignore[override]
        self._write("claim")
        return super().claim(AT)

    def done(self, job: Job) -> None:
        self._write("done")
        super().done(job)


def test_a_full_disk_delays_slips_and_prints_none_twice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = FullDisk()
    spool.refuse = {"recover": 2, "claim": 2, "done": 2}
    with emulator("tcp", tmp_path) as (printer, address), desk(address, QUICK, spool) as kiosk:
        kiosk.press("1001")
        kiosk.press("1002")
        kiosk.wait_done(2)
    assert numbers(printer.slips) == ["1001", "1002"]
    assert [job.id for job in spool.finished] == [1, 2]
    assert kiosk.thread.state is PrinterState.OK


def test_loss_and_return_of_a_printer_are_logged_once_each(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with emulator("tcp", tmp_path) as (printer, address), desk(address) as kiosk:
        kiosk.reports.wait_state(PrinterState.OK)
        printer.switch(Mode.UNPLUGGED)
        kiosk.reports.wait_state(PrinterState.OFFLINE)
        for _ in range(20):
            kiosk.thread.poke()
        printer.switch(Mode.OK)
        kiosk.reports.wait_state(PrinterState.OK)
    assert [record.getMessage() for record in caplog.records] == [
        "printer: ok, was None",
        "printer: offline, was ok",
        "printer: ok, was offline",
    ]


def test_one_picture_can_be_printed_without_a_queue(tmp_path: Path) -> None:
    with emulator("tcp", tmp_path) as (printer, address):
        device = Printer(lambda: open_transport(address, QUICK), QUICK)
        assert device.state() is PrinterState.OK
        receipt = device.print(render(slip("1001")))
        assert receipt.first_byte <= receipt.last_byte <= receipt.done
        printer.switch(Mode.UNPLUGGED)
        with pytest.raises(PrintError) as caught:
            device.print(render(slip("1002")))
        assert caught.value.state is PrinterState.OFFLINE
        device.close()


def test_a_closed_thread_that_was_never_started_is_no_error() -> None:
    printer = Printer(lambda: open_transport("none", QUICK), QUICK)
    thread = PrinterThread(printer, ListSpool(), draw(576), Reports(), lambda: AT)
    assert thread.close()


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ((0x12, 0x12, 0x12), PrinterState.OK),
        ((0x12, 0x12, 0x1E), PrinterState.PAPER_LOW),
        ((0x1A, 0x32, 0x7E), PrinterState.PAPER_OUT),
        ((0x1A, 0x16, 0x12), PrinterState.COVER_OPEN),
        ((0x1A, 0x36, 0x7E), PrinterState.COVER_OPEN),  # changing the roll: the cover is what a person must shut
        ((0x1A, 0x12, 0x12), PrinterState.OFFLINE),
        ((0x12, 0x52, 0x12), PrinterState.OFFLINE),
        ((0x12, 0x12, 0x72), PrinterState.PAPER_OUT),
    ],
)
def test_status_bytes_are_read_as_the_command_reference_has_them(
    answers: tuple[int, int, int], state: PrinterState
) -> None:
    assert all(map(is_status, answers))
    assert not any(map(is_confirmation, answers))
    assert judge(*answers) is state


def test_noise_and_flow_control_are_no_answers() -> None:
    assert not any(is_status(byte) for byte in (0x11, 0x13, 0xFF, 0x00, 0x92))
    assert [is_confirmation(byte) for byte in (0x00, 0x03, 0x0C, 0x11, 0x13, 0xFF)] == [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    "wrong", [{"width": 500}, {"width": 0}, {"fragment_rows": 0}, {"pause_ms": -1}, {"mm_per_s": 0}, {"deadline_s": -1}]
)
def test_a_profile_that_cannot_work_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="printer"):
        PrinterProfile(**wrong)  # type: ignore[arg-type]


def test_a_job_that_failed_for_now_is_reported_as_such(tmp_path: Path) -> None:
    with emulator("tcp", tmp_path) as (printer, address), desk(address) as kiosk:
        kiosk.press("1000")
        kiosk.wait_done(1)
        printer.switch(Mode.COVER_OPEN, after_bytes=20_000)
        kiosk.press("1001")
        kiosk.reports.wait(lambda: bool(kiosk.reports.failed))
        failed = kiosk.reports.failed[0]
        assert failed == JobFailed(failed.job, failed.why, permanent=False)
        assert "cover" in failed.why
