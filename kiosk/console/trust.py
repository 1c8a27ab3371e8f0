"""The page from which a clerk's PC learns to trust this kiosk: its authority's certificate, and how to install it."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from kiosk.console.site import Site


class TrustPages:
    """`/certificate` and `/ca.crt`. Public: a certificate is no secret, and a browser asks before it trusts."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def routes(self) -> list[Route]:
        return [Route("/certificate", self.page), Route("/ca.crt", self.file)]

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
