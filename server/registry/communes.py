"""Communes with their names over time, and their reception points: an operator's pages, and what they do."""

import unicodedata
from datetime import date, datetime, timedelta

from django import forms
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kiosk.office import ID, UNIT_CODE
from kiosk.public.form import clean
from kiosk.texts import LOCAL, sort_key
from server import clock
from server.accounts.access import for_roles, note
from server.accounts.roles import OPERATORS
from server.forms import Form
from server.office.names import unit_name
from server.pages import page, say
from server.registry.models import Site, Unit, UnitName

TWO_TIERS = date(2025, 7, 1)
"""Communes as they are now began with the two tiers; names of units that were renamed since have their own day."""
MOST = 200


class UnitForm(Form):
    """A commune's official code, and its name from a day on."""

    code = forms.CharField(label="communes.code", max_length=20)
    name = forms.CharField(label="communes.name", help_text="communes.name_hint", max_length=200)
    valid_from = forms.DateField(
        label="communes.valid_from", initial=TWO_TIERS, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )

    def clean_code(self) -> str:
        """A code as the office document takes it, each once."""
        code = self.text("code")
        if not UNIT_CODE.ok(code):
            raise forms.ValidationError("", "unit_code")
        if Unit.objects.filter(code=code).exists():
            raise forms.ValidationError("", "unique")
        return code


class NameForm(UnitForm):
    """Another name from a day on."""

    code = None  # type: ignore[assignment]


class SiteForm(Form):
    """A reception point with its id in the office document."""

    key = forms.CharField(label="communes.site_key", help_text="communes.site_key_hint", max_length=32)
    name = forms.CharField(label="communes.site_name", max_length=200)

    def clean_key(self) -> str:
        """An id as the office document takes it."""
        key = self.text("key")
        if not ID.ok(key):
            raise forms.ValidationError("", "site_key")
        return key


def make_unit(code: str, name: str, valid_from: date, now: datetime) -> Unit:
    """A new commune with its first name. Raises IntegrityError for a code that is there."""
    with transaction.atomic():
        unit = Unit.objects.create(code=code, name=name)
        rename(unit, name, valid_from, now)
    return unit


def rename(unit: Unit, name: str, valid_from: date, now: datetime) -> None:
    """Call a commune so from a day on; the same day again corrects what was entered. Older days keep their names."""
    UnitName.objects.update_or_create(unit=unit, valid_from=valid_from, defaults={"name": name})
    _bring(unit, now)


def bring_names(now: datetime) -> int:
    """Names whose day has come within a month become the present ones; how many."""
    today = now.astimezone(LOCAL).date()
    begun = Unit.objects.filter(names__valid_from__range=(today - timedelta(days=31), today)).distinct()
    return sum(_bring(unit, now) for unit in begun)


def _bring(unit: Unit, now: datetime) -> bool:
    present = unit_name(unit, now.astimezone(LOCAL).date())
    changed = unit.name != present
    if changed:
        unit.name = present
        unit.save(update_fields=["name"])
    return changed


# --- pages ----------------------------------------------------------------------------------------------------


@for_roles(*OPERATORS)
@require_http_methods(["GET", "POST"])
def communes(request: HttpRequest) -> HttpResponse:
    """All communes, or those that are searched for; and a new one."""
    form = UnitForm(request.POST or None)
    if form.is_valid():
        unit = make_unit(form.text("code"), form.text("name"), form.cleaned_data["valid_from"], clock.now())
        note(request, "unit.made", f"{unit.code} {unit.name}", unit)
        say(request, "server.saved")
        return redirect("commune", unit.pk)
    asked = request.GET.get("q", "").strip()
    counted = Unit.objects.annotate(
        places=Count("sites", distinct=True), machines=Count("sites__devices", distinct=True)
    )
    found = [unit for unit in counted if _plain(asked) in _plain(f"{unit.name} {unit.code}")]
    units = sorted(found, key=lambda unit: sort_key(unit.name))
    values = {"units": units[:MOST], "left_out": max(len(units) - MOST, 0), "asked": asked, "form": form}
    return page(request, "admin/communes.html", 422 if form.is_bound else 200, **values)


def _plain(text: str) -> str:
    """Without marks and capitals: who searches often types without them."""
    letters = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


@for_roles(*OPERATORS)
@require_safe
def commune(request: HttpRequest, id: int) -> HttpResponse:
    """One commune."""
    return _shown(request, get_object_or_404(Unit, pk=id))


def _shown(
    request: HttpRequest, unit: Unit, names: NameForm | None = None, sites: SiteForm | None = None
) -> HttpResponse:
    today = {"valid_from": clock.now().astimezone(LOCAL).date()}
    values = {
        "unit": unit,
        "names": unit.names.order_by("-valid_from"),
        "sites": sorted(unit.sites.annotate(machines=Count("devices")), key=lambda site: sort_key(site.name)),
        "name_form": names or NameForm(initial=today, prefix="unit"),
        "site_form": sites or SiteForm(prefix="site"),
    }
    return page(request, "admin/commune.html", 422 if names or sites else 200, **values)


@for_roles(*OPERATORS)
@require_POST
def commune_name(request: HttpRequest, id: int) -> HttpResponse:
    """Another name from a day on."""
    unit = get_object_or_404(Unit, pk=id)
    form = NameForm(request.POST, prefix="unit")
    if not form.is_valid():
        return _shown(request, unit, names=form)
    day = form.cleaned_data["valid_from"]
    rename(unit, form.text("name"), day, clock.now())
    note(request, "unit.renamed", f"{unit.code} {form.text('name')} ({day})", unit)
    say(request, "server.saved")
    return redirect("commune", id)


@for_roles(*OPERATORS)
@require_POST
def site_new(request: HttpRequest, id: int) -> HttpResponse:
    """Another reception point."""
    unit = get_object_or_404(Unit, pk=id)
    form = SiteForm(request.POST, prefix="site")
    if form.is_valid() and unit.sites.filter(key=form.text("key")).exists():
        form.refuse("key", "unique")
    if not form.is_valid():
        return _shown(request, unit, sites=form)
    site, made = Site.objects.get_or_create(unit=unit, key=form.text("key"), defaults={"name": form.text("name")})
    if made:  # else it was sent twice
        note(request, "site.made", f"{site.key} {site.name}", unit)
    say(request, "server.saved")
    return redirect("commune", id)


@for_roles(*OPERATORS)
@require_POST
def site_name(request: HttpRequest, id: int) -> HttpResponse:
    """Another name of a reception point."""
    site = get_object_or_404(Site, pk=id)
    name = clean(request.POST.get("name", ""))
    if 0 < len(name) <= 200:
        site.name = name
        site.save(update_fields=["name"])
        note(request, "site.renamed", f"{site.key} {site.name}", site.unit)
        say(request, "server.saved")
    return redirect("commune", site.unit_id)
