"""Which address is answered by what."""

from django.urls import URLPattern, URLResolver, path

from server.accounts import views as accounts
from server.feed import api
from server.office import api as office
from server.reports import views as reports

urlpatterns: list[URLPattern | URLResolver] = [
    path("", reports.today, name="today"),
    path("sign-in", accounts.sign_in, name="sign-in"),
    path("sign-out", accounts.sign_out, name="sign-out"),
    path("api/v1/feed", api.push),
    path("api/v1/health", api.health),
    # documents
    path("api/v1/office", office.document, {"kind": "office"}),
    path("api/v1/board", office.document, {"kind": "board"}),
    path("api/v1/blob/<slug:sha256>", office.blob),
]

handler404 = "server.errors.not_found"
handler500 = "server.errors.failed"
