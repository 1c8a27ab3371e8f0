"""Which address is answered by what."""

from django.urls import URLPattern, URLResolver, path

from server.accounts import views as accounts
from server.feed import api
from server.registry import api as registry
from server.reports import views as reports

urlpatterns: list[URLPattern | URLResolver] = [
    path("", reports.today, name="today"),
    path("live", reports.live, name="live"),
    path("mine", reports.mine, name="mine"),
    path("sign-in", accounts.sign_in, name="sign-in"),
    path("sign-out", accounts.sign_out, name="sign-out"),
    path("api/v1/feed", api.push),
    path("api/v1/health", api.health),
    # how kiosks come in
    path("api/v1/enrol", registry.enrol_kiosk),
]

handler404 = "server.errors.not_found"
handler500 = "server.errors.failed"
