"""A small receiver for demo and tests: the ingest rules over sqlite3, behind the standard library's HTTP server.

It listens on loopback, knows one token (and keeps only its hash), and refuses everything that a commune's server does
besides taking events: no enrolment, no office documents, no pages. `python -m sync.receiver --help` runs it alone.
"""

import argparse
import hashlib
import hmac
import json
import logging
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sync import export, importing, ingest, wire

logger = logging.getLogger(__name__)

_READ_S = 20.0  # the longest silence that a sender may keep
_BODY_S = 60.0  # the longest time that a whole body may take


class _Refused(Exception):
    """An answer other than 200 or 409, with its short code."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Receiver:
    """Runs in a thread of its own: `start()`, `url`, `stop()`. `now` is the server's clock, for tests and the demo."""

    def __init__(
        self,
        db: Path | str,
        token: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        next_s: int = 60,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._token = hashlib.sha256(token.encode()).digest()
        self._conn = sqlite3.connect(db, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self.storage, self._now, self._next_s = ingest.SqliteStorage(self._conn, now), now, next_s
        self._server = _Server((host, port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="receiver", daemon=True)
        self.host, self.port = host, int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> "Receiver":
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, cut what is open, and close the database. Safe to call twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.cut()
        with self._lock:
            self._conn.close()

    def knows(self, authorization: str) -> bool:
        """Whether this is `Bearer <our token>`; the comparison takes the same time for each wrong one."""
        scheme, _, token = authorization.partition(" ")
        own = hashlib.sha256(token.strip().encode("utf-8", "replace")).digest()
        return hmac.compare_digest(own, self._token) and scheme.lower() == "bearer"

    def take(self, body: bytes, packed: bool) -> tuple[int, dict[str, Any]]:
        """The answer to a pushed body. Raises wire.BadBatch."""
        batch = wire.decode_batch(body, packed)
        with self._lock, self.storage.writing():
            result = ingest.ingest(self.storage, batch)
        return ingest.answer(result, batch.header.epoch, self._now(), office=0, board=0, next_s=self._next_s)

    def stats(self) -> dict[str, Any]:
        with self._lock:
            return self.storage.stats()

    def import_path(self, path: Path) -> list[importing.Imported]:
        """Take in a file or folder that an export wrote, and leave the acknowledgement beside it."""
        with self._lock:
            return importing.import_path(importing.Storing(self.storage), path, self._now())


class _Server(ThreadingHTTPServer):
    """Threads that end with the process, and connections that can all be cut."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            logger.debug("a sender went away: %s", error)
        else:
            logger.exception("a request failed")

    def cut(self) -> None:
        for request in list(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                logger.debug("already closed")


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _READ_S
        disable_nagle_algorithm = True  # header and body are two writes: without this the second waits 40 ms

        def do_POST(self) -> None:
            self._answer({"/api/v1/feed": self._feed})

        def do_GET(self) -> None:
            self._answer({"/api/v1/health": lambda: (200, {"ok": True}), "/api/v1/stats": self._stats})

        def _answer(self, routes: dict[str, Callable[[], tuple[int, dict[str, Any]]]]) -> None:
            try:
                route = routes.get(self.path.partition("?")[0])
                if route is None:
                    raise _Refused(HTTPStatus.NOT_FOUND, "not_found", "no such address")
                status, body = route()
            except _Refused as error:
                self.close_connection = True  # a body may still be on its way
                status, body = error.status, {"code": error.code, "message": str(error)}
            except wire.BadBatch as error:
                status, body = (413 if error.code == "too_large" else 400), {"code": error.code, "message": str(error)}
            self._send(status, json.dumps(body, ensure_ascii=False).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def _feed(self) -> tuple[int, dict[str, Any]]:
            self._authorize()
            encoding = self.headers.get("Content-Encoding", "identity").lower()
            if encoding not in ("gzip", "identity"):
                raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "encoding", "gzip or nothing")
            return receiver.take(self._body(), encoding == "gzip")

        def _stats(self) -> tuple[int, dict[str, Any]]:
            self._authorize()
            return 200, receiver.stats()

        def _authorize(self) -> None:
            if not receiver.knows(self.headers.get("Authorization", "")):
                raise _Refused(HTTPStatus.UNAUTHORIZED, "token", "this token is not known here")

        def _body(self) -> bytes:
            text = self.headers.get("Content-Length", "")
            if not (text.isascii() and text.isdigit()):
                raise _Refused(HTTPStatus.LENGTH_REQUIRED, "length", "send a Content-Length")
            length = int(text[:20])
            if length > wire.MAX_BODY:
                raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"more than {wire.MAX_BODY} bytes")
            return self._read(length)

        def _read(self, length: int) -> bytes:
            body, deadline = bytearray(), time.monotonic() + _BODY_S
            while len(body) < length:
                piece = self.rfile.read1(min(65536, length - len(body)))
                if not piece or time.monotonic() > deadline:
                    raise ConnectionError("the body did not come to its end")
                body += piece
            return bytes(body)

        def log_message(self, format: str, *args: Any) -> None:
            logger.debug(format, *args)

    return Handler


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sync.receiver", description="Takes a kiosk's events, on loopback.")
    parser.add_argument("--db", required=True, type=Path, help="SQLite file to keep the events in")
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 takes a free one and prints it")
    parser.add_argument("--token-file", type=Path, help="file whose first line is the token that kiosks send")
    parser.add_argument("--import", dest="path", type=Path, help="take in a file or folder of `kiosk export`, then end")
    options = parser.parse_args(argv)
    if options.path is None and options.token_file is None:
        parser.error("--token-file is needed to listen")
    try:
        return _import(options) if options.path else _listen(options)
    except (OSError, sqlite3.Error, export.ExportError, wire.WireError) as error:
        print(f"receiver: {error}", file=sys.stderr)
        return 1


def _import(options: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with closing(sqlite3.connect(options.db, isolation_level=None)) as conn:
        storage = ingest.SqliteStorage(conn, lambda: now)
        files = importing.import_path(importing.Storing(storage), options.path, now)
    for done in files:
        print(f"{done.name}: {done.code}, {done.added} new events {done.detail}".rstrip(), flush=True)
    return 1 if any(done.code in ("damaged", "refused") for done in files) else 0


def _listen(options: argparse.Namespace) -> int:
    token = options.token_file.read_text().strip()
    if not token:
        raise OSError(f"{options.token_file} is empty: its first line must be the token")
    receiver = Receiver(options.db, token, port=options.port).start()
    print(f"listening on {receiver.url}", flush=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    receiver.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
