"""Programs of others that may read figures: each has a token, shown once and kept as its hash."""

import secrets

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from server import clock
from server.accounts.access import for_roles, note, person
from server.accounts.models import User
from server.accounts.roles import ACCOUNTS
from server.feed.intake import digest
from server.forms import Form
from server.pages import page, say
from server.registry.models import Integrator


class IntegratorForm(Form):
    """What the program is called, so that a token is known again when it is to end."""

    name = forms.CharField(label="integrators.name", help_text="integrators.name_hint", max_length=120)


def _manageable(user: User) -> QuerySet[Integrator]:
    every = Integrator.objects.select_related("unit")
    return every.filter(unit=user.unit_id) if user.unit_id else every


@for_roles(*ACCOUNTS)
@never_cache
@require_http_methods(["GET", "POST"])
def integrators(request: HttpRequest) -> HttpResponse:
    """The programs that may read, and a token for another one: of the own commune, an operator's of all communes."""
    user, token = person(request), ""
    form = IntegratorForm(request.POST or None)
    if form.is_valid():
        token = secrets.token_urlsafe(32)
        name = form.text("name")
        Integrator.objects.create(name=name, unit=user.unit, token=digest(token), made=clock.now())
        note(request, "integrator.made", name)
        form = IntegratorForm()
    rows = _manageable(user).order_by("revoked", "-made")
    status = 422 if form.is_bound else 200
    return page(request, "admin/integrators.html", status, rows=rows, form=form, token=token, many=user.unit is None)


@for_roles(*ACCOUNTS)
@require_POST
def revoke(request: HttpRequest, id: int) -> HttpResponse:
    """End a token; the row stays, so that the audit names something."""
    row = get_object_or_404(_manageable(person(request)), pk=id)
    row.revoked = True
    row.save(update_fields=["revoked"])
    note(request, "integrator.revoked", row.name, row.unit)
    say(request, "integrators.revoked_said", ten=row.name)
    return redirect("integrators")
