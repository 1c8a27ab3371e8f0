"""Which address is answered by what."""

from django.urls import URLPattern, URLResolver, path

from server.accounts import people
from server.accounts import views as accounts
from server.feed import api
from server.office import api as office
from server.office import board_pages, edit_pages
from server.office import pages as documents
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
    path("documents/", documents.sites, name="documents"),
    path("documents/photo/<str:name>", documents.photo, name="documents-photo"),
    path("documents/<int:id>", documents.site, name="documents-site"),
    path("documents/<int:id>/copy", documents.copy, name="documents-copy"),
    path("documents/<int:id>/text", edit_pages.text, name="documents-text"),
    path("documents/<int:id>/office.toml", edit_pages.download, name="documents-download"),
    path("documents/<int:id>/edit/<slug:name>", edit_pages.part, name="documents-part"),
    path("documents/<int:id>/board/edit", board_pages.board, name="documents-board"),
    path("documents/<int:id>/<slug:kind>/<int:version>", documents.version, name="documents-version"),
    path("documents/<int:id>/<slug:kind>/<int:version>/restore", documents.restore, name="documents-restore"),
    path("api/v1/office", office.document, {"kind": "office"}),
    path("api/v1/board", office.document, {"kind": "board"}),
    path("api/v1/blob/<slug:sha256>", office.blob),
]

handler404 = "server.errors.not_found"
handler500 = "server.errors.failed"
