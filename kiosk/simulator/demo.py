"""`kiosk demo`: puts the simulated appliance together from the options, and runs it for people or for a count."""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from kiosk.clock import SITE_TIME
from kiosk.config import LANGUAGES, load_config
from kiosk.office import Office
from kiosk.simulator import headless
from kiosk.simulator.appliance import Appliance, Plan
from kiosk.simulator.citizens import MOST_AN_HOUR, Crowds
from kiosk.simulator.commune import Commune, available
from kiosk.simulator.democlock import START, DemoClock
from kiosk.simulator.folder import DEVICE, PIN, Folder, write_config, write_office, write_token
from kiosk.simulator.printer import EmulatedPrinter
from kiosk.simulator.rehearsal import script
from kiosk.simulator.rehearsal.day import Day
from kiosk.simulator.rehearsal.table import table
from kiosk.simulator.slips import Slips
from kiosk.simulator.story import Story
from kiosk.simulator.upstream import SmallServer, Upstream
from kiosk.store.database import connect

UNHURRIED = 1200
"""Citizens an hour up to which the kiosk's limits on pressing are no matter for them."""
START_S = 20.0
LOOK_S = 0.2
Choice = Callable[[argparse.Namespace, Folder, str, DemoClock, Office], Upstream]


def main(options: argparse.Namespace) -> int:
    """Run the command; its exit status. Raises ValueError or OSError for options that cannot be met."""
    _check(options)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with _folder(options.dir) as folder, built(options, folder) as appliance:
        if not _running(appliance, stop):
            return 1
        if options.day:
            return _rehearsed(options, appliance, stop)
        return _counted(options, appliance, stop) if options.headless else _shown(options, appliance, stop)


def _check(options: argparse.Namespace) -> None:
    if not 0.1 <= speed(options) <= 600:
        raise ValueError("--speed: from 0.1 to 600")
    if not 0 <= citizens(options) <= MOST_AN_HOUR:
        raise ValueError(f"--per-hour: from 0 to {MOST_AN_HOUR}")
    if not 0 <= options.port <= 65535:
        raise ValueError("--port: from 0 to 65535")
    if options.seconds is not None and options.seconds <= 0:
        raise ValueError("--seconds: more than 0")
    if options.language not in LANGUAGES:
        raise ValueError(f"--language: there is no {options.language!r}, only {', '.join(LANGUAGES)}")
    if options.day and (options.per_hour is not None or options.seconds is not None):
        raise ValueError("--day brings its own visitors and its own end: without --per-hour and --seconds")
    if bool(options.server) != bool(options.token_file):
        raise ValueError("--server and --token-file belong together: a server takes events only with its token")
    if options.device and not options.server:
        raise ValueError("--device is the name under which --server knows this kiosk: give both")


@contextmanager
def _folder(given: Path | None) -> Iterator[Folder]:
    """The folder that was asked for, or a fresh one, which stays when the demo ran and goes when it could not."""
    if given:
        yield Folder(given)
        return
    folder = Folder(Path(tempfile.mkdtemp(prefix="kiosk-demo-")))
    try:
        yield folder
    except ValueError:
        if not (folder.path / "kiosk.db").exists():
            shutil.rmtree(folder.path)
        raise


def citizens(options: argparse.Namespace) -> float:
    """How many an hour: without a person at the keys somebody has to come."""
    usual = headless.PER_HOUR if options.headless else 0.0
    return usual if options.per_hour is None else float(options.per_hour)


def speed(options: argparse.Namespace) -> float:
    """How fast the office's clock goes."""
    usual = script.SHAPES[options.day].speed if options.day else 1.0
    return usual if options.speed is None else float(options.speed)


def upstream_of(
    options: argparse.Namespace, folder: Folder, token: str, clock: DemoClock, office: Office
) -> Commune | SmallServer:
    """The commune server for whoever looks at the demo; the small one where only events are counted."""
    watched = not (options.headless or options.day or options.small_server)
    return Commune(folder, token, office) if watched and available() else SmallServer(folder, token, clock)


@contextmanager
def built(options: argparse.Namespace, folder: Folder, choose: Choice = upstream_of) -> Iterator[Appliance]:
    """The appliance, started. Printer and server listen before the device is configured: it has to know their ports.

    `choose` makes the server, unless the options name one.
    """
    with ExitStack() as opened:
        opened.enter_context(folder.held())
        if options.day and (folder.path / "kiosk.db").exists():
            raise ValueError(f"--day begins with nothing: {folder.path} was used before, give another --dir")
        own = load_config(options.config) if options.config else None
        document = options.office or (own.office if own else "")
        shape = script.SHAPES.get(options.day)
        limits = shape is not None or citizens(options) <= UNHURRIED
        office = write_office(folder, document, limits, partial(script.office_of, shape))
        begins = script.write(shape, office, START.date(), options.seed).begins if shape else START
        # A day's clock waits for the processes; then the day itself sets its speed.
        clock = DemoClock(folder.clock, _start(folder, begins), 1.0 if shape else speed(options))
        token = write_token(folder, options.token_file)
        slips = Slips(folder)
        printer = upstream = None
        if options.printer is None and own is None:
            printer = EmulatedPrinter(on_slip=slips.keep)
            opened.callback(printer.close)
        if not options.server:
            upstream = choose(options, folder, token, clock, office)
            opened.callback(upstream.stop)
            upstream.start()
        url = "tcp://{}:{}".format(*printer.listen()) if printer else options.printer
        server = upstream.url if upstream else options.server
        watched = not options.headless and shape is None
        config = write_config(
            folder,
            office,
            own,
            device=options.device or DEVICE,
            printer=url,
            server=server,
            language=options.language,
            audible=watched,
        )
        plan = Plan(
            folder, config, office, token, live=watched, window=watched and _display(options), seated=shape is None
        )
        appliance = Appliance(plan, clock, slips, printer, upstream)
        opened.callback(appliance.close)
        appliance.start()
        yield appliance


