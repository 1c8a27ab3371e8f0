"""Questions of the installer to a release, answered by that release itself before it is switched to.

Run with the release's own Python: ask.py usable KIOSK_TOML [OFFICE_TOML] | pictures OFFICE_TOML | ports KIOSK_TOML.
`usable` prints what is wrong, one line each, and ends with exit status 1; the others print one answer a line.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from kiosk import documents, office, revising, setup, wiring
from kiosk.config import load_config


def main(words: Sequence[str]) -> int:
    """Answer one question; its exit status."""
    question, file, *rest = words
    try:
        for line in QUESTIONS[question](file, *rest):
            print(line)
    except documents.DocumentError as error:
        print(error)
        return 1
    return 0


def _wrong(kiosk_toml: str, office_toml: str = "") -> Iterator[str]:
    """Nothing when both can be used. Raises DocumentError with all that is wrong."""
    config = load_config(kiosk_toml)
    document = office.load(office_toml) if office_toml else setup.load_office(config)
    if wrong := wiring.check_against(config, document):
        raise documents.DocumentError(wrong)
    yield from ()


def _pictures(office_toml: str) -> Iterator[str]:
    yield from dict.fromkeys(name for _, name in revising.pictures(office.load(office_toml)))


def _ports(kiosk_toml: str) -> Iterator[str]:
    """Ports of the console; 0 is none."""
    console = load_config(kiosk_toml).console
    yield from (str(port) for port in (console.plain_port, console.port) if port)


QUESTIONS: Mapping[str, Callable[..., Iterator[str]]] = {"usable": _wrong, "pictures": _pictures, "ports": _ports}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
