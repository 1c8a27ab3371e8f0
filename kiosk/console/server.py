"""The process of the console: its ports, its certificate, its life. `kiosk console` and the demo run it."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from kiosk import memory
from kiosk.addresses import addresses, names
from kiosk.clock import Clock, Vouched
from kiosk.config import Config
from kiosk.console.access import Access
from kiosk.console.following import PART, Following
from kiosk.console.patience import BoundedSocket, PatientProtocol
from kiosk.console.site import Shared, Site
from kiosk.console.tls import Certificate, Keeper
from kiosk.console.web import make_app
from kiosk.notify import notify
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.store.board import last_sure_time
from kiosk.store.locks import hold
from kiosk.store.prepare import prepare

BACKLOG = 256
PING_S = 1.0
RENEW_LOOK_S = 60.0

logger = logging.getLogger(__name__)


class Console:
    """The bound ports (OSError says which cannot be had); `run` answers on them until `stop`."""

    def __init__(self, config: Config, words: Words, clock: Clock) -> None:
        self.config = config
        self.words = words
        self.clock = clock
        self._doors = _doors(config)
        self._sockets = [_listen(config.console.address, door.port) for door in self._doors]
        self._keeper = Keeper(Path(config.data_dir) / "tls")
        self.ports: list[int] = [sock.getsockname()[1] for sock in self._sockets]
        """The port of each door, as bound: staff's first."""
        self._servers: list[_Server] = []
        self._stop = threading.Event()
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.asked_to_restart = False

    def run(self) -> None:
        """Answer until stopped. Raises StoreError, also StoreCorrupt for a restart to mend."""
        memory.give_back_large()
        try:
            asyncio.run(self._run())
        finally:
            for sock in self._sockets:
                sock.close()

    def stop(self) -> None:
        """End all connections and `run`; any thread may call it."""
        self._stop.set()
        if loop := self._loop:
            with suppress(RuntimeError):  # it is over already
                loop.call_soon_threadsafe(self._woken.set)

    def _restart(self) -> None:
        self.asked_to_restart = True
        self.stop()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        folder = Path(self.config.data_dir)
        prepare(folder, self.clock.now())
        with hold(folder):
            access = Access(lambda: self._open(folder), self.clock)
            try:
                await self._serve(access)
            finally:
                await access.close()

    def _open(self, folder: Path) -> Store:
        store = Store(folder, self.words.office.rulebook())
        self.clock.floor = max(self.clock.floor, last_sure_time(store.database) or self.clock.floor)
        self.clock.vouched = Vouched.read(store.fact("vouched"))
        store.orders.begin(self.clock.now(), PART)
        return store

    async def _serve(self, access: Access) -> None:
        await access.open()
        tls = self._certificate() if any(door.secure for door in self._doors) else None
        shared = Shared(tls, self.ports[0] if self._doors[0].secure else 0)
        sites = [Site(self.config, self.words, access, shared, secure=door.secure) for door in self._doors]
        for site, door in zip(sites, self._doors, strict=True):
            app = make_app(site, hosts(self.config), staff=door.staff)
            self._servers.append(_server(app, tls if door.secure else None))
        serving = [
            asyncio.create_task(server.serve([sock])) for server, sock in zip(self._servers, self._sockets, strict=True)
        ]
        minding = [
            asyncio.create_task(access.keep_house()),
            asyncio.create_task(Following(access, sites, self._restart).run()),
            asyncio.create_task(self._mind_certificate(shared)),
        ]
        self._say_doors()
        if code := await access.ask(lambda store, now: store.setting_up.code(now)):
            logger.info("nobody has a PIN yet: open the console's address and enter the set-up code %s", code)
        notify("READY=1")
        try:
            await self._until_stopped([*minding, *serving])
        finally:
            for site in sites:
                site.closing = True
            access.wake()
            for server in self._servers:
                server.end()
            await asyncio.gather(*serving, return_exceptions=True)
            await self._hang_up()
            for task in minding:
                task.cancel()
            await asyncio.gather(*minding, return_exceptions=True)

    async def _hang_up(self) -> None:
        """A browser that does not read to the end would keep its connection open beyond the loop."""
        for server in self._servers:
            for connection in list(server.server_state.connections):
                connection.transport.abort()
        for _ in range(3):  # TLS hands the end on to what lies below it
            await asyncio.sleep(0)

    async def _until_stopped(self, tasks: "list[asyncio.Task[None]]") -> None:
        woken = asyncio.create_task(self._woken.wait())
        while not self._stop.is_set():
            done, _ = await asyncio.wait([*tasks, woken], timeout=PING_S, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {woken}:
                task.result()
                return
            notify("WATCHDOG=1")

    def _say_doors(self) -> None:
        for door, port in zip(self._doors, self.ports, strict=True):
            logger.info(
                "%s on port %d: %s", "HTTPS" if door.secure else "HTTP", port, "all" if door.staff else "public"
            )
        if any(door.staff and not door.secure for door in self._doors):
            logger.warning("staff sign in by plain HTTP: everybody on the LAN can read PINs along ([console] plain)")

    # --- the certificate -------------------------------------------------------------------------------------

    def _certificate(self) -> Certificate:
        return self._keeper.certificate([*names(), *self.config.console.hosts], addresses(), self.clock.now().at)

    async def _mind_certificate(self, shared: Shared) -> None:
        """Follow the machine's addresses, and renew in time; connections that are open stay as they are."""
        while True:
            self._note_left_out(shared)
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_LOOK_S):
                    await shared.look.wait()
            shared.look.clear()
            if shared.certificate is None:
                continue
            try:
                fresh = await asyncio.to_thread(self._certificate)
            except OSError as error:
                logger.error("the certificate stays as it is: %s", error)
                continue
            if fresh != shared.certificate:
                logger.info("the certificate was renewed: %s", ", ".join(fresh.names))
                shared.certificate = fresh
                for server in self._servers:
                    if server.config.ssl:
                        server.config.ssl.load_cert_chain(fresh.chain, fresh.key)

    def _note_left_out(self, shared: Shared) -> None:
        """Names that the authority may not sign for, since it was made before they were: said once in the log."""
        if shared.certificate is None:
            return
        wanted = dict.fromkeys([*names(), *self.config.console.hosts])
        left_out = tuple(name for name in wanted if name not in shared.certificate.names)
        if left_out and left_out != shared.left_out:
            says = "not in the certificate, whose authority is older: %s. Make a new one on the technician's page"
            logger.warning(says, ", ".join(left_out))
        shared.left_out = left_out


