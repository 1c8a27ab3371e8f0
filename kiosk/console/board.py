"""The hall's board for any browser, and its figures for LED controllers. It says what the kiosk's own board says.

However many boards look, the database is asked once for all of them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk.clock import Moment
from kiosk.console.live import stream
from kiosk.console.look import Look
from kiosk.console.pictures import Pictures
from kiosk.console.site import Site
from kiosk.present.board import board_view, ticker_lines
from kiosk.present.led import led_figures, led_text
from kiosk.present.words import Words
from kiosk.store import BoardFacts, Publication, Store, StoreError
from kiosk.views.model import PANELS_UP_TO, BoardView, Header, ProgressPanel, SatisfactionPanel

LOOK_S = 5.0
"""So often the board is looked at again for what time alone changes."""
ARC = 279.6
"""Length of the ring's line: its radius is 44.5."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read last, at `now`; `facts` are None before anything could be read. `lost`: it cannot be read now."""

    now: Moment
    facts: BoardFacts | None = None
    published: Publication | None = None
    lost: bool = False


class BoardPages:
    """`/board` with its stream, `/board.json` and `/board.txt`."""

    def __init__(self, site: Site, pictures: Pictures, look: Look) -> None:
        self.site = site
        self.pictures = pictures
        self.look = look
        self._last: Seen | None = None

    def routes(self) -> list[Route]:
        return [
            Route("/board", self.page),
            Route("/board/live", self.live),
            Route("/board.json", self.figures),
            Route("/board.txt", self.text),
        ]

    async def page(self, request: Request) -> Response:
        words, theme = self.site.words_for(request), self.look.name(request)
        parts, header = await self._parts(words, theme), self._header(words)
        count = len(words.office.counters)
        is_dense = count > PANELS_UP_TO
        return self.site.page(
            request,
            "board.html",
            parts=parts,
            header=header,
            theme=theme,
            dense=is_dense,
            size=f"{'few' if count <= 4 else 'some' if count <= 6 else 'many'}{' dense' if is_dense else ''}",
            shape="wide" if count <= 4 else "narrow",
            sheet=self.look.address("board", theme),
            emblem=self.pictures.emblem(header.emblem),
            live=f"/board/live?l={words.t.language}&theme={theme}",
        )

    async def live(self, request: Request) -> Response:
        theme = self.look.name(request)
        # The words anew each time: another office document may come while the stream lasts.
        return stream(self.site, lambda: self._parts(self.site.words_for(request), theme), LOOK_S)

    async def figures(self, request: Request) -> Response:
        """The board's figures as JSON (docs/board.md)."""
        text = await self.site.once("board.json", self._json, LOOK_S)
        return _unless_known(request, text, "application/json")

    async def text(self, request: Request) -> Response:
        """The board's figures as lines; `?ascii=1` without Vietnamese marks."""
        words, is_ascii = self.site.words_for(request), request.query_params.get("ascii") == "1"

        async def make() -> str:
            seen = await self._look()
            return led_text(words, seen.now, seen.facts, lost=seen.lost, ascii_only=is_ascii)

        text = await self.site.once(f"board.txt {words.t.language} {is_ascii}", make, LOOK_S)
        return _unless_known(request, text, "text/plain")

    # --- what there is to show -------------------------------------------------------------------------------

    async def _look(self) -> Seen:
        """What the store says now; what it said last, as lost, while it says nothing."""
        return await self.site.once("board", self._read, LOOK_S)

    async def _read(self) -> Seen:
        try:
            self._last = await self.site.access.ask(_read)
            return self._last
        except StoreError:
            now = self.site.access.clock.now()
            last = self._last or Seen(now)
            return Seen(now, last.facts, last.published, lost=True)

    async def _json(self) -> str:
        seen = await self._look()
        found = led_figures(self.site.words, seen.facts, seen.published, lost=seen.lost)
        return json.dumps(found, ensure_ascii=False, indent=1) + "\n"

    async def _parts(self, words: Words, theme: str) -> dict[str, str]:
        key = f"board {words.t.language} {theme}"
        parts = await self.site.once(key, lambda: self._drawn(words, theme), LOOK_S)
        return {**parts, "clock": clock_part(self.site, words)}

    async def _drawn(self, words: Words, theme: str) -> Mapping[str, str]:
        seen = await self._look()
        lost = words.t("board.lost", nguon=words.t("board.queue_data")) if seen.lost else ""
        view = board_view(words, seen.now, seen.facts or NOTHING, seen.published, lost)
        await self.pictures.look((c.portrait.path for c in view.cards if c.portrait), view.header.emblem)
        lines = ticker_lines(words, seen.facts or NOTHING, seen.published)
        part = self.site.fragment
        return {
            "office": office_part(words, self.look.address("board", theme)),
            "strips": part(words, "board/strips.html", header=view.header, apology=view.apology, theme=theme),
            "message": "" if seen.facts else words.t("kiosk.help"),
            **(self._cards(words, view) if seen.facts else {f"card-{c.id}": "" for c in words.office.counters}),
            "called": part(words, "board/called.html", view=view),
            "progress": part(words, "board/progress.html", panel=view.progress, arcs=_arcs(view.progress)),
            "satisfaction": self._satisfaction(words, view.satisfaction, theme),
            "ticker": part(words, "board/ticker.html", lines=lines, label=view.ticker_label),
        }

    def _cards(self, words: Words, view: BoardView) -> dict[str, str]:
        return {
            f"card-{desk.id}": self.site.fragment(
                words,
                "board/card.html",
                card=card,
                service=_glued(card.service_line),
                portrait=self.pictures.portrait(card.portrait) if card.portrait else "",
            )
            for desk, card in zip(words.office.counters, view.cards, strict=True)
        }

    def _satisfaction(self, words: Words, panel: SatisfactionPanel | None, theme: str) -> str:
        labels = words.office.label_set()
        names = {level.face: level.text for level in labels.levels} if labels else {}
        return self.site.fragment(
            words, "board/satisfaction.html", panel=panel, bars=_bars(panel), labels=names, theme=theme
        )

    def _header(self, words: Words) -> Header:
        return words.header(self.site.access.clock.now(), words.t("board.title"))


