"""What the page shows, as plain values: what never changes while the demo runs, and what does."""

from collections.abc import Mapping
from typing import Any

from kiosk.config import Buttons
from kiosk.office import Counter, Service
from kiosk.simulator.appliance import Appliance, wired
from kiosk.simulator.citizens import FACES, Crowds
from kiosk.simulator.folder import PIN

SLIPS_SHOWN = 12


def office(appliance: Appliance) -> dict[str, Any]:
    """The office, its keys and the device's screens."""
    plan = appliance.plan
    pins, lamps = wired(plan.config)
    letters = _letters(plan.config.buttons)
    reached = pins | letters.keys()
    levels = plan.office.label_set()
    labels = {face: level.text for face in FACES if levels and (level := levels.by_key(face))}
    return {
        "unit": plan.office.unit.name,
        "site": plan.office.site.name,
        "folder": str(plan.folder.path),
        "language": plan.config.language,
        "views": [{"name": o.view, "width": o.pixels[0], "height": o.pixels[1]} for o in plan.config.screen.outputs],
        "services": [_service(service, letters) for service in plan.office.services],
        "counters": [_counter(counter, plan.office.clerk(counter.clerk)) for counter in plan.office.counters],
        "labels": labels,
        "keys": sorted(reached),
        "pins": sorted(pins),
        "lamps": sorted(lamps),
        "letters": letters,
        "faults": appliance.possible_faults(),
        "console": f"http://{plan.config.console.address}:{plan.config.console.port}",
        "pin": PIN,
        "commune": appliance.upstream.door if appliance.upstream else "",
        "emulated": {"printer": appliance.printer is not None, "server": appliance.upstream is not None},
    }


def _service(service: Service, letters: Mapping[str, str]) -> dict[str, str]:
    return {
        "id": service.id,
        "digit": service.digit,
        "name": service.short or service.name,
        "name_en": service.name_en,
        "colour": service.colour,
    }


def _counter(counter: Counter, clerk: Any) -> dict[str, Any]:
    return {"id": counter.id, "label": counter.label, "clerk": clerk.name if clerk else ""}


def _letters(buttons: Buttons) -> dict[str, str]:
    """Action → the key of the keyboard; the first one that was written down."""
    letters: dict[str, str] = {}
    for name, action in buttons.keyboard.items():
        letters.setdefault(action, name)
    return letters


def now(appliance: Appliance, crowds: Crowds) -> dict[str, Any]:
    """Everything that moves, part by part."""
    course = appliance.clock.course
    with appliance.changed:
        seen = appliance.seen
        return {
            "clock": {"at": course.at.isoformat(), "real": course.real_ms, "speed": course.speed},
            "device_clock_wrong": appliance.clock.wrong,
            "running": seen.running,
            "printer": seen.printer if seen.running else "unknown",
            "lamps": dict(seen.lamps),
            "armed": dict(seen.armed),
            "frames": dict(seen.frames),
            "slips": seen.slips[-SLIPS_SHOWN:],
            "calls": list(seen.calls),
            "figures": dict(seen.figures),
            "desks": dict(seen.desks),
            "queues": dict(seen.queues),
            "server": seen.server,
            "faults": sorted(appliance.faults),
            "per_hour": crowds.per_hour,
        }
