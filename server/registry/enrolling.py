"""The page that lets a kiosk in: it makes a one-time code, shows it, and watches until the kiosk has come."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HTMX_STOP_POLLING

from server import clock, qr
from server.accounts.access import for_roles, note, person
from server.accounts.models import User
from server.accounts.roles import KEEPERS
from server.forms import Form
from server.pages import page, say
from server.registry.enrolment import LIFE, TRIES, EnrolError, code_hash, command, make_code, register
from server.registry.fleet import called
from server.registry.kiosks import kiosk_of
from server.registry.models import Device, EnrolCode, Mode, Site
from server.words import language_of, texts
from sync import wire


class EnrolForm(Form):
    """Where a new kiosk stands, what people will call it, and how its events come here."""

    site = forms.ModelChoiceField(label="kiosks.site", queryset=Site.objects.none(), empty_label=None)
    label = forms.CharField(label="kiosks.label", help_text="kiosks.label_hint", max_length=120, required=False)
    mode = forms.ChoiceField(label="kiosks.mode")
    name = forms.CharField(label="kiosks.name", help_text="kiosks.name_hint", max_length=64, required=False)

    def clean_name(self) -> str:
        """A kiosk that brings no code must be named."""
        name = self.text("name")
        if self.cleaned_data.get("mode") != Mode.FILE:
            return ""
        try:
            return wire.check_device(name)
        except wire.WireError:
            raise forms.ValidationError("", "device") from None


def _form(request: HttpRequest, user: User) -> EnrolForm:
    t = texts(language_of(request))
    form = EnrolForm(request.POST or None)
    sites = form.fields["site"]
    sites.queryset = Site.objects.filter(unit__in=user.units()).select_related("unit")  # type: ignore[attr-defined]
    sites.label_from_instance = lambda site: f"{site.name} ({site.unit.name})"  # type: ignore[attr-defined]
    modes = (Mode.PUSH, Mode.FILE)
    form.fields["mode"].choices = [(mode, t(f"kiosks.by_{mode}")) for mode in modes]  # type: ignore[attr-defined]
    return form


@for_roles(*KEEPERS)
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new kiosk: a code for it, or its name when it brings none."""
    form = _form(request, person(request))
    if not form.is_valid():
        return page(request, "kiosks/enrol.html", 422 if form.is_bound else 200, form=form)
    site: Site = form.cleaned_data["site"]
    if form.text("mode") == Mode.PUSH:
        note(request, "kiosk.code", f"{site.name}: {form.text('label')}", site.unit)
        return _code(request, make_code(site, clock.now(), label=form.text("label")), site)
    try:
        device = register(site, form.text("name"), Mode.FILE, clock.now(), form.text("label"))
    except EnrolError:
        form.refuse("name", "unique")
        return page(request, "kiosks/enrol.html", 422, form=form)
    note(request, "kiosk.registered", device.name, site.unit)
    say(request, "server.saved")
    return redirect("kiosk", device.pk)


@for_roles(*KEEPERS)
@never_cache
@require_http_methods(["GET", "POST"])
def renew(request: HttpRequest, id: int) -> HttpResponse:
    """A code for a kiosk that is there: its token is given anew, or its card was replaced."""
    device = kiosk_of(request, id)
    if request.method == "GET":  # the page was opened again: its code was shown once
        return redirect("kiosk", id)
    note(request, "kiosk.code", device.name, device.site.unit)
    return _code(request, make_code(device.site, clock.now(), device=device), device.site, device)


def _code(request: HttpRequest, code: str, site: Site, device: Device | None = None) -> HttpResponse:
    """The code, big and as QR: what is in it is the command to be typed."""
    typed = command(settings.CONFIG, code)
    values: dict[str, Any] = {
        "code": code,
        "command": typed,
        "symbol": qr.svg(typed),
        "plain": not (settings.CONFIG.secure or settings.CONFIG.only_here),
        "site": site,
        "device": device,
        **_waiting(EnrolCode.objects.get(code=code_hash(code)), clock.now()),
    }
    return page(request, "kiosks/code.html", called=called, **values)


@for_roles(*KEEPERS)
@require_safe
def wait(request: HttpRequest, id: int) -> HttpResponse:
    """Whether the kiosk has come: fetched by the page every two seconds, until there is nothing to wait for."""
    row = get_object_or_404(EnrolCode.objects.filter(site__unit__in=person(request).units()), pk=id)
    values = _waiting(row, clock.now())
    status = HTMX_STOP_POLLING if values["state"] in ("over", "spoilt", "speaks") else 200
    return page(request, "kiosks/waiting.html", status, called=called, **values)


def _waiting(row: EnrolCode, now: datetime) -> dict[str, Any]:
    """How far an enrolment is: waits, used (it has its token), speaks (its first batch is here), over or spoilt."""
    left = row.made + LIFE - now
    minutes = max(int(left.total_seconds() // 60), 0)
    if row.used:
        spoke = row.device is not None and row.device.seen is not None and row.device.seen >= row.made
        state = "speaks" if spoke else "used"
    else:
        state = "spoilt" if row.tries >= TRIES else "over" if left.total_seconds() <= 0 else "waits"
    return {"row": row, "state": state, "minutes": minutes}
