"""The child process of the demo that is the commune server: the real one, with a leader who needs no password.

The door without a password is an address of this process alone; `kiosk-server` does not know it.
"""

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from kiosk.clock import SimulatedClock
from kiosk.office import Office
from kiosk.simulator.children import Parent, end_with_the_demo
from server import config as configuration

LEADER = "lanh-dao"


def main() -> int:
    """Serve until the demo is gone."""
    parent = Parent()
    told = json.loads(Path(sys.argv[1]).read_text())
    os.environ[configuration.ENVIRONMENT] = told["config"]
    os.environ["DJANGO_SETTINGS_MODULE"] = "kiosk.simulator.commune_settings"
    os.environ["KIOSK_DEMO_KEY"] = told["key"]
    configuration.make_folder(configuration.load())
    import django

    django.setup()
    _prepare(told)
    _serve(parent)
    return 0


def _prepare(told: dict[str, Any]) -> None:
    """The commune of the office document, its kiosk, and a leader."""
    from django.core.management import call_command

    from server import clock
    from server.accounts.models import Role, User
    from server.feed.intake import digest
    from server.office.models import Document
    from server.registry.models import Device, Site, Unit

    clock.follow(lambda: SimulatedClock(Path(told["clock"])).now().at)
    call_command("migrate", verbosity=0, interactive=False)
    office = Office.from_json(Path(told["office"]).read_bytes())
    unit, _ = Unit.objects.get_or_create(code=office.unit.code, defaults={"name": office.unit.name})
    site, _ = Site.objects.get_or_create(unit=unit, key=office.site.id, defaults={"name": office.site.name})
    fields = {"sha256": office.sha256, "content": office.to_json(), "at": clock.now(), "by": told["device"]}
    Document.objects.get_or_create(site=site, kind="office", version=office.version, defaults=fields)
    Device.objects.update_or_create(name=told["device"], defaults={"site": site, "token": digest(told["token"])})
    if not User.objects.filter(username=LEADER).exists():
        User.objects.create_user(LEADER, None, name="Lãnh đạo (bản thử)", role=Role.LEADER, unit=unit)


def _serve(parent: Parent) -> None:
    from django.conf import settings
    from waitress.server import create_server

    from server.work import Worker
    from server.wsgi import application

    web = create_server(application, host="127.0.0.1", port=settings.CONFIG.port, threads=4, ident="")
    worker = Worker().start()
    signal.signal(signal.SIGTERM, _leave)
    end_with_the_demo(parent, lambda: os.kill(os.getpid(), signal.SIGTERM), 4.0)
    parent.tell(ready=True)
    web.run()
    worker.stop()


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
