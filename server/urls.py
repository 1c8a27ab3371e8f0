"""Which address is answered by what."""

from django.urls import URLPattern, URLResolver, path

from server.accounts import audit, people
from server.accounts import views as accounts
from server.feed import api
from server.feed import views as feed
from server.office import api as office
from server.office import board_pages, edit_pages
from server.office import pages as documents
from server.phones import views as phones
from server.publication import comment_pages, frozen_pages, public, settings_pages
from server.pull import views as pull
from server.registry import api as registry
from server.registry import communes, enrolling, integrators, kiosks, quarantine
from server.reports import api as figures
from server.reports import views as reports
from server.watch import views as watch

urlpatterns: list[URLPattern | URLResolver] = [
    path("", reports.today, name="today"),
    path("live", reports.live, name="live"),
    path("mine", reports.mine, name="mine"),
    path("reports", reports.reports, name="reports"),
    path("reports/print", reports.report_print, name="report-print"),
    path("reports/csv", reports.report_csv, name="report-csv"),
    path("reports/xlsx", reports.report_xlsx, name="report-xlsx"),
    path("reports/chart/<slug:key>.svg", reports.chart, name="chart"),
    path("sign-in", accounts.sign_in, name="sign-in"),
    path("sign-out", accounts.sign_out, name="sign-out"),
    path("account", accounts.account, name="account"),
    path("account/password", accounts.password, name="password"),
    # kiosks
    path("kiosks", kiosks.kiosks, name="kiosks"),
    path("kiosks/enrol", enrolling.new, name="enrol"),
    path("kiosks/enrol/<int:id>/wait", enrolling.wait, name="enrol-wait"),
    path("kiosks/pull", pull.connect, name="pull"),
    path("kiosks/<int:id>", kiosks.kiosk, name="kiosk"),
    path("kiosks/<int:id>/change", kiosks.change, name="kiosk-change"),
    path("kiosks/<int:id>/renew", enrolling.renew, name="kiosk-renew"),
    path("kiosks/<int:id>/revoke", kiosks.revoke, name="kiosk-revoke"),
    path("kiosks/<int:id>/admit", kiosks.admit, name="kiosk-admit"),
    path("kiosks/<int:id>/rebuild", kiosks.rebuild, name="kiosk-rebuild"),
    path("alarms", watch.alarms, name="alarms"),
    path("alarms/target", watch.target, name="alarms-target"),
    path("alarms/target/test", watch.test, name="alarms-test"),
    path("alarms/target/secret", watch.new_secret, name="alarms-secret"),
    path("alarms/target/told", watch.told, name="alarms-told"),
    path("quarantine", quarantine.quarantine, name="quarantine"),
    path("quarantine/again", quarantine.look_again, name="quarantine-again"),
    # administration
    path("admin/people", people.people, name="people"),
    path("admin/people/new", people.new, name="person-new"),
    path("admin/people/<int:id>", people.edit, name="person"),
    path("admin/people/<int:id>/password", people.reset, name="person-reset"),
    path("admin/people/<int:id>/switch", people.switch, name="person-switch"),
    path("admin/communes", communes.communes, name="communes"),
    path("admin/communes/<int:id>", communes.commune, name="commune"),
    path("admin/communes/<int:id>/name", communes.commune_name, name="commune-name"),
    path("admin/communes/<int:id>/sites", communes.site_new, name="site-new"),
    path("admin/integrators", integrators.integrators, name="integrators"),
    path("admin/integrators/<int:id>/revoke", integrators.revoke, name="integrator-revoke"),
    path("admin/audit", audit.audit, name="audit"),
    path("admin/audit.csv", audit.sheet, name="audit-sheet"),
    path("admin/sites/<int:id>/name", communes.site_name, name="site-name"),
    path("api/v1/feed", api.push),
    path("api/v1/health", api.health),
    # how kiosks come in
    path("api/v1/comments", api.comments),
    path("import", feed.from_stick, name="import"),
    path("api/v1/enrol", registry.enrol_kiosk),
    # citizens' phones
    path("T/<path:token>", phones.ticket, name="phone-ticket"),
    path("t/<path:token>", phones.ticket),
    path("C/<path:token>", phones.counter, name="phone-counter"),
    path("c/<path:token>", phones.counter),
    # what is published, and what citizens wrote
    path("publication/public", settings_pages.published, name="published"),
    path("publication/frozen", frozen_pages.frozen, name="frozen"),
    path("publication/frozen/<int:id>", frozen_pages.frozen_period, name="frozen-period"),
    path("publication/frozen/<int:id>/adjust", frozen_pages.adjust, name="frozen-adjust"),
    path("publication/comments", comment_pages.listing, name="comments"),
    path("publication/comments.csv", comment_pages.sheet, name="comments-sheet"),
    path("publication/comments/<str:id>", comment_pages.change, name="comments-change"),
    path("publication/letters", settings_pages.letters_page, name="letters"),
    path("publication/bulletin", settings_pages.bulletin, name="bulletin"),
    path("explain", frozen_pages.explain, name="explain"),
    path("cong-khai/chot/<str:key>", public.frozen, name="public-frozen"),
    path("cong-khai/chot/<str:key>/<int:number>", public.frozen, name="public-revision"),
    path("cong-khai/chot/<str:key>/<int:number>/giai-trinh", public.frozen_explained),
    path("cong-khai/<str:code>", public.unit, name="public-unit"),
    path("cong-khai/<str:code>/<str:site>", public.unit, name="public-site"),
    path("cong-khai/<str:code>/<str:site>/giai-trinh", public.explained),
    # what programs of others read
    path("api/v1/tickets", figures.tickets),
    path("api/v1/days", figures.days),
    path("api/v1/ratings", figures.ratings),
    path("api/v1/openapi.json", figures.openapi),
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

handler400 = "server.errors.unreadable"
handler404 = "server.errors.not_found"
handler500 = "server.errors.failed"
