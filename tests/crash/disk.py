"""A disk with a power cut: what may lie on it at one moment, by what was written and what was synced until then.

Contents: a write that no later sync of its file covered may be there or not, each for itself; by whole calls or by
4,096 bytes of the file, as the page cache writes them. Names: what was created, renamed and deleted since the folder
was synced may be there or not, in its order (a file system's journal keeps that), and independently of the contents.

It does not imitate torn pages, folders that get lost, and offsets of plain `write` calls: those append, as everything
here does that replaces a file whole. Files that are made anew at each start (`-shm`, locks, the reserve) are left out.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.crash.trace import Call

PAGE = 4096
IGNORED = ("-shm", "lock", "ballast")
_HARMLESS = {"sendto", "mkdir", "mkdirat", "sync_file_range"}
_HAND_OVER = {"write", "writev", "pwrite64", "pwritev", "pwritev2"}
"""Calls whose texts are bytes, and no paths."""

State = dict[str, bytes]
"""Path → content of each file after the power cut."""


@dataclass(frozen=True, slots=True)
class Change:
    """`data` at `offset`; without data the file ends at `offset` from now on. `at`: when it was done."""

    offset: int
    data: bytes | None
    at: int

    def apply(self, content: bytearray) -> None:
        if self.data is None:
            del content[self.offset :]
        content.extend(bytes(max(0, self.offset - len(content))))
        if self.data is not None:
            content[self.offset : self.offset + len(self.data)] = self.data

    def pages(self) -> Iterator["Change"]:
        """The same in pieces that lie in one page of the file each."""
        if self.data is None:
            yield self
            return
        start = 0
        while start < len(self.data):
            end = start + PAGE - (self.offset + start) % PAGE
            yield Change(self.offset + start, self.data[start:end], self.at)
            start = end


class File:
    """What is surely on the disk, what is not yet (`pending`), and the two together as programs see them."""

    def __init__(self, content: bytes = b"") -> None:
        self.pending: list[Change] = []
        self._durable, self._seen = bytearray(content), bytearray(content)
        # The same bytes object as long as nothing changes: whoever compares many states need not read it again.
        self._as_bytes: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def durable(self) -> bytes:
        return self._bytes("durable", self._durable)

    @property
    def seen(self) -> bytes:
        return self._bytes("seen", self._seen)

    def _bytes(self, name: str, content: bytearray) -> bytes:
        if name not in self._as_bytes:
            self._as_bytes[name] = bytes(content)
        return self._as_bytes[name]

    def change(self, change: Change) -> None:
        change.apply(self._seen)
        self.pending.append(change)
        self._as_bytes.pop("seen", None)

    def sync(self, before: int) -> None:
        for change in self.pending:
            if change.at < before:
                change.apply(self._durable)
        self.pending = [change for change in self.pending if change.at >= before]
        self._as_bytes.pop("durable", None)

    def some(self, chosen: Sequence[Change]) -> bytes:
        if not chosen:
            return self.durable
        content = bytearray(self._durable)
        for change in chosen:
            change.apply(content)
        return bytes(content)


@dataclass(frozen=True, slots=True)
class Naming:
    """Names that change at once: path → file, None for one that is gone. `at`: when it was done."""

    names: dict[str, File | None]
    at: int

    def apply(self, names: dict[str, File]) -> None:
        for path, file in self.names.items():
            names.pop(path, None)
            if file is not None:
                names[path] = file


class Disk:
    """The files below `root`, from `files` on. With `lying` no sync reaches the medium: some cards are like that."""

    def __init__(self, root: Path, files: State, *, lying: bool = False) -> None:
        self._root = f"{root}/"
        self._lying = lying
        self.names = {path: File(data) for path, data in files.items()}
        self.durable_names = dict(self.names)
        self.namings: list[Naming] = []
        self.whole = {path: {data} for path, data in files.items()}
        """Path → each content with which a file has ever got this name."""

    def covers(self, path: str) -> bool:
        return path.startswith(self._root) and not path.endswith(IGNORED)

    def apply(self, call: Call) -> bool:
        """Carry out a call; whether it changed what a power cut leaves. Raises ValueError for one not known here."""
        paths = [text.decode("utf-8", "replace") for text in call.texts]
        match call.name:
            case "openat" | "open" | "creat":
                return self._opened(paths[0], call)
            case "pwrite64" | "write" | "ftruncate" if self.covers(call.file):
                return self._written(call)
            case "fsync" | "fdatasync":
                return not self._lying and self._synced(call)
            case "rename" | "renameat" | "renameat2" if self.covers(paths[1]):
                file = self.names[paths[0]]
                self.whole.setdefault(paths[1], set()).add(file.seen)
                return self._name({paths[0]: None, paths[1]: file}, call)
            case "unlink" | "unlinkat" if paths[0] in self.names:
                return self._name({paths[0]: None}, call)
        named = [] if call.name in _HAND_OVER else paths
        touched = [path for path in (call.file, *named) if self.covers(path)]
        if touched and call.name not in {*_HARMLESS, "unlink", "unlinkat"}:
            raise ValueError(f"{call.name} of {touched[0]}: the model of the disk does not know what that does")
        return False

    def _opened(self, path: str, call: Call) -> bool:
        if not self.covers(path):
            return False
        if path not in self.names:
            return "O_CREAT" in call.flags and self._name({path: File()}, call)
        if "O_TRUNC" in call.flags and len(self.names[path]):
            self.names[path].change(Change(0, None, call.ended))
            return True
        return False

    def _written(self, call: Call) -> bool:
        file = self.names.get(call.file)
        if file is None:
            return False  # deleted by now: no name leads to it after a power cut
        if call.name == "ftruncate":
            file.change(Change(call.numbers[0], None, call.ended))
        else:
            offset = call.numbers[1] if call.name == "pwrite64" else len(file)
            file.change(Change(offset, call.texts[0][: call.result], call.ended))
        return True

    def _synced(self, call: Call) -> bool:
        if call.file in self.names:
            self.names[call.file].sync(call.began)
            return True
        done = [n for n in self.namings if n.at < call.began and any(_parent(p) == call.file for p in n.names)]
        for naming in done:
            naming.apply(self.durable_names)
        self.namings = [naming for naming in self.namings if naming not in done]
        return bool(done)

    def _name(self, names: dict[str, File | None], call: Call) -> bool:
        naming = Naming(names, call.ended)
        naming.apply(self.names)
        self.namings.append(naming)
        return True

    # --- power cuts ------------------------------------------------------------------------------------------

    def is_unsettled(self) -> bool:
        """Whether anything waits for a sync."""
        return bool(self.namings) or any(file.pending for file in self.names.values())

    def lost(self) -> State:
        """Nothing came through that was not synced."""
        return {path: file.durable for path, file in self.durable_names.items()}

    def kept(self) -> State:
        """All came through: what a kill of the process leaves too."""
        return {path: file.seen for path, file in self.names.items()}

    def nameless(self) -> State:
        """Contents came through and names did not."""
        return {path: file.seen for path, file in self.durable_names.items()}

    def empty(self) -> State:
        """Names came through and contents did not: the file of length 0 after a rename without a sync."""
        return {path: file.durable for path, file in self.names.items()}

    def chance(self, rng: random.Random, *, pages: bool) -> State:
        """Some names, and of each file some writes, or some pages of them."""
        names = dict(self.durable_names)
        for naming in self.namings[: rng.randint(0, len(self.namings))]:
            naming.apply(names)
        share = rng.choice((0.1, 0.5, 0.9))
        state = {}
        for path, file in names.items():
            pieces = [piece for change in file.pending for piece in (change.pages() if pages else (change,))]
            state[path] = file.some([piece for piece in pieces if rng.random() < share])
        return state


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def files_of(root: Path) -> State:
    """What lies below a folder now, but for what is left out here."""
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.name.endswith(IGNORED)]
    return {str(path): path.read_bytes() for path in paths}
