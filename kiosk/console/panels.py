"""The technician's list of rating panels: a code for a new tablet, and tablets that shall rate no more."""

from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk.clock import Moment
from kiosk.console.site import Said, Site, Visitor, text
from kiosk.store import Store
from kiosk.store.panels import Code, Panel

PATH = "/technician/panels"


@dataclass(frozen=True, slots=True)
class Listed:
    """The tablets and the codes that wait."""

    panels: list[Panel]
    codes: dict[str, Code]


class PanelsPage:
    """`/technician/panels` and its two actions."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def routes(self) -> list[Route]:
        site = self.site
        return [
            Route(PATH, site.staff(self.page, "technician")),
            Route(f"{PATH}/code", site.action(self._new_code, "technician"), methods=["POST"]),
            Route(f"{PATH}/unpair", site.action(self._unpair, "technician"), methods=["POST"]),
        ]

    async def page(self, request: Request, visitor: Visitor) -> Response:
        listed = await self.site.access.ask(_listed)
        said, address = self.site.flash(visitor), self._address(request)
        return self.site.page(
            request, "technician-panels.html", visitor=visitor, listed=listed, said=said, address=address
        )

    def _address(self, request: Request) -> str:
        """What a tablet opens. Old ones trust no certificate of ours: where plain HTTP is served, that."""
        port = self.site.config.console.plain_port
        if self.site.secure and port:
            return f"http://{request.url.hostname}:{port}/rate"
        return f"{request.url.scheme}://{request.url.netloc}/rate"

    async def _new_code(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        counter, t = text(form, "counter"), self.site.words_for(request).t
        code = await self.site.ask(lambda s, now: s.panels.new_code(now, counter), visitor)
        return Said(True, t("panel.code_is", ma=f"{code[:3]} {code[3:]}"), PATH)

    async def _unpair(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        key, words = text(form, "panel"), self.site.words_for(request)
        counter = await self.site.ask(lambda s, now: s.panels.unpair(now, key), visitor)
        return Said(True, words.t("panel.unpaired", quay=words.counter_label(counter)), PATH)


def _listed(store: Store, now: Moment) -> Listed:
    return Listed(store.panels.paired(), {code.counter: code for code in store.panels.codes(now)})
