"""Every way a printer fails, over every way to connect it: no slip lost, no hang, the right state, clean slips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from kiosk.printer import Job, PrinterState
from kiosk.simulator.printer import EmulatedPrinter, Mode
from tests.printing import QUICK, Desk, ListSpool, desk, draw, emulator, numbers, same, slip

KINDS = ["tcp", "serial", "file"]
HALF_A_SLIP = 20_000  # bytes


def warm_up(kiosk: Desk) -> None:
    """One good slip: the printer is known to answer."""
    kiosk.press("1000")
    kiosk.wait_done(1)


def check_clean(printer: EmulatedPrinter, number: str) -> None:
    """The last slip is whole, alone on its paper, and marked as a reprint."""
    last = printer.slips[-1]
    assert numbers([last]) == [number]
    assert same(last.image, _reprint(number))
    assert last.stray == b""


def _reprint(number: str) -> Image.Image:
    return draw(576)(Job(0, slip(number), reprint=True))


@pytest.mark.parametrize("kind", KINDS)
def test_slips_come_out_as_they_were_drawn_and_are_confirmed(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path) as (printer, address), desk(address) as kiosk:
        for count in range(3):
            kiosk.press(str(1001 + count))
        kiosk.wait_done(3)
        assert numbers(printer.slips) == ["1001", "1002", "1003"]
        assert same(printer.slips[0].image, draw(576)(kiosk.spool.finished[0]))
        assert all(done.confirmed for done in kiosk.reports.done)
        assert kiosk.reports.states == [PrinterState.OK]


@pytest.mark.parametrize("kind", KINDS)
def test_a_roll_that_is_nearly_used_up_is_reported_and_printing_goes_on(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path, mode=Mode.PAPER_LOW) as (printer, address), desk(address) as kiosk:
        warm_up(kiosk)
        assert kiosk.reports.states == [PrinterState.PAPER_LOW]
        assert numbers(printer.slips) == ["1000"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("mode", "state"), [(Mode.PAPER_OUT, PrinterState.PAPER_OUT), (Mode.COVER_OPEN, PrinterState.COVER_OPEN)]
)
def test_a_slip_waits_for_paper_and_then_comes_out_unmarked(
    kind: str, mode: Mode, state: PrinterState, tmp_path: Path
) -> None:
    with emulator(kind, tmp_path, mode=mode) as (printer, address), desk(address) as kiosk:
        kiosk.press("1001")
        kiosk.reports.wait_state(state)
        assert printer.slips == []
        assert len(kiosk.spool.waiting) == 1
        printer.switch(Mode.OK)
        kiosk.wait_done(1)
        assert numbers(printer.slips) == ["1001"]
        assert same(printer.slips[0].image, draw(576)(kiosk.spool.finished[0]))
        assert not kiosk.spool.finished[0].reprint


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keeps_data", [True, False])
@pytest.mark.parametrize(
    ("mode", "state"), [(Mode.PAPER_OUT, PrinterState.PAPER_OUT), (Mode.COVER_OPEN, PrinterState.COVER_OPEN)]
)
def test_a_slip_broken_off_for_want_of_paper_is_printed_again_whole(
    kind: str, mode: Mode, state: PrinterState, keeps_data: bool, tmp_path: Path
) -> None:
    with emulator(kind, tmp_path, keeps_data=keeps_data) as (printer, address), desk(address) as kiosk:
        warm_up(kiosk)
        printer.switch(mode, after_bytes=HALF_A_SLIP)
        kiosk.press("1001")
        kiosk.reports.wait_state(state)
        assert len(kiosk.reports.done) == 1
        printer.switch(Mode.OK)
        kiosk.wait_done(2)
        check_clean(printer, "1001")


@pytest.mark.parametrize("kind", KINDS)
def test_a_roll_that_ends_within_a_slip_is_seen_and_the_slip_printed_again(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path) as (printer, address), desk(address) as kiosk:
        warm_up(kiosk)
        printer.paper_rows = 500
        kiosk.press("1001")
        kiosk.reports.wait_state(PrinterState.PAPER_OUT)
        printer.switch(Mode.OK)
        kiosk.wait_done(2)
        check_clean(printer, "1001")


@pytest.mark.parametrize("kind", KINDS)
def test_a_printer_that_never_answers_prints_and_its_state_is_unknown(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path, mode=Mode.MUTE) as (printer, address), desk(address) as kiosk:
        kiosk.press("1001")
        kiosk.press("1002")
        kiosk.wait_done(2)
        assert numbers(printer.slips) == ["1001", "1002"]
        assert not any(done.confirmed for done in kiosk.reports.done)
        assert kiosk.reports.states == [PrinterState.UNKNOWN]


@pytest.mark.parametrize("kind", KINDS)
def test_a_printer_that_falls_silent_is_offline_and_its_slip_is_printed_again_once(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path) as (printer, address), desk(address) as kiosk:
        warm_up(kiosk)
        printer.switch(Mode.MUTE, after_bytes=HALF_A_SLIP)
        kiosk.press("1001")
        kiosk.reports.wait_state(PrinterState.OFFLINE)
        assert len(kiosk.reports.done) == 1
        printer.switch(Mode.OK)
        kiosk.wait_done(2)
        assert numbers(printer.slips) == ["1000", "1001", "1001"]
        check_clean(printer, "1001")


@pytest.mark.parametrize("kind", KINDS)
def test_a_stalled_printer_is_given_up_in_time_and_the_slip_printed_again(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path) as (printer, address), desk(address) as kiosk:
        warm_up(kiosk)
        printer.switch(Mode.STALL, after_bytes=HALF_A_SLIP)
        kiosk.press("1001")
        kiosk.reports.wait_state(PrinterState.OFFLINE)
        assert len(kiosk.reports.done) == 1
        printer.switch(Mode.OK)
        kiosk.wait_done(2)
        check_clean(printer, "1001")


@pytest.mark.parametrize("kind", KINDS)
def test_a_printer_switched_off_and_on_within_a_slip_prints_it_again(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path) as (printer, address), desk(address) as kiosk:
        warm_up(kiosk)
        printer.switch(Mode.RESET, after_bytes=HALF_A_SLIP)
        kiosk.press("1001")
        kiosk.wait_done(2)
        assert kiosk.reports.states[-1] is PrinterState.OK
        assert len(kiosk.reports.failed) >= 1
        check_clean(printer, "1001")


@pytest.mark.parametrize("kind", KINDS)
def test_an_unplugged_printer_is_offline_and_prints_when_it_is_back(kind: str, tmp_path: Path) -> None:
    with emulator(kind, tmp_path) as (printer, address), desk(address) as kiosk:
        warm_up(kiosk)
        printer.switch(Mode.UNPLUGGED)
        kiosk.reports.wait_state(PrinterState.OFFLINE)
        kiosk.press("1001")
        printer.switch(Mode.OK)
        kiosk.wait_done(2)
        assert numbers(printer.slips) == ["1000", "1001"]
        assert not kiosk.spool.finished[-1].reprint


@pytest.mark.parametrize("kind", KINDS)
def test_a_slow_printer_is_not_taken_for_a_stalled_one(kind: str, tmp_path: Path) -> None:
    # Half a slip fits into the machine's own buffers: the answer takes longer than a write may stall.
    patient = replace(QUICK, deadline_s=2.0)
    slow = emulator(kind, tmp_path, mode=Mode.SLOW, bytes_per_s=120_000)
    with slow as (printer, address), desk(address, patient) as kiosk:
        kiosk.press("1001")
        kiosk.wait_done(1)
        assert numbers(printer.slips) == ["1001"]
        assert kiosk.reports.failed == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_thread_ends_in_bounded_time_on_a_stalled_printer(kind: str, tmp_path: Path) -> None:
    spool = ListSpool()
    with emulator(kind, tmp_path) as (printer, address):
        with desk(address, QUICK, spool) as kiosk:
            warm_up(kiosk)
            printer.switch(Mode.STALL, after_bytes=HALF_A_SLIP)
            kiosk.press("1001")
            printer.wait_for_mode(Mode.STALL)
            assert kiosk.thread.close(grace_s=5.0)
        assert len(spool.waiting) == 1
        assert spool.waiting[0].reprint
