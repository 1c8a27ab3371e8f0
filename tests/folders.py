"""Helpers for tests of a kiosk's folder: numbers on paper, damage, and what a kill leaves behind."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from kiosk.store import Store
from kiosk.store.database import Database
from tests.office import moment


def give(store: Store, n: int, start: int = 0, service: str = "ho-tich") -> set[str]:
    """The numbers that are on paper now."""
    return {store.issuing.issue(moment(start + k), service).ticket.number for k in range(n)}


def break_pages(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * 200_000)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def tickets(folder: Path) -> int:
    with closing(Database(folder).conn) as conn:
        return int(conn.execute("SELECT count(*) FROM tickets").fetchone()[0])


def with_log_of_a_killed_kiosk(folder: Path, act: Callable[[], object]) -> None:
    """Close everything, but leave the log as a kill would have: full, and not written back."""
    left = {path: path.read_bytes() for path in folder.glob("kiosk.db*")}
    assert len(left) == 3
    act()
    for path, content in left.items():
        path.write_bytes(content)
