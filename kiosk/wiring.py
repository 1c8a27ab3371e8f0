"""What of kiosk.toml does not fit the office, and what works but is hardly meant. Opens no hardware."""

from collections.abc import Iterator

from kiosk.config import Config, panel_keys, shipped_tables
from kiosk.documents import Problem
from kiosk.office import FACES, Office
from kiosk.panel_rules import BUSES, claims
from kiosk.schema import did_you_mean, near

PINS_ADVICE = {
    "i2c": "also the clock module's, with a fixed pull-up: use them for keys only, and only without a clock module",
    "spi": "also the SPI bus's: switch SPI off (raspi-config, Interface Options)",
    "uart": "also the serial console's: switch the serial port off (raspi-config, Interface Options)",
}


def check_against(config: Config, office: Office) -> list[Problem]:
    """Services and counters that the device's own file names and the office does not have."""
    known = {
        "service": [service.id for service in office.services],
        "counter": [counter.id for counter in office.counters],
    }
    shipped = shipped_tables(config)
    return [
        _unknown(config, f"[{table}] {name}", kind, word, known[kind])
        for table, name, kind, word in _named(config)
        if word not in known[kind] and table not in shipped
    ]


def _unknown(config: Config, where: str, kind: str, word: str, known: list[str]) -> Problem:
    there, meant = ", ".join(known), near(word, known)
    says = f'the office has no {kind} "{word}". It has: {there}.{did_you_mean(meant)}'
    values = {"ten": word, "co": there, "gan": meant}
    return Problem(config.file or "kiosk.toml", "", where, says, f"no_{kind}", values)


def pin_warnings(config: Config) -> list[Problem]:
    """Pins in use that have another job on some Pis: right only when that job is switched off."""
    used = {pin for pin, _ in claims(config.buttons)}
    found = {bus: [str(pin) for pin in BUSES[bus] if pin in used] for bus in PINS_ADVICE}
    return [
        _hint(PINS_ADVICE[bus], f"pins_{bus}", where=f"BCM {', '.join(pins)}") for bus, pins in found.items() if pins
    ]


def advice(config: Config, office: Office) -> list[Problem]:
    """What works but is hardly meant: idle keys, services without a key, pins that have another job."""
    here = {service.id for service in office.services} | {counter.id for counter in office.counters}
    named, shipped = list(_named(config)), shipped_tables(config)
    idle = dict.fromkeys(f"{kind} {word}" for table, _, kind, word in named if table in shipped and word not in here)
    found = pin_warnings(config)
    if idle:
        keys = ", ".join(idle)
        says = f"the shipped keys of {keys} do nothing in this office: wire your own under [buttons]"
        found.append(_hint(says, "idle_keys", phim=keys))
    labels = office.label_set()
    answers = labels.keyed() if labels else {}
    if mute := _rated(config) - set(answers):
        keys, known = ", ".join(sorted(mute)), ", ".join(answers)
        says = f"the rating keys {keys} stand for no answer, only {known} do: wire those"
        found.append(_hint(says, "mute_keys", phim=keys, co=known))
    if not (config.screen.enabled and config.screen.touch):
        found += _unreached(config, office, {word for _, _, kind, word in named if kind == "service"})
    return found


def _unreached(config: Config, office: Office, reached: set[str]) -> Iterator[Problem]:
    """What no key of a device without a touch screen does."""
    for service in office.services:
        if service.id not in reached:
            says = (
                f"no key takes a number of {service.id}: wire it under [buttons.services], or give it a key of a keypad"
            )
            yield _hint(says, "unreached", ten=service.id)
    for action in ("priority", "language"):
        if action not in panel_keys(config):
            says = f"no key for {action}: wire [buttons.{action}], or give it a key of a keypad"
            yield _hint(says, "unwired", ten=action, bang=f"buttons.{action}")


def _hint(says: str, key: str, where: str = "", **values: object) -> Problem:
    return Problem("", "", where, says, key, values)


def _rated(config: Config) -> set[str]:
    """The faces that some key of this device gives."""
    wired = {
        face
        for counter in config.buttons.counters.values()
        for face in FACES
        if getattr(counter, face, None) is not None
    }
    return wired | {
        action.rpartition(":")[2] for action in config.buttons.keyboard.values() if action.startswith("rate:")
    }


def _named(config: Config) -> Iterator[tuple[str, str, str, str]]:
    """Every mention of a service or counter: table, key, "service" or "counter", its id."""
    for name in config.buttons.services:
        yield "buttons.services", name, "service", name
    for name in config.buttons.counters:
        yield "buttons.counters", name, "counter", name
    for pressed, action in config.buttons.keyboard.items():
        if action.startswith("take:"):
            yield "buttons.keyboard", pressed, "service", action[5:]
        elif ":" in action:
            yield "buttons.keyboard", pressed, "counter", action.split(":")[1]
    for at, output in enumerate(config.screen.outputs, 1):
        if output.view.startswith("rate:"):
            yield f"screen.outputs {at}", "view", "counter", output.view[5:]