@dataclass(frozen=True, slots=True)
class Door:
    """One port: how it is spoken on, and whether staff's pages are behind it."""

    port: int
    secure: bool
    staff: bool


def _doors(config: Config) -> list[Door]:
    """HTTPS for all, plain HTTP for what anybody may see. Plain for staff is a setting; alone, it is the only door."""
    console = config.console
    if console.plain and not console.plain_port:
        return [Door(console.port, secure=False, staff=True)]
    plain = [Door(console.plain_port, secure=False, staff=console.plain)] if console.plain_port else []
    return [Door(console.port, secure=True, staff=True), *plain]


def hosts(config: Config) -> list[str]:
    """Names under which browsers may reach this machine, besides its addresses in figures."""
    of_slips = urlsplit(config.public.url).hostname
    return ["localhost", *names(), *config.console.hosts, *([of_slips] if of_slips else [])]


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listening = BoundedSocket(socket.create_server((address, port), family=family, backlog=BACKLOG))
    except OSError as error:
        raise OSError(
            f"port {port} of {address} cannot be used ({os.strerror(error.errno or 0)}): set another one in [console]"
        ) from error
    # Connections inherit it. Asyncio sets it only on sockets that know their protocol's number, and without it the
    # second piece of an answer by HTTPS waits 40 ms for the browser to acknowledge the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class _Server(uvicorn.Server):
    """One of several in a process that minds the signals itself, and that is told when to end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()

    async def main_loop(self) -> None:
        """Uvicorn looks ten times a second whether it is to end, and once a second what the date is."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._ended.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: ASGIApp, certificate: Certificate | None) -> _Server:
    config = uvicorn.Config(
        app,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        loop="asyncio",
        http=PatientProtocol,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=32768,
    )
    return _Server(config)
