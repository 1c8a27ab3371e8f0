"""A USB stick: a file with a partition of FAT32, which goes into the machine and is looked at when it is out again."""

import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.appliance.machine import Machine

SECTOR = 512
FIRST = 2048
"""Where the partition begins, in sectors."""
FAT32 = 0x0C
NOWHERE = b"\xfe\xff\xff"
"""Cylinder, head and sector, which nobody asks for since disks are counted by sectors."""


class Stick:
    """`label` is the name that people see. `put` and `files` are for when it is in no machine."""

    def __init__(self, file: Path, label: str, megabytes: int = 48) -> None:
        self.file, self.label = file, label
        sectors = megabytes * 2048
        with file.open("wb") as disk:
            disk.truncate(sectors * SECTOR)
            disk.seek(446)
            disk.write(struct.pack("<B3sB3sII", 0, NOWHERE, FAT32, NOWHERE, FIRST, sectors - FIRST))
            disk.seek(510)
            disk.write(b"\x55\xaa")
        blocks = str((sectors - FIRST) // 2)
        _run("mkfs.vfat", "-F", "32", "-n", label, f"--offset={FIRST}", str(file), blocks)

    def put(self, *sources: Path) -> None:
        """Copy files and folders onto it; raises CalledProcessError when there is no room."""
        _run("mcopy", "-s", "-i", self._partition, *map(str, sources), "::")

    def files(self, folder: Path) -> Path:
        """The folder, with a copy of all that is on it."""
        folder.mkdir()
        _run("mcopy", "-s", "-n", "-i", self._partition, "::", str(folder))
        return folder

    def fill(self, scratch: Path) -> None:
        """Leave room for nothing."""
        size = 2**25
        while size >= SECTOR:
            piece = scratch / f"piece-{size}-{len(list(scratch.iterdir()))}"
            piece.write_bytes(bytes(size))
            try:
                self.put(piece)
            except subprocess.CalledProcessError:
                size //= 2

    @contextmanager
    def plugged(self, machine: Machine) -> Iterator[str]:
        """In the machine's socket, where its name is the one that is told (sda1)."""
        name = f"stick-{self.file.stem}"
        machine.qmp("blockdev-add", **{"driver": "raw", "node-name": name, "file": self._as_file()})
        machine.qmp("device_add", driver="usb-storage", id=name, drive=name, bus="xhci.0", removable=True)
        link = f"/dev/disk/by-label/{self.label}"
        try:
            yield machine.eventually(f"readlink -e {link}").strip().rpartition("/")[2]
        finally:
            machine.qmp("device_del", id=name)
            machine.eventually(f"! test -e {link}")

    @property
    def _partition(self) -> str:
        return f"{self.file}@@{FIRST * SECTOR}"

    def _as_file(self) -> dict[str, str]:
        return {"driver": "file", "filename": str(self.file), "locking": "off"}


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
