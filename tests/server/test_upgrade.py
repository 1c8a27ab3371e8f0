"""The database of every earlier release migrates, on both engines: pages answer, figures are those of then."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.test import Client, override_settings
from django.urls import reverse

from server.accounts.models import Role, User
from server.facts.models import Cursor, Dirty, Fact, Rollup, Ticket
from server.feed.models import Event
from server.nav import PAGES
from server.publication.models import Revision
from server.registry.models import Device
from server.work import settle
from sync import wire
from tests.server import release
from tests.server.kit import ENGINES, TOKEN, Server, batch_of, empty_database

RELEASES = sorted(path for path in release.FOLDER.iterdir() if path.is_dir())
CHANGES = Path(__file__).parents[2] / "CHANGELOG.md"
FIRST = (0, 4, 0)
"""The first release with a server."""


@pytest.fixture(
    params=[(engine, of) for of in RELEASES for engine in ENGINES], ids=lambda each: f"{each[1].name}-{each[0]}"
)
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The database of a release after this one was started with it; the clock stands at the hour of the release."""
    engine, of = request.param
    config = override_settings(CONFIG=replace(settings.CONFIG, data_dir=str(tmp_path)))
    with config, empty_database(engine, tmp_path):
        release.build(of)
        call_command("migrate", verbosity=0, interactive=False)
        with release.standing_at(release.NOW):
            yield of


def test_what_programs_and_views_tell_is_what_the_release_told_and_again_when_all_is_made_of_the_events(upgraded: Path):
    then = release.read(upgraded, "answers")
    assert release.same(then, release.answers())
    missed = Ticket.objects.filter(state="closed", misses__gt=0, calls__gt=0)
    assert set(Dirty.objects.values_list("site", "day")) == set(missed.values_list("site", "day"))
    assert missed.exists()
    days = set(Rollup.objects.values_list("site", "day"))
    Dirty.objects.bulk_create((Dirty(site_id=site, day=day) for site, day in days), ignore_conflicts=True)
    admin = Client()
    admin.force_login(User.objects.get(role=Role.ADMIN), "django.contrib.auth.backends.ModelBackend")
    for device in Device.objects.all():
        assert admin.post(f"/kiosks/{device.pk}/rebuild").status_code == 302
    before = Cursor.objects.get().rebuilds
    settle(release.NOW)
    assert not Dirty.objects.exists()
    assert Cursor.objects.get().rebuilds > before
    now = release.answers()
    assert release.same(release.unserved_together(then), release.unserved_together(now))
    assert not release.same(then, now), "0.4 counted who missed a call as not served that day"


def test_every_page_answers_whoever_asks(upgraded: Path):
    for user in User.objects.all():
        browser = Client()
        browser.force_login(user, "django.contrib.auth.backends.ModelBackend")
        for address in _pages(user):
            answer = browser.get(address, follow=True)
            assert (address, answer.status_code) == (address, 200)


def _pages(user: User) -> list[str]:
    pages = [page for group in PAGES for page in (group.tabs or (group,)) if user.role in page.roles]
    found = [reverse(page.key) for page in pages]
    if user.role in (Role.LEADER, Role.ADMIN):
        found += ["/documents/1", "/documents/1/office/2", "/documents/1/board/1", "/publication/frozen/1"]
        found += [f"/reports?period=2026-11&by={by}" for by in ("service", "counter", "clerk", "hour")]
    if user.role == Role.ADMIN:
        found += [
            f"/admin/people/{user.pk}",
            "/kiosks/1",
            "/documents/1/text",
            "/documents/1/edit/people",
            "/alarms/target",
        ]
    return found


def test_citizens_see_what_they_saw(upgraded: Path):
    posters = Fact.objects.filter(kind="poster").values_list("key", flat=True)
    assert posters
    codes = [f"/T/{Ticket.objects.earliest('num').token}", *(f"/C/{code}" for code in posters)]
    frozen = Revision.objects.select_related("frozen").get()
    public = f"/cong-khai/chot/{frozen.frozen.key}/{frozen.number}"
    for address in [*codes, "/cong-khai/12345", public]:
        assert (address, Client().get(address).status_code) == (address, 200)
    assert "6/14" in re.sub(r"<[^>]+>", "", Client().get(public).content.decode())


def test_a_kiosk_goes_on_where_it_was_and_what_is_set_aside_is_kept(upgraded: Path):
    device = Device.objects.get(name="k-7F3K2M")
    known = [
        bytes(line) for line in Event.objects.filter(device=device.name).order_by("seq").values_list("line", flat=True)
    ]
    aside, everything = Event.objects.exclude(quarantined=None).count(), Event.objects.count()
    new = wire.event_line("device.started", {}, wire.Stamp(release.NOW, "ntp", "b0070010", 1))
    batch = batch_of(known, [new], device.name, device.epoch)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = Client().post(
        "/api/v1/feed", wire.encode_batch(batch, False), content_type=wire.CONTENT_TYPE, headers=headers
    )
    assert answer.status_code == 200
    settle(release.NOW)
    assert Event.objects.count() == everything + 1
    assert Event.objects.exclude(quarantined=None).count() == aside > 0
    fresh = Cursor.objects.get().num
    assert fresh == Event.objects.latest("num").num


# --- what was released stays ----------------------------------------------------------------------------------


def test_a_migration_of_a_release_is_never_edited_taken_away_or_squashed():
    for of in RELEASES:
        for app, names in release.read(of, "migrations").items():
            files = release.migration_files(app)
            changed = {
                name for name, sha256 in names.items() if name not in files or release.sha256(files[name]) != sha256
            }
            assert not changed, f"{app}: make another migration instead of changing one of {of.name}"
    loader = MigrationLoader(connection=None)
    squashed = [
        key for key, migration in loader.disk_migrations.items() if key[0] in release.own_apps() and migration.replaces
    ]
    assert not squashed


def test_models_and_migrations_say_the_same(lite: Server):
    call_command("makemigrations", *release.own_apps(), check=True, dry_run=True, verbosity=0)


def test_every_release_before_this_one_is_kept():
    versions = re.findall(r"^## (\d+)\.(\d+)\.(\d+) ", CHANGES.read_text(), re.MULTILINE)
    before = [".".join(version) for version in versions[1:] if tuple(map(int, version)) >= FIRST]
    kept = [of.name for of in RELEASES]
    missing = set(before) - set(kept)
    assert not missing, "in a clone of that release: python -m tests.server tests/server/releases/VERSION"
