"""The network between the machine and this computer: the console's pages, events on their way up, a pulled cable."""

import urllib.request
from collections.abc import Callable
from time import monotonic, sleep

from django.test import override_settings

from server import clock
from server.feed.models import Event
from server.registry.enrolment import make_code
from server.registry.models import Site
from tests.appliance.books import books
from tests.appliance.machine import Machine, MachineError
from tests.appliance.network import HOST
from tests.appliance.test_keys_and_paper import taken
from tests.server.kit import Server

NAME = "xa-thu-vm"


def until(what: str, holds: Callable[[], bool], timeout_s: float = 120.0) -> None:
    """Return as soon as it holds."""
    end = monotonic() + timeout_s
    while not holds():
        if monotonic() > end:
            raise MachineError(f"not in {timeout_s:g} s: {what}")
        sleep(0.5)


def test_the_console_answers_over_the_network(machine: Machine) -> None:
    (port,) = machine.ports
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
        assert answer.status == 200


def test_numbers_reach_the_commune_server_also_those_of_a_cut_network(machine: Machine, lite: Server) -> None:
    def known() -> int:
        return Event.objects.filter(device=NAME, type="ticket.issued").count()

    with override_settings(ALLOWED_HOSTS=[HOST]), lite.serving(with_worker=True) as url:
        port = url.rpartition(":")[2]
        site = Site.objects.create(unit=lite.unit, key="thu", name="Điểm thử")
        code = make_code(site, clock.now())
        machine.sh(f"kiosk enrol --allow-plain-http http://{HOST}:{port} {code}")
        machine.eventually("systemctl is-active kiosk-sync", 600)
        until("the numbers of before are with the server", lambda: known() == len(books(machine).tickets), 300)
        taken(machine, "ho-tich")
        until("all numbers are with the server", lambda: known() == len(books(machine).tickets))
        machine.qmp("set_link", name="net0", up=False)
        taken(machine, "chung-thuc")
        taken(machine, "dat-dai")
        assert known() == len(books(machine).tickets) - 2
        machine.qmp("set_link", name="net0", up=True)
        until("all numbers are with the server", lambda: known() == len(books(machine).tickets), 600)
        machine.sh("kiosk enrol --leave")
