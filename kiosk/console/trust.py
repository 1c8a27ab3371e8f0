"""The page from which a clerk's PC learns to trust this kiosk: its authority's certificate, and how to install it.

A technician may have the authority made anew: one that is there signs only for the names that it was made for.
"""

import asyncio
from pathlib import Path

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from kiosk.console.site import Said, Site, Visitor
from kiosk.store import StoreError
from kiosk.store.durable import sync_folder


class TrustPages:
    """`/certificate` and `/ca.crt`. Public: a certificate is no secret, and a browser asks before it trusts."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def routes(self) -> list[Route]:
        return [Route("/certificate", self.page), Route("/ca.crt", self.file)]

    def staff_routes(self) -> list[Route]:
        return [Route("/technician/certificate", self.site.action(self._anew, "technician"), methods=["POST"])]

    async def _anew(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """The authority goes, and the console makes another one: all browsers warn until that is installed."""
        shared, t = self.site.shared, self.site.words_for(request).t
        old = shared.certificate
        if old is None:
            raise HTTPException(404)
        await asyncio.to_thread(_remove, old.authority)
        shared.look.set()
        for _ in range(200):
            if shared.certificate is not old:
                return Said(True, t("technician.certificate_made"), "/technician")
            await asyncio.sleep(0.05)
        return Said(False, t("console.trouble"))

    async def page(self, request: Request) -> Response:
        shared = self.site.shared
        host = request.url.hostname or ""
        address = f"https://{f'[{host}]' if ':' in host else host}:{shared.secure_port}/"
        return self.site.page(request, "certificate.html", certificate=shared.certificate, address=address)

    async def file(self, request: Request) -> Response:
        if self.site.shared.certificate is None:
            raise HTTPException(404)
        path = self.site.shared.certificate.authority
        return FileResponse(path, media_type="application/x-x509-ca-cert", filename="kiosk-ca.crt")


def _remove(authority: Path) -> None:
    """Without its certificate the authority is taken for lost, and another one is made, also after a power cut now."""
    try:
        authority.unlink(missing_ok=True)
        sync_folder(authority.parent)
    except OSError as error:
        says = f"{authority} cannot be removed ({error}): check the memory card"
        raise StoreError(says, "cannot", tep=authority, loi=error) from error
