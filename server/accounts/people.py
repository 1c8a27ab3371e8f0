"""Accounts: an administrator's of the own commune, an operator's of all. None is ever deleted: figures name people."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kiosk.texts import Texts, sort_key
from server import asking
from server.accounts import passwords
from server.accounts.access import for_roles, note, person
from server.accounts.models import Role, User
from server.accounts.roles import ACCOUNTS
from server.forms import Form
from server.office.names import names_of
from server.pages import page, say
from server.registry.models import Unit
from server.words import language_of, texts

OF_UNIT = (Role.LEADER, Role.TECHNICIAN, Role.CLERK, Role.ADMIN)
OF_ALL = (Role.OPERATOR, Role.VIEWER)
USERNAME = RegexValidator(r"\A[a-z0-9][a-z0-9._-]{2,59}\Z", code="username")


class AccountForm(Form):
    """An account of a commune, or without one of the whole server. `clerk` is "SITE:ID" of the office's names."""

    name = forms.CharField(label="account.name", max_length=120)
    role = forms.ChoiceField(label="account.role")
    clerk = forms.ChoiceField(label="account.clerk", help_text="account.clerk_hint", required=False)

    def __init__(self, unit: Unit | None, t: Texts, *given: Any, **how: Any) -> None:
        super().__init__(*given, **how)
        roles: Sequence[Role] = OF_UNIT if unit else OF_ALL
        self.fields["role"].choices = [(role, t(f"server_role.{role}")) for role in roles]  # type: ignore[attr-defined]
        if unit is None:
            del self.fields["clerk"]
        else:
            self.fields["clerk"].choices = [("", t("account.clerk_none")), *clerks_of(unit)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A clerk sees the own sums: without a name of the office there are none. Others name it if they serve too."""
        given = super().clean() or self.cleaned_data
        if given.get("role") == Role.CLERK and not given.get("clerk"):
            self.refuse("clerk", "required")
        return given

    def fill(self, user: User) -> User:
        """Put what was given into an account; one of the whole server has no clerk."""
        user.name, user.role = self.text("name"), self.text("role")
        site, _, clerk = str(self.cleaned_data.get("clerk", "")).partition(":")
        user.site_id, user.clerk = (int(site) if site else None), clerk
        return user


class NewAccountForm(AccountForm):
    """The same with the name to sign in with, which stays as it is."""

    username = forms.CharField(
        label="account.username", help_text="account.username_hint", max_length=60, validators=[USERNAME]
    )
    field_order = ("username", "name", "role", "clerk")

    def clean_username(self) -> str:
        """Names are kept in lower case, and each is there once."""
        username = self.text("username").lower()
        if User.objects.is_taken(username):
            raise forms.ValidationError("", "unique")
        return username


def clerks_of(unit: Unit) -> list[tuple[str, str]]:
    """The people of a commune's office documents: ("SITE:ID", name with the reception point)."""
    found = [
        (f"{site.pk}:{id}", f"{name} – {site.name}")
        for site in unit.sites.select_related("unit")
        for id, name in names_of(site).clerks.items()
    ]
    return sorted(found, key=lambda each: sort_key(each[1]))


def _manageable(manager: User) -> QuerySet[User]:
    """The accounts that somebody may change."""
    everybody = User.objects.select_related("unit", "site")
    return everybody.filter(unit=manager.unit_id) if manager.unit_id else everybody


def _unit_asked(request: HttpRequest) -> Unit | None:
    """The commune that the page is about: the own one, for operators the one in the address."""
    who = person(request)
    if who.unit:
        return who.unit
    asked = asking.number(request.GET.get("unit", ""))
    return get_object_or_404(Unit, pk=asked) if asked is not None else None


@for_roles(*ACCOUNTS)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The accounts of a commune, or those of the whole server with the communes to choose from."""
    unit = _unit_asked(request)
    found = sorted(
        _manageable(person(request)).filter(unit=unit), key=lambda user: (not user.is_active, sort_key(user.name))
    )
    units = [] if person(request).unit_id else sorted(Unit.objects.all(), key=lambda each: sort_key(each.name))
    return page(request, "admin/people.html", people=found, unit=unit, units=units)


@for_roles(*ACCOUNTS)
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new account; its first password is shown once."""
    unit, t = _unit_asked(request), texts(language_of(request))
    form = NewAccountForm(unit, t, request.POST or None)
    if form.is_valid():
        user = form.fill(User(username=form.text("username"), unit=unit))
        try:
            with transaction.atomic():
                first = _give_first_password(user)
                note(request, "account.made", _about(user), unit)
        except IntegrityError:  # sent twice: the other one has its password
            form.refuse("username", "unique")
        else:
            return page(request, "admin/first-password.html", subject=user, first=first)
    return page(request, "admin/person.html", 422 if form.is_bound else 200, form=form, subject=None, unit=unit)


@for_roles(*ACCOUNTS)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """An account: its name, role and clerk; the own role stays as it is."""
    user = get_object_or_404(_manageable(person(request)), pk=id)
    t = texts(language_of(request))
    now = {"name": user.name, "role": user.role, "clerk": f"{user.site_id}:{user.clerk}" if user.clerk else ""}
    form = AccountForm(user.unit, t, request.POST or None, initial=now)
    if user == person(request):
        form.fields["role"].disabled = True
    if not form.is_valid():
        return page(
            request, "admin/person.html", 422 if form.is_bound else 200, form=form, subject=user, unit=user.unit
        )
    form.fill(user).save()
    note(request, "account.changed", _about(user), user.unit)
    say(request, "server.saved")
    return _back_to(user)


@for_roles(*ACCOUNTS)
@never_cache
@require_http_methods(["GET", "POST"])
def reset(request: HttpRequest, id: int) -> HttpResponse:
    """A first password again, for whoever forgot the own one; it signs the account out everywhere."""
    user = get_object_or_404(_manageable(person(request)), pk=id)
    if request.method == "GET":  # the page was opened again
        return redirect("person", id)
    first = _give_first_password(user)
    note(request, "account.reset", user.username, user.unit)
    return page(request, "admin/first-password.html", subject=user, first=first)


@for_roles(*ACCOUNTS)
@require_POST
def switch(request: HttpRequest, id: int) -> HttpResponse:
    """Switch an account off or on again; nobody switches the own one off."""
    user = get_object_or_404(_manageable(person(request)).exclude(pk=person(request).pk), pk=id)
    user.is_active = request.POST.get("to") == "on"
    user.save(update_fields=["is_active"])
    note(request, "account.on" if user.is_active else "account.off", user.username, user.unit)
    say(request, "account.switched_on" if user.is_active else "account.switched_off", ten=user.name)
    return _back_to(user)


def _about(user: User) -> str:
    """An account for the audit: whose comments it keeps from its reader is part of it."""
    return f"{user.username} ({', '.join(filter(None, (user.role, user.clerk)))})"


def _give_first_password(user: User) -> str:
    first = passwords.first()
    user.set_password(first)
    user.first_password = True
    user.save()
    return first


def _back_to(user: User) -> HttpResponseRedirect:
    """The list that the account stands in."""
    return redirect(reverse("people") + (f"?unit={user.unit_id}" if user.unit_id else ""))
