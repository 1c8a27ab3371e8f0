"""The process of the console: its ports, its certificate, its life. `kiosk console` and the demo run it."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from kiosk.clock import Clock, Vouched
from kiosk.config import Config
from kiosk.console.access import Access
from kiosk.console.site import Site
from kiosk.console.web import make_app
from kiosk.notify import notify
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.store.board import last_sure_time
from kiosk.store.locks import hold
from kiosk.store.prepare import prepare

PING_S = 1.0
BACKLOG = 256

logger = logging.getLogger(__name__)


class Console:
    """The bound ports (OSError says which cannot be had); `run` answers on them until `stop`."""

    def __init__(self, config: Config, words: Words, clock: Clock) -> None:
        self.config = config
        self.words = words
        self.clock = clock
        self._sockets = _bind(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers: list[uvicorn.Server] = []
        self._stop = threading.Event()

    @property
    def ports(self) -> list[int]:
        """The port of each address, as bound."""
        return [sock.getsockname()[1] for sock in self._sockets]

    def run(self) -> None:
        """Answer until stopped. Raises StoreError, also StoreCorrupt for a restart to mend."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """End all connections and `run`; any thread may call it."""
        self._stop.set()

    async def _run(self) -> None:
        folder = Path(self.config.data_dir)
        prepare(folder, self.clock.now())
        with hold(folder):
            await self._serve(Access(lambda: self._open(folder), self.clock))

    def _open(self, folder: Path) -> Store:
        store = Store(folder, self.words.office.rulebook())
        self.clock.floor = max(self.clock.floor, last_sure_time(store.database) or self.clock.floor)
        self.clock.vouched = Vouched.read(store.fact("vouched"))
        return store

    async def _serve(self, access: Access) -> None:
        await access.open()
        sites = [Site(self.config, self.words, access, secure=False)]
        apps = [make_app(sites[0], hosts(self.config), staff=True)]
        self._servers = [_server(app) for app in apps]
        serving = [
            asyncio.create_task(server.serve([sock])) for server, sock in zip(self._servers, self._sockets, strict=True)
        ]
        watching = asyncio.create_task(access.watch())
        notify("READY=1")
        try:
            await self._until_stopped(watching, serving)
        finally:
            for site in sites:
                site.closing = True
            access.wake()
            for server in self._servers:
                server.should_exit = True
            await asyncio.gather(*serving, return_exceptions=True)
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await access.close()

    async def _until_stopped(self, watching: "asyncio.Task[None]", serving: "list[asyncio.Task[None]]") -> None:
        while not self._stop.is_set():
            done, _ = await asyncio.wait([watching, *serving], timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
                return
            notify("WATCHDOG=1")


def hosts(config: Config) -> list[str]:
    """Names under which browsers may reach this machine, besides its addresses in figures."""
    own = socket.gethostname().lower()
    of_slips = urlsplit(config.public.url).hostname
    return ["localhost", own, f"{own}.local", *config.console.hosts, *([of_slips] if of_slips else [])]


def _bind(config: Config) -> list[socket.socket]:
    address = config.console.address
    return [_listen(address, port) for port in (config.console.port,)]


def _listen(address: str, port: int) -> socket.socket:
    try:
        return socket.create_server((address, port), backlog=BACKLOG)
    except OSError as error:
        raise OSError(
            f"port {port} of {address} cannot be used ({os.strerror(error.errno or 0)}): set another one in [console]"
        ) from error


class _Server(uvicorn.Server):
    """One of several in a process that minds the signals itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        loop="asyncio",
        http="h11",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        limit_concurrency=400,
        h11_max_incomplete_event_size=32768,
    )
    return _Server(config)
