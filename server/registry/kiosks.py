"""Pages about kiosks: the list with how each is, one kiosk, and what may be done with it."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from server import clock
from server.accounts.access import for_roles, note, person
from server.accounts.roles import FETCHERS, KEEPERS, MACHINES
from server.forms import Form
from server.pages import page, say
from server.registry import enrolment
from server.registry.fleet import called, devices_of, healths, last_try, says
from server.registry.health import Health, Level
from server.registry.models import Device, Mode
from server.words import language_of, texts

MOST = 300
"""Rows of a list: those that somebody should look at come first."""


class KioskForm(Form):
    """What people call a kiosk, and how its events come here."""

    label = forms.CharField(label="kiosks.label", help_text="kiosks.label_hint", max_length=120, required=False)
    mode = forms.ChoiceField(label="kiosks.mode")


def kiosk_of(request: HttpRequest, id: int) -> Device:
    """A kiosk of a commune that the person who is signed in may see; Http404 otherwise."""
    return get_object_or_404(devices_of(person(request)), pk=id)


@for_roles(*MACHINES)
@require_safe
def kiosks(request: HttpRequest) -> HttpResponse:
    """The list; fetched by itself again it is the table alone."""
    user, now = person(request), clock.now()
    only = request.GET.get("only", "")
    every = healths(devices_of(user), now)
    shown = [one for one in every if one.level >= Level.LOOK] if only else every
    values: dict[str, Any] = {
        "rows": shown[:MOST],
        "left_out": len(shown) - MOST if len(shown) > MOST else 0,
        "counts": {level: sum(one.level is level for one in every) for level in reversed(Level)},
        "many": user.unit_id is None,
        "may": user.role in KEEPERS,
        "may_fetch": user.role in FETCHERS,
        "only": only,
        **_words(request, now),
    }
    return page(request, "kiosks/table.html" if request.headers.get("HX-Request") else "kiosks/list.html", **values)


@for_roles(*MACHINES)
@require_safe
def kiosk(request: HttpRequest, id: int) -> HttpResponse:
    """One kiosk; fetched by itself again it is its state alone."""
    device, now = kiosk_of(request, id), clock.now()
    (one,) = healths([device], now)
    if request.headers.get("HX-Request"):
        return page(request, "kiosks/state.html", one=one, **_words(request, now))
    return _shown(request, one, _form(request, device), now)


def _shown(request: HttpRequest, one: Health, form: KioskForm, now: datetime, status: int = 200) -> HttpResponse:
    may = person(request).role in KEEPERS
    return page(request, "kiosks/kiosk.html", status, one=one, form=form, may=may, **_words(request, now))


def _form(request: HttpRequest, device: Device) -> KioskForm:
    t = texts(language_of(request))
    form = KioskForm(request.POST or None, initial={"label": device.label, "mode": device.mode})
    modes = [mode for mode in Mode if mode != Mode.PULL or device.pull_url]
    form.fields["mode"].choices = [(mode, t(f"kiosks.by_{mode}")) for mode in modes]  # type: ignore[attr-defined]
    return form


def _words(request: HttpRequest, now: datetime) -> dict[str, Any]:
    t = texts(language_of(request))
    return {
        "now": now,
        "called": called,
        "says": lambda finding: says(finding, t),
        "last_try": lambda device: last_try(device, t),
        "Level": Level,
    }


@for_roles(*KEEPERS)
@require_POST
def change(request: HttpRequest, id: int) -> HttpResponse:
    """Another label or way."""
    device = kiosk_of(request, id)
    form = _form(request, device)
    if not form.is_valid():
        return _shown(request, healths([device], clock.now())[0], form, clock.now(), 422)
    device.label, device.mode = form.text("label"), form.text("mode")
    device.save(update_fields=["label", "mode"])
    note(request, "kiosk.changed", f"{device.name} ({device.mode})", device.site.unit)
    say(request, "server.saved")
    return redirect("kiosk", id)


@for_roles(*KEEPERS)
@require_POST
def admit(request: HttpRequest, id: int) -> HttpResponse:
    """Take the sticks of a kiosk again that was shut out; those that have a network come back with a code."""
    device = kiosk_of(request, id)
    if device.revoked and device.mode == Mode.FILE:
        enrolment.admit(device)
        note(request, "kiosk.admitted", device.name, device.site.unit)
        say(request, "kiosks.admitted_said", may=called(device))
    return redirect("kiosk", id)


@for_roles(*KEEPERS)
@require_POST
def rebuild(request: HttpRequest, id: int) -> HttpResponse:
    """Ask for the facts of a kiosk to be made again from its events; the worker does it within seconds."""
    device = kiosk_of(request, id)
    Device.objects.filter(pk=device.pk).update(rebuild=True)
    note(request, "kiosk.rebuilt", device.name, device.site.unit)
    say(request, "kiosks.rebuild_asked")
    return redirect("kiosk", id)


@for_roles(*KEEPERS)
@never_cache
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, id: int) -> HttpResponse:
    """Shut a kiosk out, after it was asked whether that is meant."""
    device = kiosk_of(request, id)
    if request.method == "GET":
        return page(request, "kiosks/revoke.html", device=device, called=called)
    enrolment.revoke(device)
    note(request, "kiosk.revoked", device.name, device.site.unit)
    say(request, "kiosks.revoked_said", may=called(device))
    return redirect("kiosk", id)
