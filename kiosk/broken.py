"""Files that `kiosk run` cannot start with: says on the screen what is wrong in them, until one of them is changed.

Otherwise the screen would be black while systemd tries again and again. It knows the files and the screen; it opens no
database, no printer and no keys.
"""

import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from kiosk.clock import Clock, Moment, SystemClock
from kiosk.config import Config
from kiosk.documents import DocumentError, Problem, mistake, printable
from kiosk.fonts import FontError
from kiosk.notify import notify
from kiosk.office import Look
from kiosk.screen import Quit, Screen
from kiosk.setup import load
from kiosk.standby import known, stamps
from kiosk.standing import shut
from kiosk.startup import make_screen
from kiosk.texts import Texts
from kiosk.views.model import Header, StartCheck, StartView
from kiosk.windows import ScreenError, ScreenLost

LOOK_S = 1.0
"""How often the files are looked at."""
AGAIN = 30
"""After so many looks everything is tried again."""
ROWS = 6


def say_until_changed(
    path: str | Path | None, wait: Callable[[float], object] = time.sleep, clock: Clock | None = None
) -> None:
    """Say what is wrong, on stderr and, as soon as there is one, on the screen, until a file has changed.

    `path` is kiosk.toml as `load` takes it. Whoever started us has to start afresh afterwards.
    """
    config, files = known(path)
    before = stamps(files)
    error = _problem(path)
    if error is None:
        return  # it was mended in this moment
    screen: Screen | None = None
    print(f"kiosk: {error}", file=sys.stderr, flush=True)
    t, clock = Texts(config.language), clock or SystemClock()
    notify(f"READY=1\nSTATUS={shut(error)}")  # shown and waited for, not killed by systemd for being slow
    for looked in count(1):
        # An applied office document is in no file: what is in force is asked again now and then.
        if stamps(files) != before or (looked % AGAIN == 0 and _problem(path) is None):
            break
        screen = screen or _open_screen(config)
        if screen and not _shown(screen, broken_view(t, clock.now(), error)):
            screen.close()
            screen = None
        notify("WATCHDOG=1")
        wait(LOOK_S)
    if screen:
        screen.close()


def _shown(screen: Screen, view: StartView) -> bool:
    """Show the list; False when the screen was lost or its window closed, and has to be opened again."""
    try:
        for name in screen.outputs:
            screen.show(name, view)
        return not any(isinstance(item, Quit) for item in screen.poll())
    except ScreenLost as error:
        print(f"kiosk: {error}", file=sys.stderr, flush=True)
        return False


def _problem(path: str | Path | None) -> DocumentError | None:
    try:
        load(path)
    except DocumentError as error:
        return error
    return None


def _open_screen(config: Config) -> Screen | None:
    try:
        return make_screen(config, Look())
    except (ScreenError, FontError):
        return None


# --- what it says --------------------------------------------------------------------------------------------


def broken_view(t: Texts, now: Moment, error: DocumentError) -> StartView:
    """The mistakes, as many as fit, and what to do; the unit's name is not known."""
    problems = error.problems
    shown = problems if len(problems) <= ROWS else problems[: ROWS - 1]
    rows = [_row(problem, t) for problem in shown]
    if len(problems) > len(shown):
        rows.append(StartCheck(t("start.more", n=len(problems) - len(shown)), "error"))
    header = Header("", t("start.broken"), t.day(now.local), t.clock(now.local))
    return StartView(header, tuple(rows), t("start.mend"))


def _row(problem: Problem, t: Texts) -> StartCheck:
    """File, place in it, and what is wrong there."""
    return StartCheck(Path(problem.file).name, "error", printable(problem.where) or problem.file, mistake(problem, t))
