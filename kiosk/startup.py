"""The first picture: what the technician sees until the kiosk is open. Imports nothing that is slow to import.

The list of parts fills while they open. It gives way at once when all are in order; what is wrong can be read for a
while, but nobody has to wait for it: the kiosk answers presses already, and the first one ends the list.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from kiosk import devices, findings
from kiosk.addresses import own_url
from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.findings import Finding
from kiosk.office import SAMPLE_CODE, Look
from kiosk.present.keynames import key_name
from kiosk.present.words import Words
from kiosk.screen import Output, Screen
from kiosk.texts import Texts
from kiosk.views.model import CheckState, StartCheck, StartView
from kiosk.views.theme import THEMES, in_office_colours

if TYPE_CHECKING:
    from kiosk.parts import Panel
    from kiosk.store import Store

PARTS = ("config", "office", "font", "database", "clock", "buttons", "printer", "screen", "sync")
"""The rows, in their order; each is a key of `start.*`."""
WORKS_WITHOUT = ("clock", "sync")
"""Parts whose trouble keeps nobody from a number."""
PATIENCE_S = 1.5
"""How long the list waits for a printer that does not say how it is."""


class Checklist:
    """What was found of each part so far, and whether the list is on the screen. Times are monotonic seconds."""

    def __init__(self, config: Config, words: Words) -> None:
        self.words = words
        self._stay_s = config.screen.start_s
        self._found: dict[str, tuple[Finding, ...]] = {}
        self._open_at: float | None = None
        self.setup_line = ""
        """How a new kiosk is set up, in place of the usual hint."""
        t, office = words.t, words.office
        device, document = findings.device(config, t), findings.document(config, office, t)
        self.found(device, document, *findings.hints(config, office, t))

    def found(self, *fresh: Finding) -> None:
        """Something was found; it takes the place of what was known of the same parts."""
        self._found |= {part: tuple(f for f in fresh if f.part == part) for part in {f.part for f in fresh}}

    def open(self, at: float) -> None:
        """All parts are open: from now on the list stays no longer than it has to."""
        self._open_at = at

    def end(self) -> None:
        """Somebody is there: whatever is wrong, a citizen does not wait for a picture."""
        self._open_at = None

    def shows(self, at: float) -> bool:
        """Whether the list stands in place of the views; once it has given way it does not come back."""
        if self._open_at is not None and at >= self._open_at + self._stay():
            self.end()
        return self._open_at is not None

    def _stay(self) -> float:
        if any(not finding.ok for found in self._found.values() for finding in found):
            return self._stay_s
        return min(self._stay_s, PATIENCE_S) if len(self._found) < len(PARTS) else 0.0

    def rows(self) -> tuple[StartCheck, ...]:
        """One row a part: the worst that was found, or that it is being looked at."""
        return tuple(self._row(part) for part in PARTS)

    def _row(self, part: str) -> StartCheck:
        t = self.words.t
        found = self._found.get(part)
        if not found:
            return StartCheck(t(f"start.{part}"), "wait", t("start.wait"))
        worst = min(found, key=lambda finding: (finding.ok, not finding.note))
        state = _state(worst)
        return StartCheck(t(f"start.{part}"), state, worst.says, "" if state == "ok" else worst.advice)

    def view(self, now: Moment) -> StartView:
        """The list as it stands."""
        t = self.words.t
        return StartView(self.words.header(now, t("start.title")), self.rows(), self.setup_line or t("start.footer"))


def setup_line(config: Config, words: Words, store: "Store", now: Moment) -> str:
    """Where a new kiosk is set up, and with which code; "" for one that has an office or whose console has a user."""
    if words.office.unit.code != SAMPLE_CODE or not (code := store.setting_up.code(now)):
        return ""
    return words.t(
        "setup.at_kiosk", dia_chi=own_url(config.console.scheme, config.console.port), ma=f"{code[:3]} {code[3:]}"
    )


def _state(finding: Finding) -> CheckState:
    if not finding.ok:
        return "warn" if finding.part in WORKS_WITHOUT else "error"
    return "warn" if finding.note else "ok"


def open_screen(config: Config, checklist: Checklist, now: Moment) -> Screen | None:
    """The screens with the list on them; None when this device has none, or goes on without."""
    screen = found_screen(config, checklist)
    if screen:
        show_start(screen, checklist, now)
    return screen


def found_screen(config: Config, checklist: Checklist) -> Screen | None:
    """The screens with nothing on them yet, as the list says from now on; None when this device has none."""
    screen = make_screen(config, checklist.words.office.look)
    if screen:
        checklist.found(findings.glass(screen.driver, [output.pixels for output in config.screen.outputs]))
    return screen


def make_screen(config: Config, look: Look) -> Screen | None:
    """The screens with nothing on them yet, in the office's colours; None when this device has none."""
    if not config.screen.enabled:
        return None
    return Screen(
        [Output(output.view, output.pixels, output.display) for output in config.screen.outputs],
        blind_ok=config.screen.blind_ok,
        fullscreen=config.screen.fullscreen,
        theme=in_office_colours(THEMES[config.screen.theme], look.colour, look.accent),
        fonts=[Path(font) for font in config.screen.fonts],
        animations=config.screen.animations,
        held_on="take" if config.screen.touch else "",
    )


def show_start(screen: Screen, checklist: Checklist, now: Moment) -> None:
    """Bring the list as it stands onto all screens."""
    view = checklist.view(now)
    for name in screen.outputs:
        screen.show(name, view)


def printer(config: Config, state: str, t: Texts) -> Finding:
    """The printer as its thread has found it; one whose device is away is told from one that does not answer."""
    url = config.printer.url
    return findings.printer(state, url, t, devices.printer(url, devices.user()))


def opened(config: Config, words: Words, store: "Store", panel: "Panel") -> tuple[Finding, ...]:
    """What was found while the parts opened; the printer's thread says later how the printer is."""
    t, held = words.t, panel.pins.held_at_start() if panel.pins else ()
    broken = {key_name(words, action): why for action, why in panel.broken.items()}
    return (
        *findings.font(config, t),
        findings.keys(config, broken, [key_name(words, action) for action in held], t),
        findings.server(config, store.server_word(), t),
    )
