"""Ways to a printer: addresses, deadlines, and errors that say what is wrong."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
import tty
from pathlib import Path
from types import SimpleNamespace

import pytest
import usb.backend
import usb.core

from kiosk.printer import LinkError, Printer, PrinterProfile, PrinterState, open_transport
from kiosk.slip import render
from kiosk.transport import UsbLink
from tests.printing import QUICK, slip

SHORT = PrinterProfile(deadline_s=0.1, answer_s=0.1)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "lp0",
        "file:lp0",
        "usb:",
        "usb:04b8",
        "usb:x:y",
        "tcp://",
        "tcp://host:0",
        "tcp://host:port",
        "serial:",
        "http://h",
    ],
)
def test_an_address_that_names_no_printer_is_refused_with_the_right_forms(address: str) -> None:
    with pytest.raises(ValueError, match=r"use file:/dev/usb/lp0, usb:04b8:0e15, serial:/dev/ttyUSB0, tcp://host:9100"):
        open_transport(address, QUICK)


@pytest.mark.parametrize("address", ["file:/nowhere/lp0", "serial:/nowhere/ttyUSB0", "tcp://127.0.0.1:1", "none"])
def test_a_printer_that_is_not_there_is_a_link_error(address: str) -> None:
    link = open_transport(address, SHORT)
    with pytest.raises(LinkError):
        link.open()
    link.close()


def test_of_all_makes_of_printers_only_ours_is_looked_up() -> None:
    says = (
        "from kiosk.printer import PrinterProfile, open_transport;"
        "[open_transport(url, PrinterProfile()) for url in ('file:/x', 'serial:/x', 'tcp://x', 'usb:04b8:0e15')];"
        "from escpos.capabilities import CAPABILITIES; print(*CAPABILITIES['profiles'])"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ESCPOS")}
    done = subprocess.run([sys.executable, "-c", says], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["default"]


@pytest.mark.parametrize("kind", ["file", "serial"])
def test_a_write_into_a_stalled_device_ends_at_its_deadline(kind: str) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    link = open_transport(f"{kind}:{os.ttyname(slave)}", SHORT)
    link.open()
    with pytest.raises(LinkError):
        link.write(bytes(100_000))
    link.close()
    os.close(master)
    os.close(slave)


def test_a_write_into_a_stalled_network_printer_ends_at_its_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link = open_transport("tcp://{}:{}".format(*server.getsockname()), SHORT)
        link.open()
        with pytest.raises(LinkError):
            link.write(bytes(30_000_000))
        link.close()


@pytest.mark.parametrize("kind", ["file", "serial"])
def test_a_device_that_is_pulled_out_is_a_link_error(kind: str) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    link = open_transport(f"{kind}:{os.ttyname(slave)}", SHORT)
    link.open()
    os.close(slave)
    os.close(master)
    with pytest.raises(LinkError):
        link.write(b"x")
        link.read(0.1)
    link.close()


def test_without_a_knife_the_paper_is_fed_to_the_edge_and_not_cut(tmp_path: Path) -> None:
    out = tmp_path / "lp0"
    out.touch()
    profile = PrinterProfile(status=False, cutter=False, mm_per_s=10_000, cut_s=0, pause_ms=1)
    printer = Printer(lambda: open_transport(f"file:{out}", profile), profile)
    printer.print(render(slip()))
    printer.close()
    data = out.read_bytes()
    assert b"\x1dV" not in data
    assert data.startswith(b"\x1b@")
    assert data.endswith(b"\x1bd\x06")


class UsbBus(usb.backend.IBackend):  # type: ignore[misc]
    """pyusb's own seam: a bus with one printer on it. It imitates bulk transfers, no control requests, no hubs."""

    def __init__(self) -> None:
        self.written: list[tuple[int, bytes]] = []
        self.answers: list[bytes] = []
        self.stalled = False

    def enumerate_devices(self) -> list[str]:
        return ["printer"]

    def get_device_descriptor(self, device: str) -> SimpleNamespace:
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x200, bDeviceClass=0, bDeviceSubClass=0, bDeviceProtocol=0,
            bMaxPacketSize0=64, idVendor=0x04B8, idProduct=0x0E15, bcdDevice=0x100, iManufacturer=0, iProduct=0,
            iSerialNumber=0, bNumConfigurations=1, address=1, bus=1, port_number=1, port_numbers=(1,), speed=3,
        )  # fmt: skip

    def get_configuration_descriptor(self, device: str, number: int) -> SimpleNamespace:
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1, bConfigurationValue=1, iConfiguration=0,
            bmAttributes=0x80, bMaxPower=1, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, device: str, number: int, setting: int, configuration: int) -> SimpleNamespace:
        if number or setting:
            raise IndexError
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0, bNumEndpoints=2, bInterfaceClass=7,
            bInterfaceSubClass=1, bInterfaceProtocol=2, iInterface=0, extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(
        self, device: str, number: int, interface: int, setting: int, configuration: int
    ) -> SimpleNamespace:
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=(0x03, 0x84)[number], bmAttributes=2, wMaxPacketSize=64,
            bInterval=0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    def open_device(self, device: str) -> str:
        return device

    def close_device(self, handle: str) -> None: ...

    def get_configuration(self, handle: str) -> int:
        return 1

    def set_configuration(self, handle: str, value: int) -> None: ...

    def set_interface_altsetting(self, handle: str, interface: int, setting: int) -> None: ...

    def claim_interface(self, handle: str, interface: int) -> None: ...

    def release_interface(self, handle: str, interface: int) -> None: ...

    def reset_device(self, handle: str) -> None: ...

    def bulk_write(self, handle: str, endpoint: int, interface: int, data: bytes, timeout: int) -> int:
        if self.stalled:
            raise usb.core.USBTimeoutError("timeout")
        self.written.append((endpoint, bytes(data)))
        return len(data)

    def bulk_read(self, handle: str, endpoint: int, interface: int, buffer: bytearray, timeout: int) -> int:
        assert endpoint == 0x84
        if not self.answers:
            raise usb.core.USBTimeoutError("timeout")
        answer = self.answers.pop(0)
        buffer[: len(answer)] = type(buffer)("B", answer)  # type: ignore[call-arg, arg-type]
        return len(answer)


def test_a_usb_printer_is_written_through_its_own_endpoint_in_small_pieces() -> None:
    bus = UsbBus()
    link = UsbLink(0x04B8, 0x0E15, SHORT, backend=bus)
    link.open()
    link.write(bytes(10_000))
    assert [(endpoint, len(data)) for endpoint, data in bus.written] == [(3, 4096), (3, 4096), (3, 1808)]
    bus.answers = [b"\x12"]
    assert link.read(0.1) == b"\x12"
    assert link.read(0.1) == b""
    bus.stalled = True
    with pytest.raises(LinkError):
        link.write(b"x")
    link.close()


def test_a_usb_printer_that_is_not_plugged_in_is_offline() -> None:
    printer = Printer(lambda: UsbLink(0x1234, 0x5678, SHORT, backend=UsbBus()), SHORT)
    assert printer.state() is PrinterState.OFFLINE