def _start(folder: Folder, begins: datetime) -> datetime:
    """`begins`, or in a folder that was used before the moment of its last event: time never goes back."""
    if not (folder.path / "kiosk.db").exists():
        return begins
    try:
        with closing(connect(folder.path / "kiosk.db")) as conn:
            row = conn.execute("SELECT line FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    except sqlite3.DatabaseError:
        return begins  # the kiosk sets a damaged one aside
    return max(begins, datetime.fromisoformat(json.loads(row[0])["at"]).astimezone(SITE_TIME)) if row else begins


def _running(appliance: Appliance, stop: threading.Event) -> bool:
    """Wait for the device's first turn. Raises RuntimeError when it does not come; False when somebody ended it."""
    until = time.monotonic() + START_S
    while not appliance.wait_for(lambda seen: seen.running or seen.closed or seen.failed, LOOK_S):
        if stop.is_set():
            return False
        if time.monotonic() > until:
            break
    if appliance.seen.running:
        return True
    log = appliance.plan.folder.log("kiosk")
    last = log.read_text().strip().rpartition("\n")[2]
    raise RuntimeError(f"the kiosk did not start: {last} (all of it: {log})")


def _display(options: argparse.Namespace) -> bool:
    there = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(there) and not options.headless


def _counted(options: argparse.Namespace, appliance: Appliance, stop: threading.Event) -> int:
    print(f"kiosk demo: {appliance.plan.folder.path}", file=sys.stderr)
    result = headless.run(appliance, citizens(options), options.seconds or 20.0, options.seed, stop)
    say(json.dumps(result, ensure_ascii=False))
    for problem in result["problems"]:
        print(f"kiosk demo: {problem}", file=sys.stderr)
    return 1 if result["problems"] else 0


def _rehearsed(options: argparse.Namespace, appliance: Appliance, stop: threading.Event) -> int:
    plan = appliance.plan
    told = sys.stderr if options.headless else sys.stdout
    print(f"kiosk demo: {plan.folder.path}", file=told)
    console = f"http://{plan.config.console.address}:{plan.config.console.port}/"
    print(f"Console: {console}   (PIN {PIN}; Ctrl-C ends it · Ctrl-C để kết thúc)", file=told, flush=True)
    written = script.write(script.SHAPES[options.day], plan.office, START.date(), options.seed)
    result = Day(appliance, written, speed(options), stop).run()
    say(json.dumps(result, ensure_ascii=False) if options.headless else table(result))
    for problem in result["problems"]:
        print(f"kiosk demo: {problem}", file=sys.stderr)
    return 1 if result["problems"] else 0


def _shown(options: argparse.Namespace, appliance: Appliance, stop: threading.Event) -> int:
    from kiosk.simulator.web import Web

    crowds = Crowds(appliance, options.seed)
    web = Web(appliance, crowds, options.port)
    say(f"Kiosk demo: {web.url}   (Ctrl-C ends it · Ctrl-C để kết thúc)")
    say(f"Folder: {appliance.plan.folder.path}")
    web.start()
    story = Story(appliance, say).start()
    threading.Thread(target=_then_citizens, args=[story, crowds, citizens(options)], daemon=True).start()
    try:
        _until(stop, appliance, options.seconds)
    finally:
        story.stop()
        crowds.close()
        web.close()
    say(_end(appliance))
    return 0


def _end(appliance: Appliance) -> str:
    with closing(appliance.store()) as store:
        figures = appliance.figures(store)
    counted = "numbers {tickets}, slips {slips}, ratings {ratings}; {waiting} of {events} events wait for the server"
    return f"Kết thúc · ended: {counted.format(**figures)}. Folder: {appliance.plan.folder.path}"


def _then_citizens(story: Story, crowds: Crowds, per_hour: float) -> None:
    """The first citizen has the office alone, so that each printed line is true of that one."""
    if story.wait() and per_hour:
        story.line(f"Công dân · simulated citizens come from now on, {per_hour:g} an hour")
        crowds.set(per_hour)


def _until(stop: threading.Event, appliance: Appliance, seconds: float | None) -> None:
    """Until somebody ends it: Ctrl-C, the closed window, or the time that was given."""
    until = None if seconds is None else time.monotonic() + seconds
    while not (stop.wait(LOOK_S) or appliance.seen.closed):
        if until is not None and time.monotonic() > until:
            return


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)
