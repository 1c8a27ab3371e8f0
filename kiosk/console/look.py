"""Style sheets of boards and panels in the colours of the kiosk's own screens, for browsers that are ten years old.

Such browsers know no CSS variables, so colours are written in; theirs of 2016 want some properties by their old names.
"""

import hashlib
import re
from dataclasses import fields

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk.console.pictures import FOREVER, css
from kiosk.console.site import Site
from kiosk.views.figures import face_colours
from kiosk.views.theme import CONTRAST, THEMES, Theme, in_office_colours, on, readable

SHEETS = ("board", "panel")
_OLD = re.compile(
    r"(?<![a-z-])(?P<name>display: (?=flex)|"
    r"(?:flex|align-items|align-self|align-content|justify-content|order|animation|transform|filter)[a-z-]*: )"
    r"(?P<value>[^;}]+)"
)
_FRAMES = re.compile(r"@keyframes (?P<all>[a-z-]+ \{(?:[^{}]*\{[^{}]*\})*[^{}]*\})")


class Look:
    """The themes of one office."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._sheets: dict[tuple[str, str], str] = {}

    def routes(self) -> list[Route]:
        return [Route("/look/{sheet}/{theme}.css", self._sheet)]

    def name(self, request: Request) -> str:
        """`?theme=`, else the theme of the kiosk's own screens."""
        wanted = request.query_params.get("theme", "")
        return wanted if wanted in THEMES else self.site.config.screen.theme

    def theme(self, name: str) -> Theme:
        """A theme in the office's own colours."""
        look = self.site.words.office.look
        return in_office_colours(THEMES[name], look.colour, look.accent)

    def address(self, sheet: str, name: str) -> str:
        """Where the style sheet is; another content gets another address."""
        return f"/look/{sheet}/{name}.css?v={hashlib.sha256(self.text(sheet, name).encode()).hexdigest()[:10]}"

    def text(self, sheet: str, name: str) -> str:
        """The style sheet."""
        key = (sheet, f"{name} {self.site.words.office.look}")
        if key not in self._sheets:
            theme = self.theme(name)
            template = self.site.templates.get_template(f"{sheet}.css")
            self._sheets[key] = for_old_browsers(template.render(c=colours(theme), zoom=theme.zoom))
        return self._sheets[key]

    async def _sheet(self, request: Request) -> Response:
        sheet, name = request.path_params["sheet"], request.path_params["theme"]
        if sheet not in SHEETS or name not in THEMES:
            raise HTTPException(404)
        return Response(self.text(sheet, name), headers=FOREVER, media_type="text/css")


def colours(theme: Theme) -> dict[str, str]:
    """The theme's colours as CSS writes them, and the inks that can be read on its cards and plates."""
    own = {f.name: getattr(theme, f.name) for f in fields(Theme)}
    found = {name: css(value) for name, value in own.items() if isinstance(value, tuple)}
    least = theme.contrast * 1.08 if theme.contrast > CONTRAST else theme.contrast
    for name in ("blue", "bright", "red", "muted", "unhappy"):
        found[f"{name}_on_card"] = css(readable(own[name], theme.card, least))
    found["number_on_plate"] = css(readable(theme.number, theme.tint_blue, least))
    found["called_on_plate"] = css(readable(theme.called, theme.called_plate, least))
    found["ink_on_called"] = css(readable(theme.ink, theme.called_plate, least))
    found["muted_on_called"] = css(readable(theme.muted, theme.called_plate, least))
    found["muted_on_grey"] = css(readable(theme.muted, theme.tint_grey, least))
    found["muted_on_plate"] = css(readable(theme.muted, theme.tint_blue, least))
    found["on_red"], found["on_blue"], found["on_grey"] = css(on(theme.red)), css(on(theme.blue)), css(on(theme.grey))
    found["sad"] = css(face_colours("unhappy", theme)[0])
    found["edge"] = css(theme.edge) if theme.edge else ""
    return found


def for_old_browsers(sheet: str) -> str:
    """The sheet with each property that browsers of 2016 know by another name under both."""

    def twice(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        if name.startswith("display"):
            return f"display: -webkit-{value}; {name}{value}"
        return f"-webkit-{name}{value}; {name}{value}"

    doubled = _OLD.sub(twice, sheet)
    return _FRAMES.sub(lambda found: f"@-webkit-keyframes {found['all']}\n{found[0]}", doubled)
