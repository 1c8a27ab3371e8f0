"""The dashboard and the reports as pages."""

from django.http import HttpRequest, HttpResponse

from server.accounts.access import for_roles
from server.accounts.models import Role
from server.pages import page


@for_roles(*Role)
def today(request: HttpRequest) -> HttpResponse:
    """What happens now."""
    return page(request, "today.html")
