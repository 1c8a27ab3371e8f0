"""Events that do not fit: what they are, why, and another look at them after a fix."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from server.accounts.access import for_roles, note, person
from server.accounts.roles import KEEPERS
from server.feed.models import Event
from server.pages import page, say
from server.registry.fleet import called, devices_of
from server.registry.models import Device
from server.registry.unfit import why

MOST = 100
MOST_LETTERS = 2000


@for_roles(*KEEPERS)
@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    """The newest events in quarantine of the own kiosks, with reason and line."""
    devices = {device.name: device for device in devices_of(person(request))}
    held = Event.objects.filter(device__in=devices, quarantined__isnull=False)
    rows = [
        {
            "event": event,
            "device": devices[event.device],
            "received": datetime.fromtimestamp(event.received / 1000, UTC),
            "why": why(event.quarantined or ""),
            "line": bytes(event.line).decode("utf-8", "replace")[:MOST_LETTERS],
        }
        for event in held.order_by("-num")[:MOST]
    ]
    return page(request, "kiosks/quarantine.html", rows=rows, total=held.count(), called=called)


@for_roles(*KEEPERS)
@require_POST
def look_again(request: HttpRequest) -> HttpResponse:
    """Make the facts of the kiosks concerned again: what fits now leaves the quarantine. The worker does it."""
    held = Event.objects.filter(quarantined__isnull=False).values("device")
    asked = Device.objects.filter(name__in=held, pk__in=devices_of(person(request)).values("pk")).update(rebuild=True)
    note(request, "quarantine.replayed", str(asked))
    say(request, "quarantine.asked")
    return redirect("quarantine")
