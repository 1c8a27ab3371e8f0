"""The console's pages put together as two apps: all of it, and what plain HTTP may show."""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from kiosk.console.board import BoardPages
from kiosk.console.clerk import ClerkPages
from kiosk.console.clockask import ClockPages
from kiosk.console.fetching import FetchPages
from kiosk.console.firststart import SetupPages
from kiosk.console.guard import Guard
from kiosk.console.helpdesk import HelpPages
from kiosk.console.leader import LeaderPages
from kiosk.console.look import Look
from kiosk.console.offices import OfficePage
from kiosk.console.panel import PanelPages
from kiosk.console.panels import PanelsPage
from kiosk.console.phone import PhonePages
from kiosk.console.pictures import Pictures
from kiosk.console.pinspage import PinsPage
from kiosk.console.putting import DocumentDoor
from kiosk.console.signin import SignInPages
from kiosk.console.site import HERE, Site
from kiosk.console.technician import TechnicianPage
from kiosk.console.trust import TrustPages
from kiosk.store import StoreBusy, StoreError

FONTS = HERE.parent / "assets" / "fonts"
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
RETRY_S = "2"
"""Somebody who was told that the kiosk is busy may try again after so many seconds."""


def staff_routes(site: Site) -> list[BaseRoute]:
    """What is for people who sign in."""
    return [
        *SetupPages(site).routes(),
        *SignInPages(site).routes(),
        *ClockPages(site).routes(),
        *ClerkPages(site).routes(),
        *HelpPages(site).routes(),
        *LeaderPages(site).routes(),
        *PhonePages(site).staff_routes(),
        *PanelsPage(site).routes(),
        *TechnicianPage(site).routes(),
        *OfficePage(site).routes(),
        *PinsPage(site).routes(),
        *FetchPages(site).staff_routes(),
        *TrustPages(site).staff_routes(),
    ]


def public_routes(site: Site) -> list[BaseRoute]:
    """What anybody on the LAN may see, also by plain HTTP: boards, rating panels, phone pages."""
    pictures, look = Pictures(), Look(site)
    return [
        *pictures.routes(),
        *look.routes(),
        *BoardPages(site, pictures, look).routes(),
        *PanelPages(site, pictures, look).routes(),
        *PhonePages(site).routes(),
        *TrustPages(site).routes(),
    ]


def make_app(site: Site, hosts: Iterable[str], *, staff: bool, frames: str = "'none'") -> ASGIApp:
    """One app for one port. `hosts` are the names that are ours besides addresses; `frames` may show our pages."""
    routes = [
        *(staff_routes(site) if staff else []),
        *public_routes(site),
        *(_for_servers(site) if site.secure else []),
        *([] if staff else _to_https(site)),
        Route("/healthz", _alive),
        Route("/static/fonts/{name}", _font),
        Mount("/static", _Static(directory=HERE / "static")),
    ]

    async def missing(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return site.page(request, "message.html", status, message="console.no_page")

    async def trouble(request: Request, error: Exception) -> Response:
        return site.page(request, "message.html", 503, message="console.trouble")

    async def busy(request: Request, error: Exception) -> Response:
        answer = site.page(request, "message.html", 503, message="console.busy")
        answer.headers["Retry-After"] = RETRY_S
        return answer

    handlers = {HTTPException: missing, StoreBusy: busy, StoreError: trouble, 500: trouble}
    app = Starlette(routes=routes, exception_handlers=handlers)
    return Guard(app, hosts, frames=frames)


def _for_servers(site: Site) -> list[BaseRoute]:
    """What is for a commune server that fetches: only where the kiosk's own certificate protects its token."""
    pages = FetchPages(site)
    return [*pages.server_routes(), *DocumentDoor(site, pages).routes()]


def _to_https(site: Site) -> list[BaseRoute]:
    """Where staff's pages would be: their browsers are sent to the door that is theirs."""

    async def away(request: Request) -> Response:
        if not site.shared.secure_port:
            raise HTTPException(404)
        host = request.url.hostname or ""
        name = f"[{host}]" if ":" in host else host
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"https://{name}:{site.shared.secure_port}{request.url.path}{query}", 307)

    paths = dict.fromkeys(route.path for route in staff_routes(site) if isinstance(route, Route))
    return [Route(path, away) for path in paths]


async def _alive(request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _font(request: Request) -> Response:
    known = {path.name: path for path in FONTS.glob("*.ttf")}
    path = known.get(request.path_params["name"])
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, headers=FOREVER, media_type="font/ttf")


class _Static(StaticFiles):
    """Files whose address changes with their content, so that a browser asks once."""

    async def get_response(self, path: str, scope: "dict[str, object]") -> Response:  # type: ignore[override]
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers.update(FOREVER)
        return response
