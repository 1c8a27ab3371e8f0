"""The network's faults on loopback: a proxy that cuts, swallows and dawdles, and a server that answers what it is told.

Both work on real TCP. What they do not imitate: packet loss below TCP, and a name that does not resolve.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self


class _Listener:
    """Accepts on loopback and gives each connection a thread; everything ends with the `with`."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.ended = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.ended.set()
        for one in [self._socket, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for one in [self._socket, *self._open]:
            one.close()

    def _spawn(self, work: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                conn, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(conn)
            self._spawn(self._guarded, conn)

    def _guarded(self, conn: socket.socket) -> None:
        with suppress(OSError):
            self.serve(conn)
        conn.close()

    def serve(self, conn: socket.socket) -> None:
        raise NotImplementedError


def reset(conn: socket.socket) -> None:
    """Close with RST instead of FIN."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def read_request(conn: socket.socket) -> bytes:
    """One whole HTTP request with its Content-Length; empty if the other side closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = conn.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        piece = conn.recv(65536)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


class Proxy(_Listener):
    """Stands before a server; `mode` is the fault of the next connections.

    pass, reset (at once), cut (reset after `bytes` of the request), swallow (the server hears all, its answer is
    dropped and the connection closed), halve (half of the answer, then closed), mute (the answer never comes), trim
    (closed after `bytes` of what comes back), stall (after so many nothing comes back any more), slow (both ways in
    small pieces). Swallow, halve and mute read the request; the others carry bytes, of TLS too.
    """

    def __init__(self, port: int, mode: str = "pass", bytes: int = 0) -> None:
        super().__init__()
        self._target, self.mode, self.bytes = port, mode, bytes

    def serve(self, conn: socket.socket) -> None:
        mode = self.mode
        if mode == "reset":
            return reset(conn)
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            self._open.append(server)
            if mode in ("pass", "slow"):
                return self._both_ways(conn, server, 7 if mode == "slow" else 65536)
            if mode == "cut":
                return self._cut(conn, server)
            if mode in ("trim", "stall"):
                return self._trim(conn, server, closes=mode == "trim")
            return self._spoil(conn, server, mode)

    def _both_ways(self, conn: socket.socket, server: socket.socket, size: int) -> None:
        back = self._spawn(self._copy, server, conn, size)
        self._copy(conn, server, size)
        back.join(5)

    def _copy(self, source: socket.socket, target: socket.socket, size: int) -> None:
        with suppress(OSError):
            while piece := source.recv(size):
                target.sendall(piece)
                if size < 100:
                    self.ended.wait(0.0005)
            target.shutdown(socket.SHUT_WR)

    def _cut(self, conn: socket.socket, server: socket.socket) -> None:
        left = self.bytes
        while left > 0 and (piece := conn.recv(left)):
            server.sendall(piece)
            left -= len(piece)
        reset(conn)
        reset(server)

    def _trim(self, conn: socket.socket, server: socket.socket, closes: bool) -> None:
        there = self._spawn(self._copy, conn, server, 65536)
        left = self.bytes
        while left > 0 and (piece := server.recv(left)):
            conn.sendall(piece)
            left -= len(piece)
        if closes:  # a close alone is not heard while the other thread reads
            conn.shutdown(socket.SHUT_RDWR)
        there.join(10)

    def _spoil(self, conn: socket.socket, server: socket.socket, mode: str) -> None:
        server.sendall(read_request(conn))
        answer = server.recv(65536)
        if mode == "halve":
            conn.sendall(answer[: len(answer) // 2])
        if mode == "mute":
            self.ended.wait(10)


class Script(_Listener):
    """A server that answers each request with the next of `answers` (the last one again and again), as raw bytes.

    An answer may be an endless iterable; it ends when the client has gone. `requests` keeps what came.
    """

    def __init__(self, *answers: bytes | Callable[[], Iterable[bytes]]) -> None:
        super().__init__()
        self._answers = list(answers)
        self.requests: list[bytes] = []

    def serve(self, conn: socket.socket) -> None:
        while request := read_request(conn):
            self.requests.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if isinstance(answer, bytes):
                conn.sendall(answer)
            else:
                for piece in answer():
                    conn.sendall(piece)
                return


def http(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    """An HTTP/1.1 answer."""
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
