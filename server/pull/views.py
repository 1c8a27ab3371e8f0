"""The page on which a kiosk is paired whose events the server is to fetch: look, compare, exchange the code."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from server import clock
from server.accounts.access import for_roles, note, person
from server.accounts.roles import FETCHERS
from server.forms import Form
from server.pages import page, say
from server.pull.pairing import PairError, Seen, look, pair
from server.registry.fleet import called
from server.registry.models import Site


class PairForm(Form):
    """Where the kiosk stands and is reached, then the code that it shows, for the certificate that was looked at."""

    site = forms.ModelChoiceField(label="kiosks.site", queryset=Site.objects.none(), empty_label=None)
    label = forms.CharField(label="kiosks.label", help_text="kiosks.label_hint", max_length=120, required=False)
    address = forms.CharField(label="pull.address", help_text="pull.address_hint", max_length=200)
    code = forms.CharField(label="pull.code", help_text="pull.code_hint", max_length=40, required=False)
    fingerprint = forms.CharField(max_length=95, required=False, widget=forms.HiddenInput)


@for_roles(*FETCHERS, whole=False)
@never_cache
@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest) -> HttpResponse:
    """First the address, then the fingerprint to compare and the code."""
    form = PairForm(request.POST or None)
    sites = form.fields["site"]
    sites.queryset = Site.objects.filter(unit__in=person(request).units()).select_related("unit")  # type: ignore[attr-defined]
    sites.label_from_instance = lambda site: f"{site.name} ({site.unit.name})"  # type: ignore[attr-defined]
    if not form.is_valid():
        return _shown(request, form, None, status=422 if form.is_bound else 200)
    seen: Seen | None = None
    try:
        seen = look(form.text("address"))
        if form.text("fingerprint") and form.text("fingerprint") != seen.fingerprint:
            raise PairError("changed")
        if not form.text("code") or not form.text("fingerprint"):
            return _shown(request, form, seen)
        return _paired(request, form, seen)
    except PairError as error:
        return _shown(request, form, seen, error.key, 422)


def _paired(request: HttpRequest, form: PairForm, seen: Seen) -> HttpResponse:
    done = pair(form.cleaned_data["site"], seen, form.text("code"), clock.now(), form.text("label"))
    note(request, "kiosk.paired", f"{done.device.name} ({seen.url})", done.device.site.unit)
    say(request, "pull.done", may=called(done.device))
    return redirect("kiosk", done.device.pk)


def _shown(
    request: HttpRequest, form: PairForm, seen: Seen | None, problem: str = "", status: int = 200
) -> HttpResponse:
    return page(request, "kiosks/pull.html", status, form=form, seen=seen, problem=problem)
