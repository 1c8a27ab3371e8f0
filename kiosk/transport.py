"""Ways to a printer: device file, USB, serial line, network, or none. Bytes in and out, always with a deadline.

python-escpos opens and addresses the devices. Where it would block for ever (a stalled device file, a stalled serial
line, USB without a timeout) its methods are replaced by ones that give up and raise LinkError.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import termios
import time
from collections.abc import Iterator
from typing import Any

import serial
import usb.core
import usb.util
from escpos.escpos import Escpos
from escpos.exceptions import DeviceNotFoundError
from escpos.printer.network import Network
from escpos.printer.serial import Serial
from escpos.printer.usb import Usb

from kiosk.printer_device import Link, LinkError, PrinterProfile, PrinterState

# python-escpos logs each opening and closing on the root logger: once a second while a printer is away.
logging.getLogger().addFilter(lambda record: record.levelno >= logging.WARNING or "escpos" not in record.pathname)

USB_PRINTER_CLASS = 7  # USB device class code of printers
ANSWERS = 256  # bytes read at once; answers are single bytes


def link(url: str, profile: PrinterProfile) -> Link:
    """The link that an address names; see kiosk.printer_device.open_transport."""
    kind, _, rest = url.partition(":")
    if url == "none":
        return NoLink()
    if kind == "file" and rest.startswith("/"):
        return FileLink(rest, profile)
    if kind == "serial" and rest.startswith("/"):
        return SerialLink(rest, profile)
    if kind == "usb":
        return UsbLink(*_ids(rest), profile)
    if kind == "tcp":
        return NetworkLink(*_host_and_port(rest), profile)
    raise ValueError(_wrong(url))


def _wrong(url: str) -> str:
    return f"printer {url!r}: use file:/dev/usb/lp0, usb:04b8:0e15, serial:/dev/ttyUSB0, tcp://host:9100 or none"


def _ids(text: str) -> tuple[int, int]:
    try:
        vendor, product = (int(part, 16) for part in text.split(":"))
    except ValueError as error:
        raise ValueError(_wrong(f"usb:{text}")) from error
    return vendor, product


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.removeprefix("//").rstrip("/").partition(":")
    if not host or not (port or "9100").isdecimal() or not 0 < int(port or 9100) < 65536:
        raise ValueError(_wrong(f"tcp:{text}"))
    return host, int(port or 9100)


@contextlib.contextmanager
def _link_errors(what: str) -> Iterator[None]:
    """All that these libraries raise, as one error (a failed escpos object raises AssertionError when used again)."""
    try:
        yield
    except LinkError:
        raise
    except (DeviceNotFoundError, OSError, termios.error, AssertionError) as error:
        raise LinkError(f"{what}: {error}") from error


class NoLink:
    """No printer is part of this kiosk: numbers stay on the screen."""

    def open(self) -> None:
        raise LinkError("this kiosk has no printer", PrinterState.NONE)

    def write(self, data: bytes) -> None:
        raise LinkError("this kiosk has no printer", PrinterState.NONE)

    def read(self, timeout_s: float) -> bytes:
        raise LinkError("this kiosk has no printer", PrinterState.NONE)

    def close(self) -> None:
        """Nothing to close."""


class FileLink(Escpos):  # type: ignore[misc]
    """A device file such as /dev/usb/lp0, opened without blocking. Also works on a serial line or a plain file."""

    def __init__(self, path: str, profile: PrinterProfile) -> None:
        self._file: int | None = None
        self._path = path
        self._profile = profile
        super().__init__()

    def open(self, raise_not_found: bool = True) -> None:
        way = os.O_RDWR if self._profile.status else os.O_WRONLY
        with _link_errors(self._path):
            self._file = os.open(self._path, way | os.O_NONBLOCK | os.O_NOCTTY)

    def write(self, data: bytes) -> None:
        with _link_errors(self._path):
            self._raw(data)

    def read(self, timeout_s: float) -> bytes:
        with _link_errors(self._path):
            return self._read(timeout_s)

    def _raw(self, msg: bytes) -> None:
        rest = memoryview(msg)
        while rest:
            self._wait(select.POLLOUT, self._profile.deadline_s)
            with contextlib.suppress(BlockingIOError):  # ready for fewer bytes than one transfer
                rest = rest[os.write(self._opened(), rest) :]

    def _read(self, timeout_s: float = 0) -> bytes:
        if not self._profile.status or not self._wait(select.POLLIN, timeout_s, must=False):
            return b""
        answers = os.read(self._opened(), ANSWERS)
        if not answers:
            raise LinkError(f"{self._path}: the device is gone")
        return answers

    def _wait(self, event: int, timeout_s: float, must: bool = True) -> bool:
        poll = select.poll()
        poll.register(self._opened(), event)
        ready = poll.poll(timeout_s * 1000)
        if ready and ready[0][1] & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
            raise LinkError(f"{self._path}: the device is gone")
        if not ready and must:
            raise LinkError(f"{self._path}: nothing accepted for {timeout_s:g} s")
        return bool(ready)

    def _opened(self) -> int:
        if self._file is None:
            raise LinkError(f"{self._path} is not open")
        return self._file

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


class SerialLink(Serial):  # type: ignore[misc]
    """A serial line. A write returns when the bytes have left the machine, so that a stall is seen while it happens."""

    piece = 512
    _device: Any

    def __init__(self, path: str, profile: PrinterProfile) -> None:
        self._profile = profile
        super().__init__(devfile=path, baudrate=profile.baud, timeout=0)

    def open(self, raise_not_found: bool = True) -> None:
        with _link_errors(self.devfile):
            super().open()
            self.device.write_timeout = self._profile.deadline_s

    def write(self, data: bytes) -> None:
        with _link_errors(self.devfile):
            for at in range(0, len(data), self.piece):
                self._raw(data[at : at + self.piece])
            self._drain()

    def read(self, timeout_s: float) -> bytes:
        with _link_errors(self.devfile):
            if not select.select([self._device.fileno()], [], [], timeout_s)[0]:
                return b""
            return bytes(self._device.read(max(1, self._device.in_waiting)))

    def _drain(self) -> None:
        waiting, since = self._device.out_waiting, time.monotonic()
        while waiting:
            time.sleep(0.005)
            before, waiting = waiting, self._device.out_waiting
            since = time.monotonic() if waiting < before else since
            if time.monotonic() - since > self._profile.deadline_s:
                raise LinkError(f"{self.devfile}: nothing accepted for {self._profile.deadline_s:g} s")

    def close(self) -> None:
        device, self._device = self._device, False
        if device:
            # The parent waits here until everything is sent: for ever on a stalled line.
            with contextlib.suppress(OSError, termios.error, serial.PortNotOpenError):
                device.reset_output_buffer()
            with contextlib.suppress(OSError, termios.error):
                device.close()


class NetworkLink(Network):  # type: ignore[misc]
    """A network printer (raw port 9100)."""

    piece = 4096
    _device: Any

    def __init__(self, host: str, port: int, profile: PrinterProfile) -> None:
        super().__init__(host=host, port=port, timeout=profile.deadline_s)

    def open(self, raise_not_found: bool = True) -> None:
        with _link_errors(f"{self.host}:{self.port}"):
            # Not the parent's: it forgets to close the socket of each failed try, and knows IPv4 only.
            self._device = socket.create_connection((self.host, self.port), self.timeout)
            self._device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> None:
        with _link_errors(f"{self.host}:{self.port}"):
            self._device.settimeout(self.timeout)
            for at in range(0, len(data), self.piece):
                self._raw(data[at : at + self.piece])

    def read(self, timeout_s: float) -> bytes:
        with _link_errors(f"{self.host}:{self.port}"):
            if not select.select([self._device], [], [], timeout_s)[0]:
                return b""
            answers = bytes(self._device.recv(ANSWERS))
        if not answers:
            raise LinkError(f"{self.host}:{self.port}: the printer has hung up")
        return answers


class UsbLink(Usb):  # type: ignore[misc]
    """A USB printer without the kernel's driver. Opening it takes /dev/usb/lp* away, so the device file comes first."""

    piece = 4096
    _device: Any

    def __init__(self, vendor: int, product: int, profile: PrinterProfile, backend: Any = None) -> None:
        self._name = f"usb:{vendor:04x}:{product:04x}"
        how = {"backend": backend} if backend is not None else {}
        super().__init__(vendor, product, usb_args=how, timeout=int(profile.deadline_s * 1000))

    def open(self, raise_not_found: bool = True) -> None:
        with _link_errors(self._name):
            try:
                super().open()
            except usb.core.NoBackendError as error:  # a ValueError
                raise LinkError(f"{self._name}: {error}; install the package libusb-1.0-0") from error
            self._find_endpoints()

    def write(self, data: bytes) -> None:
        with _link_errors(self._name):
            for at in range(0, len(data), self.piece):
                self._raw(data[at : at + self.piece])

    def read(self, timeout_s: float) -> bytes:
        with _link_errors(self._name):
            try:
                return bytes(self._device.read(self.in_ep, ANSWERS, max(1, int(timeout_s * 1000))))
            except usb.core.USBTimeoutError:
                return b""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            super().close()

    def _find_endpoints(self) -> None:
        """Take the endpoints from the printer interface; python-escpos assumes 0x01 and 0x82."""
        interface = usb.util.find_descriptor(self._device.get_active_configuration(), bInterfaceClass=USB_PRINTER_CLASS)
        for endpoint in interface or ():
            address = endpoint.bEndpointAddress
            if usb.util.endpoint_type(endpoint.bmAttributes) != usb.util.ENDPOINT_TYPE_BULK:
                continue
            if usb.util.endpoint_direction(address) == usb.util.ENDPOINT_IN:
                self.in_ep = address
            else:
                self.out_ep = address
