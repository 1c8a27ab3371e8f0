"""A connection of the console's ports that waits for nobody without end. Knows no page.

Uvicorn waits for ever for a request that somebody has begun, or not even begun: a phone that has left the Wi-Fi, or a
program that means harm, would hold its place among all connections until the console ends.
"""

import asyncio
import logging

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 30.0
"""So long a request's head may take, and a new connection to send one."""
BODY_S = 120.0
"""So long a form may take: a portrait of 8 MB over a bad Wi-Fi."""
MOST_EACH = 300
"""So many connections one address may hold: three quarters of all. Behind a router many phones have the same one."""

logger = logging.getLogger(__name__)


class PatientProtocol(H11Protocol):
    """Uvicorn's connection, given up when a request does not come to its end, or when its address has enough others."""

    _awaited: str = ""
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        held = self._held()
        if held > MOST_EACH:
            transport.abort()
            return
        if held == MOST_EACH:
            logger.warning("one address holds %d connections: no more are taken from it", held)
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

    def _held(self) -> int:
        """Connections of this one's address, with this one."""
        if self.client is None:
            return 1
        clients = [each.client for each in self.connections if isinstance(each, H11Protocol)]
        return len([client for client in clients if client and client[0] == self.client[0]])

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