NOTHING = BoardFacts({}, {}, {}, (), ())


def office_part(words: Words, sheet: str) -> str:
    """Another one than a page began with makes it load anew: the office or its look was changed."""
    return hashlib.sha256(f"{words.office.sha256} {sheet}".encode()).hexdigest()[:12]


def clock_part(site: Site, words: Words) -> str:
    """The band's clock: the server's time and the office's zone, from which the page's script counts on."""
    now = site.access.clock.now()
    zone = now.local.utcoffset()
    minutes = int(zone.total_seconds() // 60) if zone else 0
    header = words.header(now, "")
    return site.fragment(words, "board/clock.html", at=int(now.at.timestamp() * 1000), zone=minutes, header=header)


def _read(store: Store, now: Moment) -> Seen:
    return Seen(now, store.board(now), store.ratings.published())


def _glued(names: str) -> str:
    """No line begins with the sign between two names."""
    return names.replace(" · ", "\u00a0· ").replace(" – ", "\u00a0– ")


def _arcs(panel: ProgressPanel | None) -> list[dict[str, Any]]:
    """The ring's slices: tone, length of the line, and where it starts in degrees from the right, clockwise."""
    arcs, start = [], -90.0
    for row in panel.rows if panel else ():
        if row.share > 0:
            arcs.append({"tone": row.tone, "length": f"{row.share * ARC:.2f}", "start": f"{start:.2f}"})
            start += 360 * row.share
    return arcs


def _bars(panel: SatisfactionPanel | None) -> list[dict[str, Any]]:
    """The bar's pieces in thousandths of its width."""
    bars, start = [], 0.0
    for count in panel.counts if panel else ():
        bars.append({"tone": count.kind, "start": f"{start:.1f}", "length": f"{1000 * count.share:.1f}"})
        start += 1000 * count.share
    return bars


def _unless_known(request: Request, text: str, kind: str) -> Response:
    """The text, or 304 for who has it already: a controller may ask every second."""
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type=kind)
