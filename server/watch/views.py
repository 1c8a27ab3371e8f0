"""Pages about alarms: which there are and were, and who is told."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kiosk.texts import sort_key
from server import asking, clock
from server.accounts.access import for_roles, note, person
from server.accounts.roles import ACCOUNTS, MACHINES
from server.forms import Form
from server.pages import page, say
from server.registry.fleet import called
from server.registry.models import Unit
from server.watch import problems
from server.watch.alarms import ways_of
from server.watch.message import sentence
from server.watch.models import Alarm, Edge, Notice, Target
from server.watch.webhook import Refused, parts, secret_of
from server.words import language_of, texts

MOST, MOST_MAILS = 100, 10


class TargetForm(Form):
    """Whom the alarms of a commune are told to."""

    mails = forms.CharField(
        label="alarms.mails", help_text="alarms.mails_hint", required=False, max_length=1000,
        widget=forms.Textarea({"rows": 3}),
    )  # fmt: skip
    url = forms.CharField(label="alarms.url", help_text="alarms.url_hint", required=False, max_length=300)

    def clean_mails(self) -> str:
        """One address a line."""
        found = self.text("mails").replace(",", " ").replace(";", " ").split()
        for address in found:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError("", "mail", {"value": address}) from None
        if len(found) > MOST_MAILS:
            raise ValidationError("", "many_mails", {"most": MOST_MAILS})
        return "\n".join(dict.fromkeys(found))

    def clean_url(self) -> str:
        """An https address that is not obviously one of our own network's."""
        url = self.text("url")
        try:
            if url:
                parts(url)
        except Refused:
            raise ValidationError("", "webhook") from None
        return url


@for_roles(*MACHINES)
@require_safe
def alarms(request: HttpRequest) -> HttpResponse:
    """The alarms that last, and those of late; fetched by itself again it is the table alone."""
    user, t = person(request), texts(language_of(request))
    own = Alarm.objects.filter(device__site__unit__in=user.units()).select_related("device__site__unit")
    values: dict[str, Any] = {
        "lasting": own.filter(ended=None, told=True).order_by("-began"),
        "over": own.exclude(ended=None).order_by("-began")[:MOST],
        "many": user.unit_id is None,
        "called": called,
        "sentence": lambda alarm: sentence(alarm, t),
    }
    part = request.headers.get("HX-Request")
    return page(request, "alarms/table.html" if part else "alarms/list.html", may=user.role in ACCOUNTS, **values)


def _unit_asked(request: HttpRequest) -> Unit | None:
    """The commune whose settings these are: the own one, for operators the one in the address."""
    user = person(request)
    if user.unit:
        return user.unit
    asked = asking.number(request.GET.get("unit", ""))
    return get_object_or_404(Unit, pk=asked) if asked is not None else None


@for_roles(*ACCOUNTS)
@never_cache
@require_http_methods(["GET", "POST"])
def target(request: HttpRequest) -> HttpResponse:
    """Whom the alarms of a commune are told to."""
    unit = _unit_asked(request)
    if unit is None:
        units = sorted(Unit.objects.all(), key=lambda each: sort_key(each.name))
        return page(request, "alarms/units.html", units=units)
    found = Target.objects.filter(unit=unit).first() or Target(unit=unit)
    form = TargetForm(request.POST or None, initial={"mails": found.mails, "url": found.url})
    if form.is_valid():
        found.mails, found.url = form.text("mails"), form.text("url")
        found.save()
        note(request, "alarms.target", f"{len(found.mails.split())} mails, {found.url}", unit)
        say(request, "server.saved")
        return redirect(_address(request, unit))
    values = {"form": form, "target": found, "unit": unit, "no_mail": not settings.CONFIG.mail.host}
    values |= {"secret": secret_of(found) if found.url else "", "tail": _tail(request, unit), **_told(request, unit)}
    return page(request, "alarms/target.html", 422 if form.is_bound else 200, **values)


@for_roles(*ACCOUNTS)
@require_safe
def told(request: HttpRequest) -> HttpResponse:
    """The last notices and what became of them: a part of the page, fetched again by itself."""
    unit = _unit_asked(request)
    return page(request, "alarms/told.html", **_told(request, unit)) if unit else redirect("alarms-target")


def _told(request: HttpRequest, unit: Unit) -> dict[str, Any]:
    t = texts(language_of(request))
    notices = Notice.objects.filter(unit=unit).select_related("alarm__device").order_by("-id")[:20]
    return {"notices": [(notice, *problems.said(notice.problem, t)) for notice in notices]}


@for_roles(*ACCOUNTS)
@require_POST
def test(request: HttpRequest) -> HttpResponse:
    """Tell a trial message in all ways that are set; the page shows what becomes of it."""
    unit = _unit_asked(request)
    found = get_object_or_404(Target, unit=unit)
    now = clock.now()
    for way in ways_of(found):
        Notice.objects.create(unit=found.unit, way=way, edge=Edge.TEST, made=now, due=now)
    note(request, "alarms.test", ", ".join(ways_of(found)), unit)
    return redirect(_address(request, found.unit))


@for_roles(*ACCOUNTS)
@require_POST
def new_secret(request: HttpRequest) -> HttpResponse:
    """Another secret for the webhook; the old one signs nothing any more."""
    unit = _unit_asked(request)
    found = get_object_or_404(Target, unit=unit)
    found.round += 1
    found.save(update_fields=["round"])
    note(request, "alarms.secret", found.url, unit)
    say(request, "alarms.secret_made")
    return redirect(_address(request, found.unit))


def _tail(request: HttpRequest, unit: Unit) -> str:
    return "" if person(request).unit_id else f"?unit={unit.pk}"


def _address(request: HttpRequest, unit: Unit) -> str:
    return reverse("alarms-target") + _tail(request, unit)
