"""Which address is answered by what."""

from django.urls import URLPattern, URLResolver, path

from server.accounts import people
from server.accounts import views as accounts
from server.feed import api
from server.office import api as office
from server.phones import views as phones
from server.publication import comment_pages
from server.registry import api as registry
from server.reports import views as reports

urlpatterns: list[URLPattern | URLResolver] = [
    path("", reports.today, name="today"),
    path("sign-in", accounts.sign_in, name="sign-in"),
    path("sign-out", accounts.sign_out, name="sign-out"),
    path("account", accounts.account, name="account"),
    path("account/password", accounts.password, name="password"),
    # administration
    path("admin/people", people.people, name="people"),
    path("admin/people/new", people.new, name="person-new"),
    path("admin/people/<int:id>", people.edit, name="person"),
    path("admin/people/<int:id>/password", people.reset, name="person-reset"),
    path("admin/people/<int:id>/switch", people.switch, name="person-switch"),
    path("api/v1/feed", api.push),
    path("api/v1/health", api.health),
    # how kiosks come in
    path("api/v1/enrol", registry.enrol_kiosk),
    # citizens' phones
    path("T/<path:token>", phones.ticket, name="phone-ticket"),
    path("t/<path:token>", phones.ticket),
    path("C/<path:token>", phones.counter, name="phone-counter"),
    path("c/<path:token>", phones.counter),
    # what is published, and what citizens wrote
    path("publication/", comment_pages.listing, name="publication"),
    path("publication/comments", comment_pages.listing, name="comments"),
    path("publication/comments.csv", comment_pages.sheet, name="comments-sheet"),
    path("publication/comments/<str:id>", comment_pages.change, name="comments-change"),
    # documents
    path("api/v1/office", office.document, {"kind": "office"}),
    path("api/v1/board", office.document, {"kind": "board"}),
    path("api/v1/blob/<slug:sha256>", office.blob),
]

handler404 = "server.errors.not_found"
handler500 = "server.errors.failed"
