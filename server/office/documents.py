"""Documents in their versions: which one is offered, how the next one gets its number, who was first."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import overload

from django.db import transaction
from django.db.models import Max, QuerySet

from kiosk.board_document import BoardDocument
from kiosk.office import Office
from server.facts.models import Fact
from server.office.models import Blob, Document, Kind
from server.registry.models import Site

PHOTO_VERSIONS = 5
_SHA256 = re.compile(r"[0-9a-f]{64}")
HIGHEST = 10**8
"""A kiosk that tells of a higher version is not believed."""


class Conflict(ValueError):
    """Somebody else published meanwhile: `newest` is what they published."""

    def __init__(self, newest: Document) -> None:
        super().__init__(f"version {newest.version} was published meanwhile by {newest.by}")
        self.newest = newest


def newest(site: Site, kind: str) -> Document | None:
    """The version that kiosks of a site get, None before the first."""
    return Document.objects.filter(site=site, kind=kind).order_by("-version").first()


def offered(site_id: int) -> dict[str, int]:
    """The newest version of each kind of document of a site; 0 for none."""
    rows = Document.objects.filter(site_id=site_id).values_list("kind").annotate(Max("version")).order_by()
    return {**dict.fromkeys(Kind.values, 0), **dict(rows)}


def photos(site: Site, hashes: Iterable[str]) -> QuerySet[Blob]:
    """Those of these photos that one of the last office documents of a site names: others are other communes'.

    A kiosk may still be fetching those of a version that was replaced meanwhile.
    """
    rows = Document.objects.filter(site=site, kind=Kind.OFFICE).order_by("-version").values_list("content", flat=True)
    texts = [bytes(content) for content in rows[:PHOTO_VERSIONS]]
    asked = [sha256 for sha256 in hashes if _SHA256.fullmatch(sha256)]
    return Blob.objects.filter(
        sha256__in=[sha256 for sha256 in asked if any(sha256.encode() in text for text in texts)]
    )


def etag(document: Document) -> str:
    """Names one content for ever: a server that was restored may give a number a second time."""
    return f'"{document.version}-{document.sha256}"'


def read(document: Document) -> Office | BoardDocument:
    """What a version says. Raises DocumentError for one of another release that this one cannot read."""
    made = Office if document.kind == Kind.OFFICE else BoardDocument
    return made.from_json(bytes(document.content), "")


def publish(site: Site, what: Office | BoardDocument, *, seen: int, by: str, note: str, now: datetime) -> Document:
    """Make a new version with this content, under the next number. `seen` is the newest version that its author knew.

    Raises Conflict when there is a newer one.
    """
    kind = Kind.OFFICE if isinstance(what, Office) else Kind.BOARD
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)
        last = newest(site, kind)
        if last is not None and last.version != seen:
            raise Conflict(last)
        numbered = _numbered(what, _next(site, kind, last))
        return Document.objects.create(
            site=site, kind=kind, version=numbered.version, sha256=numbered.sha256, content=numbered.to_json(),
            at=now, by=by[:60], note=note[:300],
        )  # fmt: skip


@overload
def _numbered(what: Office, version: int) -> Office: ...
@overload
def _numbered(what: BoardDocument, version: int) -> BoardDocument: ...
def _numbered(what: Office | BoardDocument, version: int) -> Office | BoardDocument:
    return replace(what, version=version)


def _next(site: Site, kind: str, last: Document | None) -> int:
    """Above all that kiosks of the site have: a server that was restored may have less than they."""
    told = Fact.objects.filter(site=site, kind__in=("applied", "refused"), key=kind).values_list("value", flat=True)
    versions = [value.get("version") for value in told]
    known = [version for version in versions if isinstance(version, int) and version < HIGHEST]
    return max([last.version if last else 0, *known]) + 1
