"""What strace wrote down, as calls in their order. It knows strace's lines, and refuses to know what the calls mean.

Two orders matter. A write to the disk has happened when it returned, and only then can a sync that begins later cover
it. A word to the outside, to the printer or on standard output, may have arrived as soon as it was begun.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    "openat,open,creat,pwrite64,write,writev,pwritev,pwritev2,sendto,ftruncate,truncate,fallocate,copy_file_range,"
    "sendfile,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,mkdirat"
)
LONGEST = 1_000_000
"""Bytes of one write that strace keeps; more is an error when it is read."""
OPTIONS = ("-f", "--seccomp-bpf", "-y", "-xx", "-s", str(LONGEST), "-e", f"trace={CALLS}", "-e", "signal=none")

_LINE = re.compile(rb"(\d+) +(.*)")
_RESUMED = re.compile(rb"<\.\.\. \w+ resumed>(.*)")
_CALL = re.compile(rb"(\w+)\((.*)\) += (-?\d+|\?)(.*)", re.DOTALL)
_FILE = re.compile(rb"(?:\d+|AT_FDCWD)<([^>]*)>")
_TEXT = re.compile(rb'"([^"]*)"(\.\.\.)?')
_UNFINISHED = b" <unfinished ...>"


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that did something. `began` and `ended` count the lines of the record.

    `file` is what its file descriptor was open on, `texts` the paths or bytes that were handed over, `numbers` the
    plain figures among its arguments, in their order; `result` is what came back.
    """

    name: str
    file: str
    texts: tuple[bytes, ...]
    numbers: tuple[int, ...]
    flags: str
    result: int
    began: int
    ended: int


class Unreadable(ValueError):
    """strace left out what has to be known."""


def read(log: Path) -> Iterator[Call]:
    """The calls that succeeded, by when they returned; one that a kill cut short counts as done."""
    with log.open("rb") as lines:
        yield from parsed(lines)


def parsed(lines: Iterable[bytes]) -> Iterator[Call]:
    """As `read`, from lines."""
    under_way: dict[bytes, tuple[int, bytes]] = {}
    last = 0
    for last, line in enumerate(lines, 1):
        found = _LINE.match(line.rstrip(b"\n"))
        if found is None:
            raise Unreadable(f"line {last} of strace's record has no process: {line[:80]!r}")
        process, said = found.groups()
        began = last
        if resumed := _RESUMED.match(said):
            began, before = under_way.pop(process)
            said = before + resumed[1]
        elif said.endswith(_UNFINISHED):
            under_way[process] = (last, said.removesuffix(_UNFINISHED))
            continue
        if call := _call(said, began, last):
            yield call
    for began, said in under_way.values():
        if call := _call(said + b") = ?", began, last + 1):
            yield call


def _call(said: bytes, began: int, ended: int) -> Call | None:
    found = _CALL.match(said)
    if found is None:
        return None  # how a process ended
    name, arguments, result, _ = found.groups()
    if result.startswith(b"-"):
        return None
    texts = _TEXT.findall(arguments)
    if any(cut for _, cut in texts):
        raise Unreadable(f"strace cut a {name.decode()} of more than {LONGEST} bytes short")
    file = _FILE.search(arguments)
    plain = _TEXT.sub(b"", _FILE.sub(b"", arguments))
    numbers = tuple(int(word) for word in re.findall(rb"(?<=, )\d+(?=,|$)", plain))
    done = numbers[0] if result == b"?" and numbers else int(result) if result != b"?" else 0
    return Call(
        name.decode(),
        _bytes(file[1]).decode() if file else "",
        tuple(_bytes(text) for text, _ in texts),
        numbers,
        plain.decode(),
        done,
        began,
        ended,
    )


def _bytes(hexed: bytes) -> bytes:
    r"""What -xx writes as \x2f\x74; the names of pipes and sockets stay as they are."""
    return bytes.fromhex(hexed.replace(rb"\x", b"").decode()) if hexed.startswith(rb"\x") else hexed
