"""The slips of the emulated printer as files: the picture that the bytes make, and the bytes."""

import sqlite3
from collections.abc import Callable

from kiosk.simulator.folder import Folder
from kiosk.simulator.printer import Slip
from kiosk.store.database import connect

_ON_THE_WAY = "SELECT number FROM tickets WHERE id = (SELECT ticket FROM jobs WHERE state = 'sending')"


class Slips:
    """Names are NNNN-NUMBER. The printer calls `keep` from one of its threads, one slip at a time."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._count = len(list(folder.slips.glob("*.png")))
        self._database: sqlite3.Connection | None = None
        self.told: Callable[[str], None] = lambda name: None

    def keep(self, slip: Slip) -> None:
        """Save one slip."""
        self._count += 1
        name = f"{self._count:04}" + self._number()
        picture = self._folder.slips / f"{name}.png"
        slip.image.save(picture)
        picture.with_suffix(".bin").write_bytes(slip.raw)
        self.told(name)

    def names(self) -> list[str]:
        """All so far, oldest first."""
        return sorted(path.stem for path in self._folder.slips.glob("*.png"))

    def close(self) -> None:
        if self._database:
            self._database.close()

    def _number(self) -> str:
        """The number of the job that is being printed, for the file's name: the picture itself is only dots."""
        if self._database is None:
            self._database = connect(self._folder.path / "kiosk.db")
        row = self._database.execute(_ON_THE_WAY).fetchone()
        return f"-{row[0]}" if row else ""
