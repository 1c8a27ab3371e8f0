"""The console's ports and their connections: how many there may be, and how long each is waited for. Knows no page.

Uvicorn waits for ever for a request that somebody has begun, or not even begun: a phone that has left the Wi-Fi, or a
program that means harm, would hold its place among all connections until the console ends.
"""

import asyncio
import asyncio.sslproto
import logging
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 30.0
"""So long a request's head may take, and a new connection to send one."""
BODY_S = 120.0
"""So long a form may take: a portrait of 8 MB over a bad Wi-Fi."""
MOST = 400
"""Connections of a port at once, with those that are still agreeing on HTTPS. Two ports stay below the 1,024 files that
a process may have open: beyond them Python would write an error thousands of times a second."""
MOST_EACH = 300
"""So many of them may one address hold. Behind a router many phones have the same one."""

# Asyncio sets 256 kB aside for each HTTPS connection, open pages among them, and fills them with zeros. A record of TLS
# is 16 kB at most (RFC 8446 5.1).
asyncio.sslproto.SSLProtocol.max_size = 32 * 1024

logger = logging.getLogger(__name__)


class BoundedSocket(socket.socket):
    """A listening socket that closes at once what comes above `MOST`, or above `MOST_EACH` of one address."""

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(listening.family, listening.type, listening.proto, listening.detach())
        self._open: list[tuple[str, socket.socket]] = []
        self._was_full = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises ConnectionAbortedError for one that is not taken: whoever listens goes on."""
        accepted, address = super().accept()
        self._open = [(host, sock) for host, sock in self._open if sock.fileno() != -1]
        of_this = sum(host == address[0] for host, _ in self._open)
        is_full = len(self._open) >= MOST or of_this >= MOST_EACH
        if is_full and not self._was_full:
            logger.warning("%d connections, %d of them from one address: no more are taken", len(self._open), of_this)
        self._was_full = is_full
        if is_full:
            accepted.close()
            raise ConnectionAbortedError
        self._open.append((address[0], accepted))
        return accepted, address


class PatientProtocol(H11Protocol):
    """Uvicorn's connection, given up when a request does not come to its end."""

    _awaited: str = ""
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._mind()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._mind()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._mind()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._await("")

    def _mind(self) -> None:
        """Between requests uvicorn's own time for idle connections runs; during an answer nobody is waited for."""
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._await("body")
        elif state is h11.IDLE and self.timeout_keep_alive_task is None:
            self._await("head")
        else:
            self._await("")

    def _await(self, what: str) -> None:
        """Begin to wait for this part of a request; no news while it is the one that is waited for already."""
        if what == self._awaited:
            return
        self._awaited = what
        if self._patience:
            self._patience.cancel()
        seconds = {"head": HEAD_S, "body": BODY_S}.get(what)
        self._patience = self.loop.call_later(seconds, self.transport.abort) if seconds else None
